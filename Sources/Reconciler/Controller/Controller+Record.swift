import Manifest
import Planning
import Policy

extension Controller {
    // MARK: What is written to the journal besides changes

    func event(_ reason: EntryReason, _ message: String) -> EntryDraft {
        EntryDraft(
            at: surroundings.now(), kind: .event, reason: reason, outcome: .succeeded,
            revision: enforced.map { RevisionFacts($0.revision) }, message: message)
    }

    /// Notes that the cluster was not reached before anything could be begun.
    ///
    /// The incident ends when every kind has been read.
    package func noteNeverReached(_ error: ClusterError) async {
        await withJournal("record that the cluster cannot be reached") { () async throws(JournalError) in
            try await self.raise(.clusterUnreachable, object: nil, message: error.message)
        }
    }

    /// Opens an incident, and tells about it where it is new.
    ///
    /// - Parameter isTold: False where whoever started us learns of it by an error anyway.
    func raise(
        _ reason: IncidentReason, object: ObjectID?, outcome: EntryOutcome = .failed, revision: Revision? = nil,
        live: LiveObject? = nil, isTold: Bool = true, message: String
    ) async throws(JournalError) {
        let draft = EntryDraft(
            at: surroundings.now(), kind: .notice, reason: .incident(reason), outcome: outcome, object: object,
            uid: live?.uid, resourceVersion: live?.resourceVersion, before: live?.content,
            revision: (revision ?? enforced?.revision).map(RevisionFacts.init), message: message)
        let isNew = try await journal.raise(draft) != nil
        openIncidents[object, default: []].insert(reason)
        if isNew, isTold { notify(.incident(draft)) }
    }

    /// Ends incidents; costs nothing where none of them is open.
    func resolve(_ reasons: [IncidentReason], object: ObjectID?) async throws(JournalError) {
        guard let open = openIncidents[object]?.intersection(reasons), !open.isEmpty else { return }
        try await journal.resolve(reasons.filter(open.contains), object: object)
        openIncidents[object]?.subtract(open)
        if openIncidents[object]?.isEmpty == true { openIncidents[object] = nil }
    }

    /// Does something with the journal whose failure must not end the controller: it is told, and nothing depends on it.
    func withJournal(_ what: String, _ body: () async throws(JournalError) -> Void) async {
        guard outage == nil else {
            outage?.miss(what)
            return
        }
        do throws(JournalError) {
            try await body()
        } catch {
            if noteJournalFailure(error, what) { outage?.miss(what) }
        }
    }

    // MARK: Which states were declared

    func declaredStates() async throws(JournalError) -> DeclaredStates {
        DeclaredStates(try await journal.remembered(.declaredStates).flatMap(canonical.tree))
    }

    /// Writes down once that all of a revision is in the cluster: to bring that back needs less than to bring it anew.
    func noteInForce(_ commit: String) async throws(JournalError) {
        guard commit != commitInForce else { return }
        var states = try await declaredStates()
        if states.noteInForce(commit) { try await journal.remember(.declaredStates, canonical.text(states.tree)) }
        commitInForce = commit
    }

    // MARK: Start

    /// Reads what the journal knows, settles what an earlier run left open, and enforces the revision of then.
    func prepare() async throws {
        try await lookForOtherLeaders()
        owned = try await journal.ownedObjects()
        // What differs from what was in force here once may be what another one declared since.
        settledDigests = isJournalBehind ? [:] : owned.mapValues(\.declarationDigest)
        newestCommit = try await journal.remembered(.newestRevision)
        isHistoryProof = try await journal.remembered(.ownershipSettled) != "true"
        for (reason, object) in try await journal.openIncidents() {
            openIncidents[object, default: []].insert(reason)
            if reason == .driftFight, let object { fights.resume(object) }
        }
        try await rememberHold()
        try await enforceRemembered()
        // An earlier run may have ended before it said what it holds.
        if let enforced { try await noteHolds(enforced.holds, revision: enforced.revision) }
        await learnUser()
        try await takeUpPolicyIntents()
        await keepPrevention()
        try await settleInterrupted()
    }

    /// Enforces the revision that an earlier run enforced last, if the cache has it.
    func enforceRemembered() async throws {
        guard !isJournalBehind else { return }
        let enforced = try await journal.remembered(.enforcedRevision)
        let guarded = try await journal.remembered(.guardedState)
        let states = try await declaredStates()
        hold.before = StateBeforeHold(rememberedIn: guarded, canonical: canonical)
        do throws(SourceError) {
            let state = try await loadRememberedState(
                enforced: enforced, guarded: guarded, from: source, canonical: canonical)
            if var state {
                state.undoing = Undoing(by: state.revision.commit, among: states)
                enforce(state)
                await leaveEnforced()
                restoredCommit = states.records.last { $0.commit == state.revision.commit }?.restores
                needsPass = true
            }
        } catch {
            // The cache may be new; the next fetch brings the commit back, or a newer one takes its place.
            notify(
                .trouble(
                    "the clone does not give the revision that was enforced last, \(enforced ?? ""): "
                        + error.explanation.message, hint: "It is fetched now."))
        }
    }
}
