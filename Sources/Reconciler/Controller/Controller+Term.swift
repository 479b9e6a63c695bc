extension Controller {
    /// Finds out whether another replica may have led since the journal was written last, with a journal of its own, or this
    /// one with another journal.
    ///
    /// Then what the journal remembers of the revision in force is out of date: enforced, it would give back what was revoked
    /// meanwhile, and what is new would be compared with it. So the newest revision is judged as one that comes first,
    /// compared with the cluster, and nothing is enforced before. What the other replica made is ours by its marker and
    /// the repository's history, as where a journal was lost. All that holds until a revision was accepted.
    func lookForOtherLeaders() async throws(JournalError) {
        guard let term = configuration.term else { return }
        let last = try await journal.remembered(.leaderTerm).flatMap(LeaderTerm.init)
        isJournalBehind = !term.follows(last)
        // The leader may have had another journal before it was started anew, or this one may be a copy.
        if let written = configuration.handover?.found.journal,
            try await journal.remembered(.journalMark).flatMap(JournalMark.init)?.covers(written) != true
        {
            isJournalBehind = true
            // Its own mark goes up before it knows what is in force, and an end in between must not be forgotten.
            try await journal.remember(.leaderTerm, LeaderTerm.overtaken.text)
        }
        guard isJournalBehind else { return try await noteTerm() }
        if let kept = try await journal.remembered(.keptPrevention) {
            try await journal.remember(
                .keptPrevention, KeptPrevention.areNone(kept) ? KeptPrevention.unknown : KeptPrevention.inPart)
        }
        try await journal.remember(.ownershipSettled, "false")
    }

    // MARK: What the leader before left

    /// Reads what the leader before had in force, where this journal does not know it.
    ///
    /// It is what the newest revision is compared with, and not enforced: whoever wrote the Lease may not have been a leader.
    ///
    /// - Throws: ``SourceError`` where that cannot be looked at now, for the first few times.
    func takeUpHandover(before newest: Revision) async throws {
        guard enforced == nil, isJournalBehind, handedOver == nil, let found = left else { return }
        let remembered = try await journal.remembered(.guardedState).flatMap(canonical.tree)
        let trusted = try await journal.remembered(.trustedRevision)
        do {
            let whole = try await handedOver(found.revision, before: newest, after: trusted)
            if let held = found.heldRevision {
                guard let state = try await handedOver(held, before: newest, after: trusted) else { return }
                hold.before =
                    whole.map { StateBeforeHold($0, place: source.place) } ?? StateBeforeHold(outdated: remembered)
                handedOver = state
            } else {
                handedOver = whole
            }
            try await noteTrusted()
        } catch let error as SourceError {
            // What was approved before must not wait for approvals again because of one failure.
            handoverFailures += 1
            guard handoverFailures >= Self.handoverAttempts else { throw error }
            tellUnusable(found, error.explanation.message)
        }
    }

    private static let handoverAttempts = 3

    /// - Parameter trusted: The last commit that was trusted here.
    /// - Returns: Nil where the commit is not part of what is followed, or is not trusted.
    private func handedOver(
        _ commit: String?, before newest: Revision, after trusted: String?
    ) async throws(SourceError) -> EnforcedState? {
        guard let commit else { return nil }
        let isNewest = commit == newest.commit
        if !isNewest { guard try await source.isAncestor(commit, of: newest.commit) else { return nil } }
        // Where one signature vouches for all that came before, that of the newest revision does.
        if configuration.trust == .all,
            let distrust = try await findDistrust(
                of: try await source.cachedRevision(commit: commit), isFollowed: isNewest, mode: .all, after: trusted,
                suspect: distrustedCommit, atMost: configuration.verifiedCommitsPerLook, from: source)
        {
            guard distrust.reason != .signatureUncheckable else {
                throw SourceError(
                    Explanation(
                        reason: distrust.reason.rawValue, message: distrust.message, retry: .later,
                        hint: "It is looked at again by itself."))
            }
            if let left { tellUnusable(left, distrust.message) }
            return nil
        }
        return try await loadRememberedState(enforced: commit, guarded: nil, from: source, canonical: canonical)
    }

    /// Says once what is wrong with what was left.
    private func tellUnusable(_ found: Handover, _ why: String) {
        guard !isUnusableHandoverTold else { return }
        isUnusableHandoverTold = true
        notify(
            .trouble(
                "what the leader before left as in force, \(found.text), does not count: \(why)",
                hint: "The newest revision is judged as one that comes first."))
    }

    /// What the leader before left of what is followed here.
    private var left: Handover? {
        configuration.handover?.found.handover.flatMap { $0.place == source.place ? $0 : nil }
    }

    /// Whether the hold that this journal knows may have ended while another replica led.
    var isHoldOutdated: Bool { isJournalBehind && left?.heldRevision != hold.active?.revision }

    /// The commit that the leader before accepted last, where this journal does not know it.
    var leftRevision: String? { isJournalBehind ? left?.revision : nil }

    /// What the leader before has accepted and this journal does not know, in the order in which it did.
    private var acceptedBefore: [EnforcedState] {
        guard isJournalBehind, let handedOver else { return [] }
        // What a hold enforces was accepted before what it stands in the place of.
        return [handedOver] + (hold.before?.state.map { [$0] } ?? [])
    }

    /// The same, by its commits.
    var acceptedElsewhere: Set<String> { Set(acceptedBefore.map(\.revision.commit)) }

    /// Goes on from what the leader before accepted by itself, where every commit must be trusted.
    private func noteTrusted() async throws {
        // In another mode it was not looked at. What a hold enforces was accepted before what is trusted here.
        guard configuration.trust == .all, let last = acceptedBefore.last,
            hold.before == nil || acceptedBefore.count > 1
        else { return }
        do {
            if let known = try await journal.remembered(.trustedRevision), try await source.hasCommit(known),
                try await source.isAncestor(last.revision.commit, of: known)
            {
                return
            }
            try await journal.remember(.trustedRevision, last.revision.commit)
        } catch {
            // The next look takes it up once more: without it the chain would begin elsewhere.
            handedOver = nil
            throw error
        }
    }

    /// Remembers what the leader before accepted, so that a hold may go back to it.
    func takeUpWhatWasAccepted() async throws(JournalError) {
        guard !acceptedBefore.isEmpty else { return }
        var states = try await declaredStates()
        for state in acceptedBefore {
            states.accept(state.revision.commit, digest: stateDigest(of: state.inForce, canonical: canonical))
        }
        try await journal.remember(.declaredStates, canonical.text(states.tree))
    }

    // MARK: What is left to the next one

    /// Has whoever leads next know what is about to be enforced.
    ///
    /// Nothing of it may happen while they would take an earlier revision for in force.
    ///
    /// - Parameter hold: What it is enforced by, where that is not its being the newest one.
    func announce(_ guarded: GuardedState, of revision: Revision, by hold: EmergencyHold? = nil) async throws {
        let before = hold == nil ? nil : try await stateBeforeHold()
        try await leave(Handover(guarded, of: revision.commit, replacing: before, in: source.place))
    }

    /// Leaves what is enforced, where something else stands there: what was announced did not come about, or is settled.
    func leaveEnforced() async {
        guard let enforced else { return }
        do {
            try await leave(
                Handover(
                    GuardedState(of: enforced), of: enforced.revision.commit, replacing: hold.before, in: source.place))
        } catch let error as ClusterError {
            notify(.trouble(error.message, hint: error.hint))
        } catch {
            notify(
                .trouble(
                    "write to the Lease which revision is in force: \(error)", hint: "It is tried again by itself."))
        }
    }

    private func leave(_ handover: Handover?) async throws {
        guard let place = configuration.handover, leftToNext != .some(handover) else { return }
        let mark = try await nextMark()
        leftToNext = nil
        try await place.leave(LeaderNotes(handover: handover, journal: mark))
        leftToNext = .some(handover)
    }

    /// What the journal is to be known by on the Lease from now on.
    private func nextMark() async throws(JournalError) -> JournalMark {
        let journal = try await journal.identity()
        // Above what a journal has written of which this one is a copy.
        let marks = [
            try await self.journal.remembered(.journalMark).flatMap(JournalMark.init),
            configuration.handover?.found.journal,
        ]
        let last = marks.compactMap { $0 }.filter { $0.journal == journal }.map(\.number).max() ?? 0
        let mark = JournalMark(journal: journal, number: last + 1)
        try await self.journal.remember(.journalMark, mark.text)
        return mark
    }

    /// Notes that the journal knows what is in force in this term.
    func noteTerm() async throws(JournalError) {
        guard let term = configuration.term else { return }
        try await journal.remember(.leaderTerm, term.text)
        isJournalBehind = false
        handedOver = nil
    }
}
