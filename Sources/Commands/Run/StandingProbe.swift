import Journal
import Reconciler
import StatusServer
import Telemetry

/// Asks a controller how it stands, each second, and tells metrics, health and whoever else shows it.
///
/// The asking is also what shows that it is not stuck: an answer comes from the controller itself, or not at all.
struct StandingProbe: Sendable {
    let metrics: ControllerMetrics
    let health: ControllerHealth
    let policySync: PolicySyncRecorder?
    let logger: Logger

    /// How long a write to the journal may take before it is said that the journal cannot be used: a volume that hangs
    /// gives no error.
    private static let patience = Duration.seconds(30)

    /// Asks until it is cancelled.
    func run(_ controller: Controller, journal: SQLiteJournal) async {
        let run = health.begin()
        defer {
            health.end(run)
            policySync?.note(nil)
        }
        var isHanging = false
        while !Task.isCancelled {
            var standing = await controller.standing()
            guard !Task.isCancelled else { return }
            let hanging = journal.writingFor.flatMap { $0 > Self.patience ? $0 : nil }
            if (hanging != nil) != isHanging {
                isHanging = hanging != nil
                note(hanging)
            }
            if isHanging { standing.isJournalUsable = false }
            metrics.noteJournal(isUsable: standing.isJournalUsable)
            metrics.note(standing)
            metrics.noteJournal(newest: journal.newestSequence)
            health.note(standing, of: run)
            policySync?.note(standing)
            do { try await Task.sleep(for: .seconds(1)) } catch { return }
        }
    }

    private func note(_ hanging: Duration?) {
        guard let hanging else { return logger.log(.notice, "The journal can be written again") }
        logger.log(
            .error, "A write to the journal does not end; nothing is changed in the cluster until it does",
            [
                ("seconds", String(hanging.components.seconds)), ("hint", "Look at the volume that it lies on."),
                ("runbook", IncidentReason.journalUnwritable.rawValue),
            ])
    }
}
