/// The journal could not be read or written; nothing may be changed in the cluster then.
package struct JournalError: Error, Equatable {
    /// What has to change before it can be.
    package enum Kind: Equatable, Sendable, CaseIterable {
        /// The disk is full, read-only, not there or failing, or a right is missing: it may pass by itself.
        case unwritable
        /// Another process writes it.
        case locked
        /// Another process has written it since: what this one remembers of it is out of date.
        case takenOver
        /// The file is damaged.
        case damaged
        /// The file is not what was written and signed.
        case tampered
        /// The key that signs the journal cannot be used.
        case keyless
        /// It is about one entry, or about what was asked for: the journal itself is in order, or is none.
        case request
    }

    package var kind: Kind
    package var message: String
    /// The reader's next step, one sentence.
    package var hint: String

    package init(kind: Kind, message: String, hint: String) {
        self.kind = kind
        self.message = message
        self.hint = hint
    }

    /// The incident of its kind.
    package var incident: IncidentReason? { kind.incident }
}

extension JournalError.Kind {
    /// The incident, and so the runbook, of a journal that nothing can be recorded in; nil for a single request.
    package var incident: IncidentReason? {
        switch self {
        case .unwritable, .locked, .takenOver: .journalUnwritable
        case .damaged: .journalDamaged
        case .tampered: .journalTampered
        case .keyless: .journalKeyUnusable
        case .request: nil
        }
    }
}
