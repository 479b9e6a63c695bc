package import HTTPServer
import Telemetry

/// What is told over HTTP: `/metrics`, and whether the controller is alive and ready.
///
/// Nothing of a request is repeated in an answer.
package struct StatusAnswer: Sendable {
    private enum Endpoint: String { case metrics, healthz, livez, readyz }

    private let metrics: ControllerMetrics
    private let health: ControllerHealth

    package init(metrics: ControllerMetrics, health: ControllerHealth) {
        self.metrics = metrics
        self.health = health
    }

    /// Refuses what nobody asks who wants to know how the controller is, by its head alone; nil to go on.
    package static func refuse(_ request: ServerRequest) -> ServerResponse? {
        guard endpoint(request.path) != nil else {
            return .line(404, "there are /metrics, /healthz, /livez and /readyz")
        }
        guard request.method == "GET" || request.method == "HEAD" else {
            return .line(405, "this is read with GET", headers: [("Allow", "GET, HEAD")])
        }
        guard request.header("Transfer-Encoding") == nil, ["0", nil].contains(request.header("Content-Length")) else {
            return .line(413, "this is read without a body")
        }
        return nil
    }

    package func answer(_ request: ServerRequest) -> ServerResponse {
        if let refusal = Self.refuse(request) { return refusal }
        guard let (endpoint, check) = Self.endpoint(request.path) else { return .line(404, "there is no such thing") }
        switch endpoint {
        case .metrics: return metricsAnswer(request)
        case .healthz, .livez: return healthAnswer(health.liveChecks, endpoint, check, request)
        case .readyz: return healthAnswer(health.readyChecks, endpoint, check, request)
        }
    }

    /// - Returns: Also the name of the one check that is asked for, as in `/readyz/journal`; nil for all.
    private static func endpoint(_ path: String) -> (Endpoint, check: String?)? {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map(String.init)
        guard path.hasPrefix("/"), (1...2).contains(parts.count), let endpoint = Endpoint(rawValue: parts[0]),
            parts.count == 1 || endpoint != .metrics && !parts[1].isEmpty
        else { return nil }
        return (endpoint, parts.count == 2 ? parts[1] : nil)
    }

    private func metricsAnswer(_ request: ServerRequest) -> ServerResponse {
        let format = ExpositionFormat(accept: request.header("Accept"))
        metrics.registry.noteProcess()
        return ServerResponse(
            status: 200, headers: [("Content-Type", format.contentType), ("Cache-Control", "no-store")],
            body: Array(metrics.registry.exposition(format).utf8))
    }

    private func healthAnswer(
        _ checks: [HealthCheck], _ endpoint: Endpoint, _ name: String?, _ request: ServerRequest
    ) -> ServerResponse {
        let wanted = checks.filter { name == nil || $0.name == name }
        guard !wanted.isEmpty else { return .line(404, "there is no such check") }
        let answer = HealthAnswer(wanted, of: endpoint.rawValue, isVerbose: request.query("verbose") != nil)
        return .line(answer.status, answer.text, headers: [("Cache-Control", "no-store")])
    }
}
