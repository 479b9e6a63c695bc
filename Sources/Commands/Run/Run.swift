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

/// What there is once in a process, whatever its configuration is.
struct RunProcess: Sendable {
    /// Set where it is one of several replicas.
    let replica: Replica?
    let metrics: ControllerMetrics
    let health = ControllerHealth(uptime: systemUptime)
    let voice: LogVoice
    let trailing = TrailingTasks()

    init(_ invocation: Invocation) {
        replica = Wiring(invocation).replica
        metrics = ControllerMetrics(
            version: bylawVersion, instance: invocation.arguments.text("instance") ?? "default")
        voice = LogVoice(invocation.arguments)
    }
}

/// The controller with everything beside it, as one configuration wants it.
struct Run: Sendable {
    let process: RunProcess
    var invocation: Invocation
    var wiring: Wiring
    var instance: String
    var source: GitRevisionSource
    var endpoint: ClusterEndpoint
    var logger: Logger
    /// Which one it is of those that the process has had.
    private(set) var number = 0
    /// Why it begins, where it is not for the start of the process.
    var beginning: String?
    /// Nil where no PolicySync is named.
    let policySync: PolicySyncRecorder?
    /// Set where it is one of several replicas.
    var lease: HeldLease?

    struct HeldLease: Sendable {
        var leadership: Leadership
        /// Why it could be taken.
        var vacancy: LeaderElection.Vacancy
        /// Set as soon as the lease is lost.
        var lost: StopRequest

        var handover: HandoverPlace {
            get async {
                HandoverPlace(found: await leadership.notes) { [leadership] notes throws(ClusterError) in
                    try await leadership.leave(notes)
                }
            }
        }

        /// What whoever takes over tells of a leader that was lost: it may not have been able to.
        var takeover: String? {
            guard case .expired(let holder) = vacancy else { return nil }
            return "the leader \(holder) did not renew its lease any more; \(leadership.identity) took over"
        }
    }

    /// - Parameter known: Where the cluster is; nil where the flags are to say it.
    /// - Throws: What is to be corrected before anything can begin; nothing has begun then.
    init(_ invocation: Invocation, of process: RunProcess, on known: ClusterEndpoint? = nil) throws {
        self.process = process
        self.invocation = invocation
        wiring = Wiring(invocation, replica: process.replica)
        instance = try wiring.instance()
        source = try wiring.source()
        endpoint = try known ?? wiring.endpoint()
        logger = process.voice.logger([("instance", instance), ("cluster", wiring.clusterName(endpoint))])
        policySync = try wiring.policySyncRecorder(endpoint, instance: instance, logger: logger)
    }

    /// The same process with another configuration.
    ///
    /// - Parameter change: What is different in it.
    func changed(to arguments: ParsedArguments, by change: ConfigurationChange) throws -> Run {
        var invocation = invocation
        invocation.arguments = arguments
        // A kubeconfig may lead somewhere else by now, where nobody holds our lease.
        var next = try Run(invocation, of: process, on: endpoint)
        let sourceFlags = Set(Flags.repository.map(\.name) + ["cluster"])
        if sourceFlags.isDisjoint(with: change.anew) { next.source = source }
        next.number = change.anew.isEmpty ? number : number + 1
        next.beginning = "its configuration has changed (\(change.anew.joined(separator: ", ")))"
        return next
    }

    /// Refuses what a start would refuse.
    func expectStart(with arguments: ParsedArguments) throws {
        var invocation = invocation
        invocation.arguments = arguments
        try Wiring(invocation).expectStart()
    }

    /// Tells that work with this configuration could not begin although it was sound, and that another one goes on.
    func tellFailedBeginning(_ error: any Error) {
        let failure = commandFailure(error)
        logger.log(
            .error, "A changed configuration could not begin; going on without it",
            [("error", failure.message), ("hint", failure.hint), ("runbook", "ConfigurationRefused")])
    }

    /// What everybody learns who listens: the log, the metrics and the PolicySync.
    func tell(_ notice: ControllerNotice) {
        log(notice, to: logger)
        process.metrics.note(notice)
        policySync?.note(notice)
    }

    /// Enforces until that is to end; closes the journal.
    ///
    /// - Throws: ``JournalError`` where the journal cannot be used at the start, ``JournalTakenOver`` where another process
    ///   has written it meanwhile; whatever else cannot begin.
    func enforce(
        with journal: SQLiteJournal, until end: StopRequest, whenBegun: @Sendable () -> Void
    ) async throws {
        do {
            try await enforceOpened(journal, until: end, whenBegun: whenBegun)
        } catch {
            await journal.close()
            throw error
        }
        await recordLoss(in: journal)
        await journal.close()
    }

    /// Records that the lease was lost while no journal was open; where none can be opened, the log alone tells of it.
    func recordLossWithoutJournal() async {
        guard await lease?.leadership.loss != nil else { return }
        do {
            let journal = try await wiring.journal(instance: instance, endpoint: endpoint)
            await recordLoss(in: journal)
            await journal.close()
        } catch {
            let failure = commandFailure(error)
            logger.log(
                .warning, "That a lease was lost could not be recorded",
                [("error", failure.message), ("hint", failure.hint)])
        }
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

    private func enforceOpened(
        _ journal: SQLiteJournal, until end: StopRequest, whenBegun: @Sendable () -> Void
    ) async throws {
        let (metrics, health) = (process.metrics, process.health)
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
        let tracing = try wiring.spanExporter(
            instance: instance, cluster: clusterName, logger: logger, metrics: metrics)
        let exporting = Task { await tracing?.run() ?? () }
        // A receiver that does not answer must hold up neither what begins next nor another replica.
        defer { if let tracing { process.trailing.begin { await tracing.finish(exporting) } } }
        let controller = wiring.controller(
            instance: instance, source: source, cluster: cluster, journal: journal,
            holds: try wiring.holds(instance: instance, cluster: cluster), term: await lease?.leadership.term,
            handover: await lease?.handover, beginning: beginning, tracing: tracing
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
            await StandingProbe(metrics: metrics, health: health, policySync: policySync, logger: logger).run(
                controller, journal: journal)
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
            await end.wait()
            guard end.isSet else { return }
            logger.log(.notice, end.isOfWhole ? "Stopping" : "Ending what runs, to begin anew")
            await controller.stop()
            // What a server does not answer by then is left to the next start. Where the lease is lost, before or meanwhile,
            // nothing has to come to its end, and what is cut off would not.
            do { try await (lease?.lost ?? StopRequest()).wait(atMost: .seconds(20)) } catch { return }
            cluster.endCalls()
        }
        defer { waiting.cancel() }
        let checkpointInterval = wiring.arguments.duration("checkpoint-interval") ?? .seconds(60)
        let publishing = Task { await publisher.run(every: checkpointInterval) }
        defer { publishing.cancel() }
        do {
            try await untilReachable(cluster, logger: logger, signals: end, noting: controller.noteNeverReached) {
                facts in
                try await checkIdentity(of: facts, against: journal, path: wiring.journalPath)
            }
            whenBegun()
            try await controller.run()
        } catch is CancellationError {
            // Told to stop before the cluster was ever reached.
        } catch {
            await shipping?.finish(sending)
            throw error
        }
        // Little time is left then, and the record of it comes first.
        guard await lease?.leadership.loss == nil else { return }
        auditIntake?.stop()
        // What another one reads and writes in its place.
        await auditIntake?.untilLogsEnded()
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
    _ cluster: KubeCluster, logger: Logger, signals: StopRequest, noting: (ClusterError) async -> Void,
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
        try await signals.wait(atMost: pause)
        pause = min(pause * 2, .seconds(15))
    }
}
