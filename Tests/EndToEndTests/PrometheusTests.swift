import ChildProcess
import Foundation
import HTTPClient
import JSON
import Manifest
import TestSupport
import Testing

/// A real Prometheus that scrapes a running Bylaw, with the alerts of `Deploy/monitoring`.
@Suite(.enabled(if: MonitoringFiles.isTestable, "\(MonitoringFiles.absence)"))
struct PrometheusTests {
    @Test func scrapesQueriesAndAlerts() async throws {
        let program = try Program()
        let repository = try await PolicyRepository()
        let cluster = try ClusterUnderTest()
        let (namespace, flags) = program.ofThisRun("prometheus", repository: repository, cluster: cluster)
        try repository.write(teamManifests(namespace), to: "team.yaml")
        let commit = try await repository.commit("A team")
        let run = try RunningProgram(
            program, ["run", "--interval", "300ms"] + RunningProgram.statusFlags + flags)
        let prometheus = try await PrometheusServer(scraping: try await run.statusPort(), in: program.folder)
        try await run.untilItSynced(commit)
        try await eventually("Bylaw is up") { try await prometheus.value("up{job=\"bylaw\"}") == 1 }
        let target = try #require(try await prometheus.get("/api/v1/targets")["data"]?["activeTargets"]?.array?.first)
        #expect(target["lastError"]?.string == "")
        #expect(target["health"]?.string == "up")

        try await cluster.delete(ObjectID(.role, namespace: namespace, name: "reader"))
        try await eventually("the drift and its correction are seen") {
            try await prometheus.value(#"bylaw_drift_corrected_total{kind="Role",reason="Deleted"}"#) == 1
        }
        try await eventually("all is as declared") {
            try await prometheus.value(#"bylaw_objects{kind="Role",state="in_sync"}"#) == 2
        }
        #expect(try await prometheus.value(#"bylaw_drift_found_total{kind="Role",reason="Deleted"}"#) == 1)
        #expect(try await prometheus.value("bylaw_journal_usable") == 1)
        #expect(try await prometheus.value("bylaw_leader") == 1)
        #expect(
            try await prometheus.value("histogram_quantile(0.5, sum by (le) (bylaw_drift_correction_seconds_bucket))")
                ?? 100 < 60)

        for query in try MonitoringFiles.dashboardQueries() {
            let answer = try await prometheus.query(query)
            #expect(answer["status"]?.string == "success", "\(query): \(answer["error"]?.string ?? "")")
        }
        try await expectSoundRules(prometheus)
        try await run.stop()
        try await eventually("that it is gone is seen") { try await prometheus.value("up{job=\"bylaw\"}") == 0 }
        try await eventually("the alert of that waits for its time") {
            try await prometheus.rules().first { $0["name"]?.string == "BylawDown" }?["state"]?.string == "pending"
        }
    }

    /// All of them are evaluated without an error, and none fires.
    private func expectSoundRules(_ prometheus: PrometheusServer) async throws {
        var rules: [Tree] = []
        try await eventually("the rules were evaluated") {
            rules = try await prometheus.rules()
            return !rules.isEmpty && rules.allSatisfy { $0["health"]?.string != "unknown" }
        }
        #expect(rules.count == (try MonitoringFiles.alerts().count))
        for rule in rules {
            #expect(rule["health"]?.string == "ok", "\(rule["name"]?.string ?? ""): \(rule["lastError"]?.string ?? "")")
            // What else happens on a shared cluster may be pending; nothing lasts long enough to fire.
            #expect(rule["state"]?.string != "firing", "\(rule["name"]?.string ?? ""): \(rule["alerts"]?.array ?? [])")
        }
    }
}

/// A Prometheus of its own, on loopback, which ends with whoever holds it.
///
/// `@unchecked Sendable`: the process is only touched by the test that owns it.
private final class PrometheusServer: @unchecked Sendable {
    private var process: ChildProcess
    private let port: Int
    private let exchanger = HTTPExchanger(tls: TLSConfiguration(), proxy: .none)

    init(scraping target: Int, in folder: ScratchDirectory) async throws {
        let program = try #require(MonitoringFiles.prometheusProgram("prometheus"))
        let configuration = try folder.write(
            """
            global: {scrape_interval: 500ms, evaluation_interval: 500ms}
            rule_files: ["\(MonitoringFiles.folder)/alerts.yaml"]
            scrape_configs:
              - job_name: bylaw
                static_configs: [{targets: ["127.0.0.1:\(target)"]}]
            """, to: "prometheus.yaml")
        // It does not tell which port the system chose, so it is given one; another may have it, and then another is tried.
        for _ in 0..<20 {
            let port = Int.random(in: 30_000..<32_000)
            let process = try ChildProcess(
                "sh",
                [
                    "-c", #"exec "$@" < /dev/null > "$0" 2>&1"#, folder.path + "/prometheus.log", "timeout", "900",
                    program, "--config.file=\(configuration)", "--storage.tsdb.path=\(folder.path)/tsdb-\(port)",
                    "--web.listen-address=127.0.0.1:\(port)",
                ], environment: ["PATH": "/usr/bin:/bin", "HOME": folder.path])
            let end = ContinuousClock.now + .seconds(60)
            while !process.hasExited, ContinuousClock.now < end {
                let answer = try? await exchanger.send(HTTPRequest(url: "http://127.0.0.1:\(port)/-/ready"))
                if answer?.status == 200 {
                    self.port = port
                    self.process = process
                    return
                }
                try await Task.sleep(for: .milliseconds(50))
            }
        }
        throw Program.Failure(message: try String(contentsOfFile: folder.path + "/prometheus.log", encoding: .utf8))
    }

    deinit {
        exchanger.shutdown()
        kill(process.processID, SIGTERM)
    }

    func get(_ path: String) async throws -> Tree {
        let answer = try await exchanger.send(HTTPRequest(url: "http://127.0.0.1:\(port)\(path)"))
        return try parseJSON(answer.body)
    }

    func query(_ expression: String) async throws -> Tree {
        let words = try #require(expression.addingPercentEncoding(withAllowedCharacters: .alphanumerics))
        return try await get("/api/v1/query?query=\(words)")
    }

    /// The alerts as they stand.
    func rules() async throws -> [Tree] {
        (try await get("/api/v1/rules")["data"]?["groups"]?.array ?? []).flatMap { $0["rules"]?.array ?? [] }
    }

    /// The one value of a query; nil where it has none.
    func value(_ expression: String) async throws -> Double? {
        let result = try await query(expression)["data"]?["result"]?.array ?? []
        guard result.count == 1 else { return nil }
        return result.first?["value"]?.array?.last?.string.flatMap(Double.init)
    }
}
