package import Analysis
package import Manifest
package import Policy

/// A change to one object that waits for an approval.
package struct GuardrailHold: Sendable, Equatable {
    package var id: ObjectID
    /// What has to be approved; more than one where the change means several things.
    package var guardrails: Set<Guardrail>
    /// What the change means, a sentence each.
    package var meanings: [String]
    /// The gravest meaning's runbook.
    package var runbook: String?
    /// What is there now, declared by nobody, and would be removed.
    package var removes: [ObjectID]

    package init(
        id: ObjectID, guardrails: Set<Guardrail>, meanings: [String], runbook: String?, removes: [ObjectID] = []
    ) {
        self.id = id
        self.guardrails = guardrails
        self.meanings = meanings
        self.runbook = runbook
        self.removes = removes
    }

    /// The trailers that let it through, each to be ended with the name of whoever approves.
    package var trailers: [String] {
        guardrails.sorted().map { "\(Approval.trailerKey): \($0.rawValue) \(id) by NAME" }
    }
}

/// What may happen of a revision.
package struct GuardVerdict: Sendable {
    /// What is to be enforced: the new declarations, and the earlier ones of what is held.
    package var state: DeclaredState
    /// In the order of their objects.
    package var holds: [GuardrailHold]
    /// Objects that are neither changed nor removed: what an earlier revision declared of them is not known.
    package var frozen: Set<ObjectID>
    /// Namespaces whose deletion is approved.
    package var deletableNamespaces: Set<ObjectID>
    /// What is applied and has to be told.
    package var reported: [ChangeFinding]
    /// What was approved, by object.
    package var approved: [ObjectID: GivenApproval]
    /// What is to be deleted.
    package var removed: [ObjectID]
    /// What would have been held, and is not, since it brings a stricter state back.
    package var restored: Set<ObjectID> = []

    package init(
        state: DeclaredState, holds: [GuardrailHold], frozen: Set<ObjectID>, deletableNamespaces: Set<ObjectID>,
        reported: [ChangeFinding], approved: [ObjectID: GivenApproval], removed: [ObjectID]
    ) {
        self.state = state
        self.holds = holds
        self.frozen = frozen
        self.deletableNamespaces = deletableNamespaces
        self.reported = reported
        self.approved = approved
        self.removed = removed
    }
}
