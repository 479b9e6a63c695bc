package import Manifest

/// The record of everything Bylaw does, and of everything it noticed.
///
/// Everything that returns has reached the disk. An adapter groups what comes at the same moment into one transaction.
package protocol RunJournal: Sendable {
    /// Makes the intent of a write durable, before the write is sent.
    func begin(_ intent: Intent) async throws(JournalError) -> IntentID

    /// Makes durable that an intent turned into another write to the same object, before that is sent.
    func revise(_ id: IntentID, as intent: Intent) async throws(JournalError)

    /// Turns an intent into an entry; at the same moment updates what is known to be owned.
    ///
    /// A failure with an incident's reason opens that incident for the object.
    ///
    /// - Returns: The sequence number of the entry.
    @discardableResult
    func settle(_ intent: IntentID, as entry: EntryDraft, owned: OwnershipChange) async throws(JournalError) -> Int64

    /// Appends an entry that has no write behind it.
    ///
    /// - Returns: The sequence number of the entry.
    @discardableResult
    func record(_ entry: EntryDraft, owned: OwnershipChange) async throws(JournalError) -> Int64

    /// Opens an incident: appends its entry, unless the same incident (reason, object, message) is open already.
    ///
    /// - Returns: The sequence number of the new entry, or nil where it was open.
    @discardableResult
    func raise(_ incident: EntryDraft) async throws(JournalError) -> Int64?

    /// The incidents of this instance that are open.
    func openIncidents() async throws(JournalError) -> [(reason: IncidentReason, object: ObjectID?)]

    /// Ends the open incidents of these reasons for this object (nil: for the instance as a whole).
    func resolve(_ reasons: [IncidentReason], object: ObjectID?) async throws(JournalError)

    /// The intents of an earlier run that never got an outcome, in order.
    func unsettledIntents() async throws(JournalError) -> [(id: IntentID, intent: Intent)]

    /// The latest change of an object, by this instance on this cluster, that succeeded under some revisions.
    ///
    /// Corrections of drift are none, nor is what was removed because nobody declares it.
    ///
    /// - Parameter first: Entries before this one do not count.
    func lastChange(
        of object: ObjectID, under revisions: Set<String>, from first: Int64
    ) async throws(JournalError) -> PastChange?

    /// Updates what is known of owned objects that did not change themselves.
    func note(owned: [ObjectID: OwnedObject]) async throws(JournalError)

    /// What this instance is known to own on this cluster.
    func ownedObjects() async throws(JournalError) -> [ObjectID: OwnedObject]

    /// Which journal it is: a word that was made with it, and is the same in every copy of it.
    func identity() async throws(JournalError) -> String

    /// What the journal remembers between two runs under a name, such as the enforced revision; nil where nothing.
    func remembered(_ key: MemoryKey) async throws(JournalError) -> String?
    func remember(_ key: MemoryKey, _ value: String) async throws(JournalError)

    /// Returns when a write of this size has reached the disk and is taken back.
    ///
    /// Where what is open has failed for good, such as a volume that was taken away, the journal is opened anew if it is
    /// still the same one; it is never begun anew.
    func expectWritable(bytes: Int) async throws(JournalError)
}

/// What is remembered between runs.
package enum MemoryKey: String, Sendable, CaseIterable {
    /// The commit that is enforced: the newest that was sound.
    case enforcedRevision
    /// What the guardrails hold of it, as JSON.
    case guardedState
    /// Which revisions declared which state, as JSON; see ``DeclaredStates``.
    case declaredStates
    /// The newest commit whose signature was verified.
    case trustedRevision
    /// The newest commit that was seen, sound or not.
    case newestRevision
    /// The `ClusterStatus`-like summary that `bylaw status` shows, as JSON.
    case status
    /// The uid of the cluster's `kube-system` namespace, so that a journal is not used on another cluster by mistake.
    case clusterIdentity
    /// The digest of the admission policies that were put in force last; empty where they were removed, and no digest from
    /// the first change on until all are as wanted.
    case keptPrevention
    /// Which patches of admission policies changed nothing, as JSON: digests, by policy.
    case fruitlessPatches
    /// The last emergency hold that was honoured, as JSON; see ``EmergencyHoldMemory``.
    case emergencyHold
    /// `true` once a whole pass has settled what this instance owns: until then the journal may be a new one beside objects
    /// of an earlier, lost one, or the cluster may have been put back to a backup.
    case ownershipSettled
    /// The namespace that Bylaw itself ran in, by the service account that it was.
    case ownNamespace
    /// The last term in which this journal was the leader's; see ``LeaderTerm``.
    case leaderTerm
    /// The last ``JournalMark`` that was written on the Lease, or about to be.
    case journalMark
}

package struct IntentID: Hashable, Sendable {
    package var rawValue: Int64
    package init(rawValue: Int64) { self.rawValue = rawValue }
}

/// A write that is about to be sent.
package struct Intent: Sendable, Equatable {
    package var at: Timestamp
    package var action: ActionKind
    package var reason: EntryReason
    package var object: ObjectID
    package var uid: String?
    package var resourceVersion: String?
    /// The object before, as canonical JSON; nil where it does not exist.
    package var before: Tree?
    /// What is declared; nil for a delete.
    package var desired: Tree?
    /// The requests to be sent, such as the merge patch, as JSON.
    package var patch: Tree?
    package var revision: RevisionFacts?
    package var actor: Actor?
    /// The entry that it undoes, if it succeeds; decided before, so that a crash in between changes nothing of it.
    package var refersTo: Int64?
    package var message: String

    package init(
        at: Timestamp, action: ActionKind, reason: EntryReason, object: ObjectID, uid: String?,
        resourceVersion: String?, before: Tree?, desired: Tree?, patch: Tree?, revision: RevisionFacts?, actor: Actor?,
        refersTo: Int64? = nil, message: String
    ) {
        self.at = at
        self.action = action
        self.reason = reason
        self.object = object
        self.uid = uid
        self.resourceVersion = resourceVersion
        self.before = before
        self.desired = desired
        self.patch = patch
        self.revision = revision
        self.actor = actor
        self.refersTo = refersTo
        self.message = message
    }
}

/// What the journal knows of an object that this instance owns.
package struct OwnedObject: Sendable, Equatable {
    package var uid: String
    /// The digest of the declaration that the object was last found equal to.
    package var declarationDigest: String
    package var revision: String

    package init(uid: String, declarationDigest: String, revision: String) {
        self.uid = uid
        self.declarationDigest = declarationDigest
        self.revision = revision
    }
}

/// How an entry changes what is known to be owned.
package enum OwnershipChange: Sendable, Equatable {
    case unchanged
    case owns(ObjectID, OwnedObject)
    case released(ObjectID)
}
