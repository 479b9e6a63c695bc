import JSON
import Manifest
import Shipping
import Testing

/// Journal entries as a journal gives them.
enum Sample {
    static let journal = "00112233445566778899aabbccddeeff"
    static let noon = Timestamp(microsecondsSinceEpoch: 1_772_366_400_123_456)

    /// Names that break what is built by joining strings.
    static let hostileTexts = [
        "", " ", "-", "\"", "\\", "]", "a\"]b\\", "line\nfeed\r\n", "<134>1 - - - - - - forged", "nul\u{0}\u{7F}\u{85}",
        "{\"a\":1}\n{\"create\":{}}", "👩‍👩‍👧‍👦🇩🇪e\u{301}", "\u{202E}gpj.exe\u{2028}", "=x y=\"z\"",
        String(repeating: "ü", count: 600), String(repeating: "a\u{301}\u{302}", count: 200),
    ]

    static func entry(
        _ sequence: Int64, at time: Timestamp = noon, instance: String = "prod", cluster: String = "eu-1",
        reason: String = "DriftCorrected", isIncident: Bool = false, outcome: String = "succeeded",
        actor: String? = nil, message: String = "words", journal: String = Sample.journal, extra: [String: Tree] = [:]
    ) -> ShippedEntry {
        var document: Tree = [
            "apiVersion": "bylaw.dev/v1", "kind": "JournalEntry", "sequence": .integer(sequence),
            "instance": .string(instance), "cluster": .string(cluster), "reason": .string(reason),
            "message": .string(message),
        ]
        for (key, value) in extra { document.set([key], to: value) }
        return ShippedEntry(
            sequence: sequence, time: time, instance: instance, cluster: cluster, reason: reason,
            isIncident: isIncident, outcome: outcome, objectDescription: "Role a/reader", actor: actor,
            message: message, json: document.jsonBytes(), journal: journal)
    }

    /// An entry in which a text stands wherever one may stand.
    static func hostile(_ text: String, sequence: Int64 = 7) -> ShippedEntry {
        entry(
            sequence, instance: text, cluster: text, reason: text, outcome: text, actor: text, message: text,
            journal: text, extra: ["before": ["data": .string(text)]])
    }

    static func entries(_ range: ClosedRange<Int64>) -> [ShippedEntry] { range.map { entry($0) } }

    static func answer(_ status: Int, _ body: Tree, retryAfter: String? = nil) -> DeliveryAnswer {
        DeliveryAnswer(status: status, retryAfter: retryAfter, body: body.jsonBytes())
    }

    static func answer(_ status: Int, text: String = "", retryAfter: String? = nil) -> DeliveryAnswer {
        DeliveryAnswer(status: status, retryAfter: retryAfter, body: Array(text.utf8))
    }
}

/// What a step to take is called in a test.
func word(_ next: DeliveryOutcome.Next) -> String {
    switch next {
    case .goOn: "go on"
    case .retry(let pause, _): pause.map { "retry after \($0)" } ?? "retry"
    case .rejected(let sequence, _): sequence.map { "rejected \($0)" } ?? "rejected"
    case .dropped(let count, _): "dropped \(count)"
    case .lost(let sequence, _): "lost after \(sequence)"
    case .stop: "stop"
    }
}

func why(_ next: DeliveryOutcome.Next) -> String {
    switch next {
    case .goOn: ""
    case .retry(_, let why), .rejected(_, let why), .dropped(_, let why), .stop(let why, _),
        .lost(_, let why):
        why
    }
}

func header(_ name: String, of request: DeliveryRequest) -> String? {
    request.headers.first { $0.name == name }?.value
}

/// The lines of a body, each with its line feed.
func lines(_ body: [UInt8]) throws -> [Tree] {
    #expect(body.last == 0x0a)
    return try body.split(separator: 0x0a).map { try parseJSON(Array($0)) }
}
