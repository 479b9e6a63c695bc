package import Analysis
package import Policy

/// A kind of risk as `bylaw guardrails` lists it, with what becomes of it where the repository says nothing.
package struct RiskRow: Sendable, Equatable {
    package var reason: ChangeReason
    /// What a trailer names to approve it; the reason's own word does as well.
    package var guardrail: Guardrail
    /// From which severity on it is held; nil where it never is by itself.
    package var heldFrom: Severity?
    /// From which severity on it is reported, where it is not held.
    package var reportedFrom: Severity?

    package func decision(at severity: Severity) -> GuardrailDecision {
        if let heldFrom, severity >= heldFrom { return .hold }
        if let reportedFrom, severity >= reportedFrom { return .report }
        return .allow
    }

    /// The runbook's path in this project.
    package var runbook: String { "Runbooks/\(reason.rawValue).md" }
}

/// The table of risks: what a change may mean that takes somebody's approval (security semantics, section 4).
package let riskTable: [RiskRow] = ChangeReason.allCases.compactMap { reason in
    switch reason {
    case .rightRevoked, .reachabilityLost, .networkPolicyIneffective, .podSecurityTightened, .podsWouldBeRefused,
        .namespaceRemoved:
        // They loosen nothing; a namespace that goes has a guardrail of its own, which needs no analysis.
        nil
    case .isolationLost: RiskRow(reason: reason, guardrail: .isolationRemoved, heldFrom: .info)
    case .reachabilityWidened: RiskRow(reason: reason, guardrail: .isolationRemoved, heldFrom: .high)
    case .externalIngressOpened, .externalEgressOpened:
        RiskRow(reason: reason, guardrail: .externalAccess, heldFrom: .info)
    case .podSecurityLoosened:
        RiskRow(reason: reason, guardrail: .podSecurityLoosened, heldFrom: .medium, reportedFrom: .low)
    case .quotaLoosened: RiskRow(reason: reason, guardrail: .quotaLoosened, heldFrom: .info)
    case .aggregationWidened: RiskRow(reason: reason, guardrail: .riskyGrant, heldFrom: .medium)
    case .bindingLatent, .defaultServiceAccountBound, .rightGranted, .tokenMountEnabled:
        RiskRow(reason: reason, guardrail: .riskyGrant, heldFrom: .high, reportedFrom: .medium)
    default: RiskRow(reason: reason, guardrail: .riskyGrant, heldFrom: .high, reportedFrom: .medium)
    }
}

private let riskRows = Dictionary(uniqueKeysWithValues: riskTable.map { ($0.reason, $0) })

extension GuardrailSettings {
    /// What becomes of a change with this meaning, and what it has to be approved for where it is held.
    package func decision(about finding: ChangeFinding) -> (guardrail: Guardrail, decision: GuardrailDecision)? {
        guard finding.direction == .loosens, let row = riskRows[finding.reason] else { return nil }
        let decision =
            decisions[finding.reason.rawValue] ?? decisions[row.guardrail.rawValue].map { setting in
                // The whole family is turned up or down from what its table says, never a harmless one up to a hold.
                setting == .hold ? row.decision(at: finding.severity) : min(setting, row.decision(at: finding.severity))
            } ?? row.decision(at: finding.severity)
        return (row.guardrail, decision)
    }
}
