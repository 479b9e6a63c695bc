import Manifest

/// Takes part in the election of a leader, and keeps the lease while this replica leads.
///
/// Used once: ``untilLeading()``, then ``untilLost()``, then ``release()``. A lease that was lost is not asked for again by
/// the same process: whatever is still on its way in it must not meet a fence that is open anew.
package actor Leadership {
    package nonisolated let identity: String
    package nonisolated let timing: LeaderElectionTiming
    /// Every client that writes for this replica asks it.
    package nonisolated let fence: WriteFence
    package nonisolated let board: LeadershipBoard
    private let store: any LeaseStore
    private let surroundings: Surroundings
    private let notify: @Sendable (LeadershipNotice) -> Void

    private var election: LeaderElection
    private var held: StoredLease?
    /// How the lease was lost, where it was.
    package private(set) var loss: LeaseLoss?
    /// Which time of leading this is; nil where it never led.
    package var term: LeaderTerm? {
        held.map { LeaderTerm(lease: $0.object.uid, transitions: $0.record.transitions) }
    }
    /// What the leader before left, until this one has something to leave.
    package private(set) var notes = LeaderNotes()
    private var lastFailure = ""

    package init(
        identity: String, timing: LeaderElectionTiming, store: any LeaseStore, fence: WriteFence,
        surroundings: Surroundings, notify: @escaping @Sendable (LeadershipNotice) -> Void
    ) {
        self.identity = identity
        self.timing = timing
        self.fence = fence
        self.store = store
        self.surroundings = surroundings
        self.notify = notify
        board = LeadershipBoard(identity: identity, lease: timing.lease)
        election = LeaderElection(identity: identity, timing: timing)
    }

    // MARK: Standing by

    /// Waits until this replica leads.
    ///
    /// - Parameter trouble: Told, once for each in a row, why the lease cannot be had or looked at; it is tried again.
    /// - Returns: Why it could take the lease.
    /// - Throws: `CancellationError` where the task was cancelled before.
    package func untilLeading(trouble: @Sendable (ClusterError) -> Void) async throws -> LeaderElection.Vacancy {
        var told: String?
        while true {
            try Task.checkCancellation()
            var pause = timing.standbyPause
            do {
                let found = try await store.read()
                board.noteFound(found?.record)
                switch election.next(on: found, at: .now, time: surroundings.now()) {
                case .wait(let end):
                    let holder = found?.record.holder ?? ""
                    if told != holder { notify(.standingBy(holder: holder)) }
                    told = holder
                    // Not beyond the moment at which it may be taken.
                    pause = min(pause, max(end - .now, .milliseconds(1)))
                case .take(let record, let vacancy):
                    notes = found?.notes ?? LeaderNotes()
                    // To its end also where this is cancelled meanwhile: what was taken has to be given back.
                    let taking = Task { try await take(record, over: found) }
                    if try await taking.value {
                        guard !Task.isCancelled else {
                            let leaving = Task { try await release() }
                            try await leaving.value
                            throw CancellationError()
                        }
                        notify(.acquired(vacancy, transitions: record.transitions))
                        return vacancy
                    }
                }
                lastFailure = ""
            } catch let error as ClusterError {
                if error.kind == .cancelled { throw CancellationError() }
                if lastFailure != error.message { trouble(error) }
                lastFailure = error.message
                pause = timing.retry
            }
            try await surroundings.sleep(drawnOut(pause))
        }
    }

    /// - Returns: False where somebody was faster.
    private func take(_ record: LeaseRecord, over found: StoredLease?) async throws(ClusterError) -> Bool {
        let start = ContinuousClock.now
        do throws(ClusterError) {
            let stored =
                if let found { try await store.update(found, to: record, leaving: notes) } else {
                    try await store.create(record, leaving: notes)
                }
            return noteHeld(stored, from: start)
        } catch {
            guard [.conflict, .alreadyExists, .notFound].contains(error.kind) else { throw error }
            return false
        }
    }

    private func noteHeld(_ stored: StoredLease, from start: ContinuousClock.Instant) -> Bool {
        guard fence.open(until: start + timing.deadline) else { return false }
        held = stored
        lastFailure = ""
        board.noteFound(stored.record)
        board.noteRenewal(begunAt: start)
        return true
    }

    private func drawnOut(_ pause: Duration) -> Duration {
        pause * (1 + LeaderElectionTiming.jitter * surroundings.randomness())
    }

    // MARK: Leading

    /// Renews the lease until it is lost, or the task is cancelled.
    ///
    /// - Parameter whenLost: Called at once when it is lost, whatever request hangs then.
    package func untilLost(_ whenLost: @escaping @Sendable (LeaseLoss) -> Void) async {
        await withTaskGroup { group in
            group.addTask { await self.renew() }
            group.addTask { await self.untilFenceCloses() }
            await group.next()
            if let loss = noteEnd() { whenLost(loss) }
            group.cancelAll()
        }
    }

    /// Why the lease was lost, where it was.
    private func noteEnd() -> LeaseLoss? {
        if loss == nil, fence.deadline == nil {
            loss = .notRenewed(within: timing.deadline, lastFailure: lastFailure)
        }
        guard let loss else { return nil }
        fence.close()
        board.noteEnd()
        notify(.lost(loss))
        return loss
    }

    private func renew() async {
        var pause = timing.retry
        while loss == nil, !Task.isCancelled, fence.deadline != nil {
            do { try await surroundings.sleep(pause) } catch { return }
            guard fence.deadline != nil else { return }
            pause = timing.retry
            do throws(ClusterError) {
                try await renewOnce()
            } catch {
                if error.kind != .cancelled { lastFailure = error.message }
                // One request that hung must not cost the lease (rule K6).
                pause = min(timing.retry, .milliseconds(250))
            }
        }
    }

    /// - Returns: Whether the lease is ours, and says what it was to say.
    @discardableResult
    private func renewOnce() async throws(ClusterError) -> Bool {
        guard let held else { return false }
        var start = ContinuousClock.now
        do throws(ClusterError) {
            let record = election.renewal(of: held.record, at: surroundings.now())
            return noteHeld(try await store.update(held, to: record, leaving: notes), from: start)
        } catch {
            guard [.conflict, .notFound].contains(error.kind) else { throw error }
        }
        // Somebody else wrote it, or an earlier renewal of ours whose answer was lost did.
        let found = try await store.read()
        if let found, !election.isHeld(by: found.record) {
            board.noteFound(found.record)
            fence.close()
            loss = .taken(by: found.record.holder)
            return false
        }
        start = .now
        let record = election.renewal(of: found?.record ?? held.record, at: surroundings.now())
        // It was deleted under us: who creates it first has it, and the others wait as long as a lease lasts.
        let stored =
            if let found { try await store.update(found, to: record, leaving: notes) } else {
                try await store.create(record, leaving: notes)
            }
        return noteHeld(stored, from: start)
    }

    private func untilFenceCloses() async {
        while let end = fence.deadline {
            do { try await surroundings.sleep(max(end - .now, .milliseconds(1))) } catch { return }
        }
    }

    // MARK: Leaving

    /// Says at once, and with each renewal from now on, what the next leader may take for in force.
    ///
    /// - Throws: ``ClusterError`` where it may not stand there yet.
    package func leave(_ notes: LeaderNotes) async throws(ClusterError) {
        self.notes = notes
        for _ in 0..<3 where loss == nil && fence.deadline != nil {
            do throws(ClusterError) {
                guard try await renewOnce() else { continue }
                return
            } catch {
                // A renewal that was on its way was faster.
                guard error.kind == .conflict else { throw error }
            }
        }
        let what = "write to the Lease \(store.name) which revision is in force: "
        guard loss == nil, fence.deadline != nil else {
            throw ClusterError(
                kind: .notLeading, status: 0, message: what + (loss?.message ?? "this replica leads no longer"),
                hint: "The one that leads now goes on.")
        }
        throw ClusterError(
            kind: .conflict, status: 0, message: what + "somebody else writes it all the time",
            hint: "Until it stands there no other revision is enforced; it is tried again by itself.")
    }

    /// Gives the lease back, so that another replica need not wait for its end (rule K7).
    ///
    /// Only after the last write has ended, since nothing passes the fence from here on. Does nothing where it is lost.
    ///
    /// - Throws: ``ClusterError`` where it could not be; then the others wait out the lease.
    package func release() async throws(ClusterError) {
        guard loss == nil, fence.deadline != nil, let held else { return }
        fence.close()
        board.noteEnd()
        let stored: StoredLease
        do throws(ClusterError) {
            let record = election.release(of: held.record, at: surroundings.now())
            stored = try await store.update(held, to: record, leaving: notes)
        } catch {
            guard error.kind == .conflict else { throw error }
            guard let found = try await store.read(), election.isHeld(by: found.record) else { return }
            stored = try await store.update(
                found, to: election.release(of: found.record, at: surroundings.now()), leaving: notes)
        }
        board.noteFound(stored.record)
        notify(.released)
    }
}
