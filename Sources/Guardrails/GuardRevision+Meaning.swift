import Analysis
import Manifest
import Policy

extension RevisionGuard {
    /// How often what is left is analysed again after something was held.
    private static let maximumRounds = 8

    /// Holds what makes the revision mean something that needs an approval, until nothing of that is left.
    mutating func judgeMeaning() {
        let context = SecurityState(live: question.live)
        let base = SecurityState(DeclaredState(objects: before))
        for round in 1... {
            let findings = analyseChange(
                base: base,
                head: SecurityState(
                    DeclaredState(
                        objects: effectiveObjects.merging(frozenAsLive) { first, _ in first }
                            .merging(leftAsItIs) { first, _ in first })),
                context: context,
                options: ChangeOptions(privilegedNamespaces: question.privilegedNamespaces, knowsCluster: true))
            let heldBefore = holds.count
            var isOpen = false
            reported = []
            for finding in findings {
                guard let (guardrail, decision) = settings.decision(about: finding) else { continue }
                switch decision {
                case .allow: break
                case .report: reported.append(finding)
                case .hold: isOpen = judge(finding, guardrail) || isOpen
                }
            }
            guard isOpen else { return }
            // What is held was put back, and it still means the same: whatever else was edited there waits as well.
            if holds.count == heldBefore || round >= Self.maximumRounds { holdRest(of: findings) }
            if round > Self.maximumRounds { return }
        }
    }

    /// - Returns: Whether something of it was not approved.
    private mutating func judge(_ finding: ChangeFinding, _ guardrail: Guardrail) -> Bool {
        var isOpen = false
        for cause in finding.causes where !goesWithItsNamespace(cause.object) {
            guard !isApproved(cause.object, by: guardrail.rawValue, finding.reason.rawValue) else { continue }
            isOpen = true
            hold(cause.object, guardrail, finding.message, runbook: finding.runbook)
        }
        return isOpen
    }

    private mutating func holdRest(of findings: [ChangeFinding]) {
        for finding in findings {
            guard let (guardrail, decision) = settings.decision(about: finding), decision == .hold else { continue }
            let kinds = kinds(of: finding.reason.area)
            for id in editedObjects where id.resource.map(kinds.contains) == true && !goesWithItsNamespace(id) {
                hold(id, guardrail, finding.message, runbook: finding.runbook)
            }
        }
    }

    private func kinds(of area: FindingArea) -> Set<Resource> {
        switch area {
        case .access: [.role, .clusterRole, .roleBinding, .clusterRoleBinding, .serviceAccount]
        case .network: [.networkPolicy, .namespace]
        case .podSecurity: [.namespace]
        case .baseline: [.resourceQuota, .limitRange, .serviceAccount]
        }
    }

    var editedObjects: [ObjectID] {
        Set(before.keys).union(question.head.objects.keys)
            .filter { before[$0]?.tree != question.head.objects[$0]?.tree }.sorted()
    }

    /// Held objects of which no earlier declaration is known: they stay as they are.
    private var frozenAsLive: [ObjectID: DeclaredObject] {
        var objects: [ObjectID: DeclaredObject] = [:]
        for id in holds.keys where question.inForce?.objects[id] == nil {
            objects[id] = question.live[id]?.asDeclared
        }
        return objects
    }
}
