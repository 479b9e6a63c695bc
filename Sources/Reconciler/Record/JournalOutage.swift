package import Manifest

/// A time in which nothing could be recorded, and so nothing was changed in the cluster.
package struct JournalOutage: Sendable {
    package var since: Timestamp
    /// Why, as it was found last.
    package var error: JournalError
    /// What was told of each object that is not as declared.
    private var told: [ObjectID: String] = [:]
    /// Every object that was found so at some time of it.
    private var found: Set<ObjectID> = []
    /// What was to be recorded and was not.
    private var missed: Set<String> = []
    /// The newest revision, which waits.
    private var waitingRevision: String?

    package init(since: Timestamp, error: JournalError) {
        self.since = since
        self.error = error
    }

    /// How many objects are known to be not as declared.
    package var differing: Int { told.count }
    /// The same for each kind, without those that have none.
    package private(set) var differingByKind: [String: Int] = [:]

    /// Takes in that an object is not as declared.
    ///
    /// - Returns: Whether that is news.
    package mutating func note(_ id: ObjectID, _ words: String) -> Bool {
        found.insert(id)
        let before = told.updateValue(words, forKey: id)
        if before == nil { differingByKind[id.kind, default: 0] += 1 }
        return before != words
    }

    /// Takes in that an object is as declared.
    package mutating func noteAsDeclared(_ id: ObjectID) {
        guard told.removeValue(forKey: id) != nil, let count = differingByKind[id.kind] else { return }
        differingByKind[id.kind] = count > 1 ? count - 1 : nil
    }

    /// Takes in that only these objects are not as declared.
    package mutating func keep(only ids: Set<ObjectID>) {
        for id in told.keys where !ids.contains(id) { noteAsDeclared(id) }
    }

    /// Takes in that something was not recorded.
    mutating func miss(_ what: String) { missed.insert(what) }

    /// Takes in that a revision waits.
    ///
    /// - Returns: Whether that is news.
    mutating func hold(_ commit: String) -> Bool {
        defer { waitingRevision = commit }
        return waitingRevision != commit
    }

    /// The entry that tells of it when it is over.
    package func entry(until end: Timestamp, revision: RevisionFacts?) -> EntryDraft {
        var message =
            "from \(since) to \(end) nothing could be recorded, and nothing was changed in the cluster: \(error.message)"
        let examples = found.sorted().prefix(5).map(\.description).joined(separator: ", ")
        if !found.isEmpty {
            message += "; not as declared meanwhile: \(found.count) object\(found.count == 1 ? "" : "s") (\(examples)"
            message += found.count > 5 ? ", ...)" : ")"
        }
        if let waitingRevision { message += "; revision \(waitingRevision) waited" }
        if !missed.isEmpty { message += "; not done meanwhile: \(missed.sorted().joined(separator: ", "))" }
        return EntryDraft(
            at: end, kind: .notice, reason: .incident(error.incident ?? .journalUnwritable), outcome: .failed,
            revision: revision, message: message)
    }
}

extension RunJournal {
    /// Records an outage that is over: an incident with nothing left to do about it.
    ///
    /// - Returns: Its entry.
    @discardableResult
    package func record(
        _ outage: JournalOutage, until end: Timestamp, revision: RevisionFacts?
    ) async throws(JournalError) -> EntryDraft {
        let entry = outage.entry(until: end, revision: revision)
        try await raise(entry)
        if let reason = entry.reason.incident { try await resolve([reason], object: nil) }
        return entry
    }
}
