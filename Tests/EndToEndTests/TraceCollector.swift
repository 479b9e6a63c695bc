import HTTPServer
import JSON
import Manifest
import Synchronization
import Testing

/// A collector of traces on loopback, which keeps what it is sent.
final class TraceCollector: Sendable {
    private let listener: HTTPListener
    private let kept: Kept
    var url: String { "http://127.0.0.1:\(listener.port)" }

    private final class Kept: Sendable {
        let requests = Mutex<[ServerRequest]>([])
    }

    init() throws {
        let kept = Kept()
        self.kept = kept
        listener = try HTTPListener { request in
            kept.requests.withLock { $0.append(request) }
            return ServerResponse(
                status: 200, headers: [("Content-Type", "application/json")], body: Array("{}".utf8))
        }
    }

    deinit { listener.stop() }

    var requests: [ServerRequest] { kept.requests.withLock { $0 } }
    /// All that was sent, as text.
    var text: String { requests.map { String(decoding: $0.body, as: UTF8.self) }.joined(separator: "\n") }

    /// What is said of the program, in the last request.
    func resource() throws -> SentAttributes {
        let body = try parseJSON(try #require(requests.last).body)
        return SentAttributes(body["resourceSpans"]?.array?.first?["resource"])
    }

    func spans() throws -> [SentSpan] {
        try requests.flatMap { request in
            let scope = try parseJSON(request.body)["resourceSpans"]?.array?.first?["scopeSpans"]?.array?.first
            return try #require(scope?["spans"]?.array).map(SentSpan.init)
        }
    }

    /// Each trace by its root.
    func traces() throws -> [SentTrace] {
        Dictionary(grouping: try spans(), by: \.trace).values.compactMap { spans in
            spans.first { $0.parent == nil }.map { SentTrace(root: $0, spans: spans) }
        }
    }
}

/// The attributes of a span or of the program, as they were sent.
struct SentAttributes {
    private var values: [String: Tree] = [:]

    init(_ owner: Tree?) {
        for attribute in owner?["attributes"]?.array ?? [] {
            if let key = attribute["key"]?.string { values[key] = attribute["value"] }
        }
    }

    func text(_ key: String) -> String? { values[key]?["stringValue"]?.string }
    /// A whole number is sent as a string.
    func number(_ key: String) -> Int? { values[key]?["intValue"]?.string.flatMap { Int($0) } }
}

struct SentSpan {
    var trace: String
    var id: String
    var parent: String?
    var name: String
    var attributes: SentAttributes
    /// The words of an error.
    var error: String?
    var begin: UInt64
    var end: UInt64

    init(_ tree: Tree) throws {
        trace = try #require(tree["traceId"]?.string)
        id = try #require(tree["spanId"]?.string)
        parent = tree["parentSpanId"]?.string
        name = try #require(tree["name"]?.string)
        attributes = SentAttributes(tree)
        error = tree["status"]?["code"]?.integer == 2 ? tree["status"]?["message"]?.string ?? "" : nil
        begin = try #require(tree["startTimeUnixNano"]?.string.flatMap { UInt64($0) })
        end = try #require(tree["endTimeUnixNano"]?.string.flatMap { UInt64($0) })
    }

    /// The object of a change.
    var object: String {
        ["kind", "namespace", "name"].map { attributes.text("bylaw.object.\($0)") ?? "" }.joined(separator: "/")
    }
}

struct SentTrace {
    var root: SentSpan
    var spans: [SentSpan]

    func children(of span: SentSpan) -> [SentSpan] { spans.filter { $0.parent == span.id } }

    func stage(_ name: String) throws -> SentSpan {
        try #require(children(of: root).first { $0.name == name }, "\(name) in \(spans.map(\.name))")
    }

    /// Whether it is the correction of one object's drift, beside any pass.
    func isCorrection(of object: String) -> Bool {
        root.attributes.text("bylaw.trigger") == "drift" && children(of: root).contains { $0.object == object }
    }

    /// The changes to objects.
    func changes() throws -> [SentSpan] { children(of: try stage("apply")) }
}
