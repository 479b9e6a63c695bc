import Manifest
package import Reconciler
package import Telemetry
import Tracing

/// Counts what a controller tells, and what its adapters tell.
///
/// Every label has few values: a kind is one of the managed ones, a reason one that entries of the journal have. What is
/// named by people or by the cluster is in the journal, never in a label.
package struct ControllerMetrics: Sendable {
    package let registry = MetricRegistry(Families.all)
    private let instance: String

    /// Every series that can be told beforehand is there from the beginning, so that its first increase is seen as one.
    ///
    /// - Parameter instance: The name of this Bylaw, by which those that may not lead together are told from others.
    package init(version: String, instance: String) {
        self.instance = instance
        registry.set(Families.build, to: 1, ["version": version])
        // Whoever shares a cluster with others says so.
        noteLeadership(true)
        declareReasons()
        declareKinds()
        declareOutcomes()
        note(ControllerStanding())
        noteShippingStalled(false)
    }

    /// Takes in whether this process may change the cluster.
    package func noteLeadership(_ isLeading: Bool) {
        registry.set(Families.leader, to: isLeading ? 1 : 0, ["bylaw_instance": instance])
    }

    /// Takes in that the journal was opened.
    package func noteJournalOpened() { noteJournal(isUsable: true) }

    /// Takes in whether entries can be recorded.
    package func noteJournal(isUsable: Bool) { registry.set(Families.journalUsable, to: isUsable ? 1 : 0) }

    package func note(_ notice: ControllerNotice) {
        switch notice {
        case .changed(let entry, _):
            registry.add(
                to: Families.changes,
                [
                    "kind": entry.object?.kind ?? "", "reason": entry.reason.word, "outcome": entry.outcome.rawValue,
                ])
            count(entry.reason.incident)
        case .incident(let entry): count(entry.reason.incident)
        case .driftFound(let id, let reason):
            registry.add(to: Families.driftFound, ["kind": id.kind, "reason": reason.rawValue])
        case .driftEnded(let drift): note(drift)
        case .fetched(let report): note(report)
        case .synced(let report): note(report)
        case .journalLost(let outage):
            if let reason = outage.error.incident {
                registry.add(to: Families.journalOutages, ["reason": reason.rawValue])
            }
            noteOutage(outage)
        case .journalStillLost(let outage), .outageChanged(let outage): noteOutage(outage)
        case .journalBack(_, let entry):
            count(entry?.reason.incident)
            setUnrecordedDrift([:])
            noteJournalOpened()
        // A refused revision is an incident as well, which is told by itself where it is recorded.
        case .revisionAccepted, .revisionRefused, .hold, .revisionWaiting, .unrecordedDrift, .trouble, .progress: break
        case .leadership(let notice):
            if case .acquired = notice { noteLeadership(true) } else { noteLeadership(false) }
        }
    }

    private func count(_ incident: IncidentReason?) {
        guard let incident else { return }
        registry.add(to: Families.incidents, ["reason": incident.rawValue])
    }

    private func note(_ drift: EndedDrift) {
        let seconds = drift.duration / .seconds(1)
        registry.observe(seconds, in: Families.driftOpen)
        guard drift.isCorrected else { return }
        registry.add(to: Families.driftCorrected, ["kind": drift.object.kind, "reason": drift.reason.rawValue])
        registry.observe(seconds, in: Families.driftCorrection, ["kind": drift.object.kind])
    }

    private func note(_ report: FetchReport) {
        registry.add(to: Families.fetches, ["outcome": report.newest == nil ? "failed" : "succeeded"])
        registry.observe(report.duration / .seconds(1), in: Families.fetchDuration)
        guard let newest = report.newest else { return }
        registry.set(Families.lastFetch, to: report.at.secondsSinceEpoch)
        registry.set(Families.newestRevision, to: newest.committedAt.secondsSinceEpoch)
    }

    private func note(_ report: PassReport) {
        registry.add(to: Families.syncs, ["outcome": SyncOutcome(report).rawValue])
        registry.observe(report.duration / .seconds(1), in: Families.syncDuration)
        if report.isConverged, let end = report.endedAt { registry.set(Families.lastSync, to: end.secondsSinceEpoch) }
    }

    private func noteOutage(_ outage: JournalOutage) {
        noteJournal(isUsable: false)
        setUnrecordedDrift(outage.differingByKind)
    }

    private func setUnrecordedDrift(_ counts: [String: Int]) {
        for resource in Resource.managed {
            registry.set(Families.unrecordedDrift, to: Double(counts[resource.kind] ?? 0), ["kind": resource.kind])
        }
    }
}

// MARK: Known beforehand

extension ControllerMetrics {
    private func declareReasons() {
        for reason in IncidentReason.allCases { registry.add(0, to: Families.incidents, ["reason": reason.rawValue]) }
        for reason in Set(JournalError.Kind.allCases.compactMap(\.incident)) {
            registry.add(0, to: Families.journalOutages, ["reason": reason.rawValue])
        }
        setUnrecordedDrift([:])
    }

    private func declareKinds() {
        let routine: [EntryReason] = [
            .revisionChanged, .incident(.driftCorrected), .incident(.undeclaredRemoved),
        ]
        for resource in Resource.managed {
            for reason in DriftReason.allCases {
                registry.add(0, to: Families.driftFound, ["kind": resource.kind, "reason": reason.rawValue])
                registry.add(0, to: Families.driftCorrected, ["kind": resource.kind, "reason": reason.rawValue])
            }
            registry.declare(Families.driftCorrection, ["kind": resource.kind])
            for reason in routine {
                registry.add(
                    0, to: Families.changes,
                    ["kind": resource.kind, "reason": reason.word, "outcome": EntryOutcome.succeeded.rawValue])
            }
            for reason in WatchRestart.allCases {
                registry.add(0, to: Families.watchRestarts, ["kind": resource.kind, "reason": reason.rawValue])
            }
            for verb in ["list", "watch", "apply"] {
                for code in ["200", noAnswer] {
                    registry.add(
                        0, to: Families.requests, ["verb": verb, "resource": resource.qualifiedPlural, "code": code])
                }
            }
        }
    }

    private func declareOutcomes() {
        for outcome in SyncOutcome.allCases { registry.add(0, to: Families.syncs, ["outcome": outcome.rawValue]) }
        for outcome in ["succeeded", "failed"] {
            registry.add(0, to: Families.fetches, ["outcome": outcome])
            registry.add(0, to: Families.journalWrites, ["outcome": outcome])
            registry.add(0, to: Families.traceExports, ["outcome": outcome])
        }
        for fate in SpanFate.allCases { registry.add(0, to: Families.traceSpans, ["outcome": fate.rawValue]) }
        for verb in ["get", "list", "watch", "create", "apply", "patch", "delete"] {
            registry.declare(Families.requestDuration, ["verb": verb])
        }
    }
}
