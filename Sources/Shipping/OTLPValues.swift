import Manifest
import Tracing

/// The JSON of protocol buffers, as far as OpenTelemetry's messages need it.
enum OTLPValues {
    static func attribute(_ key: String, _ text: String) -> Tree {
        ["key": .string(key), "value": ["stringValue": .string(text)]]
    }

    /// Whole numbers have 64 bits, and those are strings.
    static func attribute(_ key: String, _ number: Int64) -> Tree {
        ["key": .string(key), "value": ["intValue": .string(String(number))]]
    }

    static func attribute(_ key: String, _ flag: Bool) -> Tree {
        ["key": .string(key), "value": ["boolValue": .bool(flag)]]
    }

    static func attributes(_ attributes: [SpanAttribute]) -> Tree {
        .array(
            attributes.map {
                switch $0.value {
                case .text(let text): attribute($0.key, text)
                case .integer(let number): attribute($0.key, number)
                case .flag(let flag): attribute($0.key, flag)
                }
            })
    }

    /// An unsigned number of 64 bits, in which 0 stands for an unknown time (`logs.proto`).
    static func nanoseconds(_ time: Timestamp) -> String {
        guard let micro = UInt64(exactly: time.microsecondsSinceEpoch) else { return "0" }
        let (nano, isTooFar) = micro.multipliedReportingOverflow(by: 1000)
        return isTooFar ? "0" : String(nano)
    }
}
