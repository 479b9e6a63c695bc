import Analysis
import Guardrails
import Manifest
import Planning
import Policy
import Synchronization

/// What gives Bylaw its rights, worked out again only where a role or binding that may be part of that has changed.
///
/// Otherwise each removal of one of thousands would have all of them looked at.
package final class OwnRightsMemory: Sendable {
    private struct Known {
        var accessVersion: UInt64
        var user: UserIdentity
        var rights: OwnRights
    }

    private let known = Mutex<Known?>(nil)

    package init() {}

    /// Begins anew, as when another state is enforced.
    func forget() { known.withLock { $0 = nil } }

    func rights(
        of user: UserIdentity, live: LiveState, by enforced: EnforcedState, ownership: Ownership,
        closedWorld: ClosedWorld
    ) -> OwnRights {
        if let rights = stillValid(for: user, live) { return rights }
        let rights = OwnRights(
            of: user, live: live.accessObjects,
            isUndeclared: {
                enforced.objects[$0.id] == nil && (closedWorld.removes($0) || ownership.claim(of: $0) == .ours)
            },
            needed: neededRights(for: enforced.configuration),
            wanted: preventionRights(for: enforced.configuration, instance: ownership.instance))
        known.withLock { $0 = Known(accessVersion: live.accessVersion, user: user, rights: rights) }
        return rights
    }

    private func stillValid(for user: UserIdentity, _ live: LiveState) -> OwnRights? {
        known.withLock { known in
            guard let last = known, last.user == user, let changes = live.accessChanges(since: last.accessVersion),
                !changes.contains(where: { id in
                    last.rights.givers.contains(id) || live[id].map(last.rights.mayComeToGive) == true
                })
            else { return nil }
            known?.accessVersion = live.accessVersion
            return last.rights
        }
    }
}

extension EnforcedState {
    /// Whether an action takes away rights that Bylaw needs.
    ///
    /// What cannot be read may be what gives them.
    func losesOwnRights(by action: Action, of user: UserIdentity, live: LiveState, rights: () -> OwnRights) -> Bool {
        let id = action.id
        if id.resource == .serviceAccount { return action.kind == .delete && user.serviceAccount == id }
        guard let resource = id.resource, Resource.ofAccess.contains(resource) else { return false }
        guard Resource.ofAccess.allSatisfy(live.isKnown) else { return action.isOfStranger }
        let rights = rights()
        if action.isOfStranger { return rights.indispensable.contains(id) }
        guard rights.givers.contains(id) else { return false }
        let isRemoved = action.kind == .delete || action.kind == .replace
        var state = DeclaredState()
        if !isRemoved, let desired = action.desired {
            state.objects[id] = DeclaredObject(id: id, tree: desired, origin: Origin(file: "", line: 0))
        }
        // What goes at the same time gives nothing any more.
        return !SelfLockout(
            of: user, live: live.accessObjects, enforcing: state, closedLabels: closedLabels,
            removing: Array(isRemoved ? rights.dispensable.union([id]) : rights.dispensable),
            needed: neededRights(for: configuration)
        ).isEmpty
    }
}
