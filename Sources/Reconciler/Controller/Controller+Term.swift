extension Controller {
    /// Finds out whether another replica may have led since the journal was written last, with a journal of its own.
    ///
    /// Then what the journal remembers of the revision in force is out of date: enforced, it would give back what was revoked
    /// meanwhile, and what is new would be compared with it. So the newest revision is judged as one that comes first,
    /// compared with the cluster, and nothing is enforced before. What the other replica made is ours by its marker and
    /// the repository's history, as where a journal was lost. All that holds until a revision was accepted.
    func lookForOtherLeaders() async throws(JournalError) {
        guard let term = configuration.term else { return }
        let last = try await journal.remembered(.leaderTerm).flatMap(LeaderTerm.init)
        isJournalBehind = !term.follows(last)
        guard isJournalBehind else { return try await noteTerm() }
        try await journal.remember(.ownershipSettled, "false")
    }

    /// Reads what the leader before had in force, where this journal does not know it.
    ///
    /// It is what the newest revision is compared with, and not enforced: something may have been revoked since it was left.
    func takeUpHandover(before newest: Revision) async {
        guard enforced == nil, isJournalBehind, handedOver == nil, let found = configuration.handover?.found,
            found.place == source.place
        else { return }
        do throws(SourceError) {
            if found.revision != newest.commit {
                guard try await source.isAncestor(found.revision, of: newest.commit) else { return }
            }
            handedOver = try await loadRememberedState(
                enforced: found.revision, guarded: nil, from: source, canonical: canonical)
        } catch {
            notify(
                .trouble(
                    "what the leader before had in force, \(found.revision), cannot be read: "
                        + error.explanation.message,
                    hint: "The newest revision is judged as one that comes first."))
        }
    }

    /// Notes that the journal knows what is in force in this term.
    func noteTerm() async throws(JournalError) {
        guard let term = configuration.term else { return }
        try await journal.remember(.leaderTerm, term.text)
        isJournalBehind = false
        handedOver = nil
    }
}
