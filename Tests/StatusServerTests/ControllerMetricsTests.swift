import Manifest
import Reconciler
import StatusServer
import Telemetry
import Testing
import Tracing

@Suite struct ControllerMetricsTests {
    private let metrics = ControllerMetrics(version: "1.2.3", instance: "team")
    private var text: String { metrics.registry.exposition(.prometheus) }

    private static let now = Timestamp(microsecondsSinceEpoch: 1_750_000_000_000_000)
    private let role = ObjectID(.role, namespace: "team", name: "reader")
    private let policy = ObjectID(.networkPolicy, namespace: "team", name: "deny")

    private func entry(_ reason: EntryReason, _ outcome: EntryOutcome = .succeeded, of id: ObjectID? = nil)
        -> EntryDraft
    {
        EntryDraft(at: Self.now, kind: .action, reason: reason, outcome: outcome, object: id, message: "m")
    }

    @Test func everythingThatCanBeToldBeforehandIsThereFromTheBeginning() {
        #expect(text.contains("bylaw_build_info{version=\"1.2.3\"} 1\n"))
        for reason in IncidentReason.allCases {
            #expect(text.contains("bylaw_incidents_total{reason=\"\(reason.rawValue)\"} 0\n"))
        }
        for resource in Resource.managed {
            #expect(text.contains("bylaw_unrecorded_drift_objects{kind=\"\(resource.kind)\"} 0\n"))
        }
        for reason in ["JournalUnwritable", "JournalDamaged", "JournalTampered", "JournalKeyUnusable"] {
            #expect(text.contains("bylaw_journal_outages_total{reason=\"\(reason)\"} 0\n"))
        }
        #expect(text.contains("bylaw_journal_usable 0\n"), "no journal was opened yet")
        metrics.noteJournalOpened()
        #expect(text.contains("bylaw_journal_usable 1\n"))
    }

    @Test func changesAndIncidents() {
        metrics.note(.changed(entry(.incident(.driftCorrected), of: role), sequence: 1))
        metrics.note(.changed(entry(.incident(.driftCorrected), of: role), sequence: 2))
        metrics.note(.changed(entry(.incident(.actionForbidden), .failed, of: policy), sequence: 3))
        metrics.note(.changed(entry(.revisionChanged, of: role), sequence: 4))
        metrics.note(.incident(entry(.incident(.driftFight), of: role)))
        for line in [
            #"bylaw_changes_total{kind="Role",reason="DriftCorrected",outcome="succeeded"} 2"#,
            #"bylaw_changes_total{kind="NetworkPolicy",reason="ActionForbidden",outcome="failed"} 1"#,
            #"bylaw_changes_total{kind="Role",reason="RevisionChanged",outcome="succeeded"} 1"#,
            #"bylaw_incidents_total{reason="DriftCorrected"} 2"#,
            #"bylaw_incidents_total{reason="ActionForbidden"} 1"#,
            #"bylaw_incidents_total{reason="DriftFight"} 1"#,
        ] {
            #expect(text.contains(line + "\n"), "\(line) in \(text)")
        }
    }

    @Test func whatBecameOfTraces() {
        for fate in ["sent", "dropped", "refused"] {
            #expect(text.contains("bylaw_trace_spans_total{outcome=\"\(fate)\"} 0\n"))
        }
        metrics.noteSpans(7, .sent)
        metrics.noteSpans(2, .dropped)
        metrics.noteTraceExport(isDone: true)
        metrics.noteTraceExport(isDone: false)
        for line in [
            #"bylaw_trace_spans_total{outcome="sent"} 7"#, #"bylaw_trace_spans_total{outcome="dropped"} 2"#,
            #"bylaw_trace_exports_total{outcome="succeeded"} 1"#, #"bylaw_trace_exports_total{outcome="failed"} 1"#,
        ] {
            #expect(text.contains(line + "\n"), "\(line) in \(text)")
        }
    }

    @Test func aJournalThatCannotBeUsed() {
        metrics.noteJournalOpened()
        var outage = JournalOutage(
            since: Self.now, error: JournalError(kind: .damaged, message: "a page is damaged", hint: "h"))
        metrics.note(.journalLost(outage))
        #expect(text.contains("bylaw_journal_usable 0\n"))
        #expect(text.contains("bylaw_journal_outages_total{reason=\"JournalDamaged\"} 1\n"))
        _ = outage.note(role, "changed")
        _ = outage.note(role, "changed again")
        _ = outage.note(ObjectID(.role, namespace: "team", name: "writer"), "changed")
        _ = outage.note(policy, "changed")
        metrics.note(.outageChanged(outage))
        #expect(text.contains("bylaw_unrecorded_drift_objects{kind=\"Role\"} 2\n"))
        #expect(text.contains("bylaw_unrecorded_drift_objects{kind=\"NetworkPolicy\"} 1\n"))
        outage.noteAsDeclared(role)
        outage.noteAsDeclared(role)
        outage.keep(only: [ObjectID(.role, namespace: "team", name: "writer")])
        metrics.note(.outageChanged(outage))
        #expect(outage.differing == 1)
        #expect(text.contains("bylaw_unrecorded_drift_objects{kind=\"Role\"} 1\n"))
        #expect(text.contains("bylaw_unrecorded_drift_objects{kind=\"NetworkPolicy\"} 0\n"))
        metrics.note(.journalBack(outage, entry: entry(.incident(.journalDamaged), .failed)))
        #expect(text.contains("bylaw_journal_usable 1\n"))
        #expect(text.contains("bylaw_unrecorded_drift_objects{kind=\"Role\"} 0\n"))
        #expect(text.contains("bylaw_incidents_total{reason=\"JournalDamaged\"} 1\n"))
        #expect(text.contains("bylaw_journal_outages_total{reason=\"JournalDamaged\"} 1\n"))
    }

    @Test func driftIsCountedWhenItIsSeenAndWhenItEnds() {
        for reason in ["Changed", "Deleted", "Undeclared"] {
            #expect(text.contains("bylaw_drift_found_total{kind=\"Role\",reason=\"\(reason)\"} 0\n"))
            #expect(text.contains("bylaw_drift_corrected_total{kind=\"Role\",reason=\"\(reason)\"} 0\n"))
        }
        metrics.note(.driftFound(role, .changed))
        metrics.note(.driftFound(policy, .deleted))
        metrics.note(
            .driftEnded(EndedDrift(object: role, reason: .changed, duration: .milliseconds(20), isCorrected: true)))
        metrics.note(
            .driftEnded(EndedDrift(object: policy, reason: .deleted, duration: .seconds(90), isCorrected: false)))
        for line in [
            #"bylaw_drift_found_total{kind="Role",reason="Changed"} 1"#,
            #"bylaw_drift_found_total{kind="NetworkPolicy",reason="Deleted"} 1"#,
            #"bylaw_drift_corrected_total{kind="Role",reason="Changed"} 1"#,
            #"bylaw_drift_corrected_total{kind="NetworkPolicy",reason="Deleted"} 0"#,
            #"bylaw_drift_correction_seconds_bucket{kind="Role",le="0.01"} 0"#,
            #"bylaw_drift_correction_seconds_bucket{kind="Role",le="0.025"} 1"#,
            #"bylaw_drift_correction_seconds_count{kind="NetworkPolicy"} 0"#,
            #"bylaw_drift_open_seconds_bucket{le="60"} 1"#, #"bylaw_drift_open_seconds_bucket{le="300"} 2"#,
        ] {
            #expect(text.contains(line + "\n"), "\(line) in \(text)")
        }
    }

    private var revision: Revision {
        Revision(
            commit: "c", author: Person(name: "a", email: ""), committer: Person(name: "a", email: ""),
            committedAt: Timestamp(microsecondsSinceEpoch: 1_700_000_000_000_000), subject: "s")
    }

    @Test func fetchesAndSyncs() {
        metrics.note(.fetched(FetchReport(at: Self.now, duration: .seconds(2), newest: nil)))
        #expect(text.contains("bylaw_fetches_total{outcome=\"failed\"} 1\n"))
        #expect(text.contains("bylaw_last_successful_fetch_timestamp_seconds 0\n"))
        metrics.note(.fetched(FetchReport(at: Self.now, duration: .seconds(2), newest: revision)))
        var report = PassReport(revision: "c")
        report.duration = .milliseconds(300)
        report.held = 1
        report.endedAt = Self.now
        metrics.note(.synced(report))
        #expect(text.contains("bylaw_last_successful_sync_timestamp_seconds 0\n"))
        report.failures = 1
        metrics.note(.synced(report))
        report.failures = 0
        report.held = 0
        metrics.note(.synced(report))
        for line in [
            #"bylaw_fetches_total{outcome="succeeded"} 1"#, "bylaw_fetch_duration_seconds_count 2",
            "bylaw_last_successful_fetch_timestamp_seconds 1750000000",
            "bylaw_newest_revision_timestamp_seconds 1700000000", #"bylaw_syncs_total{outcome="held"} 1"#,
            #"bylaw_syncs_total{outcome="failed"} 1"#, #"bylaw_syncs_total{outcome="converged"} 1"#,
            #"bylaw_sync_duration_seconds_bucket{le="0.5"} 3"#,
            "bylaw_last_successful_sync_timestamp_seconds 1750000000",
        ] {
            #expect(text.contains(line + "\n"), "\(line) in \(text)")
        }
    }

    @Test func howTheControllerStands() {
        let standing = ControllerStanding(
            objects: [.inSync: ["Role": 7], .failing: ["NetworkPolicy": 2]], heldActions: 3, strangers: 4,
            openIncidents: [.driftFight: 2], oldestDrift: Self.now, enforcedRevision: revision,
            isRevisionRefused: true)
        metrics.note(standing)
        for line in [
            #"bylaw_objects{kind="Role",state="in_sync"} 7"#, #"bylaw_objects{kind="Role",state="drifted"} 0"#,
            #"bylaw_objects{kind="NetworkPolicy",state="failing"} 2"#, "bylaw_held_actions 3",
            "bylaw_undeclared_objects 4", #"bylaw_open_incidents{reason="DriftFight"} 2"#,
            #"bylaw_open_incidents{reason="FetchFailed"} 0"#, "bylaw_drift_oldest_timestamp_seconds 1750000000",
            "bylaw_enforced_revision_timestamp_seconds 1700000000", "bylaw_revision_refused 1",
        ] {
            #expect(text.contains(line + "\n"), "\(line) in \(text)")
        }
        // Nobody but shipping ends its incident.
        metrics.noteShippingStalled(true)
        metrics.note(ControllerStanding())
        #expect(text.contains("bylaw_open_incidents{reason=\"ShippingStalled\"} 1\n"))
        #expect(text.contains("bylaw_open_incidents{reason=\"DriftFight\"} 0\n"))
        #expect(text.contains("bylaw_drift_oldest_timestamp_seconds 0\n"))
    }

    @Test func whatTheAdaptersTell() {
        let traffic = metrics.traffic
        traffic.noteCall(
            ClusterCall(verb: "apply", resource: .role, status: 201, duration: .milliseconds(3)))
        traffic.noteCall(ClusterCall(verb: "list", resource: .role, status: 0, duration: .seconds(65)))
        traffic.noteCall(ClusterCall(verb: "get", resource: nil, status: 200, duration: .milliseconds(1)))
        traffic.noteWatchRestart(.role, .expired)
        metrics.noteJournalWrite(.milliseconds(2), isDone: true)
        metrics.noteJournalWrite(.seconds(9), isDone: false)
        metrics.noteJournal(newest: 12)
        metrics.noteJournal(newest: 0)
        metrics.noteCheckpoint(upTo: 10, at: Self.now)
        #expect(!text.contains("bylaw_journal_shipped_sequence{"), "nothing is sent on")
        metrics.noteShipped(to: "syslog", upTo: 9, at: Self.now)
        for line in [
            #"bylaw_api_requests_total{verb="apply",resource="roles.rbac.authorization.k8s.io",code="201"} 1"#,
            #"bylaw_api_requests_total{verb="list",resource="roles.rbac.authorization.k8s.io",code="error"} 1"#,
            #"bylaw_api_requests_total{verb="get",resource="other",code="200"} 1"#,
            #"bylaw_api_request_duration_seconds_bucket{verb="apply",le="0.005"} 1"#,
            #"bylaw_api_request_duration_seconds_bucket{verb="list",le="60"} 0"#,
            #"bylaw_api_request_duration_seconds_count{verb="list"} 1"#,
            #"bylaw_watch_restarts_total{kind="Role",reason="Expired"} 1"#,
            #"bylaw_watch_restarts_total{kind="Role",reason="Ended"} 0"#,
            #"bylaw_journal_writes_total{outcome="succeeded"} 1"#, #"bylaw_journal_writes_total{outcome="failed"} 1"#,
            #"bylaw_journal_write_duration_seconds_bucket{le="0.0025"} 1"#, "bylaw_journal_sequence 12",
            "bylaw_journal_signed_sequence 10", "bylaw_journal_last_checkpoint_timestamp_seconds 1750000000",
            #"bylaw_journal_shipped_sequence{receiver="syslog"} 9"#,
        ] {
            #expect(text.contains(line + "\n"), "\(line) in \(text)")
        }
    }

    @Test func whoeverSharesAClusterStandsBy() {
        #expect(text.contains("bylaw_leader{bylaw_instance=\"team\"} 1\n"))
        metrics.noteLeadership(false)
        #expect(text.contains("bylaw_leader{bylaw_instance=\"team\"} 0\n"))
    }
}
