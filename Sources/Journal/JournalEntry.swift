package import Manifest
package import Reconciler

/// One row of the journal.
package struct JournalEntry: Sendable, Equatable {
    /// Counts from 1 without a gap, in the order in which entries became durable.
    package var sequence: Int64
    package var time: Timestamp
    package var instance: String
    package var cluster: String
    package var kind: EntryKind
    /// A stable CamelCase word; a later version may know more of them than this one.
    package var reason: String
    package var isIncident: Bool
    package var outcome: EntryOutcome
    package var action: ActionKind?
    package var object: ObjectID?
    /// The version part of the object's `apiVersion`.
    package var objectVersion: String?
    package var uid: String?
    package var resourceVersion: String?
    /// Canonical JSON; nil as well where the query did not ask for content.
    package var before: String?
    package var after: String?
    package var patch: String?
    package var revision: RevisionFacts?
    /// Who approved what a guardrail had held back.
    package var approver: String?
    package var actor: Actor?
    package var runbook: RunbookReference?
    package var duration: Duration?
    package var auditID: String?
    /// The entry that this one says more about, where it identifies an actor, or else that it undoes.
    package var refersTo: Int64?
    package var message: String

    /// The entry whose change this one undoes; nil where it undoes none.
    package var undoes: Int64? { reason == EntryReason.actorIdentified.word ? nil : refersTo }

    /// ``duration`` in whole microseconds, kept within what fits.
    package var durationMicroseconds: Int64? { duration?.wholeMicroseconds }

    /// Where the runbook of an incident is found.
    package struct RunbookReference: Sendable, Equatable {
        /// `Runbooks/<Reason>.md`.
        package var path: String
        /// The version of the program that carries that text.
        package var revision: String

        package init(path: String, revision: String) {
            self.path = path
            self.revision = revision
        }
    }

    package init(
        sequence: Int64, time: Timestamp, instance: String, cluster: String, kind: EntryKind, reason: String,
        isIncident: Bool, outcome: EntryOutcome, action: ActionKind? = nil, object: ObjectID? = nil,
        objectVersion: String? = nil, uid: String? = nil, resourceVersion: String? = nil, before: String? = nil,
        after: String? = nil, patch: String? = nil, revision: RevisionFacts? = nil, approver: String? = nil,
        actor: Actor? = nil, runbook: RunbookReference? = nil, duration: Duration? = nil, auditID: String? = nil,
        refersTo: Int64? = nil, message: String
    ) {
        self.sequence = sequence
        self.time = time
        self.instance = instance
        self.cluster = cluster
        self.kind = kind
        self.reason = reason
        self.isIncident = isIncident
        self.outcome = outcome
        self.action = action
        self.object = object
        self.objectVersion = objectVersion
        self.uid = uid
        self.resourceVersion = resourceVersion
        self.before = before
        self.after = after
        self.patch = patch
        self.revision = revision
        self.approver = approver
        self.actor = actor
        self.runbook = runbook
        self.duration = duration
        self.auditID = auditID
        self.refersTo = refersTo
        self.message = message
    }
}

extension JournalEntry {
    /// What stood in the cluster before and after, and what was sent.
    package struct Content: Sendable, Equatable {
        package var before: Tree?
        package var after: Tree?
        package var patch: Tree?
    }

    /// Reads the kept JSON.
    ///
    /// - Throws: ``JournalError`` where it is no JSON, which only a change from outside can bring about.
    package func content() throws(JournalError) -> Content {
        func read(_ text: String?) throws(JournalError) -> Tree? {
            guard let text else { return nil }
            do throws(JournalFailure) { return try tree(fromCanonical: text, in: "entry \(sequence)") } catch {
                throw JournalError(
                    kind: .request,
                    message: "read entry \(sequence) of the journal: its content is not what bylaw wrote",
                    hint: "Compare it with a backup of the journal.")
            }
        }
        return Content(before: try read(before), after: try read(after), patch: try read(patch))
    }
}
