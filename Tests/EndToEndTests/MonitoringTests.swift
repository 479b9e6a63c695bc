import ChildProcess
import Foundation
import JSON
import Manifest
import RunbookLibrary
import TestSupport
import Testing

/// Metrics, alerts and dashboard fit one another and Prometheus' own rules.
@Suite(.enabled(if: MonitoringFiles.isTestable, "\(MonitoringFiles.absence)"))
struct MonitoringTests {
    /// A running Bylaw's whole exposition, with everything on that has metrics of its own.
    private func exposition() async throws -> String {
        let program = try Program()
        let repository = try await PolicyRepository()
        let cluster = try ClusterUnderTest(isEmbedded: true)
        try repository.write(teamManifests("e2e-exposition"), to: "team.yaml")
        let commit = try await repository.commit("A team")
        let run = try RunningProgram(
            program,
            ["run", "--interval", "300ms", "--ship-to", "otlp", "--ship-url", "http://127.0.0.1:1"]
                + RunningProgram.statusFlags
                + program.flags(repository: repository, cluster: cluster, instance: "exposition"))
        try await run.untilItSynced(commit)
        try await cluster.delete(ObjectID(.role, namespace: "e2e-exposition", name: "reader"))
        var text = ""
        try await eventually("all of it is there") {
            text = try await run.status("/metrics").text
            return text.contains(#"bylaw_drift_corrected_total{kind="Role",reason="Deleted"} 1"#)
                && text.contains("bylaw_journal_shipped_sequence{")
        }
        try await run.stop()
        return text
    }

    @Test func theExpositionIsAsPrometheusWantsIt() async throws {
        let text = try await exposition()
        let result = try await MonitoringFiles.promtool(["check", "metrics"], input: text)
        #expect(result.ending == .exited(0), "\(result.outputText)\(result.errorText)")
        #expect(result.outputText.isEmpty && result.errorText.isEmpty, "\(result.outputText)\(result.errorText)")
        // It does find what is wrong.
        let bad = try await MonitoringFiles.promtool(
            ["check", "metrics"],
            input: "# HELP a_milliseconds_total a\n# TYPE a_milliseconds_total gauge\na_milliseconds_total 1\n")
        #expect(bad.ending != .exited(0))
    }

    @Test func theAlertsAreSoundAndFireWhenTheyShould() async throws {
        for arguments in [["check", "rules", "--lint-fatal", "alerts.yaml"], ["test", "rules", "alerts.test.yaml"]] {
            let result = try await MonitoringFiles.promtool(arguments)
            #expect(result.ending == .exited(0), "\(result.outputText)\(result.errorText)")
        }
        let tests = String(decoding: try MonitoringFiles.bytes("alerts.test.yaml"), as: UTF8.self)
        for alert in try MonitoringFiles.alerts() {
            let name = try #require(alert["alert"]?.string)
            #expect(tests.contains("- name: \(name) fires\n"), "\(name)")
            #expect(tests.contains("- name: \(name) is quiet\n"), "\(name)")
        }
    }

    @Test func eachAlertSaysHowGraveItIsAndWhatToDo() throws {
        let alerts = try MonitoringFiles.alerts()
        #expect(alerts.count >= 12)
        for alert in alerts {
            let name = alert["alert"]?.string ?? ""
            #expect(["critical", "warning", "info"].contains(alert["labels"]?["severity"]?.string), "\(name)")
            for key in ["summary", "description"] {
                #expect(alert["annotations"]?[key]?.string?.isEmpty == false, "\(name): \(key)")
            }
            let text = try #require(alert["annotations"]?["runbook_url"]?.string, "\(name)")
            // One of several incidents has the runbook of each.
            let reasons = alert["expr"]?.string?.firstMatch(of: #/reason=~"([\w|]+)"/#)?.1.split(separator: "|") ?? []
            let urls = text.contains("{{") ? reasons.map { text.replacing("{{ $labels.reason }}", with: $0) } : [text]
            #expect(!urls.isEmpty, "\(name)")
            for url in urls {
                let path = try #require(
                    url.wholeMatch(of: #/https://runbooks\.example\.com/(Runbooks/(\w+)\.md)/#), "\(url)")
                #expect(FileManager.default.fileExists(atPath: "\(sourceRoot)/\(path.1)"), "\(name): \(url)")
                #expect(runbook(named: String(path.2)) != nil, "\(name): \(url)")
            }
        }
    }

    @Test func thePrometheusRuleHoldsTheSameAlerts() throws {
        let plain = try MonitoringFiles.tree("alerts.yaml")
        let rule = try MonitoringFiles.tree("rules.yaml")
        #expect(rule["kind"]?.string == "PrometheusRule")
        #expect(rule["spec"]?["groups"] != nil)
        #expect(rule["spec"]?["groups"] == plain["groups"])
    }

    // MARK: What queries name

    @Test func everyQueryNamesWhatIsThere() async throws {
        let known = KnownSeries(exposition: try await exposition())
        let alerts = try MonitoringFiles.alerts().compactMap { $0["expr"]?.string }
        let queries = try MonitoringFiles.dashboardQueries()
        #expect(queries.count > 30)
        for query in alerts + queries { #expect(known.mistakes(in: query) == [], "\(query)") }
        for query in [
            "bylaw_nothing > 0", #"bylaw_objects{stat="held"}"#, #"bylaw_objects{state="lost"}"#,
            "sum by (colour) (bylaw_objects)",
        ] {
            #expect(known.mistakes(in: query) != [], "\(query)")
        }
    }

    /// Every family is drawn or alerted on, so that none is there for nobody.
    @Test func everyFamilyIsShownOrAlertedOn() async throws {
        let queries =
            try MonitoringFiles.alerts().compactMap { $0["expr"]?.string } + MonitoringFiles.dashboardQueries()
        let families = Set(
            try await exposition().split(separator: "\n").filter { $0.hasPrefix("# TYPE ") }
                .map { String($0.split(separator: " ")[2]) })
        #expect(families.count > 30)
        let unused = families.filter { family in !queries.contains { $0.contains(family) } }
        #expect(unused == ["process_virtual_memory_bytes"])
    }

    @Test func theDashboardIsOneThatGrafanaReads() throws {
        let dashboard = try parseJSON(try MonitoringFiles.bytes("dashboard.json"))
        #expect(dashboard["schemaVersion"] != nil && dashboard["title"]?.string == "Bylaw")
        let variables = dashboard["templating"]?["list"]?.array ?? []
        #expect(variables.contains { $0["name"]?.string == "datasource" && $0["type"]?.string == "datasource" })
        let panels = try #require(dashboard["panels"]?.array)
        var ids: Set<Int64> = []
        for panel in panels {
            guard case .integer(let id)? = panel["id"] else {
                Issue.record("a panel without an id")
                continue
            }
            #expect(ids.insert(id).inserted, "\(id)")
            #expect(panel["gridPos"]?["w"] != nil)
            guard panel["type"]?.string != "row" else { continue }
            #expect(panel["datasource"]?["uid"]?.string == "${datasource}")
            #expect(panel["targets"]?.array?.isEmpty == false)
            #expect(panel["title"]?.string?.isEmpty == false)
        }
    }
}

/// The names of samples and their labels, out of an exposition, and what a query names beyond them.
private struct KnownSeries {
    private var labels: [String: [String: Set<String>]] = [:]
    /// What a scrape adds.
    private static let targetLabels: Set<String> = [
        "job", "instance", "pod", "node", "container", "endpoint", "namespace",
    ]

    init(exposition: String) {
        for line in exposition.split(separator: "\n") where !line.hasPrefix("#") {
            let name = String(line.prefix { $0 != "{" && $0 != " " })
            labels[name, default: [:]]["le", default: []].formUnion([])
            for label in line.matches(of: #/(\w+)="((?:[^"\\]|\\.)*)"/#) {
                labels[name, default: [:]][String(label.1), default: []].insert(String(label.2))
            }
        }
    }

    func mistakes(in query: String) -> [String] {
        var mistakes: [String] = []
        var used: Set<String> = []
        for selector in query.matches(of: #/\b((?:bylaw|process)_\w+)(?:\{([^}]*)\})?/#) {
            let name = String(selector.1)
            // A label of that name, in `by (bylaw_instance)`.
            guard let known = labels[name] else {
                if !labels.values.contains(where: { $0[name] != nil }) { mistakes.append("no metric \(name)") }
                continue
            }
            used.formUnion(known.keys)
            for matcher in (selector.2 ?? "").matches(of: #/(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"/#) {
                let (label, value) = (String(matcher.1), String(matcher.3))
                if Self.targetLabels.contains(label) { continue }
                guard let values = known[label] else {
                    mistakes.append("\(name) has no label \(label)")
                    continue
                }
                if ["=", "!="].contains(matcher.2), !values.contains(value) {
                    mistakes.append("no \(name) has \(label)=\(value)")
                }
            }
        }
        for grouping in query.matches(of: #/\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)/#) {
            for label in grouping.1.split(separator: ",").map({ $0.trimmingCharacters(in: .whitespaces) })
            where !label.isEmpty && !used.contains(label) && !Self.targetLabels.contains(label) {
                mistakes.append("no label \(label)")
            }
        }
        return mistakes
    }
}
