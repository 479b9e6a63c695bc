import Commands
import Foundation
import HTTPClient
import HTTPServer
import JSON
import Manifest
import Shipping
import Synchronization
import Telemetry
import Testing
import Tracing

/// Sending spans to a real server on loopback.
@Suite(.timeLimit(.minutes(2))) struct SpanExporterTests {
    private let record = Record()

    /// What came of spans, and what was logged.
    private final class Record: Sendable {
        private let counts = Mutex<[SpanFate: Int]>([:])
        private let attempts = Mutex<[Bool]>([])
        private let lines = Mutex<[String]>([])

        func note(_ count: Int, _ fate: SpanFate) { counts.withLock { $0[fate, default: 0] += count } }
        func note(isDone: Bool) { attempts.withLock { $0.append(isDone) } }
        func log(_ event: LogEvent) { lines.withLock { $0.append(renderLogLine(event, as: .text)) } }

        subscript(_ fate: SpanFate) -> Int { counts.withLock { $0[fate] ?? 0 } }
        var failures: Int { attempts.withLock { $0.count { !$0 } } }
        var log: [String] { lines.withLock { $0 } }
    }

    /// A collector that answers as it is told, in order, and then with success.
    private final class Collector: Sendable {
        private let answers: Mutex<[ServerResponse]>
        private let bodies = Mutex<[Tree]>([])
        private let requests = Mutex<[ServerRequest]>([])

        init(_ answers: [ServerResponse] = []) { self.answers = Mutex(answers) }

        func answer(_ request: ServerRequest) -> ServerResponse {
            requests.withLock { $0.append(request) }
            if let body = try? parseJSON(request.body) { bodies.withLock { $0.append(body) } }
            return answers.withLock { $0.isEmpty ? nil : $0.removeFirst() } ?? Self.answer(200, "{}")
        }

        static func answer(_ status: Int, _ body: String, retryAfter: String? = nil) -> ServerResponse {
            ServerResponse(
                status: status,
                headers: [("Content-Type", "application/json")] + (retryAfter.map { [("Retry-After", $0)] } ?? []),
                body: Array(body.utf8))
        }

        var received: [ServerRequest] { requests.withLock { $0 } }
        /// The ids of the spans of each request.
        var batches: [[String]] {
            bodies.withLock { $0 }.map { body in
                let scope = body["resourceSpans"]?.array?.first?["scopeSpans"]?.array?.first
                return (scope?["spans"]?.array ?? []).compactMap { $0["spanId"]?.string }
            }
        }
        var ids: [String] { batches.flatMap { $0 } }
    }

    private func spans(_ numbers: ClosedRange<Int>) -> [Span] {
        numbers.map {
            let now = Timestamp(microsecondsSinceEpoch: 1_772_366_400_000_000)
            return Span(trace: TraceID(1, 1), id: SpanID(UInt64($0)), name: "fetch", begin: now, end: now)
        }
    }

    private func ids(_ numbers: ClosedRange<Int>) -> [String] { numbers.map { SpanID(UInt64($0)).description } }

    /// Quick enough for a test that waits for retries.
    private var limits: SpanExportLimits {
        var limits = SpanExportLimits()
        limits.gathering = .milliseconds(20)
        limits.pauses = ShippingLimits(
            firstPause: .milliseconds(20), longestPause: .milliseconds(50),
            longestRequestedPause: .milliseconds(300))
        return limits
    }

    private func exporter(port: Int, limits: SpanExportLimits? = nil) -> SpanExporter {
        let delivery = TraceDelivery(
            place: "otlp at 127.0.0.1",
            receiver: OTLPTraceReceiver(
                address: ReceiverAddress(
                    url: "http://127.0.0.1:\(port)", headers: [DeliveryHeader("Authorization", "Bearer s3cret")])),
            resource: [SpanAttribute("service.name", "bylaw")], exchanger: HTTPExchanger(proxy: .none))
        return SpanExporter(
            limits: limits ?? self.limits,
            logger: Logger(level: .debug, now: { "" }, sink: { [record] in record.log($0) }),
            noteSpans: { [record] in record.note($0, $1) }, noteExport: { [record] in record.note(isDone: $0) },
            deliver: delivery.deliver)
    }

    private func until(_ what: String, _ condition: () -> Bool) async throws {
        let end = ContinuousClock.now + .seconds(60)
        while ContinuousClock.now < end {
            if condition() { return }
            try await Task.sleep(for: .milliseconds(5))
        }
        Issue.record("\(what): \(record.log)")
    }

    @Test func batchesAreBoundedAndNothingIsLost() async throws {
        let collector = Collector()
        let server = try HTTPListener { collector.answer($0) }
        defer { server.stop() }
        var limits = limits
        limits.batch = 4
        let exporter = exporter(port: server.port, limits: limits)
        exporter.take(spans(1...10))
        let running = Task { await exporter.run() }
        try await until("all are sent") { record[.sent] == 10 }
        #expect(collector.batches == [ids(1...4), ids(5...8), ids(9...10)])
        let request = try #require(collector.received.first)
        #expect(request.method == "POST")
        #expect(request.path == "/v1/traces")
        #expect(request.header("Content-Type") == "application/json")
        #expect(request.header("Authorization") == "Bearer s3cret")
        exporter.take(spans(11...11))
        try await until("a later one is sent") { record[.sent] == 11 }
        await exporter.finish(running)
        #expect(record.failures == 0 && record[.dropped] == 0)
        #expect(record.log.isEmpty)
    }

    @Test(arguments: [429, 502, 503, 504])
    func whatCannotBeTakenNowIsSentAgain(_ status: Int) async throws {
        let collector = Collector([Collector.answer(status, #"{"message":"busy, Bearer s3cret"}"#)])
        let server = try HTTPListener { collector.answer($0) }
        defer { server.stop() }
        let exporter = exporter(port: server.port)
        let running = Task { await exporter.run() }
        exporter.take(spans(1...3))
        try await until("they are sent in the end") { record[.sent] == 3 }
        await exporter.finish(running)
        #expect(collector.batches == [ids(1...3), ids(1...3)])
        #expect(record.failures == 1)
        #expect(record.log.count == 1, "\(record.log)")
        #expect(record.log.allSatisfy { !$0.contains("s3cret") })
    }

    @Test func aReceiverIsLeftAloneForAsLongAsItAsks() async throws {
        let collector = Collector([Collector.answer(503, "{}", retryAfter: "3600")])
        let server = try HTTPListener { collector.answer($0) }
        defer { server.stop() }
        let exporter = exporter(port: server.port)
        let running = Task { await exporter.run() }
        let begun = ContinuousClock.now
        exporter.take(spans(1...1))
        try await until("it is sent") { record[.sent] == 1 }
        #expect(ContinuousClock.now - begun >= .milliseconds(300), "the bound of what it may ask for")
        await exporter.finish(running)
    }

    @Test func whatIsRefusedIsNotSentAgain() async throws {
        let collector = Collector([Collector.answer(400, #"{"message":"bad"}"#)])
        let server = try HTTPListener { collector.answer($0) }
        defer { server.stop() }
        let exporter = exporter(port: server.port)
        let running = Task { await exporter.run() }
        exporter.take(spans(1...2))
        try await until("they are refused") { record[.refused] == 2 }
        exporter.take(spans(3...3))
        try await until("another one is sent") { record[.sent] == 1 }
        await exporter.finish(running)
        #expect(collector.batches == [ids(1...2), ids(3...3)])
    }

    @Test func partialSuccessIsToldOnceAndNotSentAgain() async throws {
        let partial = Collector.answer(
            200, #"{"partialSuccess":{"rejectedSpans":"1","errorMessage":"too long"}}"#)
        let collector = Collector([partial, partial])
        let server = try HTTPListener { collector.answer($0) }
        defer { server.stop() }
        let exporter = exporter(port: server.port)
        let running = Task { await exporter.run() }
        exporter.take(spans(1...2))
        try await until("one is refused") { record[.refused] == 1 }
        exporter.take(spans(3...4))
        try await until("another one is refused") { record[.refused] == 2 }
        await exporter.finish(running)
        #expect(record[.sent] == 2)
        #expect(collector.ids.count == 4)
        #expect(record.log.count == 1, "equal lines are told once a minute: \(record.log)")
        #expect(record.log.first?.contains("too long") == true)
    }

    @Test func aReceiverThatIsAwayCostsABoundedMemoryAndTheOldestSpans() async throws {
        var limits = limits
        limits.waiting = 5
        limits.batch = 100
        let collector = Collector()
        let server = try HTTPListener { collector.answer($0) }
        defer { server.stop() }
        let exporter = exporter(port: server.port, limits: limits)
        for number in 1...20 { exporter.take(spans(number...number)) }
        #expect(record[.dropped] == 15)
        let running = Task { await exporter.run() }
        try await until("the newest are sent") { record[.sent] == 5 }
        await exporter.finish(running)
        #expect(collector.ids == ids(16...20))
        #expect(record.log.count { $0.contains("Spans were dropped") } == 1)
    }

    @Test func theEndSendsWhatIsLeftAtOnce() async throws {
        let collector = Collector()
        let server = try HTTPListener { collector.answer($0) }
        defer { server.stop() }
        var limits = limits
        limits.gathering = .seconds(3600)
        let exporter = exporter(port: server.port, limits: limits)
        let running = Task { await exporter.run() }
        exporter.take(spans(1...3))
        await exporter.finish(running)
        #expect(collector.ids == ids(1...3))
        #expect(record[.sent] == 3 && record[.dropped] == 0)
    }

    @Test func theEndIsNotDelayedByAReceiverThatSaysNothing() async throws {
        let release = AsyncStream.makeStream(of: Void.self)
        let server = try HTTPListener { _ in
            for await _ in release.stream {}
            return Collector.answer(200, "{}")
        }
        defer { server.stop() }
        defer { release.continuation.finish() }
        var limits = limits
        limits.flush = .milliseconds(200)
        let exporter = exporter(port: server.port, limits: limits)
        let running = Task { await exporter.run() }
        exporter.take(spans(1...3))
        let begun = ContinuousClock.now
        await exporter.finish(running)
        #expect(ContinuousClock.now - begun < .seconds(8), "less than the request may take")
        #expect(record[.dropped] == 3)
        #expect(record.log.contains { $0.contains("the program ends") }, "\(record.log)")
    }

    @Test func nobodyWaitsForAReceiverThatIsNotThere() async throws {
        let server = try HTTPListener { _ in Collector.answer(200, "{}") }
        let port = server.port
        server.stop()
        let exporter = exporter(port: port)
        let running = Task { await exporter.run() }
        exporter.take(spans(1...3))
        try await until("some attempts fail") { record.failures >= 3 }
        #expect(record[.dropped] == 0)
        await exporter.finish(running)
        #expect(record[.dropped] == 3)
        #expect(record.log.count == 2, "one line of the failures and one of the end: \(record.log)")
    }
}
