import GitHost
import Policy
import Reconciler
import Synchronization
import Telemetry

/// Tells the Git host what became of each commit on this cluster.
///
/// Only what changes is told, in the order it happened. What the host does not take now is tried again, until something
/// newer replaces it; the cluster never waits for it.
final class StatusReporter: Sendable {
    private let client: GitHostClient
    private let context: String
    private let logger: Logger
    private let statuses: AsyncStream<CommitStatus>
    private let queue: AsyncStream<CommitStatus>.Continuation
    private let memory = Mutex(Memory())
    private let sending: Mutex<Task<Void, Never>?>

    private struct Memory {
        var last: CommitStatus?
        /// Why something is held, as far as the controller told.
        var heldBecause: String?
    }

    /// - Parameter cluster: Each cluster has a status of its own, `bylaw/CLUSTER`.
    init(client: GitHostClient, cluster: String, logger: Logger) {
        self.client = client
        self.logger = logger
        context = "bylaw/\(cluster)"
        // The newest is what counts; an older one that was not sent yet has been overtaken.
        (statuses, queue) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(16))
        sending = Mutex(nil)
        let task = Task { [weak self, statuses] in
            for await status in statuses { await self?.send(status) }
        }
        sending.withLock { $0 = task }
    }

    deinit { queue.finish() }

    /// Waits until what was noted is told, for a few seconds at most.
    func finish() async {
        queue.finish()
        let task = sending.withLock { $0 }
        let giveUp = Task {
            do { try await Task.sleep(for: .seconds(5)) } catch { return }
            task?.cancel()
        }
        await task?.value
        giveUp.cancel()
    }

    /// Takes what the controller tells.
    func note(_ notice: ControllerNotice) {
        let status: CommitStatus? = memory.withLock { memory in
            guard let status = newStatus(after: notice, &memory) else { return nil }
            guard
                status.commit != memory.last?.commit || status.state != memory.last?.state
                    || (status.state != .success && status.description != memory.last?.description)
            else { return nil }
            memory.last = status
            return status
        }
        if let status { queue.yield(status) }
    }

    private func newStatus(after notice: ControllerNotice, _ memory: inout Memory) -> CommitStatus? {
        func status(_ commit: String, _ state: CommitStatus.State, _ words: String) -> CommitStatus {
            CommitStatus(commit: commit, context: context, state: state, description: words)
        }
        switch notice {
        case .revisionAccepted(let revision, let count):
            memory.heldBecause = nil
            return status(revision.commit, .pending, "applying \(count) objects")
        case .revisionRefused(let revision, let refusal):
            return status(revision.commit, .failure, "refused: \(refusal.message)")
        case .revisionWaiting(let revision, let end):
            return status(revision.commit, .pending, "waits behind an emergency hold, until \(end)")
        case .incident(let entry):
            let reasons: [IncidentReason] = [
                .approvalMissing, .deletionBudgetExceeded, .configurationHeld, .namespaceDeletionHeld, .ownAccessHeld,
                .pruneUnproven, .protectedObjectHeld,
            ]
            if let incident = entry.reason.incident, reasons.contains(incident) { memory.heldBecause = entry.message }
            return nil
        case .synced(let report):
            if report.isRevisionRefused { return nil }
            if report.failures > 0 { return status(report.revision, .failure, "failed: \(report.summary)") }
            if report.held > 0 {
                return status(
                    report.revision, .pending, "held: \(memory.heldBecause ?? "an action waits for an approval")")
            }
            if report.waiting > 0 { return status(report.revision, .pending, "waiting: \(report.summary)") }
            return status(report.revision, .success, "applied: \(report.summary)")
        default: return nil
        }
    }

    private func send(_ status: CommitStatus) async {
        var pause = Duration.seconds(1)
        for attempt in 1...6 {
            do throws(GitHostError) {
                _ = try await client.record(status)
                return
            } catch {
                logger.log(
                    .warning, "The commit's status could not be told to the Git host",
                    [("error", error.message), ("hint", error.hint), ("revision", status.commit)])
                guard error.mayPass, attempt < 6 else { return }
            }
            do { try await Task.sleep(for: pause) } catch { return }
            pause *= 3
            // Something newer is to be told instead.
            guard memory.withLock({ $0.last == status }) else { return }
        }
    }
}
