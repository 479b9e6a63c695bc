package import Manifest
package import Policy

/// What a trailer approves: `Bylaw-Approved: <guardrail> [<object>] by <name>`.
package struct Approval: Sendable, Hashable {
    package static let trailerKey = "Bylaw-Approved"

    /// The name of a guardrail, or of one kind of risk.
    package var subject: String
    /// As ``ObjectID/description`` writes it, such as `RoleBinding payments/deployers`; nil: every object of that revision.
    package var object: String?
    /// Who approves, as the trailer says.
    package var approver: String

    package init(subject: String, object: String? = nil, approver: String) {
        self.subject = subject
        self.object = object
        self.approver = approver
    }

    package var trailer: String {
        "\(Self.trailerKey): \(subject)\(object.map { " " + $0 } ?? "") by \(approver)"
    }

    /// Reads the value of a trailer.
    ///
    /// - Returns: Nil where it does not say what is approved, or by whom; then nothing is.
    package init?(trailer value: String) {
        let words = value.split(whereSeparator: { $0 == " " || $0 == "\t" }).map(String.init)
        guard let subject = words.first, Self.subjects.contains(subject),
            let by = words.lastIndex(of: "by"), by >= 1, by + 1 < words.count
        else { return nil }
        self.subject = subject
        let object = words[1..<by].joined(separator: " ")
        self.object = object.isEmpty ? nil : object
        approver = words[(by + 1)...].joined(separator: " ")
    }

    /// What a trailer may name.
    package static let subjects: Set<String> = Set(
        Guardrail.allCases.map(\.rawValue) + ChangeReason.allCases.map(\.rawValue))

    /// Whether it is about this object.
    func concerns(_ id: ObjectID) -> Bool { object.map { $0.hasSameBytes(as: id.description) } ?? true }
}

/// The approvals of one commit, and what that commit declares.
///
/// An approval is bound to its revision: it is good for an object only as that revision declares it.
package struct ApprovalSource: Sendable {
    package var commit: String
    package var approvals: [Approval]
    package var declared: DeclaredState
    /// What the approvers wrote themselves: nobody approves that.
    package var ownWork: Set<ObjectID>
    /// Whether its history has what is in force: an older branch never had what is to be deleted, and cannot mean it unless
    /// it names it.
    package var knowsWhatIsInForce: Bool
    /// The same for objects whose change has been waiting, of which something older is in force.
    package var knownWaiting: Set<ObjectID>
    /// Which objects it may be about; nil: all.
    ///
    /// What was said before the revision in force is good for what has been waiting since then, and for nothing that came
    /// later.
    package var objects: Set<ObjectID>?

    package init(
        commit: String, approvals: [Approval], declared: DeclaredState, ownWork: Set<ObjectID> = [],
        knowsWhatIsInForce: Bool = true, knownWaiting: Set<ObjectID> = [], objects: Set<ObjectID>? = nil
    ) {
        self.commit = commit
        self.approvals = approvals
        self.declared = declared
        self.ownWork = ownWork
        self.knowsWhatIsInForce = knowsWhatIsInForce
        self.knownWaiting = knownWaiting
        self.objects = objects
    }

    /// Whether the change of an object may be approved here, as far as the object goes: then it matters who wrote it.
    package func mayApprove(_ id: ObjectID, in head: DeclaredState) -> Bool {
        // The approval of a scope covers the namespaces that it selects.
        isAsApproved(id, in: head) && approvals.contains { $0.concerns(id) || $0.concerns(RepositoryConfiguration.id) }
    }

    /// Whether a newest revision declares an object as it was approved.
    func isAsApproved(_ id: ObjectID, in head: DeclaredState) -> Bool {
        guard objects?.contains(id) != false else { return false }
        return id == RepositoryConfiguration.id
            ? declared.configuration.rules == head.configuration.rules
            : declared.objects[id]?.tree == head.objects[id]?.tree
    }
}

/// An approval that counts, and where it was given.
package struct GivenApproval: Sendable, Hashable {
    package var approval: Approval
    package var commit: String

    package init(approval: Approval, commit: String) {
        self.approval = approval
        self.commit = commit
    }
}

/// The approvals that a revision brings along.
struct ApprovalSet {
    let sources: [ApprovalSource]
    let head: DeclaredState

    /// The approval of what a revision does to an object, or to its configuration, for any of some names.
    ///
    /// - Parameter other: Another object whose approval covers this one, as long as both are as they were approved.
    func approval(of subjects: [String], for id: ObjectID, or other: ObjectID? = nil) -> GivenApproval? {
        let isDeletion = id != RepositoryConfiguration.id && head.objects[id] == nil
        for source in sources where !source.ownWork.contains(id) && source.isAsApproved(id, in: head) {
            let isSeen = !isDeletion || source.knowsWhatIsInForce || source.knownWaiting.contains(id)
            if let found = source.approvals.first(where: {
                subjects.contains($0.subject) && ($0.concerns(id) || other.map($0.concerns) == true)
                    && (isSeen || $0.object != nil)
            }) {
                return GivenApproval(approval: found, commit: source.commit)
            }
        }
        return nil
    }
}
