import Manifest
import Planning
import Policy

/// What needs no approval since it brings a stricter state back.
///
/// Whoever takes a bad grant back must not wait for anybody. What counts as stricter is narrow: what is known to take away
/// rights or reachability and nothing else. A namespace, a service account with its tokens, a quota and what isolates pods
/// are none of that, nor is a role that somebody is still bound to.
///
/// A policy that only allows is known to take away, also where a workload needs what it allows, such as DNS: stricter is not
/// the same as harmless. The budget is there for deletions that nobody meant, and whoever brings back a whole state, which
/// the journal proves to have been in force as it is, means it.
extension RevisionGuard {
    /// Those of some deletions that restore a stricter state.
    func restorations(among removed: [ObjectID]) -> Set<ObjectID> {
        // What nothing restores is the usual case. An empty repository restores nothing.
        guard question.isRestoration, let inForce = question.inForce, !question.head.objects.isEmpty else {
            return []
        }
        let restored = removed.filter { inForce.objects[$0] != nil }
        let bindings = Set(restored.filter(\.isBinding))
        let roles = restored.filter { $0.resource == .role || $0.resource == .clusterRole }
        let policies = restored.filter { $0.resource == .networkPolicy }
        return bindings.union(unusedRoles(among: roles, without: bindings)).union(withoutIsolation(among: policies))
    }

    /// Roles that give nobody anything once some bindings are gone.
    private func unusedRoles(among roles: [ObjectID], without bindings: Set<ObjectID>) -> [ObjectID] {
        let needed: Set<Resource> = [.roleBinding, .clusterRoleBinding, .clusterRole]
        guard !roles.isEmpty, question.unreadKinds.isDisjoint(with: needed) else { return [] }
        let staying =
            question.live.values.lazy.map { ($0.id, $0.tree) } + question.head.objects.values.map { ($0.id, $0.tree) }
        var bound: Set<ObjectID> = []
        var selectors: [LabelSelector] = []
        for (id, tree) in staying where !bindings.contains(id) {
            if id.isBinding {
                if let role = ObjectID(roleReferencedBy: tree, in: id.namespace) { bound.insert(role) }
            } else if id.resource == .clusterRole {
                selectors += (tree["aggregationRule"]?["clusterRoleSelectors"]?.array ?? []).map(LabelSelector.init)
            }
        }
        return roles.filter { id in
            guard !bound.contains(id), let live = question.live[id] else { return false }
            guard id.resource == .clusterRole else { return true }
            let labels = Labels(live.tree["metadata"]?["labels"])
            return live.tree["aggregationRule"] == nil && !selectors.contains { $0.matches(labels) }
        }
    }

    /// Policies that only allow: the pods stay isolated by others, which are declared and there.
    private func withoutIsolation(among policies: [ObjectID]) -> [ObjectID] {
        guard !policies.isEmpty, !question.unreadKinds.contains(.networkPolicy) else { return [] }
        let live = question.live
        let isolation = Isolation(of: question.head.objects) { live[$0] }
        return policies.filter { id in
            guard let policy = live[id] else { return false }
            return isolation.outlasts(id, canonicalLive(policy.tree, of: .networkPolicy))
        }
    }
}
