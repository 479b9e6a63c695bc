package import Policy

/// What a controller tells whoever started it, for logs and the progress line; the record is the journal.
package enum ControllerNotice: Sendable {
    case revisionAccepted(Revision, objectCount: Int)
    case revisionRefused(Revision, findings: [Finding])
    case revisionEmpty(Revision)
    /// A signature is missing or not good; with the incident that it is.
    case revisionUntrusted(Revision, IncidentReason, String)
    /// It would take away what Bylaw needs; with what it takes.
    case revisionLocksOut(Revision, String)
    /// One change to the cluster was made, or failed.
    case changed(EntryDraft, sequence: Int64)
    /// An incident began.
    case incident(EntryDraft)
    /// Something could not be done; it is tried again by itself.
    case trouble(String, hint: String)
    case progress(done: Int, total: Int)
    /// A pass ended.
    case synced(PassReport)
}
