package import Manifest

extension RunJournal {
    /// Records that this replica has lost its lease, or that it took over from one that did not renew it: an incident with
    /// nothing left to do about it.
    ///
    /// - Returns: Its entry.
    @discardableResult
    package func recordLostLease(_ message: String, at time: Timestamp) async throws(JournalError) -> EntryDraft {
        let entry = EntryDraft(
            at: time, kind: .notice, reason: .incident(.leaseLost), outcome: .failed, message: message)
        try await raise(entry)
        try await resolve([.leaseLost], object: nil)
        return entry
    }
}
