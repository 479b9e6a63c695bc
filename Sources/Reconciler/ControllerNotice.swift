package import Manifest

/// What a controller tells whoever started it, for logs and the progress line; the record is the journal.
package enum ControllerNotice: Sendable {
    case revisionAccepted(Revision, objectCount: Int)
    case revisionRefused(Revision, RevisionRefusal)
    /// One change to the cluster was made, or failed.
    case changed(EntryDraft, sequence: Int64)
    /// An incident began.
    case incident(EntryDraft)
    /// An emergency hold began, changed or ended.
    case hold(EntryDraft)
    /// A sound revision waits for the end of an emergency hold.
    case revisionWaiting(Revision, until: Timestamp)
    /// Something could not be done; it is tried again by itself.
    case trouble(String, hint: String)
    case progress(done: Int, total: Int)
    /// A pass ended.
    case synced(PassReport)
}
