import Journal
import Reconciler
import StatusServer

/// Asks a controller how it stands, each second, and tells metrics, health and whoever else shows it.
///
/// The asking is also what shows that it is not stuck: an answer comes from the controller itself, or not at all.
struct StandingProbe: Sendable {
    let metrics: ControllerMetrics
    let health: ControllerHealth
    let policySync: PolicySyncRecorder?

    /// Asks until it is cancelled.
    func run(_ controller: Controller, journal: SQLiteJournal) async {
        let run = health.begin()
        defer {
            health.end(run)
            policySync?.note(nil)
        }
        while !Task.isCancelled {
            let standing = await controller.standing()
            guard !Task.isCancelled else { return }
            metrics.note(standing)
            metrics.noteJournal(newest: journal.newestSequence)
            health.note(standing, of: run)
            policySync?.note(standing)
            do { try await Task.sleep(for: .seconds(1)) } catch { return }
        }
    }
}
