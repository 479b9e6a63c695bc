package import Manifest
package import Policy

/// What a controller tells whoever started it, for logs and the progress line; the record is the journal.
package enum ControllerNotice: Sendable {
    case revisionAccepted(Revision, objectCount: Int)
    case revisionRefused(Revision, findings: [Finding])
    case revisionEmpty(Revision)
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

/// What one pass did.
package struct PassReport: Sendable, Equatable {
    package var revision: String
    package var isRevisionRefused = false
    package var declaredCount = 0
    package var changes: [ActionKind: Int] = [:]
    package var driftCorrections = 0
    package var failures = 0
    package var held = 0
    package var waiting = 0
    package var duration: Duration = .zero

    package init(revision: String) { self.revision = revision }

    /// Whether live equals declared now.
    package var isConverged: Bool { failures == 0 && held == 0 && waiting == 0 && !isRevisionRefused }
}
