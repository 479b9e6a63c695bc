import Manifest

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
        if !isJournalBehind { isJournalBehind = try await isLeftByAnotherJournal(sinceKnownTerm: last != nil) }
        isPreventionUnknown = isJournalBehind
        guard isJournalBehind else { return try await noteTerm() }
        try await journal.remember(.ownershipSettled, "false")
    }

    /// Whether the Lease says something else than whoever wrote this journal has left there.
    ///
    /// - Parameter isTermKnown: Whether they left anything at all.
    private func isLeftByAnotherJournal(sinceKnownTerm isTermKnown: Bool) async throws(JournalError) -> Bool {
        guard let place = configuration.handover, place.found != nil || isTermKnown else { return false }
        let guarded = try await journal.remembered(.guardedState)
        let revision = try await journal.remembered(.enforcedRevision)
        guard let revision, let tree = guarded.flatMap(canonical.tree), let state = GuardedState(tree) else {
            return place.found != nil
        }
        let own = Handover(
            state, of: revision, replacing: StateBeforeHold(rememberedIn: guarded, canonical: canonical),
            in: tree["place"]?.string ?? source.place)
        return own != place.found
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
        do throws(SourceError) {
            let whole = try await handedOver(found.revision, before: newest, after: trusted)
            guard let held = found.heldRevision else {
                handedOver = whole
                return
            }
            guard let state = try await handedOver(held, before: newest, after: trusted) else { return }
            hold.before =
                whole.map { StateBeforeHold($0, place: source.place) } ?? StateBeforeHold(outdated: remembered)
            handedOver = state
        } catch {
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
                suspect: distrustedCommit, from: source)
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
        configuration.handover?.found.flatMap { $0.place == source.place ? $0 : nil }
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

    /// The last commit that was accepted by itself while every commit had to be trusted.
    func lastTrusted() async throws(JournalError) -> String? {
        // In another mode what the Lease names was not looked at.
        if configuration.trust == .all,
            let last = hold.before == nil || acceptedBefore.count > 1 ? acceptedBefore.last : nil
        {
            return last.revision.commit
        }
        return try await journal.remembered(.trustedRevision)
    }

    /// Remembers what the leader before accepted and trusted, so that a hold may go back to it.
    func takeUpWhatWasAccepted() async throws(JournalError) {
        guard !acceptedBefore.isEmpty else { return }
        var states = try await declaredStates()
        for state in acceptedBefore {
            states.accept(state.revision.commit, digest: stateDigest(of: state.inForce, canonical: canonical))
        }
        try await journal.remember(.declaredStates, canonical.text(states.tree))
        guard configuration.trust == .all, let trusted = try await lastTrusted() else { return }
        try await journal.remember(.trustedRevision, trusted)
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
        do throws(ClusterError) {
            try await leave(
                Handover(
                    GuardedState(of: enforced), of: enforced.revision.commit, replacing: hold.before, in: source.place))
        } catch {
            notify(.trouble(error.message, hint: error.hint))
        }
    }

    private func leave(_ handover: Handover?) async throws(ClusterError) {
        guard let place = configuration.handover, leftToNext != .some(handover) else { return }
        leftToNext = nil
        try await place.leave(handover)
        leftToNext = .some(handover)
    }

    /// Notes that the journal knows what is in force in this term.
    func noteTerm() async throws(JournalError) {
        guard let term = configuration.term else { return }
        try await journal.remember(.leaderTerm, term.text)
        isJournalBehind = false
        handedOver = nil
    }
}
