import Analysis
import Guardrails
import Manifest
import Planning
import Policy
import Synchronization

/// What gives Bylaw its rights, worked out once for each state of the roles and bindings.
final class OwnRightsMemory: Sendable {
    private struct Key: Equatable {
        var accessVersion: UInt64
        var commit: String
        var user: UserIdentity
    }

    private let known = Mutex<(key: Key, rights: OwnRights)?>(nil)

    func rights(
        of user: UserIdentity, live: LiveState, by enforced: EnforcedState, instance: String, closedWorld: ClosedWorld
    ) -> OwnRights {
        let key = Key(accessVersion: live.accessVersion, commit: enforced.revision.commit, user: user)
        if let known = known.withLock({ $0?.key == key ? $0?.rights : nil }) { return known }
        let objects = live.accessObjects
        let undeclared = objects.values.filter { enforced.objects[$0.id] == nil && closedWorld.removes($0) }.map(\.id)
        let rights = OwnRights(
            of: user, live: objects, undeclared: Set(undeclared), needed: neededRights(for: enforced.configuration),
            wanted: preventionRights(for: enforced.configuration, instance: instance))
        known.withLock { $0 = (key, rights) }
        return rights
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
        guard mayConcern(user, action, live: live) else { return false }
        let rights = rights()
        if action.isOfStranger { return rights.indispensable.contains(id) }
        guard rights.givers.contains(id) else { return false }
        let isRemoved = action.kind == .delete || action.kind == .replace
        var state = DeclaredState()
        if !isRemoved, let desired = action.desired {
            state.objects[id] = DeclaredObject(id: id, tree: desired, origin: Origin(file: "", line: 0))
        }
        return !SelfLockout(
            of: user, live: live.accessObjects, enforcing: state, removing: isRemoved ? [id] : [],
            needed: neededRights(for: configuration)
        ).isEmpty
    }

    /// Looks at names first: working out rights takes long where there are many roles, and each write changes them.
    private func mayConcern(_ user: UserIdentity, _ action: Action, live: LiveState) -> Bool {
        let id = action.id
        switch id.resource {
        case .roleBinding, .clusterRoleBinding:
            return action.before.map { user.isNamed(by: $0.tree, in: id.namespace) } ?? false
        case .role:
            return live.objects(of: .roleBinding).contains { binding in
                binding.id.namespace.hasSameBytes(as: id.namespace)
                    && ObjectID(roleReferencedBy: binding.tree, in: id.namespace) == id
                    && user.isNamed(by: binding.tree, in: id.namespace)
            }
        default: return true
        }
    }
}
