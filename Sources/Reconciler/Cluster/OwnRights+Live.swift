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
    private let wanted = Mutex<[AccessRequest]?>(nil)

    package init() {}

    /// Begins anew, as when another state is enforced.
    func forget() {
        known.withLock { $0 = nil }
        wanted.withLock { $0 = nil }
    }

    /// What prevention takes, and what the declared roles grant that Bylaw can only grant while it holds it.
    private func wanted(by enforced: EnforcedState, _ user: UserIdentity, instance: String) -> [AccessRequest] {
        if let last = wanted.withLock({ $0 }) { return last }
        let account = user.serviceAccount ?? ObjectID(.serviceAccount, namespace: "", name: user.name)
        let asked =
            preventionRights(for: enforced.configuration, instance: instance) + eventRights
            + Ceiling(for: enforced.inForce, account: account).requests
        wanted.withLock { $0 = asked }
        return asked
    }

    func rights(
        of user: UserIdentity, live: LiveState, by enforced: EnforcedState, ownership: Ownership,
        closedWorld: ClosedWorld
    ) -> OwnRights {
        let isRemovable = { (object: LiveObject) in
            enforced.objects[object.id] == nil
                && (closedWorld.removes(object) || ownership.claim(of: object) == .ours)
        }
        if let rights = stillValid(for: user, live, isRemovable: isRemovable) { return rights }
        let rights = OwnRights(
            of: user, live: live.accessObjects, lasting: enforced.lasting(live.accessObjects),
            isDeclared: { enforced.objects[$0] != nil },
            isRemovable: isRemovable, needed: neededRights(for: enforced.configuration),
            wanted: wanted(by: enforced, user, instance: ownership.instance))
        known.withLock { $0 = Known(accessVersion: live.accessVersion, user: user, rights: rights) }
        return rights
    }

    private func stillValid(
        for user: UserIdentity, _ live: LiveState, isRemovable: (LiveObject) -> Bool
    ) -> OwnRights? {
        known.withLock { known in
            guard var last = known, last.user == user, let changes = live.accessChanges(since: last.accessVersion)
            else { return nil }
            for id in Set(changes) {
                guard last.rights.take(id, live[id], isRemovable: isRemovable) else { return nil }
            }
            last.accessVersion = live.accessVersion
            known = last
            return last.rights
        }
    }
}

extension EnforcedState {
    /// Whether an action takes away rights that Bylaw needs.
    ///
    /// What cannot be read may be what gives them.
    func losesOwnRights(
        by action: Action, of user: UserIdentity, live: LiveState, instance: String, rights: () -> OwnRights
    ) -> Bool {
        let id = action.id
        if id.resource == .serviceAccount { return action.kind == .delete && user.serviceAccount == id }
        guard let resource = id.resource, Resource.ofAccess.contains(resource) else { return false }
        guard Resource.ofAccess.allSatisfy(live.isKnown) else {
            // A binding that does not name us gives us nothing, whatever the rest is.
            return !id.isBinding || action.before.map { user.isNamed(by: $0.tree, in: id.namespace) } ?? true
        }
        let rights = rights()
        if action.isOfStranger { return rights.indispensable.contains(id) }
        guard rights.givers.contains(id) else { return false }
        let isRemoved = action.kind == .delete || action.kind == .replace
        if isRemoved, rights.indispensable.contains(id) { return true }
        // Drift is put back without asking, so what is there now is what this revision takes away.
        var before = lasting(live.accessObjects)
        before[id] = action.before ?? before[id]
        var state = DeclaredState()
        if !isRemoved, let desired = action.desired {
            state.objects[id] = DeclaredObject(id: id, tree: desired, origin: Origin(file: "", line: 0))
        }
        // What goes at the same time gives nothing any more.
        return !SelfLockout(
            of: user, live: before, enforcing: state, closedLabels: closedLabels,
            removing: Array(isRemoved ? rights.dispensable.union([id]) : rights.dispensable),
            needed: neededRights(for: configuration) + preventionRights(for: configuration, instance: instance)
        ).isEmpty
    }

    /// Roles and bindings as they will last: without what somebody added to them by hand, what is still to be changed, and
    /// what is on its way out.
    fileprivate func lasting(_ live: [ObjectID: LiveObject]) -> [ObjectID: LiveObject] {
        var lasting = live
        for (id, object) in live {
            if object.isTerminating { lasting[id] = nil }
            guard !object.isTerminating, let resource = id.resource, let declared = objects[id],
                !isSame(declared.tree, object.tree)
            else {
                continue
            }
            var tree = declared.without(
                whatIsTakenAwayBy: DeclaredObject(id: id, tree: object.tree, origin: declared.origin)
            ).tree
            if declared.tree["roleRef"] != object.tree["roleRef"] { tree.set(["subjects"], to: nil) }
            let isAggregatedOtherwise = declared.tree["aggregationRule"] != object.tree["aggregationRule"]
            if isAggregatedOtherwise { tree.set(["aggregationRule"], to: nil) }
            if isAggregatedOtherwise || tree["aggregationRule"] != nil { tree.set(["rules"], to: nil) }
            var metadata = object.metadata
            for (key, value) in object.metadata["labels"]?.members ?? Members() {
                let wanted = declared.tree["metadata"]?["labels"]?[key]
                let stays = wanted == value || wanted == nil && !closedLabels.contains(key, of: resource)
                if !stays { metadata.set(["labels", key], to: nil) }
            }
            tree.set(["metadata"], to: metadata)
            lasting[id] = LiveObject(tree, of: resource)
        }
        return lasting
    }

    /// Whether nothing of what gives rights differs.
    private func isSame(_ declared: Tree, _ live: Tree) -> Bool {
        ["rules", "subjects", "roleRef", "aggregationRule"].allSatisfy { declared[$0] == live[$0] }
            && declared["metadata"]?["labels"] == live["metadata"]?["labels"]
    }
}
