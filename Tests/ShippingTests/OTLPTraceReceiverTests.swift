import JSON
import Manifest
import Shipping
import Testing
import Tracing

/// The JSON of OTLP, as "OpenTelemetry Protocol Specification", JSON Protobuf Encoding, has it.
@Suite struct OTLPTraceRequestTests {
    private let receiver = OTLPTraceReceiver(address: ReceiverAddress(url: "http://otel:4318"))

    private static let begin = Timestamp(microsecondsSinceEpoch: 1_772_366_400_123_456)

    private func span(
        parent: SpanID? = nil, kind: Span.Kind = .inner, attributes: [SpanAttribute] = [],
        status: Span.Status = .unset, begin: Timestamp = Self.begin
    ) -> Span {
        Span(
            trace: TraceID(0xAB, 0xCD), id: SpanID(0xEF), parent: parent, name: "fetch", kind: kind, begin: begin,
            end: begin.advanced(by: .milliseconds(1)), attributes: attributes, status: status)
    }

    private func sent(_ spans: [Span]) throws -> Tree {
        let resource = [SpanAttribute("service.name", "bylaw"), SpanAttribute("service.version", "1.2.3")]
        return try parseJSON(receiver.request(delivering: spans, of: resource, version: "1.2.3").body)
    }

    private func tree(_ span: Span) throws -> Tree {
        let resource = try #require(try sent([span])["resourceSpans"]?.array?.first)
        return try #require(resource["scopeSpans"]?.array?.first?["spans"]?.array?.first)
    }

    private func attribute(_ key: String, _ owner: Tree?) -> Tree? {
        owner?["attributes"]?.array?.first { $0["key"]?.string == key }?["value"]
    }

    @Test func theWholeRequest() throws {
        let request = try receiver.request(delivering: [span()], of: [], version: "1")
        #expect(request.url == "http://otel:4318/v1/traces")
        #expect(request.method == "POST")
        #expect(header("Content-Type", of: request) == "application/json")
        let resource = try #require(try sent([span(), span()])["resourceSpans"]?.array)
        #expect(resource.count == 1)
        #expect(attribute("service.name", resource[0]["resource"]) == ["stringValue": "bylaw"] as Tree)
        let scopes = try #require(resource[0]["scopeSpans"]?.array)
        #expect(scopes.count == 1)
        #expect(scopes[0]["scope"] == ["name": "bylaw.sync", "version": "1.2.3"] as Tree)
        #expect(scopes[0]["spans"]?.array?.count == 2)
    }

    @Test func idsAreHexadecimalAndTimesAreStrings() throws {
        let tree = try tree(span(parent: SpanID(0x12)))
        #expect(tree["traceId"]?.string == "00000000000000ab00000000000000cd")
        #expect(tree["spanId"]?.string == "00000000000000ef")
        #expect(tree["parentSpanId"]?.string == "0000000000000012")
        #expect(tree["startTimeUnixNano"]?.string == "1772366400123456000")
        #expect(tree["endTimeUnixNano"]?.string == "1772366400124456000")
        #expect(try self.tree(span())["parentSpanId"] == nil, "a root has no parent")
    }

    @Test(arguments: [(Span.Kind.inner, 1), (.client, 3)] as [(Span.Kind, Int64)])
    func kindsAreNumbers(_ kind: Span.Kind, _ number: Int64) throws {
        #expect(try tree(span(kind: kind))["kind"]?.integer == number)
    }

    @Test func aFailureHasACodeAndItsWords() throws {
        #expect(try tree(span())["status"] == nil, "unset is the default")
        let failed = try tree(span(status: .failed("forbidden")))
        #expect(failed["status"] == ["code": 2, "message": "forbidden"] as Tree)
    }

    @Test func attributesHaveTheirTypes() throws {
        let tree = try tree(
            span(attributes: [
                SpanAttribute("a", "words"), SpanAttribute("b", Int.max), SpanAttribute("c", false),
            ]))
        #expect(attribute("a", tree) == ["stringValue": "words"] as Tree)
        #expect(attribute("b", tree) == ["intValue": "9223372036854775807"] as Tree)
        #expect(attribute("c", tree) == ["boolValue": false] as Tree)
    }

    @Test(arguments: Sample.hostileTexts)
    func hostileWordsStayStrings(_ text: String) throws {
        let attributed = SpanAttribute("a", text)
        guard case .text(let kept) = attributed.value else {
            Issue.record("\(attributed)")
            return
        }
        let tree = try tree(span(attributes: [attributed], status: .failed(text)))
        #expect(text.hasPrefix(kept) && (kept == text || kept.utf8.count > 1000), "only a long one is cut")
        #expect(attribute("a", tree) == ["stringValue": .string(kept)] as Tree)
        #expect(tree["status"]?["message"] == .string(kept))
    }

    @Test(
        arguments: [
            ("http://otel:4318/", true, "http://otel:4318/v1/traces"),
            ("http://otel:4318/v1/traces", true, "http://otel:4318/v1/traces"),
            ("http://otel:4318/otlp?key=1", true, "http://otel:4318/otlp/v1/traces?key=1"),
            ("http://otel:4318/own", false, "http://otel:4318/own"), ("http://otel:4318", false, "http://otel:4318"),
        ])
    func thePathIsAddedWhereItIsToBe(_ url: String, _ addsPath: Bool, _ whole: String) throws {
        let receiver = OTLPTraceReceiver(address: ReceiverAddress(url: url), addsPath: addsPath)
        #expect(try receiver.request(delivering: [span()], of: [], version: "1").url == whole)
    }

    @Test func nothingIsSentForNothing() {
        #expect(throws: DeliveryRefusal.nothingToDeliver) {
            try receiver.request(delivering: [], of: [], version: "1")
        }
    }
}

@Suite struct OTLPTraceAnswerTests {
    private let receiver = OTLPTraceReceiver(
        address: ReceiverAddress(url: "http://otel:4318", headers: [DeliveryHeader("Authorization", "Bearer s3cret")]))

    private func outcome(
        _ status: Int, _ body: String = "{}", retryAfter: String? = nil
    ) -> (next: DeliveryOutcome.Next, advice: String?) {
        receiver.outcome(of: DeliveryAnswer(status: status, retryAfter: retryAfter, body: Array(body.utf8)))
    }

    @Test(arguments: ["", "{}", #"{"partialSuccess":null}"#, #"{"partialSuccess":{"rejectedSpans":"0"}}"#])
    func successIsAnyOfThese(_ body: String) {
        #expect(outcome(200, body).next == .goOn)
        #expect(outcome(200, body).advice == nil)
    }

    @Test(arguments: [
        #"{"partialSuccess":{"rejectedSpans":"3","errorMessage":"too old"}}"#,
        #"{"partialSuccess":{"rejectedSpans":3,"errorMessage":"too old"}}"#,
    ])
    func aPartialSuccessIsNotTriedAgain(_ body: String) {
        #expect(outcome(200, body).next == .dropped(count: 3, why: "HTTP 200: too old"))
    }

    @Test func adviceIsHandedOn() {
        let said = outcome(200, #"{"partialSuccess":{"errorMessage":"use Bearer s3cret wisely"}}"#)
        #expect(said.next == .goOn)
        #expect(said.advice == "HTTP 200: use (redacted) wisely")
    }

    @Test(arguments: [429, 502, 503, 504])
    func theseAreTriedAgain(_ status: Int) {
        #expect(
            outcome(status, #"{"message":"busy"}"#, retryAfter: "7").next
                == .retry(after: .seconds(7), why: "HTTP \(status): busy"))
    }

    @Test(arguments: [400, 408, 413, 500, 501, 505])
    func theseAreNot(_ status: Int) {
        #expect(
            outcome(status, #"{"message":"no"}"#).next == .rejected(sequence: nil, why: "HTTP \(status): no"))
    }

    @Test(arguments: [301, 401, 403, 404, 415])
    func theseWaitForSomebody(_ status: Int) throws {
        guard case .stop = outcome(status).next else {
            Issue.record("\(outcome(status).next)")
            return
        }
    }
}
