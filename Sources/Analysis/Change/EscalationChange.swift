import Manifest
import Policy

/// Finds who can newly become somebody with a critical right over the whole cluster, by any number of steps.
struct EscalationChange {
    let access: AccessChange

    func findings() -> [ChangeFinding] {
        let change = access.change
        guard !change.edited(.role, .clusterRole, .roleBinding, .clusterRoleBinding, .serviceAccount).isEmpty else {
            return []
        }
        let before = EscalationGraph(access.base, state: change.base)
        let after = EscalationGraph(access.head, state: change.head)
        return after.climbers.compactMap { subject in
            // Whoever was strong already, or could already become so, gains nothing by another way.
            guard before.path(from: subject) == nil, let path = after.path(from: subject) else { return nil }
            return finding(subject, path)
        }
    }

    private func finding(_ subject: AccessSubject, _ path: [EscalationStep]) -> ChangeFinding? {
        let causes = causes(path)
        guard !causes.isEmpty, let last = path.last else { return nil }
        let lines = path.map { step in
            "\(step.subject) \(step.means)" + (step.becomes.map { " and becomes \($0)" } ?? "")
        }
        return ChangeFinding(
            reason: .escalationPathOpened, severity: .critical, direction: .loosens, subject: FindingSubject(subject),
            scope: scopeName(""),
            message: "\(subject) can newly become \(last.subject), which \(last.means)", after: lines,
            causes: causes, guardrail: .riskyGrant)
    }

    /// What was edited among the bindings and roles of those on the way.
    private func causes(_ path: [EscalationStep]) -> [FindingCause] {
        var ids: [ObjectID] = []
        for step in path {
            for binding in access.head.bindings(naming: AccessIdentity(of: step.subject)) {
                ids += [binding.id, binding.role] + (access.head.roles[binding.role]?.sources ?? [])
            }
        }
        return access.change.causes(among: ids)
    }
}
