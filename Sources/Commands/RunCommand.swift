import Arguments
import Dispatch
import Foundation
import HTTPServer
import Journal
import KubeClient
import Manifest
import Policy
import Reconciler
import Synchronization
import Telemetry

let runCommand = Command(
    description: CommandDescription(
        name: "run", summary: "the controller",
        details:
            "Follows the repository and watches the cluster until it is told to stop (SIGTERM or Ctrl-C): applies new "
            + "revisions, corrects drift as it happens, and records everything in the journal. What trying again can cure "
            + "is tried again.",
        flags: Flags.repository + Flags.connection + [Flags.cluster, Flags.instance, Flags.journal, Flags.journalKey]
            + [
                FlagDescription(
                    "interval", .duration, valueName: "T", "how often the repository is asked for something new",
                    default: "15s")
            ] + [Flags.holdConfigMap] + Flags.checkpoints + Flags.retention + Flags.backgroundShipping + Flags.audit
            + Flags.host + Flags.writes + Flags.logging + [Flags.config],
        examples: [
            "bylaw run --repo https://git.example.com/policies --git-token-file /etc/bylaw/token --path production",
            "bylaw run --config /etc/bylaw/config.yaml",
        ],
        exitStatuses: [(0, "it was told to stop"), (2, "it could not start")])
) { invocation in
    let wiring = Wiring(invocation)
    let instance = try wiring.instance()
    let source = try wiring.source()
    let endpoint = try wiring.endpoint()
    let cluster = wiring.cluster(endpoint, instance: instance)
    let journal = try await wiring.journal(instance: instance, endpoint: endpoint)
    let clusterName = wiring.clusterName(endpoint)
    let sink = StandardErrorSink(format: LogFormat(rawValue: invocation.arguments.text("log-format") ?? "") ?? .text)
    let logger = Logger(
        level: LogLevel(rawValue: invocation.arguments.text("log-level") ?? "") ?? .info,
        fields: [("instance", instance), ("cluster", clusterName)],
        now: { systemNow().description }, sink: { sink.write($0) })
    let reporter = try wiring.statusReporter(cluster: clusterName, logger: logger)
    let publisher = CheckpointPublisher(
        journal: journal, places: try wiring.checkpointPlaces(journal: journal, cluster: cluster), logger: logger)
    let retention = try retentionPolicy(invocation.arguments).map {
        JournalRetention(journal: journal, policy: $0, logger: logger)
    }
    let retaining = Task { await retention?.run() }
    defer { retaining.cancel() }
    let identifier = try await wiring.actorIdentifier(
        journal: journal, scope: JournalReader.Scope(instance: instance, cluster: clusterName), logger: logger)
    let controller = wiring.controller(
        instance: instance, source: source, cluster: cluster, journal: journal,
        holds: try wiring.holds(instance: instance, cluster: cluster)
    ) {
        log($0, to: logger)
        reporter?.note($0)
        if case .synced = $0 { publisher.wanted() }
        if case .changed(_, let sequence) = $0 { identifier?.note(sequence) }
    }
    let shipping = try await wiring.backgroundShipping(journal: journal, logger: logger)
    let sending = Task { await shipping?.run() ?? () }
    defer { sending.cancel() }
    let identifying = Task { await identifier?.run() }
    defer { identifying.cancel() }
    let webhooks = try wiring.webhookListener(logger: logger) { await controller.fetchSoon() }
    defer { webhooks?.stop() }
    let auditIntake = try wiring.auditIntake(identifier, cluster: cluster, logger: logger)
    defer { auditIntake?.stop() }
    let signals = StopSignals()
    logger.log(.notice, "Starting", [("version", bylawVersion), ("journal", wiring.journalPath)])
    let waiting = Task {
        await signals.wait()
        logger.log(.notice, "Stopping")
        await controller.stop()
    }
    let checkpointInterval = invocation.arguments.duration("checkpoint-interval") ?? .seconds(60)
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
        waiting.cancel()
        await shipping?.finish(sending)
        await journal.close()
        throw error
    }
    waiting.cancel()
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
    await journal.close()
    logger.log(.notice, "Stopped")
    return ExitStatus.success
}

/// Waits for the cluster as long as it takes: it may start after us.
private func untilReachable(
    _ cluster: KubeCluster, logger: Logger, signals: StopSignals, noting: (ClusterError) async -> Void,
    _ body: (KubeCluster.Facts) async throws -> Void
) async throws {
    var pause = Duration.milliseconds(500)
    while true {
        guard !signals.isSet else { throw CancellationError() }
        do throws(ClusterError) {
            let facts = try await cluster.facts()
            logger.log(.info, "Connected", [("server", cluster.endpoint.server), ("kubernetes", facts.version)])
            for gap in facts.gaps { logger.log(.warning, "Something is not served", [("detail", gap)]) }
            try await check(facts, body)
            return
        } catch {
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

private func check(
    _ facts: KubeCluster.Facts, _ body: (KubeCluster.Facts) async throws -> Void
) async throws(ClusterError) {
    do {
        try await body(facts)
    } catch {
        let failure = commandFailure(error)
        throw ClusterError(kind: .invalid, status: 0, message: failure.message, hint: failure.hint)
    }
}

/// SIGTERM and SIGINT, as something to wait for.
///
/// A second signal ends the process at once.
final class StopSignals: Sendable {
    private let state: SignalState

    init() {
        state = SignalState()
        for number in [SIGTERM, SIGINT] {
            signal(number, SIG_IGN)
            state.watch(number)
        }
    }

    var isSet: Bool { state.count > 0 }

    func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { state.wait($0) }
        } onCancel: {
            state.release()
        }
    }
}

/// `@unchecked Sendable`: everything mutable is only touched under `lock`.
private final class SignalState: @unchecked Sendable {
    private let lock = NSLock()
    private let queue = DispatchQueue(label: "bylaw.signals")
    private var sources: [any DispatchSourceSignal] = []
    private var signals = 0
    private var isReleased = false
    private var waiters: [CheckedContinuation<Void, Never>] = []

    var count: Int { lock.withLock { signals } }

    func watch(_ number: Int32) {
        let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
        source.setEventHandler { [weak self] in self?.receive() }
        source.resume()
        lock.withLock { sources.append(source) }
    }

    func wait(_ continuation: CheckedContinuation<Void, Never>) {
        let isOver = lock.withLock {
            guard signals == 0, !isReleased else { return true }
            waiters.append(continuation)
            return false
        }
        if isOver { continuation.resume() }
    }

    func release() { resumeAll { isReleased = true } }

    private func receive() {
        if count > 0 { _exit(130) }
        resumeAll { signals += 1 }
    }

    private func resumeAll(_ change: () -> Void) {
        let resumed = lock.withLock {
            change()
            let all = waiters
            waiters = []
            return all
        }
        for waiter in resumed { waiter.resume() }
    }
}

/// Turns what the controller tells into log lines: constant messages, facts beside them.
func log(_ notice: ControllerNotice, to logger: Logger) {
    switch notice {
    case .revisionAccepted(let revision, let count):
        logger.log(
            .notice, "Revision accepted",
            [("revision", revision.commit), ("subject", revision.subject), ("objects", String(count))])
    case .revisionRefused(let revision, let refusal):
        logger.log(
            .error, "Revision refused; the last good one stays enforced",
            [
                ("revision", revision.commit), ("detail", refusal.message), ("runbook", refusal.incident.rawValue),
            ])
    case .changed(let entry, let sequence):
        let level: LogLevel = entry.outcome == .succeeded ? (entry.reason.incident == nil ? .info : .notice) : .error
        logger.log(
            level, entry.outcome == .succeeded ? "Changed" : "Change failed",
            [
                ("entry", String(sequence)), ("action", entry.action?.rawValue ?? ""),
                ("object", entry.object?.description ?? ""), ("reason", entry.reason.word),
                ("actor", entry.actor?.displayName ?? ""), ("detail", entry.message),
            ])
    case .incident(let entry):
        logger.log(
            .warning, "Incident",
            [("reason", entry.reason.word), ("object", entry.object?.description ?? ""), ("detail", entry.message)])
    case .trouble(let message, let hint):
        logger.log(.warning, "Trouble; trying again", [("error", message), ("hint", hint)])
    case .hold(let entry):
        logger.log(.notice, "Emergency hold", [("reason", entry.reason.word), ("detail", entry.message)])
    case .revisionWaiting(let revision, let end):
        logger.log(
            .notice, "Revision waits behind the emergency hold",
            [("revision", revision.commit), ("subject", revision.subject), ("until", end.description)])
    case .progress(let done, let total):
        logger.log(.debug, "Syncing", [("done", String(done)), ("total", String(total))])
    case .synced(let report):
        logger.log(
            report.isConverged ? .info : .warning, "Synced",
            [
                ("revision", report.revision), ("summary", report.summary),
                ("milliseconds", String(Int(report.duration / .milliseconds(1)))),
            ])
    }
}
