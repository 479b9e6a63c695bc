import Arguments
import Foundation
import GitSource
import HTTPServer
import Journal
import KubeClient
import Manifest
import Policy
import Reconciler
import StatusServer
import Telemetry

let runCommand = Command(
    description: CommandDescription(
        name: "run", summary: "the controller",
        details:
            "Follows the repository and watches the cluster until it is told to stop (SIGTERM or Ctrl-C): applies new "
            + "revisions, corrects drift as it happens, and records everything in the journal. What trying again can cure "
            + "is tried again. While the journal cannot be used nothing is changed: what is not as declared is told in the "
            + "log, and the journal tried again.",
        flags: Flags.repository + Flags.connection + [Flags.cluster, Flags.instance, Flags.journal, Flags.journalKey]
            + [
                FlagDescription(
                    "interval", .duration, valueName: "T", "how often the repository is asked for something new",
                    default: "15s")
            ] + [Flags.holdConfigMap] + Flags.checkpoints + Flags.retention + Flags.backgroundShipping + Flags.audit
            + Flags.host + Flags.status + [Flags.events] + Flags.leaderElection + Flags.writes + Flags.logging + [
                Flags.config
            ],
        examples: [
            "bylaw run --repo https://git.example.com/policies --git-token-file /etc/bylaw/token --path production",
            "bylaw run --config /etc/bylaw/config.yaml",
        ],
        exitStatuses: [
            (0, "it was told to stop"), (2, "it could not start"),
            (3, "it has lost its Lease, and is to be started again"),
        ])
) { invocation in
    let wiring = Wiring(invocation)
    let run = Run(
        wiring: wiring, instance: try wiring.instance(), source: try wiring.source(), endpoint: try wiring.endpoint(),
        invocation: invocation)
    let signals = StopSignals()
    run.logger.log(
        .notice, "Starting",
        [("version", bylawVersion), ("journal", wiring.journalPath)]
            + (wiring.replica.map { [("replica", $0.identity)] } ?? []))
    // Before the journal is opened: that it cannot be is what somebody has to see.
    let status = try wiring.statusListener(
        StatusAnswer(metrics: run.metrics, health: run.health), logger: run.logger)
    defer { status?.stop() }
    let renewing = Task { await status?.followCertificate() }
    defer { renewing.cancel() }
    let leadership = try wiring.leadership(instance: run.instance, endpoint: run.endpoint) { run.tell(.leadership($0)) }
    guard let leadership else { return try await lead(run, invocation, until: signals) }
    run.metrics.noteLeadership(false)
    run.health.follow(leadership.board)
    let leading = LeadingRun(
        leadership: leadership, source: run.source,
        fetchInterval: wiring.arguments.duration("interval") ?? .seconds(15), logger: run.logger, signals: signals)
    return try await leading.run { vacancy in
        var run = run
        run.lease = Run.HeldLease(leadership: leadership, vacancy: vacancy)
        return try await lead(run, invocation, until: signals)
    }
}

/// Opens the journal and enforces until a signal comes, again and again where the journal cannot be worked with.
private func lead(_ run: Run, _ invocation: Invocation, until signals: StopSignals) async throws -> Int32 {
    var wait = JournalWait(
        invocation: invocation, wiring: run.wiring, instance: run.instance, endpoint: run.endpoint, logger: run.logger,
        signals: signals, noteWrite: run.metrics.noteJournalWrite, notify: run.tell)
    var takeover = run.takeover
    while let journal = try await wait.untilOpened() {
        run.metrics.noteJournalOpened()
        if let message = takeover { await run.record(message, in: journal) }
        takeover = nil
        do {
            try await run.enforce(with: journal, until: signals)
            return ExitStatus.success
        } catch let error as JournalError where error.incident != nil {
            // It could be opened and not be worked with.
            wait.note(error)
        } catch let taken as JournalTakenOver {
            wait.goOn(with: taken.outage)
        }
    }
    run.logger.log(.notice, "Stopped")
    return ExitStatus.success
}

/// The controller with everything beside it.
private struct Run {
    var wiring: Wiring
    var instance: String
    var source: GitRevisionSource
    var endpoint: ClusterEndpoint
    var logger: Logger
    let metrics: ControllerMetrics
    let health = ControllerHealth(uptime: systemUptime)
    /// Set where it is one of several replicas.
    var lease: HeldLease?

    struct HeldLease {
        var leadership: Leadership
        /// Why it could be taken.
        var vacancy: LeaderElection.Vacancy
    }

    init(
        wiring: Wiring, instance: String, source: GitRevisionSource, endpoint: ClusterEndpoint, invocation: Invocation
    ) {
        self.wiring = wiring
        self.instance = instance
        self.source = source
        self.endpoint = endpoint
        metrics = ControllerMetrics(version: bylawVersion, instance: instance)
        let arguments = invocation.arguments
        let sink = StandardErrorSink(format: LogFormat(rawValue: arguments.text("log-format") ?? "") ?? .text)
        logger = Logger(
            level: LogLevel(rawValue: arguments.text("log-level") ?? "") ?? .info,
            fields: [("instance", instance), ("cluster", wiring.clusterName(endpoint))],
            now: { systemNow().description }, sink: { sink.write($0) })
    }

    /// What everybody learns who listens: the log and the metrics.
    func tell(_ notice: ControllerNotice) {
        log(notice, to: logger)
        metrics.note(notice)
    }

    /// Enforces until a signal comes; closes the journal.
    ///
    /// - Throws: ``JournalError`` where the journal cannot be used at the start, ``JournalTakenOver`` where another process
    ///   has written it meanwhile; whatever else cannot begin.
    func enforce(with journal: SQLiteJournal, until signals: StopSignals) async throws {
        do {
            try await enforceOpened(journal, until: signals)
        } catch {
            await journal.close()
            throw error
        }
        await recordLoss(in: journal)
        await journal.close()
        logger.log(.notice, "Stopped")
    }

    /// What whoever takes over tells of a leader that was lost: it may not have been able to.
    var takeover: String? {
        guard let lease, case .expired(let holder) = lease.vacancy else { return nil }
        return "the leader \(holder) did not renew its lease any more; \(lease.leadership.identity) took over"
    }

    private func recordLoss(in journal: SQLiteJournal) async {
        guard let lease, let loss = await lease.leadership.loss else { return }
        await record(
            "\(lease.leadership.identity) lost its lease, stopped writing and ended: \(loss.message)", in: journal)
    }

    func record(_ message: String, in journal: SQLiteJournal) async {
        do throws(JournalError) {
            tell(.incident(try await journal.recordLostLease(message, at: systemNow())))
        } catch {
            logger.log(
                .warning, "That a lease was lost could not be recorded",
                [("detail", message), ("error", error.message), ("hint", error.hint)])
        }
    }

    private func enforceOpened(_ journal: SQLiteJournal, until signals: StopSignals) async throws {
        let cluster = wiring.cluster(endpoint, instance: instance, traffic: metrics.traffic)
        let clusterName = wiring.clusterName(endpoint)
        let reporter = try wiring.statusReporter(cluster: clusterName, logger: logger)
        let publisher = CheckpointPublisher(
            journal: journal, places: try wiring.checkpointPlaces(journal: journal, cluster: cluster), logger: logger,
            noteSigned: metrics.noteCheckpoint)
        let retention = try retentionPolicy(wiring.arguments).map {
            JournalRetention(journal: journal, policy: $0, logger: logger)
        }
        let retaining = Task { await retention?.run() }
        defer { retaining.cancel() }
        let identifier = try await wiring.actorIdentifier(
            journal: journal, scope: JournalReader.Scope(instance: instance, cluster: clusterName), logger: logger)
        let events = wiring.eventRecorder(endpoint, instance: instance, logger: logger)
        let controller = wiring.controller(
            instance: instance, source: source, cluster: cluster, journal: journal,
            holds: try wiring.holds(instance: instance, cluster: cluster), term: await lease?.leadership.term
        ) {
            tell($0)
            reporter?.note($0)
            events?.note($0)
            if case .synced = $0 { publisher.wanted() }
            if case .changed(_, let sequence) = $0 { identifier?.note(sequence) }
        }
        let recording = Task { await events?.run() }
        defer { recording.cancel() }
        let probing = Task {
            await StandingProbe(metrics: metrics, health: health).run(controller, journal: journal)
        }
        defer { probing.cancel() }
        let shipping = try await wiring.backgroundShipping(journal: journal, logger: logger, metrics: metrics)
        let sending = Task { await shipping?.run() ?? () }
        defer { sending.cancel() }
        let identifying = Task { await identifier?.run() }
        defer { identifying.cancel() }
        let webhooks = try wiring.webhookListener(logger: logger) { await controller.fetchSoon() }
        defer { webhooks?.stop() }
        let auditIntake = try wiring.auditIntake(identifier, cluster: cluster, logger: logger)
        defer { auditIntake?.stop() }
        let waiting = Task {
            await signals.wait()
            guard signals.isSet else { return }
            logger.log(.notice, "Stopping")
            await controller.stop()
            // Where the lease is lost nothing has to come to its end, and what is cut off would not.
            if await lease?.leadership.loss == nil {
                // What a server does not answer by then is left to the next start.
                do { try await Task.sleep(for: .seconds(20)) } catch { return }
            }
            cluster.endCalls()
        }
        defer { waiting.cancel() }
        let checkpointInterval = wiring.arguments.duration("checkpoint-interval") ?? .seconds(60)
        let publishing = Task { await publisher.run(every: checkpointInterval) }
        defer { publishing.cancel() }
        do {
            try await untilReachable(cluster, logger: logger, signals: signals, noting: controller.noteNeverReached) {
                facts in
                try await checkIdentity(of: facts, against: journal, path: wiring.journalPath)
            }
            try await controller.run()
        } catch is CancellationError {
            // Told to stop before the cluster was ever reached.
        } catch {
            await shipping?.finish(sending)
            throw error
        }
        // Little time is left then, and the record of it comes first.
        guard await lease?.leadership.loss == nil else { return }
        await reporter?.finish()
        // The log and the journal have the last checkpoint whatever else does not answer.
        await publisher.sign()
        publisher.finish()
        let giveUp = Task {
            do { try await Task.sleep(for: .seconds(5)) } catch { return }
            publishing.cancel()
        }
        await publishing.value
        giveUp.cancel()
        await shipping?.finish(sending)
    }
}

/// Waits for the cluster as long as it takes: it may start after us.
private func untilReachable(
    _ cluster: KubeCluster, logger: Logger, signals: StopSignals, noting: (ClusterError) async -> Void,
    _ body: (KubeCluster.Facts) async throws -> Void
) async throws {
    var pause = Duration.milliseconds(500)
    while true {
        guard !signals.isSet else { throw CancellationError() }
        do {
            let facts = try await cluster.facts()
            logger.log(.info, "Connected", [("server", cluster.endpoint.server), ("kubernetes", facts.version)])
            for gap in facts.gaps { logger.log(.warning, "Something is not served", [("detail", gap)]) }
            try await body(facts)
            return
        } catch let error as ClusterError {
            guard error.kind != .invalid else { throw CommandFailure(message: error.message, hint: error.hint) }
            logger.log(
                .warning, "The cluster cannot be reached; trying again",
                [("error", error.message), ("hint", error.hint)])
            await noting(error)
        }
        // In short steps, so that it ends soon when it is told to.
        let end = ContinuousClock.now + pause
        while ContinuousClock.now < end, !signals.isSet { try await Task.sleep(for: .milliseconds(100)) }
        pause = min(pause * 2, .seconds(15))
    }
}
