import Foundation
import GitSource
import Reconciler
import Telemetry

/// Runs a controller only while this replica leads.
///
/// Context: a leader that is cut off or was stopped for a while must not write beside the next one. Choice: the fence of
/// the client refuses every write from the renewal deadline on; besides, the process ends, since whatever still runs in
/// it, and what it remembers of the cluster, ends with it, and whoever started it starts it anew as one that stands by.
/// Given up: a new start, some hundred milliseconds, where going back could have been enough.
struct LeadingRun {
    let leadership: Leadership
    let active: ActiveConfiguration
    let logger: Logger
    let signals: StopSignals

    /// How long work may take to end once the lease is lost; nothing of it can write to the cluster any more.
    private static let grace = 5.0

    /// - Parameter body: Is given what to record of how the lease was had, and what is set when it is lost; ends soon after
    ///   `signals` is set.
    /// - Returns: The exit status.
    func run(_ body: (LeaderElection.Vacancy, _ lost: StopRequest) async throws -> Int32) async throws -> Int32 {
        guard let vacancy = try await untilLeading() else {
            logger.log(.notice, "Stopped")
            return ExitStatus.success
        }
        let lost = StopRequest()
        let renewing = Task(priority: .high) { [leadership, signals] in
            await leadership.untilLost { _ in
                lost.end()
                signals.end()
                // On a thread of its own: whatever hangs may hold those that tasks and queues share.
                Thread {
                    Thread.sleep(forTimeInterval: Self.grace)
                    _exit(ExitStatus.leaseLost)
                }.start()
            }
        }
        let result: Result<Int32, any Error>
        do { result = .success(try await body(vacancy, lost)) } catch { result = .failure(error) }
        renewing.cancel()
        await renewing.value
        guard await leadership.loss == nil else { return ExitStatus.leaseLost }
        do throws(ClusterError) {
            try await leadership.release()
        } catch {
            logger.log(
                .warning, "The lease could not be given back; another replica waits for its end",
                [("error", error.message), ("hint", error.hint)])
        }
        return try result.get()
    }

    /// - Returns: Nil where it was told to stop before.
    private func untilLeading() async throws -> LeaderElection.Vacancy? {
        let following = Task { await follow() }
        defer { following.cancel() }
        let waiting = Task(priority: .high) { [leadership, logger] in
            try await leadership.untilLeading { error in
                logger.log(
                    .warning, "The lease cannot be looked at or taken; trying again",
                    [("error", error.message), ("hint", error.hint)])
            }
        }
        let stopping = Task { [signals] in
            await signals.wait()
            waiting.cancel()
        }
        defer { stopping.cancel() }
        do {
            return try await waiting.value
        } catch is CancellationError {
            return nil
        }
    }

    /// Keeps the clone as new as a leader's, so that one that takes over need not fetch all of it first.
    private func follow() async {
        var told = ""
        var source = active.run.source
        while !Task.isCancelled {
            // One that leads at once fetches anyway.
            do { try await Task.sleep(for: active.run.wiring.pollInterval) } catch { return }
            let current = active.run.source
            if current !== source { await source.close() }
            source = current
            do throws(SourceError) {
                _ = try await source.fetchNewest()
                told = ""
            } catch {
                guard !Task.isCancelled, told != error.explanation.message else { continue }
                told = error.explanation.message
                logger.log(
                    .warning, "The repository cannot be fetched while standing by; trying again",
                    [("error", error.explanation.message), ("hint", error.explanation.hint)])
            }
        }
        if active.run.source !== source { await source.close() }
    }
}

/// Tells what becomes of the leadership.
func log(_ notice: LeadershipNotice, to logger: Logger) {
    switch notice {
    case .standingBy(let holder):
        logger.log(.notice, "Standing by", [("leader", holder)])
    case .acquired(let vacancy, let transitions):
        logger.log(.notice, "Leading", [("lease", vacancy.words), ("transitions", String(transitions))])
    case .lost(let loss):
        logger.log(
            .error, "The lease is lost; nothing is written any more, and this process ends",
            [("detail", loss.message), ("runbook", IncidentReason.leaseLost.rawValue)])
    case .released: logger.log(.notice, "The lease is given back")
    }
}

extension LeaderElection.Vacancy {
    fileprivate var words: String {
        switch self {
        case .absent: "new"
        case .released: "given back by the one before"
        case .expired(let holder): "not renewed by \(holder)"
        case .ours: "ours already"
        }
    }
}
