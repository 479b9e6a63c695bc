import JSON
import Manifest
package import Tracing

/// Any receiver of OpenTelemetry traces: OTLP over HTTP, as JSON ("OpenTelemetry Protocol Specification", OTLP/HTTP).
package struct OTLPTraceReceiver: Sendable {
    package var address: ReceiverAddress
    /// Whether the path of the protocol is added to the address, unless it stands there.
    private let addsPath: Bool

    package init(address: ReceiverAddress, addsPath: Bool = true) {
        self.address = address
        self.addsPath = addsPath
    }

    /// - Parameters:
    ///   - spans: At least one, of any traces.
    ///   - resource: What is said of the program that they are of.
    ///   - version: Of the program.
    package func request(
        delivering spans: [Span], of resource: [SpanAttribute], version: String
    ) throws(DeliveryRefusal) -> DeliveryRequest {
        guard !spans.isEmpty else { throw .nothingToDeliver }
        let body: Tree = [
            "resourceSpans": [
                [
                    "resource": ["attributes": OTLPValues.attributes(resource)],
                    "scopeSpans": [
                        [
                            "scope": ["name": "bylaw.sync", "version": .string(version)],
                            "spans": .array(spans.map(tree)),
                        ]
                    ],
                ]
            ]
        ]
        return try address.post(
            to: addsPath ? "/v1/traces" : "", contentType: "application/json", body: body.jsonBytes())
    }

    /// What an answer means.
    ///
    /// - Returns: Besides, what the receiver says of spans that it took.
    package func outcome(of answer: DeliveryAnswer) -> (next: DeliveryOutcome.Next, advice: String?) {
        address.meaning(ofOTLP: answer, rejected: "rejectedSpans")
    }

    /// Ids are hexadecimal here, unlike other bytes in the JSON of protocol buffers, and enumerations are numbers.
    private func tree(_ span: Span) -> Tree {
        var tree: Tree = [
            "traceId": .string(span.trace.description), "spanId": .string(span.id.description),
            "name": .string(span.name), "kind": .integer(span.kind == .client ? 3 : 1),
            "startTimeUnixNano": .string(OTLPValues.nanoseconds(span.begin)),
            "endTimeUnixNano": .string(OTLPValues.nanoseconds(span.end)),
            "attributes": OTLPValues.attributes(span.attributes),
        ]
        if let parent = span.parent { tree.set(["parentSpanId"], to: .string(parent.description)) }
        if case .failed(let words) = span.status {
            tree.set(["status"], to: ["code": 2, "message": .string(words)])
        }
        return tree
    }
}
