@testable import HTTPServer
import HTTPClient
import Manifest
import Reconciler
import StatusServer
import Telemetry
import Testing

@Suite struct ControllerMetricsTests {
    private let metrics = ControllerMetrics(version: "1.2.3")
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

    // MARK: Over HTTP

    private func withListener(_ body: (HTTPExchanger, String) async throws -> Void) async throws {
        let registry = metrics.registry
        let listener = try HTTPListener(precheck: refuseMetricsRequest) { request in
            answerMetrics(request, from: registry)
        }
        defer { listener.stop() }
        let exchanger = HTTPExchanger(tls: TLSConfiguration(), proxy: .none)
        defer { exchanger.shutdown() }
        try await body(exchanger, "http://127.0.0.1:\(listener.port)")
    }

    @Test func isServedInTheFormThatIsAskedFor() async throws {
        try await withListener { exchanger, address in
            let plain = try await exchanger.send(HTTPRequest(url: address + "/metrics"))
            #expect(plain.status == 200)
            #expect(plain.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8")
            #expect(String(decoding: plain.body, as: UTF8.self) == text)
            let open = try await exchanger.send(
                HTTPRequest(url: address + "/metrics", headers: [("Accept", "application/openmetrics-text")]))
            #expect(
                open.headers["Content-Type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8")
            #expect(String(decoding: open.body, as: UTF8.self).hasSuffix("# EOF\n"))
        }
    }

    @Test func nothingElseIsServed() async throws {
        try await withListener { exchanger, address in
            for path in ["/", "/metrics/", "/Metrics"] {
                let answer = try await exchanger.send(HTTPRequest(url: address + path))
                #expect(answer.status == 404, "\(path)")
                #expect(String(decoding: answer.body, as: UTF8.self) == "metrics are at /metrics\n")
            }
            let posted = try await exchanger.send(HTTPRequest(method: "POST", url: address + "/metrics"))
            #expect(posted.status == 405)
            #expect(posted.headers["Allow"] == "GET, HEAD")
        }
    }

    /// By its head alone, so that nobody can make it read.
    @Test(arguments: [("Content-Length", "1"), ("content-length", "x"), ("Transfer-Encoding", "chunked")])
    func noBodyIsRead(_ name: String, _ value: String) {
        var request = ServerRequest(
            method: "GET", path: "/metrics", query: [], headers: [("Content-Length", "0")], body: [])
        #expect(refuseMetricsRequest(request)?.status == nil)
        request.headers = []
        #expect(refuseMetricsRequest(request)?.status == nil)
        request.headers = [(name, value)]
        #expect(refuseMetricsRequest(request)?.status == 413)
        request.path = "/"
        #expect(refuseMetricsRequest(request)?.status == 404)
    }
}
