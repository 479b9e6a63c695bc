import ChildProcess
import Foundation
import JSON
import Manifest
import Testing
import YAML

/// What `Deploy/monitoring` has for Prometheus and Grafana.
enum MonitoringFiles {
    static let folder = sourceRoot + "/Deploy/monitoring"

    /// A program of Debian's package prometheus; nil where it is not there (`.ci/install-packages test` provides it).
    static func prometheusProgram(_ name: String) -> String? {
        let environment = ProcessInfo.processInfo.environment
        let cache = environment["BYLAW_PROMETHEUS_CACHE"] ?? (environment["HOME"] ?? "/root") + "/.cache/bylaw"
        let folders = (environment["PATH"] ?? "/usr/bin").split(separator: ":").map(String.init)
        return (folders + [cache + "/prometheus/usr/bin"]).map { "\($0)/\(name)" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    static let isTestable = prometheusProgram("promtool") != nil && prometheusProgram("prometheus") != nil
    static let absence = "skipped: no promtool and prometheus (.ci/install-packages test provides them)"

    static func bytes(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder + "/" + name)))
    }

    /// The one document of a file.
    static func tree(_ name: String) throws -> Tree {
        let stream = parseYAML(try bytes(name))
        try #require(stream.problems.isEmpty, "\(stream.problems)")
        return try #require(stream.documents.first).tree
    }

    /// The alerts in order.
    static func alerts() throws -> [Tree] {
        try #require(try tree("alerts.yaml")["groups"]?.array).flatMap { $0["rules"]?.array ?? [] }
    }

    /// Each query of the dashboard, with its variables replaced by what selects everything.
    static func dashboardQueries() throws -> [String] {
        let dashboard = try parseJSON(try bytes("dashboard.json"))
        let panels = try #require(dashboard["panels"]?.array)
        return panels.flatMap { $0["targets"]?.array ?? [] }.compactMap { $0["expr"]?.string }.map {
            $0.replacing("$__rate_interval", with: "1m").replacing("$job", with: ".*").replacing(
                "$instance", with: ".*")
        }
    }

    /// Runs promtool below the folder.
    static func promtool(_ arguments: [String], input: String = "") async throws -> ChildProcessResult {
        let program = try #require(prometheusProgram("promtool"))
        return try await runChildProcess(
            program, arguments, environment: ["PATH": "/usr/bin:/bin", "HOME": "/"], directory: folder,
            input: Array(input.utf8), deadline: .seconds(60))
    }
}
