import Foundation

/// How much a log line matters.
package enum LogLevel: String, Sendable, Comparable, CaseIterable {
    case debug, info, notice, warning, error

    package static func < (left: LogLevel, right: LogLevel) -> Bool {
        allCases.firstIndex(of: left) ?? 0 < allCases.firstIndex(of: right) ?? 0
    }
}

/// One thing that happened: a constant message and its facts beside it.
package struct LogEvent: Sendable {
    /// RFC 3339.
    package var time: String
    package var level: LogLevel
    /// Never holds a value: what varies is a field.
    package var message: String
    package var fields: [(key: String, value: String)]
}

/// Writes log events, each with the fields that belong to the whole run.
package struct Logger: Sendable {
    package var level: LogLevel
    private var bound: [(key: String, value: String)]
    private let now: @Sendable () -> String
    private let sink: @Sendable (LogEvent) -> Void

    package init(
        level: LogLevel, fields: [(key: String, value: String)] = [], now: @escaping @Sendable () -> String,
        sink: @escaping @Sendable (LogEvent) -> Void
    ) {
        self.level = level
        bound = fields
        self.now = now
        self.sink = sink
    }

    /// The same with more fields on each line.
    package func adding(_ fields: [(key: String, value: String)]) -> Logger {
        var logger = self
        logger.bound += fields
        return logger
    }

    package func log(_ level: LogLevel, _ message: String, _ fields: [(key: String, value: String)] = []) {
        guard level >= self.level else { return }
        sink(LogEvent(time: now(), level: level, message: message, fields: bound + fields))
    }
}

/// The two forms of a log line.
package enum LogFormat: String, Sendable, CaseIterable { case text, json }

/// One line, with its line break; whatever came from outside cannot break it or hide in it.
package func renderLogLine(_ event: LogEvent, as format: LogFormat) -> String {
    switch format {
    case .text:
        var line =
            "\(event.time) \(event.level.rawValue.padding(toLength: 7, withPad: " ", startingAt: 0)) \(event.message)"
        for (key, value) in event.fields {
            let value = bounded(value)
            let isPlain =
                !value.isEmpty
                && value.unicodeScalars.allSatisfy { $0.value > 0x20 && $0 != "\"" && $0 != "=" && !isHidden($0) }
            line += " \(key)=" + (isPlain ? value : quoted(value))
        }
        return line + "\n"
    case .json:
        var line =
            "{\"time\":\(quoted(event.time)),\"level\":\(quoted(event.level.rawValue)),\"message\":\(quoted(event.message))"
        for (key, value) in event.fields { line += ",\(quoted(key)):\(quoted(bounded(value)))" }
        return line + "}\n"
    }
}

/// Writes whole lines to standard error, one at a time.
package final class StandardErrorSink: Sendable {
    private let lock = NSLock()
    private let format: LogFormat

    package init(format: LogFormat) { self.format = format }

    package func write(_ event: LogEvent) {
        let bytes = Array(renderLogLine(event, as: format).utf8)
        lock.withLock {
            var written = 0
            while written < bytes.count {
                let count = bytes[written...].withUnsafeBytes {
                    Foundation.write(STDERR_FILENO, $0.baseAddress, $0.count)
                }
                if count < 0, errno == EINTR { continue }
                // Nobody reads our log any more: that must not stop the work.
                guard count > 0 else { return }
                written += count
            }
        }
    }
}

private let maximumFieldBytes = 4096

/// Cut by scalars: one character may have any number of combining marks.
private func bounded(_ value: String) -> String {
    guard value.utf8.count > maximumFieldBytes else { return value }
    var result = String.UnicodeScalarView()
    var size = 0
    for scalar in value.unicodeScalars {
        size += UTF8.width(scalar)
        guard size <= maximumFieldBytes else { break }
        result.append(scalar)
    }
    return String(result) + "..."
}

/// Characters that a terminal obeys, or that change the direction of what follows.
private func isHidden(_ scalar: Unicode.Scalar) -> Bool {
    scalar.value < 0x20 || (0x7f..<0xa0).contains(scalar.value) || (0x200e...0x200f).contains(scalar.value)
        || scalar.value == 0x061c
        || (0x2028...0x202e).contains(scalar.value) || (0x2066...0x2069).contains(scalar.value)
}

private func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": result += "\\\""
        case "\\": result += "\\\\"
        case "\n": result += "\\n"
        case "\t": result += "\\t"
        case _ where isHidden(scalar):
            let digits = String(scalar.value, radix: 16)
            result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result + "\""
}
