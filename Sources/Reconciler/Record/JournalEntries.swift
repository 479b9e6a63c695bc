package import Manifest

/// What an entry is about.
package enum EntryKind: String, Sendable, CaseIterable {
    /// A change to the cluster.
    case action
    /// A revision that was accepted or refused, a fetch, a whole sync, a start or stop.
    case event
    /// Something held back, failed or noticed, with no change to the cluster.
    case notice
}

/// Why an entry was written: routine, or an incident.
package enum EntryReason: Sendable, Equatable, Hashable {
    /// A new revision asked for it.
    case revisionChanged
    /// A revision was found sound and is enforced from now on.
    case revisionAccepted
    /// A pass ended with live equal to declared.
    case synced
    /// An object was found as declared and ours, without a write.
    case recognised
    case started
    case stopped
    /// Checkpoints of the journal are signed with another key from here on.
    case signingKeyChanged
    /// The instance was uninstalled: what it made is deleted, or its marker taken off.
    case uninstalled
    /// A later version of the program brought the journal up to date.
    case journalUpgraded
    /// Retention removed old entries, as this one says.
    case journalCut
    /// An audit event tells who made a change that another entry is about.
    case actorIdentified
    /// Somebody set an emergency hold: the revision that it names stays enforced until its end.
    case holdBegan
    /// Somebody extended a hold, or named another revision in it.
    case holdChanged
    /// A hold is over; the newest revision is enforced again.
    case holdEnded
    case incident(IncidentReason)

    /// The stable CamelCase word.
    package var word: String {
        switch self {
        case .revisionChanged: "RevisionChanged"
        case .revisionAccepted: "RevisionAccepted"
        case .synced: "Synced"
        case .recognised: "Recognised"
        case .started: "Started"
        case .stopped: "Stopped"
        case .signingKeyChanged: "SigningKeyChanged"
        case .uninstalled: "Uninstalled"
        case .journalUpgraded: "JournalUpgraded"
        case .journalCut: "JournalCut"
        case .actorIdentified: "ActorIdentified"
        case .holdBegan: "HoldBegan"
        case .holdChanged: "HoldChanged"
        case .holdEnded: "HoldEnded"
        case .incident(let reason): reason.rawValue
        }
    }

    /// Every reason: the routine, then the incidents.
    package static let all: [EntryReason] =
        [
            .revisionChanged, .revisionAccepted, .synced, .recognised, .started, .stopped, .signingKeyChanged,
            .uninstalled, .journalUpgraded, .journalCut, .actorIdentified, .holdBegan, .holdChanged, .holdEnded,
        ]
        + IncidentReason.allCases.map(EntryReason.incident)

    package init?(word: String) {
        if let reason = Self.all.first(where: { $0.word == word }) {
            self = reason
        } else {
            return nil
        }
    }

    package var incident: IncidentReason? { if case .incident(let reason) = self { reason } else { nil } }
}

package enum EntryOutcome: String, Sendable, CaseIterable {
    /// It was done, or what was noted is simply so.
    case succeeded
    /// It failed; `message` says why.
    case failed
    /// A guardrail holds it back.
    case held
    /// Found undone at the start after a crash.
    case abandoned
}

/// Who changed an object, and how sure that is.
package struct Actor: Sendable, Equatable {
    package enum Certainty: String, Sendable, CaseIterable {
        /// The API server's audit log: nobody else can have made the change.
        case proven
        /// The API server's audit log: the request fits, and others may as well.
        case likely
        /// Only the field manager's name says so, and any client may choose any name (rule A17).
        case claimed
        /// The object does not tell.
        case unknown
    }

    package var name: String
    package var operation: String
    /// When the server says it was, RFC 3339.
    package var time: String?
    package var certainty: Certainty
    /// What the audit log tells besides: groups, who impersonated, addresses, user agent.
    package var details: Tree?

    package init(name: String, operation: String, time: String?, certainty: Certainty, details: Tree? = nil) {
        self.name = name
        self.operation = operation
        self.time = time
        self.certainty = certainty
        self.details = details
    }
}

/// What an entry says of the revision it belongs to.
package struct RevisionFacts: Sendable, Equatable {
    package var commit: String
    package var author: String
    package var committer: String
    package var subject: String
    package var pullRequest: Int?
    package var trailers: [Revision.Trailer]

    package init(_ revision: Revision) {
        commit = revision.commit
        author = revision.author.description
        committer = revision.committer.description
        subject = revision.subject
        pullRequest = revision.pullRequest
        trailers = revision.trailers
    }

    package init(
        commit: String, author: String, committer: String, subject: String, pullRequest: Int?,
        trailers: [Revision.Trailer]
    ) {
        self.commit = commit
        self.author = author
        self.committer = committer
        self.subject = subject
        self.pullRequest = pullRequest
        self.trailers = trailers
    }
}

/// An entry before it has a place in the journal.
package struct EntryDraft: Sendable {
    package var at: Timestamp
    package var kind: EntryKind
    package var reason: EntryReason
    package var outcome: EntryOutcome
    package var action: ActionKind?
    package var object: ObjectID?
    package var uid: String?
    package var resourceVersion: String?
    package var before: Tree?
    package var after: Tree?
    package var patch: Tree?
    package var revision: RevisionFacts?
    /// Who let it through, where it had to be approved.
    package var approver: String?
    package var actor: Actor?
    package var duration: Duration?
    /// The API server's audit id of the write.
    package var auditID: String?
    /// The entry that this one says more about, where it identifies an actor, or else that it undoes.
    package var refersTo: Int64?
    package var message: String

    package init(
        at: Timestamp, kind: EntryKind, reason: EntryReason, outcome: EntryOutcome, action: ActionKind? = nil,
        object: ObjectID? = nil, uid: String? = nil, resourceVersion: String? = nil, before: Tree? = nil,
        after: Tree? = nil, patch: Tree? = nil, revision: RevisionFacts? = nil, approver: String? = nil,
        actor: Actor? = nil,
        duration: Duration? = nil, auditID: String? = nil, refersTo: Int64? = nil, message: String
    ) {
        self.at = at
        self.kind = kind
        self.reason = reason
        self.outcome = outcome
        self.action = action
        self.object = object
        self.uid = uid
        self.resourceVersion = resourceVersion
        self.before = before
        self.after = after
        self.patch = patch
        self.revision = revision
        self.approver = approver
        self.actor = actor
        self.duration = duration
        self.auditID = auditID
        self.refersTo = refersTo
        self.message = message
    }
}
