package import Manifest
package import Policy

/// How dangerous a change is for whoever merges it (security semantics, section 4).
package enum Severity: String, Sendable, CaseIterable, Comparable {
    /// Something was taken away or tightened; nobody has to act.
    case info
    case low
    case medium
    case high
    case critical

    package static func < (left: Severity, right: Severity) -> Bool { left.rank < right.rank }

    private var rank: Int {
        switch self {
        case .info: 0
        case .low: 1
        case .medium: 2
        case .high: 3
        case .critical: 4
        }
    }

    /// What holds within one namespace that holds for a whole cluster: one step lower, but never mere information.
    package var oneStepLower: Severity {
        switch self {
        case .critical: .high
        case .high: .medium
        case .medium, .low: .low
        case .info: .info
        }
    }
}

/// Which way a change goes.
package enum ChangeDirection: String, Sendable, CaseIterable {
    /// Somebody gains, something opens, a protection goes.
    case loosens
    /// Somebody loses, something closes.
    case tightens
    /// Something that works today may stop working.
    case breaks
    /// It does not do what its author seems to mean.
    case misleads
}

/// An object that a finding comes from: somebody wrote, changed or deleted it between the two revisions.
package struct FindingCause: Sendable, Hashable {
    package enum Edit: String, Sendable { case added, changed, removed }

    package var object: ObjectID
    package var edit: Edit
    /// Where it stands in the head revision, or stood in the base one where it was removed; nil from a cluster.
    package var origin: Origin?
    /// The newest commit between the two revisions that touched the file, all 40 digits; nil where that is not known.
    package var commit: String?

    package init(object: ObjectID, edit: Edit, origin: Origin?, commit: String? = nil) {
        self.object = object
        self.edit = edit
        self.origin = origin
        self.commit = commit
    }
}

/// Whom or what a finding is about, as JSON answers name it.
package struct FindingSubject: Sendable, Hashable {
    /// `User`, `Group`, `ServiceAccount`, or a kind of object.
    package var kind: String
    package var namespace: String
    package var name: String

    package init(kind: String, namespace: String = "", name: String) {
        self.kind = kind
        self.namespace = namespace
        self.name = name
    }

    package init(_ id: ObjectID) { self.init(kind: id.kind, namespace: id.namespace, name: id.name) }

    package var description: String { namespace.isEmpty ? "\(kind) \(name)" : "\(kind) \(namespace)/\(name)" }
}

/// One thing that a change means for security.
package struct ChangeFinding: Sendable, Hashable {
    package var reason: ChangeReason
    package var severity: Severity
    package var direction: ChangeDirection
    package var subject: FindingSubject
    /// Where it holds: `the whole cluster`, `namespace payments`.
    package var scope: String
    /// What changes, one sentence without a full stop.
    package var message: String
    /// What held before, a line each; empty where nothing did.
    package var before: [String]
    /// What holds afterwards, a line each; empty where nothing does.
    package var after: [String]
    /// What made it so, in the byte order of the objects; at least one.
    package var causes: [FindingCause]
    /// What it has to be approved for; nil where it needs no approval.
    package var guardrail: Guardrail?

    package init(
        reason: ChangeReason, severity: Severity, direction: ChangeDirection, subject: FindingSubject, scope: String,
        message: String, before: [String] = [], after: [String] = [], causes: [FindingCause],
        guardrail: Guardrail? = nil
    ) {
        self.reason = reason
        self.severity = severity
        self.direction = direction
        self.subject = subject
        self.scope = scope
        self.message = message
        self.before = before
        self.after = after
        self.causes = causes
        self.guardrail = guardrail
    }

    package var area: FindingArea { reason.area }
    /// The runbook's path in this project.
    package var runbook: String { "Runbooks/\(reason.rawValue).md" }
}

extension ChangeFinding: Comparable {
    /// The gravest first, then by area, subject and scope; whole, so that a report always has one order.
    package static func < (left: ChangeFinding, right: ChangeFinding) -> Bool {
        if left.severity != right.severity { return left.severity > right.severity }
        let leftKey = [left.area.rawValue, left.reason.rawValue, left.subject.description, left.scope, left.message]
        let rightKey = [
            right.area.rawValue, right.reason.rawValue, right.subject.description, right.scope, right.message,
        ]
        for (left, right) in zip(leftKey, rightKey) where !left.hasSameBytes(as: right) {
            return left.precedesByBytes(right)
        }
        return false
    }
}

/// What a change from one state to another means for security.
package struct ChangeReport: Sendable {
    /// How the two sides are called, such as a branch and its commit.
    package var base: String
    package var head: String
    /// In order, see ``ChangeFinding``; no two are equal.
    package var findings: [ChangeFinding]
    /// What a reader has to know to trust the findings: what was not looked at and why, a sentence each.
    package var notes: [String]
    /// How many objects differ in text or meaning between the two sides.
    package var changedObjects: Int

    package init(base: String, head: String, findings: [ChangeFinding], notes: [String], changedObjects: Int) {
        self.base = base
        self.head = head
        self.findings = findings
        self.notes = notes
        self.changedObjects = changedObjects
    }

    package func count(_ severity: Severity) -> Int { findings.count { $0.severity == severity } }
}
