import Manifest
package import Planning
import Policy
import Tracing

/// Keeps the cluster equal to the enforced revision.
///
/// Context: commits, watch events, retries and restarts all ask the same question of an object, in any order. Choice:
/// whatever happens only puts the object's name into a queue; a worker that takes the name decides from the declared and
/// the live state of that moment (`decide` in Planning) and acts. So nothing depends on an event having been seen, a new
/// revision takes effect by being swapped in, and drift is corrected by the same code while a revision is applied.
/// Given up: an action may start later than the plan that listed it, and is then made anew.
package actor Controller {
    enum Mode { case continuous, singlePass }

    let configuration: ControllerConfiguration
    let source: any RevisionSource
    let cluster: any ClusterAPI
    let journal: any RunJournal
    /// Where emergency holds are seen; nil: nowhere.
    let holds: (any EmergencyHoldSource)?
    let surroundings: Surroundings
    /// Nil where syncs are not traced.
    let tracer: Tracer?
    let ownership: Ownership
    let canonical: Canonical
    let notify: @Sendable (ControllerNotice) -> Void

    var mode = Mode.continuous
    var live = LiveState()
    var enforced: EnforcedState?
    /// Kinds whose first list has neither come nor failed for good.
    var unreadKinds = Set(Resource.managed)
    var owned: [ObjectID: OwnedObject] = [:]
    /// The digest of the declaration that an object was last found equal to: a difference from there on is drift.
    var settledDigests: [ObjectID: String] = [:]
    /// Who the server takes us for.
    var user = OwnAccess.User.notAsked
    /// Where Bylaw runs, by what the journal remembers.
    var rememberedNamespace: String?
    var declaredEarlier: Set<ObjectID> = []
    /// Another replica may have led since the journal was written, and no revision was accepted since.
    var isJournalBehind = false
    /// What the leader before had in force, as long as nothing was accepted here: what is new is compared with it.
    var handedOver: EnforcedState?
    /// How often that could not be looked at.
    var handoverFailures = 0
    /// It was told that what the leader before left does not count.
    var isUnusableHandoverTold = false
    /// What this leader has left to the next one; nil where that is not known.
    var leftToNext: Handover??
    /// Objects about which the repository's history has been asked.
    var historyAsked: Set<ObjectID> = []

    var queue: WorkQueue
    var failureCounts: [ObjectID: Int] = [:]
    /// What was to be changed of an object when that failed last: the same once more is no reason to try again sooner.
    var failedDifferences: [ObjectID: [Difference]] = [:]
    /// What the API server forbade when it was tried last.
    var forbidden: Set<ObjectID> = []
    /// When a role or binding changed that may let us do what was forbidden.
    var rightsChangedAt: Duration?
    var fights = FightRecord()
    var drifts = DriftRecord()
    /// Of each state, by kind, as they were counted last.
    var objectStates: [ControllerStanding.ObjectState: [String: Int]] = [:]
    /// Whether something has happened since.
    var isStandingOld = true
    let ownRights = OwnRightsMemory()
    let history = HistoryMemory()
    /// Objects that were given up in a fight, which lasts after the fight has cooled down.
    var yielded: Set<ObjectID> = []
    /// Objects that nobody declares, and what was said of them.
    var toldStrangers: [ObjectID: String] = [:]
    var tellings = TellingRecord()
    /// Intents whose outcome could not be learned yet; each is settled before its object is touched again.
    var openIntents: [ObjectID: OpenIntent] = [:]
    /// The incidents that are open, by object; nil for the instance as a whole.
    var openIncidents: [ObjectID?: Set<IncidentReason>] = [:]
    /// What could not be brought to the declared state, by why.
    var held: Set<ObjectID> = []
    var failing: Set<ObjectID> = []
    /// Those of them without which something is more open than declared.
    var failingProtections: Set<ObjectID> = []
    var waiting: Set<ObjectID> = []
    /// What opens and waits, by the protection that failed.
    var waitingForProtection: [ObjectID: Set<ObjectID>] = [:]
    var waitingForNamespace: [String: Set<ObjectID>] = [:]
    /// Until when the next correction of an object is put off because of a fight.
    var pausedUntil: [ObjectID: Duration] = [:]
    var interruptedKinds: Set<Resource> = []
    /// How often in a row a kind's first list has failed.
    var failedFirstLists: [Resource: Int] = [:]
    /// Whether the repository's history may prove ownership: the journal was lost, or the cluster put back to a backup.
    var isHistoryProof = false
    var unreachableInARow = 0
    /// No change is begun before this moment: the whole cluster did not answer lately (rule N6).
    var gateOpensAt = Duration.zero

    var newestCommit: String?
    var refusedCommit: String?
    /// What is known of emergency holds.
    var hold = EmergencyHoldState()
    /// The earlier revision whose declared state the enforced one brought back.
    var restoredCommit: String?
    /// The revision of which it is written down that all of it is in the cluster.
    var commitInForce: String?
    /// What was approved later of the revision in force would lock us out.
    var isLaterApprovalRefused = false
    /// When a revision was judged last.
    var lastJudgedAt: Duration?
    /// What had no good signature when one looked last, and is looked at first the next time.
    var distrustedCommit: String?
    /// It is refused for what may change without a new commit, such as the operator's keys.
    var isRefusalPassing = false
    var pass: PassInProgress?
    /// The trace of the look at the repository that is under way.
    var arriving: SyncTrace?
    /// The trace of a pass that is to be made and cannot be yet.
    var waitingTrace: SyncTrace?
    var lastReport: PassReport?
    /// A revision was accepted that no pass has been made for.
    var needsPass = false
    var lastFetchAt: Timestamp?
    /// The words of the last failed fetch without its figures: a text that only counts differently is no news.
    var lastFetchFailure: String?
    /// A pass is being planned.
    var isPlanning = false
    /// Whether the API server refuses what the enforced revision wants refused.
    var isPreventionInForce = false
    /// Whether policies of a run that the journal does not know were looked for.
    var isOldPreventionAsked = false
    /// The words of the last failure to make it so, without its figures.
    var preventionFailure: String?
    /// Writes to admission policies whose outcome is not known, or that were refused; each is tried again under its intent.
    var openPolicyIntents: [ObjectID: OpenIntent] = [:]
    /// Digests of the patches that changed nothing, by the admission policy in words.
    var fruitlessPatches: [String: String] = [:]

    /// Since when, and why, nothing can be recorded; nil where all is well.
    var outage: JournalOutage?
    /// Another process has written the journal meanwhile, so that this run ends.
    var isTakenOver = false
    /// By the clock of ``Surroundings/uptime``.
    var outageEndedAt = Duration.seconds(-3600)
    /// How often the journal was tried in vain in an outage and those shortly before it.
    var failedProbes = 0
    let outages: (wishes: AsyncStream<Void>, wish: AsyncStream<Void>.Continuation)

    private var idleWorkers: [CheckedContinuation<ObjectID?, Never>] = []
    private var alarm: (due: Duration, task: Task<Void, Never>)?
    private var isStopping = false
    /// Whether somebody asked to look at the repository before the pause is over.
    var isFetchWanted = false
    var fetchPause: Task<Void, Never>?
    private var stopWaiters: [CheckedContinuation<Void, Never>] = []
    /// Those who wait until every kind was read.
    private var gatherWaiters: [CheckedContinuation<Void, Never>] = []
    private var drainWaiters: [CheckedContinuation<Void, Never>] = []

    package init(
        configuration: ControllerConfiguration, source: any RevisionSource, cluster: any ClusterAPI,
        journal: any RunJournal, holds: (any EmergencyHoldSource)? = nil, surroundings: Surroundings,
        tracer: Tracer? = nil, ownership: Ownership, canonical: Canonical,
        notify: @escaping @Sendable (ControllerNotice) -> Void
    ) {
        self.configuration = configuration
        self.source = source
        self.cluster = cluster
        self.journal = journal
        self.holds = holds
        self.surroundings = surroundings
        self.tracer = tracer
        self.ownership = ownership
        self.canonical = canonical
        self.notify = notify
        queue = WorkQueue(maximumRetries: configuration.concurrentObjects / 4)
        let (wishes, wish) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        outages = (wishes, wish)
    }

    // MARK: Life

    /// Enforces until ``stop()`` is called: follows the repository, watches the cluster, corrects drift.
    ///
    /// While the journal cannot be written nothing is changed: what is not as declared is told, and the journal tried again.
    ///
    /// - Throws: ``JournalError`` where the journal cannot be read or written at the start, ``JournalTakenOver`` where another
    ///   process has written it in an outage. Everything else is tried again.
    package func run() async throws {
        mode = .continuous
        try await prepare()
        let start =
            "bylaw started" + (configuration.host.map { " on \($0)" } ?? "")
            + (configuration.beginning.map { "; \($0)" } ?? "")
            + (isJournalBehind
                ? "; another replica may have led since this journal was written last, so that the newest revision is judged anew, "
                    + "compared with the cluster" : "")
        try await journal.record(event(.started, start), owned: .unchanged)
        await withTaskGroup { group in
            group.addTask { await self.followUntilStopped() }
            for _ in 0..<configuration.concurrentObjects {
                group.addTask { await self.work() }
            }
        }
        alarm?.task.cancel()
        endInterruptedTrace(as: "stopped")
        await recordOutageAtStop()
        await withJournal("record the stop") { () async throws(JournalError) in
            try await self.journal.record(self.event(.stopped, "bylaw stopped"), owned: .unchanged)
        }
        if isTakenOver, let outage { throw JournalTakenOver(outage: outage) }
    }

    /// Lets running changes end, starts no new ones, and lets ``run()`` return.
    package func stop() {
        isStopping = true
        for waiter in stopWaiters { waiter.resume() }
        stopWaiters = []
        endWaitForGathering()
        for worker in idleWorkers { worker.resume(returning: nil) }
        idleWorkers = []
        for waiter in drainWaiters { waiter.resume() }
        drainWaiters = []
    }

    /// Fetches, makes one pass and ends.
    ///
    /// - Throws: ``SourceError``, ``ClusterError`` or ``JournalError`` where the pass cannot be made at all. Objects that
    ///   fail are counted in the report.
    package func runOnce() async throws -> PassReport {
        mode = .singlePass
        arriving = beginTrace(.command)
        do {
            return try await makeOnlyPass()
        } catch {
            endArriving(after: error)
            endInterruptedTrace(as: "error")
            throw error
        }
    }

    private func makeOnlyPass() async throws -> PassReport {
        try await arriving.stage("prepare") { _ in try await prepare() }
        // The cluster is read meanwhile: what moves after that is found by each write's own precondition.
        async let gathering = gather()
        let newest: Revision
        do {
            newest = try await arriving.stage("fetch") { _ in try await source.fetchNewest() }
            lastFetchAt = surroundings.now()
            let gathered = try await gathering
            live = gathered.state
            unreadKinds = []
            for (_, error) in gathered.unreadable {
                try await raise(.clusterUnreachable, object: nil, message: error.message)
            }
            await learnUser()
            try await take(newest)
            await arriving.stage("admission policies") { _ in await keepPrevention() }
        } catch let error as SourceError {
            try await raise(.fetchFailed, object: nil, isTold: false, message: error.explanation.message)
            throw error
        }
        try await resolve([.fetchFailed], object: nil)
        guard enforced != nil else {
            var report = PassReport(revision: newest.commit)
            report.isRevisionRefused = refusedCommit != nil
            report.hold = hold.active
            report.trace = arriving?.id.description
            endArriving()
            return report
        }
        await beginPass(takeArriving())
        await withTaskGroup { group in
            for _ in 0..<configuration.concurrentObjects {
                group.addTask { await self.work() }
            }
            await untilDrained()
            stop()
        }
        alarm?.task.cancel()
        endInterruptedTrace(as: "stopped")
        try await rememberStatus()
        return lastReport ?? PassReport(revision: newest.commit)
    }

    private func gather() async throws(ClusterError) -> (state: LiveState, unreadable: [(Resource, ClusterError)]) {
        try await arriving.stage("observe cluster") { span throws(ClusterError) in
            try await gatherLiveState(from: cluster, sleep: surroundings.sleep, span: span)
        }
    }

    private func followUntilStopped() async {
        await withTaskGroup { group in
            for resource in Resource.managed {
                group.addTask { await self.watch(resource) }
            }
            group.addTask { await self.followRepository() }
            group.addTask { await self.keepJournal() }
            group.addTask { await self.untilStopped() }
            // None of the others ends by itself.
            await group.next()
            group.cancelAll()
        }
    }

    private func watch(_ resource: Resource) async {
        for await observation in cluster.observe(resource) {
            await accept(observation, of: resource)
        }
        // Ended by the server's or the client's fault: better to stop as a whole than to be blind for one kind.
        await untilStopped()
    }

    private func untilStopped() async {
        guard !isStopping else { return }
        await withCheckedContinuation { stopWaiters.append($0) }
    }

    var hasStopped: Bool { isStopping }

    /// Waits until every kind was read, or it is known that some cannot be.
    ///
    /// What a revision means depends on what else is in the cluster.
    func untilGathered() async {
        guard !isGathered, !isStopping else { return }
        await withCheckedContinuation { gatherWaiters.append($0) }
    }

    func endWaitForGathering() {
        for waiter in gatherWaiters { waiter.resume() }
        gatherWaiters = []
    }

    // MARK: Workers

    private func work() async {
        while let id = await takeNext() {
            await process(id)
            isStandingOld = true
            queue.finish(id)
            await advancePass()
            wake()
        }
    }

    private func takeNext() async -> ObjectID? {
        guard !isStopping else { return nil }
        if let id = nextReady() { return id }
        return await withCheckedContinuation { continuation in
            idleWorkers.append(continuation)
            setAlarm()
        }
    }

    private func nextReady() -> ObjectID? {
        let now = surroundings.uptime()
        return now < gateOpensAt ? nil : queue.next(at: now)
    }

    /// Hands what is ready to idle workers, and sets the alarm for what is due later.
    func wake() {
        while !idleWorkers.isEmpty, let id = nextReady() {
            idleWorkers.removeLast().resume(returning: id)
        }
        if queue.activeCount == 0, queue.delayedCount == 0 {
            for waiter in drainWaiters { waiter.resume() }
            drainWaiters = []
        }
        setAlarm()
    }

    private func setAlarm() {
        // Without an idle worker nothing could be handed out; whoever ends its work sets the alarm again.
        guard !isStopping, !idleWorkers.isEmpty else { return }
        let now = surroundings.uptime()
        let gate = now < gateOpensAt ? gateOpensAt : nil
        // While the gate is shut nothing is handed out, however long it has been due; then everything that is ready is.
        guard let due = gate ?? queue.nextDue else { return }
        if let alarm, alarm.due <= due, alarm.due > now { return }
        alarm?.task.cancel()
        let pause = max(due - now, .milliseconds(1))
        let sleep = surroundings.sleep
        alarm = (
            due,
            Task { [weak self] in
                do { try await sleep(pause) } catch { return }
                await self?.ring()
            }
        )
    }

    private func ring() {
        alarm = nil
        wake()
    }

    private func untilDrained() async {
        wake()
        guard queue.activeCount > 0 || queue.delayedCount > 0, !isStopping else { return }
        await withCheckedContinuation { drainWaiters.append($0) }
    }
}
