package import Manifest

/// A time in which nothing could be recorded, and so nothing was changed in the cluster.
package struct JournalOutage: Sendable {
    package var since: Timestamp
    /// Why, as it was found last.
    package private(set) var error: JournalError
    /// What was seen of an object that was not as declared at some time of it.
    private struct Finding {
        /// In which way it is not as declared now; nil where it is.
        var words: String?
        /// What was told of it.
        var told: [String] = []
        /// How often it became so, or so in another way.
        var count = 0
    }

    /// An object that changes all the time must not fill the log.
    private static let tellingsOfAnObject = 3

    private var findings: [ObjectID: Finding] = [:]
    /// The first reason of each kind.
    private var reasons: [JournalError]
    /// What was to be recorded and was not.
    private var missed: Set<String> = []
    /// The newest revision, which waits.
    private var waitingRevision: String?

    package init(since: Timestamp, error: JournalError) {
        self.since = since
        self.error = error
        reasons = [error]
    }

    /// Takes in why it goes on.
    ///
    /// - Returns: Whether that is to be told: a reason of another kind than all that were, as they may take turns.
    package mutating func note(_ error: JournalError) -> Bool {
        self.error = error
        guard !reasons.contains(where: { $0.kind == error.kind }) else { return false }
        reasons.append(error)
        return true
    }

    /// Whether another process had the journal all the time: that one has worked, and recorded what it did.
    package var wasOnlyLocked: Bool { reasons.allSatisfy { $0.kind == .locked } }

    /// How many objects are known to be not as declared.
    package private(set) var differing = 0
    /// The same for each kind, without those that have none.
    package private(set) var differingByKind: [String: Int] = [:]

    /// Takes in that an object is not as declared.
    ///
    /// - Returns: Whether that is to be told: each way in which it differs once, and a few of them at most.
    package mutating func note(_ id: ObjectID, _ words: String) -> Bool {
        var finding = findings[id] ?? Finding()
        defer { findings[id] = finding }
        guard finding.words != words else { return false }
        if finding.words == nil { count(1, of: id.kind) }
        finding.words = words
        finding.count += 1
        guard finding.told.count < Self.tellingsOfAnObject, !finding.told.contains(words) else { return false }
        finding.told.append(words)
        return true
    }

    /// Takes in that an object is as declared.
    package mutating func noteAsDeclared(_ id: ObjectID) {
        guard findings[id]?.words != nil else { return }
        findings[id]?.words = nil
        count(-1, of: id.kind)
    }

    /// Takes in that only these objects are not as declared.
    package mutating func keep(only ids: Set<ObjectID>) {
        for id in findings.keys where !ids.contains(id) { noteAsDeclared(id) }
    }

    private mutating func count(_ change: Int, of kind: String) {
        differing += change
        let number = differingByKind[kind, default: 0] + change
        differingByKind[kind] = number > 0 ? number : nil
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
    ///
    /// It is about what was more than a lock, what came first in front. That it cannot be written is often what comes of
    /// something else, so its reason is that, where there was more.
    package func entry(until end: Timestamp, revision: RevisionFacts?) -> EntryDraft {
        let causes = wasOnlyLocked ? reasons : reasons.filter { $0.kind != .locked }
        let reason = causes.compactMap(\.incident).first { $0 != .journalUnwritable } ?? .journalUnwritable
        var message =
            "from \(since) to \(end) nothing could be recorded, and nothing was changed in the cluster: "
            + causes.map(\.message).joined(separator: "; then ")
        let examples = findings.sorted { $0.key < $1.key }.prefix(5).map { id, finding in
            "\(id)" + (finding.count > 1 ? " \(finding.count) times" : "")
        }
        if !findings.isEmpty {
            message += "; not as declared meanwhile: \(findings.count) object\(findings.count == 1 ? "" : "s") "
            message += "(\(examples.joined(separator: ", "))\(findings.count > 5 ? ", ...)" : ")")"
        }
        if let waitingRevision { message += "; revision \(waitingRevision) waited" }
        if !missed.isEmpty { message += "; not done meanwhile: \(missed.sorted().joined(separator: ", "))" }
        return EntryDraft(
            at: end, kind: .notice, reason: .incident(reason), outcome: .failed,
            revision: revision, message: message)
    }
}

/// Another process has written the journal in an outage of this one.
///
/// What is remembered of it is out of date, so whoever enforces has to begin anew, with what the journal says now.
package struct JournalTakenOver: Error {
    package var outage: JournalOutage
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
