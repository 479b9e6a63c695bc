import Guardrails
import Manifest
import Policy

extension EnforcedState {
    /// Whether deleting an object would take away rights that Bylaw needs, by all roles and bindings of now.
    ///
    /// What cannot be read may be what gives them.
    func losesOwnRights(by id: ObjectID, of user: UserIdentity, live: LiveState) -> Bool {
        let kinds: [Resource] = [.role, .clusterRole, .roleBinding, .clusterRoleBinding]
        switch id.resource {
        case .serviceAccount: return user.serviceAccount == id
        case let kind? where kinds.contains(kind): break
        default: return false
        }
        guard kinds.allSatisfy(live.isKnown) else { return true }
        guard mayGiveRights(id, to: user, live: live) else { return false }
        return !SelfLockout(
            of: user, live: live.all, enforcing: DeclaredState(), removing: [id],
            needed: neededRights(for: configuration)
        ).isEmpty
    }

    /// Looks at names first: working out rights takes long where there are many roles.
    private func mayGiveRights(_ id: ObjectID, to user: UserIdentity, live: LiveState) -> Bool {
        let bindings = live.objects(of: .clusterRoleBinding) + live.objects(of: .roleBinding)
        let ours = bindings.filter { user.isNamed(by: $0.tree, in: $0.id.namespace) }
        if id.resource == .clusterRoleBinding || id.resource == .roleBinding { return ours.contains { $0.id == id } }
        let roles = ours.compactMap { ObjectID(roleReferencedBy: $0.tree, in: $0.id.namespace) }
        // An aggregated role has its rules from others, which may have theirs from others again.
        return roles.contains { $0 == id || live[$0]?.tree["aggregationRule"] != nil }
    }
}
