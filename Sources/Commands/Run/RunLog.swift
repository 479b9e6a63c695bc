import Manifest
import Reconciler
import Telemetry

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
    case .journalLost(let outage):
        log(outage, "The journal cannot be used; nothing is changed in the cluster until it can", to: logger)
    case .journalStillLost(let outage):
        log(outage, "The journal still cannot be used; nothing is changed in the cluster", to: logger)
    case .unrecordedDrift(let id, let words):
        logger.log(
            .warning, "Not as declared, and left so while the journal cannot be used",
            [("object", id.description), ("detail", words)])
    // The lines of the objects tell more; what became of a drift and of a fetch has lines of its own.
    case .outageChanged, .driftFound, .driftEnded, .fetched: break
    case .journalBack(let outage, let entry):
        logger.log(
            .notice, "The journal can be used again",
            [
                ("since", outage.since.description), ("reason", entry?.reason.word ?? ""),
                ("detail", entry?.message ?? ""),
            ])
    case .trouble(let message, let hint):
        logger.log(.warning, "Trouble; trying again", [("error", message), ("hint", hint)])
    case .hold(let entry):
        logger.log(.notice, "Emergency hold", [("reason", entry.reason.word), ("detail", entry.message)])
    case .revisionWaiting(let revision, let end):
        logger.log(
            .notice, "Revision waits behind the emergency hold",
            [("revision", revision.commit), ("subject", revision.subject), ("until", end.description)])
    case .leadership(let notice): log(notice, to: logger)
    case .progress(let done, let total):
        logger.log(.debug, "Syncing", [("done", String(done)), ("total", String(total))])
    case .synced(let report):
        logger.log(
            report.isConverged ? .info : .warning, "Synced",
            [
                ("revision", report.revision), ("summary", report.summary),
                ("milliseconds", String(Int(report.duration / .milliseconds(1)))),
            ] + (report.trace.map { [("trace_id", $0)] } ?? []))
    }
}

/// Tells that nothing can be recorded.
private func log(_ outage: JournalOutage, _ message: String, to logger: Logger) {
    logger.log(
        .error, message,
        [
            ("error", outage.error.message), ("hint", outage.error.hint), ("since", outage.since.description),
            ("differing", String(outage.differing)), ("runbook", outage.error.incident?.rawValue ?? ""),
        ])
}
