/// What has to be approved before a change of a kind is applied; the name stands in the approval trailer.
///
/// The raw values never change their meaning: trailers of old commits and `bylaw.yaml` files use them.
package enum Guardrail: String, Sendable, CaseIterable, Comparable {
    /// Somebody gains a dangerous right.
    case riskyGrant = "risky-grant"
    case podSecurityLoosened = "pod-security-loosened"
    case isolationRemoved = "isolation-removed"
    case externalAccess = "external-access"
    case quotaLoosened = "quota-loosened"
    /// More objects go than the budget allows at once.
    case deletionBudget = "deletion-budget"
    /// A namespace goes, and everything in it.
    case namespaceDeletion = "namespace-deletion"
    /// `bylaw.yaml` protects less than before.
    case configurationLoosened = "configuration-loosened"
    /// `bylaw.yaml` makes a scope authoritative: what is not declared there is removed.
    case scopeEnforced = "scope-enforced"

    package static func < (left: Guardrail, right: Guardrail) -> Bool { left.rawValue < right.rawValue }
}

/// What becomes of a change of a kind.
package enum GuardrailDecision: String, Sendable, CaseIterable, Comparable {
    /// It is applied.
    case allow
    /// It is applied and recorded as an incident.
    case report
    /// It waits until somebody approves it.
    case hold

    package static func < (left: GuardrailDecision, right: GuardrailDecision) -> Bool { left.rank < right.rank }

    private var rank: Int {
        switch self {
        case .allow: 0
        case .report: 1
        case .hold: 2
        }
    }
}

extension Guardrail {
    /// Those about what a change means, which `bylaw.yaml` may turn down; the others always hold.
    package static let ofRisks: [Guardrail] = [
        .riskyGrant, .podSecurityLoosened, .isolationRemoved, .externalAccess, .quotaLoosened,
    ]
}
