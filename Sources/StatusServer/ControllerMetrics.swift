import Manifest
package import Reconciler
package import Telemetry

/// Counts what a controller tells.
///
/// Every label has few values: a kind is one of the managed ones, a reason one that entries of the journal have. What is
/// named by people or by the cluster is in the journal, never in a label.
package struct ControllerMetrics: Sendable {
    static let build = MetricFamily("bylaw_build", .info, "The version that runs", labels: ["version"])
    static let changes = MetricFamily(
        "bylaw_changes", .counter,
        "Changes to objects of the cluster, made or tried; the reason is that of their entry",
        labels: ["kind", "reason", "outcome"])
    static let incidents = MetricFamily(
        "bylaw_incidents", .counter,
        "Incidents that were recorded, each failed attempt among them; the reason is the name of their runbook",
        labels: ["reason"]
    )
    static let journalUsable = MetricFamily(
        "bylaw_journal_usable", .gauge, "1 while entries can be recorded; at 0 nothing is changed in the cluster")
    static let journalOutages = MetricFamily(
        "bylaw_journal_outages", .counter, "Times at which the journal could no longer be used, or for another reason",
        labels: ["reason"])
    static let unrecordedDrift = MetricFamily(
        "bylaw_unrecorded_drift_objects", .gauge,
        "Objects that are not as declared and are left so because the journal cannot be used", labels: ["kind"])

    package let registry = MetricRegistry([
        build, changes, incidents, journalUsable, journalOutages, unrecordedDrift,
    ])

    /// Every series that can be told beforehand is there from the beginning, so that its first increase is seen as one.
    package init(version: String) {
        registry.set(Self.build, to: 1, ["version": version])
        for reason in IncidentReason.allCases { registry.add(0, to: Self.incidents, ["reason": reason.rawValue]) }
        for reason in Set(JournalError.Kind.allCases.compactMap(\.incident)) {
            registry.add(0, to: Self.journalOutages, ["reason": reason.rawValue])
        }
        setUnrecordedDrift([:])
    }

    /// Takes in that the journal was opened.
    package func noteJournalOpened() { registry.set(Self.journalUsable, to: 1) }

    package func note(_ notice: ControllerNotice) {
        switch notice {
        case .changed(let entry, _):
            registry.add(
                to: Self.changes,
                [
                    "kind": entry.object?.kind ?? "", "reason": entry.reason.word, "outcome": entry.outcome.rawValue,
                ])
            count(entry.reason.incident)
        case .incident(let entry): count(entry.reason.incident)
        case .revisionRefused(_, let refusal): count(refusal.incident)
        case .journalLost(let outage):
            if let reason = outage.error.incident {
                registry.add(to: Self.journalOutages, ["reason": reason.rawValue])
            }
            noteOutage(outage)
        case .journalStillLost(let outage), .outageChanged(let outage): noteOutage(outage)
        case .journalBack(_, let entry):
            count(entry?.reason.incident)
            setUnrecordedDrift([:])
            noteJournalOpened()
        case .revisionAccepted, .hold, .revisionWaiting, .unrecordedDrift, .trouble, .progress, .synced: break
        }
    }

    private func count(_ incident: IncidentReason?) {
        guard let incident else { return }
        registry.add(to: Self.incidents, ["reason": incident.rawValue])
    }

    private func noteOutage(_ outage: JournalOutage) {
        registry.set(Self.journalUsable, to: 0)
        setUnrecordedDrift(outage.differingByKind)
    }

    private func setUnrecordedDrift(_ counts: [String: Int]) {
        for resource in Resource.managed {
            registry.set(Self.unrecordedDrift, to: Double(counts[resource.kind] ?? 0), ["kind": resource.kind])
        }
    }
}
