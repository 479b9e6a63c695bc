package import HTTPClient
package import Shipping
package import Tracing

/// Brings spans to a receiver of traces over HTTP.
package struct TraceDelivery: Sendable {
    /// The receiver for messages: its host and port, without the path, in which a token may stand.
    package var place: String
    package var receiver: OTLPTraceReceiver
    package var resource: [SpanAttribute]
    package var exchanger: HTTPExchanger

    package init(place: String, receiver: OTLPTraceReceiver, resource: [SpanAttribute], exchanger: HTTPExchanger) {
        self.place = place
        self.receiver = receiver
        self.resource = resource
        self.exchanger = exchanger
    }

    package func deliver(_ spans: [Span]) async -> (next: DeliveryOutcome.Next, advice: String?) {
        let request: DeliveryRequest
        do throws(DeliveryRefusal) {
            request = try receiver.request(delivering: spans, of: resource, version: bylawVersion)
        } catch {
            return (error.outcome.next, nil)
        }
        do throws(HTTPError) {
            return receiver.outcome(
                of: try await exchanger.deliver(
                    request, to: place,
                    limits: HTTPLimits(connect: .seconds(5), total: .seconds(10), maximumAnswerBytes: 1 << 20)))
        } catch {
            return (error.outcome(authorityFlag: "trace-ca-file").next, nil)
        }
    }
}

extension HTTPExchanger {
    /// Sends a request to a receiver.
    ///
    /// - Parameter place: What a message calls the receiver, in whose address a token may stand.
    func deliver(
        _ request: DeliveryRequest, to place: String, limits: HTTPLimits
    ) async throws(HTTPError) -> DeliveryAnswer {
        do throws(HTTPError) {
            let answer = try await send(
                HTTPRequest(
                    method: request.method, url: request.url,
                    headers: request.headers.map { (name: $0.name, value: $0.value) }, body: request.body,
                    limits: limits))
            return DeliveryAnswer(
                status: answer.status, retryAfter: answer.headers["retry-after"], body: answer.body)
        } catch {
            var shown = error
            shown.message = error.message.replacing(redactedURL(request.url), with: place)
            throw shown
        }
    }
}
