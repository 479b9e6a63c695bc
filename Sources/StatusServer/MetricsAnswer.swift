package import HTTPServer
package import Telemetry

/// Refuses what nobody who reads metrics asks, by its head alone; nil to go on.
///
/// Nothing of the request is repeated.
package func refuseMetricsRequest(_ request: ServerRequest) -> ServerResponse? {
    guard request.path == "/metrics" else { return refusal(404, "metrics are at /metrics") }
    guard request.method == "GET" || request.method == "HEAD" else {
        return refusal(405, "metrics are read with GET", headers: [("Allow", "GET, HEAD")])
    }
    guard request.header("Transfer-Encoding") == nil, ["0", nil].contains(request.header("Content-Length")) else {
        return refusal(413, "metrics are read without a body")
    }
    return nil
}

/// Answers whoever asks for metrics, at `/metrics` only; nothing of the request is repeated.
package func answerMetrics(_ request: ServerRequest, from registry: MetricRegistry) -> ServerResponse {
    if let refusal = refuseMetricsRequest(request) { return refusal }
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
