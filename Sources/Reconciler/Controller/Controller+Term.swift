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
    /// Where commits must be signed it has to be by what the keys say today, since nothing before it is looked at.
    func takeUpHandover(before newest: Revision) async throws(JournalError) {
        guard enforced == nil, isJournalBehind, handedOver == nil, let found = left else { return }
        let remembered = try await journal.remembered(.guardedState).flatMap(canonical.tree)
        do throws(SourceError) {
            let whole = try await handedOver(found.revision, before: newest)
            guard let held = found.heldRevision else {
                handedOver = whole
                return
            }
            guard let state = try await handedOver(held, before: newest) else { return }
            hold.before =
                whole.map { StateBeforeHold($0, place: source.place) } ?? StateBeforeHold(outdated: remembered)
            handedOver = state
        } catch {
            notify(
                .trouble(
                    "what the leader before had in force, \(found.text), cannot be read: \(error.explanation.message)",
                    hint: "The newest revision is judged as one that comes first."))
        }
    }

    /// - Returns: Nil where the commit is not part of what is followed, or is not trusted.
    private func handedOver(_ commit: String?, before newest: Revision) async throws(SourceError) -> EnforcedState? {
        guard let commit else { return nil }
        let isNewest = commit == newest.commit
        if !isNewest { guard try await source.isAncestor(commit, of: newest.commit) else { return nil } }
        let distrust = try await findDistrust(
            of: try await source.cachedRevision(commit: commit), isFollowed: isNewest,
            mode: configuration.trust == .off ? .off : .head, after: nil, from: source)
        guard distrust == nil else { return nil }
        return try await loadRememberedState(enforced: commit, guarded: nil, from: source, canonical: canonical)
    }

    /// What the leader before left of what is followed here.
    private var left: Handover? {
        configuration.handover?.found.flatMap { $0.place == source.place ? $0 : nil }
    }

    /// The commit that the leader before accepted last, where this journal does not know it.
    var leftRevision: String? { isJournalBehind ? left?.revision : nil }

    /// What the leader before has accepted, and this journal does not know.
    var acceptedElsewhere: Set<String> {
        guard isJournalBehind else { return [] }
        return Set([handedOver?.revision.commit, hold.before?.state?.revision.commit].compactMap(\.self))
    }

    /// The last commit that was accepted by itself while every commit had to be trusted.
    func lastTrusted() async throws(JournalError) -> String? {
        if isJournalBehind, let left = hold.before == nil ? handedOver : hold.before?.state {
            return left.revision.commit
        }
        return try await journal.remembered(.trustedRevision)
    }

    /// Remembers what the leader before trusted, where what is accepted now is not to be trusted from here on.
    func takeUpTrust() async throws(JournalError) {
        guard isJournalBehind, configuration.trust != .off, let trusted = try await lastTrusted() else { return }
        try await journal.remember(.trustedRevision, trusted)
    }

    /// Leaves what is enforced to the next leader, where that may say more than before.
    ///
    /// Nothing hurries: what stands there until then is true.
    func leaveEnforced() async {
        guard let handover = configuration.handover, let enforced else { return }
        do throws(ClusterError) {
            try await handover.leave(
                Handover(
                    GuardedState(of: enforced), of: enforced.revision.commit, replacing: hold.before, in: source.place))
        } catch {
            notify(.trouble(error.message, hint: error.hint))
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
