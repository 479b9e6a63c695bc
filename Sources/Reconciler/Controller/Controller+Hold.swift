import Guardrails
import Manifest
import Policy

/// What a controller knows of emergency holds.
struct EmergencyHoldState {
    /// A hold whose revision cannot be enforced.
    struct Refusal {
        var hold: EmergencyHold
        var message: String
        /// The same revision may be enforced with the next look.
        var isPassing: Bool
    }

    var memory: EmergencyHoldMemory?
    /// Why what is kept in the place of holds is not honoured, as it was told.
    var ignored: String?
    /// Why holds cannot be read, as it was told.
    var unread: String?
    /// Since when reading fails.
    var failingSince: Duration?
    var refusal: Refusal?
    /// The newest revision, where it is sound and waits.
    var waiting: Revision?
    /// What was in force before the revision that is enforced by a hold, which may be over; nil where none is so.
    var before: StateBeforeHold?
    /// It was told that the clone does not give that.
    var isLossTold = false

    /// The hold that is in force.
    var active: EmergencyHold? { memory.flatMap { $0.isOver ? nil : $0.hold } }
}

/// Emergency holds: a revision that stays enforced until a moment, whatever is merged.
extension Controller {
    // MARK: Looking

    /// Takes up what an earlier run knew.
    func rememberHold() async throws(JournalError) {
        guard let text = try await journal.remembered(.emergencyHold), !text.isEmpty else { return }
        hold.memory = canonical.tree(text).flatMap(EmergencyHoldMemory.init)
        if hold.memory == nil {
            notify(
                .trouble(
                    "read which emergency hold is in force: the journal's memory of it is damaged",
                    hint: "What the cluster keeps counts alone: bylaw hold shows it."))
        }
    }

    /// Looks whether there is a hold, and records what is new about that.
    func lookForHold() async throws -> EmergencyHoldDecision.Order {
        let reading = await holds?.read() ?? .none
        let now = surroundings.uptime()
        if case .failed = reading { hold.failingSince = hold.failingSince ?? now } else { hold.failingSince = nil }
        let decision = EmergencyHoldDecision(
            reading, known: hold.memory, isOutdated: isHoldOutdated, instance: configuration.instance,
            cluster: configuration.cluster,
            unreadFor: hold.failingSince.map { now - $0 } ?? .zero, at: surroundings.now())
        for telling in decision.tellings { try await note(telling) }
        if decision.memory != hold.memory {
            try await journal.remember(.emergencyHold, decision.memory.map { canonical.text($0.tree) } ?? "")
        }
        hold.memory = decision.memory
        tellUnread(decision.unread)
        if let ignored = decision.ignored, ignored != hold.ignored {
            try await raise(
                .holdRefused, object: nil, outcome: .held,
                message: "\(holds?.name ?? "the hold") is not honoured: \(ignored)")
        }
        hold.ignored = decision.ignored
        if case .hold(let active) = decision.order {
            if hold.refusal?.hold != active { hold.refusal = nil }
        } else {
            hold.refusal = nil
            hold.waiting = nil
        }
        if hold.active == nil { try await resolve([.holdActive], object: nil) }
        if hold.active == nil, hold.ignored == nil { try await resolve([.holdRefused], object: nil) }
        return decision.order
    }

    /// Says once that holds cannot be read.
    private func tellUnread(_ error: ClusterError?) {
        guard let error else {
            hold.unread = nil
            return
        }
        guard hold.unread == nil else { return }
        hold.unread = error.message
        notify(
            .trouble(
                "emergency holds cannot be read: \(error.message)",
                hint: error.kind == .forbidden
                    ? "Apply Deploy/components/emergency-hold/rbac.yaml, or say --hold-configmap off; until then there are none."
                    : error.hint))
    }

    private func note(_ telling: EmergencyHoldDecision.Telling) async throws(JournalError) {
        let place = holds?.name ?? "the hold"
        switch telling {
        case .began(let hold):
            try await record(.holdBegan, of: hold, "\(hold.words)")
        case .changed(let before, let hold):
            try await record(
                .holdChanged, of: hold, "\(hold.words); before it held \(before.revision) until \(before.until)")
        case .ended(let hold, let ending):
            let words =
                switch ending {
                case .timeIsOver: "its time is over"
                case .removed: "\(place) is gone or empty"
                case .unproven: "another replica has led since, and \(place) does not say that it is in force still"
                case .ended(let end):
                    "\(end.by.isEmpty ? "somebody" : end.by) ended it (by its own word) at \(end.at)"
                        + (end.because.isEmpty ? "" : ": \(end.because)")
                }
            var by = hold.setBy
            if case .ended(let end) = ending { by = end.by }
            try await record(.holdEnded, of: hold, by: by, "the hold of revision \(hold.revision) ended: \(words)")
        case .missed(let hold):
            notify(
                .trouble(
                    "\(place) holds revision \(hold.revision) until \(hold.until), which is over: it is ignored",
                    hint: "Set another one with bylaw hold where it is still needed."))
        }
    }

    private func record(
        _ reason: EntryReason, of hold: EmergencyHold, by: String? = nil, _ message: String
    ) async throws(JournalError) {
        let name = by ?? hold.setBy
        let entry = EntryDraft(
            at: surroundings.now(), kind: .event, reason: reason, outcome: .succeeded,
            revision: enforced.map { RevisionFacts($0.revision) },
            actor: name.isEmpty
                ? nil
                : Actor(
                    name: name, operation: "hold", time: by == nil ? hold.setAt.description : nil, certainty: .claimed),
            message: message)
        try await journal.record(entry, owned: .unchanged)
        notify(.hold(entry))
    }

    // MARK: What was before it

    /// What a revision takes the place of that a hold enforces from now on.
    func stateBeforeHold() async throws(JournalError) -> StateBeforeHold? {
        if let known = hold.before { return known }
        if let enforced = enforced ?? handedOver { return StateBeforeHold(enforced, place: source.place) }
        let remembered = try await journal.remembered(.guardedState).flatMap(canonical.tree)
        return isJournalBehind
            ? StateBeforeHold(outdated: remembered) : remembered.map(StateBeforeHold.init(replacing:))
    }

    /// Reads what was in force before a hold, where that was not read yet.
    ///
    /// Where the clone does not have it, what is new is compared with the cluster, as after the loss of what is in force.
    func loadStateBeforeHold() async {
        guard var before = hold.before else { return }
        do throws(SourceError) {
            try await before.load(from: source, canonical: canonical)
            hold.before = before
        } catch {
            guard !hold.isLossTold else { return }
            hold.isLossTold = true
            notify(
                .trouble(
                    "the clone does not give the revision before the emergency hold, \(before.commit ?? ""): "
                        + error.explanation.message, hint: error.explanation.hint))
        }
    }

    /// The commit that was accepted last by itself, as far as it is known.
    var lastAccepted: String? { hold.before.map(\.commit) ?? enforced?.revision.commit ?? newestCommit }

    // MARK: Keeping to it

    /// Keeps the revision of a hold enforced, and judges what waits behind it.
    ///
    /// Where that revision cannot be enforced, what is in force stays so: whoever set the hold does not want the newest one.
    ///
    /// - Returns: False where the hold changed in between, and nothing was taken on.
    func keep(to active: EmergencyHold, newest: Revision) async throws -> Bool {
        // What was in force before the start counts, and where nothing is a hold must not keep it so.
        _ = try await enforcedCluster()
        if isJournalBehind, let refusal = try await verifyPart(before: newest) {
            try await raiseHoldActive()
            try await refuse(newest, refusal)
            try await refuse(active, "another replica has led, and \(refusal.message)", isPassing: true)
            return true
        }
        try await takeUpHandover(before: newest)
        let isDone = try await enforce(active, newest: newest.commit)
        if isDone, enforced == nil, hold.refusal != nil {
            // What is in the cluster may be what the leader before enforced by this very hold.
            guard !isJournalBehind else { return true }
            return try await takeNewest(newest, despite: active)
        }
        if isDone { try await judgeBehindHold(newest, active) }
        return isDone
    }

    /// Honours a hold although the repository cannot be reached.
    func holdWithoutFetch() async {
        do {
            guard case .hold(let active) = try await lookForHold() else { return try await rememberStatus() }
            guard !isJournalBehind else {
                // What the leader before left is to be compared with what is followed now.
                try await raiseHoldActive()
                try await refuse(
                    active, "another replica has led, and the repository cannot be reached", isPassing: true)
                return try await rememberStatus()
            }
            guard let newest = try await journal.remembered(.newestRevision) else { return try await rememberStatus() }
            _ = try await enforce(active, newest: newest)
            if needsPass { await beginPass() }
            try await rememberStatus()
        } catch {
            notify(.trouble("keep to the emergency hold: \(error)", hint: "It is tried again by itself."))
        }
    }

    private func enforce(_ active: EmergencyHold, newest: String) async throws -> Bool {
        try await raiseHoldActive()
        if let refusal = hold.refusal, !refusal.isPassing { return true }
        let accepted = DeclaredStates(try await journal.remembered(.declaredStates).flatMap(canonical.tree))
        let examination = try await examineHeld(
            active, inForce: enforced?.revision.commit, accepted: accepted, elsewhere: acceptedElsewhere,
            newest: newest, trust: configuration.trust, after: try await journal.remembered(.trustedRevision),
            from: source,
            canonical: canonical, cluster: enforcedCluster)
        switch examination {
        case .refused(let message, let isPassing):
            // What the Lease names may be read, or trusted, with the next look.
            try await refuse(active, message, isPassing: isPassing || isJournalBehind)
        case .inForce:
            if let revision = enforced?.revision, try await !judgeAgain(revision, by: active) { await leaveEnforced() }
            try await settleRefusal()
        case .sound(let loaded):
            await untilGathered()
            guard !hasStopped else { return true }
            let (verdict, guarded) = try await judge(loaded, by: try await judgement())
            await learnUser()
            if let lockout = await lockout(by: verdict) {
                try await refuse(active, lockout, isPassing: true)
                return true
            }
            try await announce(guarded, of: loaded.revision, by: active)
            guard try await lookForHold() == .hold(active) else { return false }
            try await accept(loaded, verdict, guarded, by: active)
            try await settleRefusal()
        }
        return true
    }

    private func raiseHoldActive() async throws(JournalError) {
        // Without figures, so that extending a hold is no further incident.
        guard openIncidents[nil]?.contains(.holdActive) != true else { return }
        try await raise(
            .holdActive, object: nil, outcome: .held,
            message:
                "an emergency hold is in force: no newer revision is taken on until it ends; bylaw status says when")
    }

    private func refuse(_ active: EmergencyHold, _ message: String, isPassing: Bool) async throws(JournalError) {
        let isNew = hold.refusal?.message != message
        hold.refusal = EmergencyHoldState.Refusal(hold: active, message: message, isPassing: isPassing)
        guard isNew else { return }
        let stays = enforced.map { "revision \($0.revision.commit)" } ?? "what is in the cluster"
        try await raise(
            .holdRefused, object: nil, outcome: .held,
            message: "revision \(active.revision) of the emergency hold is not enforced: \(message); until "
                + "\(active.until) \(stays) stays as it is, and no newer one is taken on")
    }

    private func settleRefusal() async throws(JournalError) {
        hold.refusal = nil
        if hold.ignored == nil { try await resolve([.holdRefused], object: nil) }
    }

    /// Looks at the newest revision without taking it on, so that a mistake in the revert is known before the hold ends.
    private func judgeBehindHold(_ newest: Revision, _ active: EmergencyHold) async throws {
        guard newest.commit != enforced?.revision.commit else {
            if newest.commit != newestCommit {
                try await noteRewrittenHistory(newest, since: newestCommit, lastAccepted)
                try await journal.remember(.newestRevision, newest.commit)
                newestCommit = newest.commit
            }
            hold.waiting = nil
            refusedCommit = nil
            try await resolve(refusalIncidents, object: nil)
            return
        }
        guard newest.commit != hold.waiting?.commit, newest.commit != refusedCommit || isRefusalPassing else { return }
        hold.waiting = nil
        try await noteRewrittenHistory(newest, since: newestCommit, lastAccepted)
        if let refusal = try await verifyPart(before: newest) {
            try await refuse(newest, refusal)
            newestCommit = newest.commit
            return
        }
        switch try await examine(
            newest, trust: configuration.trust, after: try await journal.remembered(.trustedRevision),
            suspect: distrustedCommit,
            atMost: configuration.verifiedCommitsPerLook, from: source,
            cluster: enforcedCluster)
        {
        case .refused(let refusal): try await refuse(newest, refusal)
        case .sound:
            hold.waiting = newest
            refusedCommit = nil
            try await resolve(refusalIncidents, object: nil)
            try await journal.remember(.newestRevision, newest.commit)
            notify(.revisionWaiting(newest, until: active.until))
        }
        newestCommit = newest.commit
    }
}

extension EmergencyHold {
    /// One sentence for the record, without a full stop.
    package var words: String {
        "\(setBy.isEmpty ? "somebody" : setBy) (by its own word) holds revision \(revision) until \(until): \(because)"
    }
}
