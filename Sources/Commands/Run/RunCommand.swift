import Arguments
import Foundation
import GitSource
import Journal
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
            + "log, and the journal tried again. Another content of the file of --config takes effect without a new process.",
        flags: Flags.repository + Flags.connection + [Flags.cluster, Flags.instance, Flags.journal, Flags.journalKey]
            + [
                FlagDescription(
                    "interval", .duration, valueName: "T", "how often the repository is asked for something new",
                    default: "15s")
            ] + [Flags.holdConfigMap] + Flags.checkpoints + Flags.retention + Flags.backgroundShipping + Flags.traces
            + Flags.audit + Flags.host + Flags.status + [Flags.policySync, Flags.events] + Flags.leaderElection
            + Flags.writes + Flags.logging + [Flags.config],
        examples: [
            "bylaw run --repo https://git.example.com/policies --git-token-file /etc/bylaw/token --path production",
            "bylaw run --config /etc/bylaw/config.yaml",
        ],
        exitStatuses: [
            (0, "it was told to stop"), (2, "it could not start"),
            (3, "it has lost its Lease, and is to be started again"),
        ])
) { invocation in
    // It asks for a look at the file, also before anybody looks.
    if invocation.configuration != nil { signal(SIGHUP, SIG_IGN) }
    let process = RunProcess(invocation)
    let run = try Run(invocation, of: process)
    let wiring = run.wiring
    let signals = StopSignals()
    run.logger.log(
        .notice, "Starting",
        [("version", bylawVersion), ("journal", wiring.journalPath)]
            + (process.replica.map { [("replica", $0.identity)] } ?? []))
    // Before the journal is opened: that it cannot be is what somebody has to see.
    let status = try wiring.statusListener(
        StatusAnswer(metrics: process.metrics, health: process.health), logger: run.logger)
    defer { status?.stop() }
    let renewing = Task { await status?.followCertificate() }
    defer { renewing.cancel() }
    let active = ActiveConfiguration(run)
    let leadership = try wiring.leadership(instance: run.instance, endpoint: run.endpoint) {
        active.run.tell(.leadership($0))
    }
    let following = Task {
        guard let file = invocation.configuration else { return }
        guard let follower = ConfigurationFollower(file, active) else {
            return run.logger.log(
                .notice, "The configuration is no file that can be read again; it changes with the next start",
                [("file", file.path)])
        }
        await follower.run()
    }
    defer { following.cancel() }
    let ended: Result<Int32, any Error>
    do { ended = .success(try await work(active, leadership, until: signals)) } catch { ended = .failure(error) }
    // Another replica may lead by now.
    await process.trailing.end()
    return try ended.get()
}

/// Enforces until it is told to stop, where it is one of several replicas only while it leads.
private func work(
    _ active: ActiveConfiguration, _ leadership: Leadership?, until signals: StopSignals
) async throws -> Int32 {
    guard let leadership else { return try await enforce(active, lease: nil, until: signals.request) }
    let run = active.run
    run.process.metrics.noteLeadership(false)
    run.process.health.follow(leadership.board)
    let leading = LeadingRun(leadership: leadership, active: active, logger: run.logger, signals: signals)
    return try await leading.run { vacancy, lost in
        let lease = Run.HeldLease(leadership: leadership, vacancy: vacancy, lost: lost)
        return try await enforce(active, lease: lease, until: signals.request)
    }
}

/// Enforces until it is told to stop, and anew with each configuration that comes into force meanwhile.
private func enforce(
    _ active: ActiveConfiguration, lease: Run.HeldLease?, until stop: StopRequest
) async throws -> Int32 {
    var unrecorded = Unrecorded(takeover: lease?.takeover)
    while true {
        let (run, end) = active.begin(within: stop, lease: lease)
        let following = Task { await end.follow() }
        defer { following.cancel() }
        let showing = Task { await run.policySync?.run() ?? () }
        var failure: (any Error)?
        do {
            try await lead(run, active, &unrecorded, until: end)
        } catch {
            if !stop.isSet, active.goBack(from: run) {
                run.tellFailedBeginning(error)
                active.run.process.voice.follow(active.run.wiring.arguments)
            } else {
                failure = error
            }
        }
        showing.cancel()
        await showing.value
        let next = active.run
        let isOver = failure != nil || stop.isSet
        if isOver || next.policySync?.name != run.policySync?.name {
            // Another replica waits for the lease, and tells itself how it stands.
            await run.policySync?.tellEnd(within: lease == nil ? .seconds(3) : .milliseconds(500))
        }
        // Whoever works next may have a clone of its own in the same folder.
        if next.source !== run.source { await run.source.close() }
        if let failure { throw failure }
        guard !isOver else {
            next.logger.log(.notice, "Stopped")
            return ExitStatus.success
        }
    }
}

/// What the journal is to be told when it can be, with whatever configuration that is.
private struct Unrecorded {
    /// What whoever takes over tells of a leader that was lost.
    var takeover: String?
    var outage: JournalOutage?
}

/// Opens the journal and enforces until that is to end, again and again where the journal cannot be worked with.
private func lead(
    _ run: Run, _ active: ActiveConfiguration, _ unrecorded: inout Unrecorded, until end: StopRequest
) async throws {
    var wait = JournalWait(
        invocation: run.invocation, wiring: run.wiring, instance: run.instance, endpoint: run.endpoint,
        logger: run.logger, signals: end, outage: unrecorded.outage, noteWrite: run.process.metrics.noteJournalWrite,
        notify: run.tell)
    defer { unrecorded.outage = wait.outage }
    // A configuration that never worked is not waited for while there is one that did with another journal.
    while let journal = try await wait.untilOpened(orThrowIf: { active.canGoBackToAnotherJournal(from: run) }) {
        run.process.metrics.noteJournalOpened()
        if let message = unrecorded.takeover { await run.record(message, in: journal) }
        unrecorded.takeover = nil
        do {
            return try await run.enforce(with: journal, until: end) { active.noteBegun(run) }
        } catch let error as JournalError where error.incident != nil && !active.canGoBackToAnotherJournal(from: run) {
            // It could be opened and not be worked with.
            wait.note(error)
        } catch let taken as JournalTakenOver {
            wait.goOn(with: taken.outage)
        }
    }
    await run.recordLossWithoutJournal()
}
