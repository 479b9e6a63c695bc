import Analysis
import Manifest
import Policy

extension RevisionGuard {
    /// Holds what cannot be judged, since a kind that its meaning depends on cannot be read: unknown is not harmless.
    ///
    /// Once it can be read, the revision is judged again.
    mutating func judgeUnread() {
        guard !question.unreadKinds.isEmpty else { return }
        for id in editedObjects {
            guard let object = question.head.objects[id] else { continue }
            if before[id] == nil || id.resource == .clusterRole, id.resource.map(question.unreadKinds.contains) == true
            {
                judgeUnseen(id)
            }
            switch id.resource {
            case .roleBinding, .clusterRoleBinding: judgeRole(of: object)
            case .role, .clusterRole: judgeBindings(of: object)
            case .networkPolicy: judgeIsolation(by: object)
            default: break
            }
        }
    }

    /// What stands under a declared name is not known: then it cannot be told whether the declaration is looser.
    ///
    /// It could not be written before that can be read, either.
    private mutating func judgeUnseen(_ id: ObjectID) {
        let guardrail: Guardrail =
            switch id.resource {
            case .namespace: .podSecurityLoosened
            case .networkPolicy: .isolationRemoved
            case .resourceQuota, .limitRange: .quotaLoosened
            default: .riskyGrant
            }
        holdUnread(id, guardrail, "what \(id) changes cannot be told, since \(id.kind) objects cannot be read now")
    }

    private mutating func judgeRole(of binding: DeclaredObject) {
        guard let role = ObjectID(roleReferencedBy: binding.tree, in: binding.id.namespace),
            role.resource.map(question.unreadKinds.contains) == true,
            // What stands under the name of a new one is not known, and an aggregated one gathers what nobody declares.
            before[role] == nil || question.head.objects[role]?.tree["aggregationRule"] != nil
                || question.head.objects[role] == nil
        else { return }
        holdUnread(binding.id, .riskyGrant, "what \(binding.id) gives cannot be told, since \(role) cannot be read now")
    }

    /// A role that gives no more than before gives nobody more, whoever is bound to it.
    private mutating func judgeBindings(of role: DeclaredObject) {
        let bindings: [Resource] = role.id.resource == .role ? [.roleBinding] : [.roleBinding, .clusterRoleBinding]
        let unread = bindings.filter(question.unreadKinds.contains)
        guard let kind = unread.first else { return }
        let earlier = before[role.id]?.tree
        let rules = Set(earlier?["rules"]?.array ?? [])
        var givesMore = !(role.tree["rules"]?.array ?? []).allSatisfy(rules.contains)
        if role.id.resource == .clusterRole {
            let labels = role.tree["metadata"]?["labels"]?.members ?? Members()
            let isFedElsewhere = labels.contains { earlier?["metadata"]?["labels"]?[$0.key] != $0.value }
            givesMore = givesMore || isFedElsewhere || earlier?["aggregationRule"] != role.tree["aggregationRule"]
        }
        guard givesMore else { return }
        holdUnread(
            role.id, .riskyGrant,
            "to whom \(role.id) gives more cannot be told, since \(kind.plural) cannot be read now")
    }

    private mutating func judgeIsolation(by policy: DeclaredObject) {
        let unread = [Resource.networkPolicy, .namespace].filter(question.unreadKinds.contains)
        let hasRules = ["ingress", "egress"].contains { policy.tree["spec"]?[$0]?.array?.isEmpty == false }
        guard let kind = unread.first, hasRules else { return }
        holdUnread(
            policy.id, .isolationRemoved,
            "what \(policy.id) opens cannot be told, since \(kind.plural) cannot be read now")
    }

    private mutating func holdUnread(_ id: ObjectID, _ guardrail: Guardrail, _ meaning: String) {
        guard !isApproved(id, by: guardrail.rawValue) else { return }
        hold(id, guardrail, meaning)
    }
}
