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
    /// What becomes of a kind of risk, by what the repository says and the table where it says nothing.
    func decision(on row: RiskRow, at severity: Severity) -> GuardrailDecision {
        if let own = decisions[row.reason.rawValue] { return own }
        let standard = row.decision(at: severity)
        // The whole family is turned up or down from what its table says, never a harmless one up to a hold.
        guard let family = decisions[row.guardrail.rawValue], family != .hold else { return standard }
        return min(family, standard)
    }

    /// The stricter of two settings in everything; nobody may approve who is not in both.
    package func stricter(_ other: GuardrailSettings) -> GuardrailSettings {
        var result = self
        result.deletions = DeletionBudget(
            maximum: min(deletions.maximum, other.deletions.maximum),
            maximumPercent: min(deletions.maximumPercent, other.deletions.maximumPercent),
            always: min(deletions.always, other.deletions.always))
        // Where one of them leaves it to the table, only a hold is stricter than that.
        result.decisions = decisions.filter { $0.value == .hold || other.decisions[$0.key] != nil }
            .merging(other.decisions.filter { $0.value == .hold || decisions[$0.key] != nil }) { max($0, $1) }
        result.approvers = approvers.filter(other.approvers.contains)
        return result
    }

    /// What becomes of a change with this meaning, and what it has to be approved for where it is held.
    package func decision(about finding: ChangeFinding) -> (guardrail: Guardrail, decision: GuardrailDecision)? {
        // A binding that waits for its role misleads today and grants tomorrow.
        guard finding.direction == .loosens || finding.reason == .bindingLatent, let row = riskRows[finding.reason]
        else {
            return nil
        }
        return (row.guardrail, decision(on: row, at: finding.severity))
    }
}
