package import Manifest

/// What a controller tells whoever started it, for logs and the progress line; the record is the journal.
package enum ControllerNotice: Sendable {
    case revisionAccepted(Revision, objectCount: Int)
    case revisionRefused(Revision, RevisionRefusal)
    /// One change to the cluster was made, or failed.
    case changed(EntryDraft, sequence: Int64)
    /// An object was seen to have drifted.
    case driftFound(ObjectID, DriftReason)
    /// It has drifted no more.
    case driftEnded(EndedDrift)
    /// The repository was asked for its newest revision.
    case fetched(FetchReport)
    /// An incident began.
    case incident(EntryDraft)
    /// An emergency hold began, changed or ended.
    case hold(EntryDraft)
    /// A sound revision waits for the end of an emergency hold.
    case revisionWaiting(Revision, until: Timestamp)
    /// Nothing can be recorded from now on, and so nothing is changed; or the reason is another one now.
    case journalLost(JournalOutage)
    /// An object was found not as declared while nothing can be recorded: it is left as it is.
    case unrecordedDrift(ObjectID, String)
    /// Nothing can be recorded still.
    case journalStillLost(JournalOutage)
    /// More or fewer objects are known to be not as declared while nothing can be recorded.
    case outageChanged(JournalOutage)
    /// Everything goes on; the entry tells of the time in between, unless another process has worked and recorded then.
    case journalBack(JournalOutage, entry: EntryDraft?)
    /// Something could not be done; it is tried again by itself.
    case trouble(String, hint: String)
    /// Another replica leads, or this one does from now on, or no longer.
    case leadership(LeadershipNotice)
    case progress(done: Int, total: Int)
    /// A pass ended.
    case synced(PassReport)
}

/// What came of asking the repository for its newest revision.
package struct FetchReport: Sendable {
    package var at: Timestamp
    package var duration: Duration
    /// Nil where it could not be had.
    package var newest: Revision?

    package init(at: Timestamp, duration: Duration, newest: Revision?) {
        self.at = at
        self.duration = duration
        self.newest = newest
    }
}
