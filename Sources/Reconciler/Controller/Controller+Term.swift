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

    /// Notes that the journal knows what is in force in this term.
    func noteTerm() async throws(JournalError) {
        guard let term = configuration.term else { return }
        try await journal.remember(.leaderTerm, term.text)
        isJournalBehind = false
    }
}
