package import HTTPServer
package import Telemetry

/// Answers whoever asks for metrics, at `/metrics` only; nothing of the request is repeated.
package func answerMetrics(_ request: ServerRequest, from registry: MetricRegistry) -> ServerResponse {
    guard request.path == "/metrics" else { return refusal(404, "metrics are at /metrics") }
    guard request.method == "GET" || request.method == "HEAD" else {
        return refusal(405, "metrics are read with GET", headers: [("Allow", "GET, HEAD")])
    }
    let format = ExpositionFormat(accept: request.header("Accept"))
    return ServerResponse(
        status: 200, headers: [("Content-Type", format.contentType), ("Cache-Control", "no-store")],
        body: Array(registry.exposition(format).utf8))
}

private func refusal(_ status: Int, _ text: String, headers: [(name: String, value: String)] = []) -> ServerResponse {
    ServerResponse(
        status: status, headers: headers + [("Content-Type", "text/plain; charset=utf-8")],
        body: Array((text + "\n").utf8))
}
