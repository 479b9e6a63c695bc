import Arguments
import Manifest
import Synchronization
import Telemetry

/// How the log of a process is written: what is logged and in which form, which may change while it runs.
final class LogVoice: Sendable {
    private struct Settings {
        var level: LogLevel
        var sink: StandardErrorSink
    }

    private let settings: Mutex<Settings>

    init(_ arguments: ParsedArguments) { settings = Mutex(Self.settings(arguments)) }

    /// Goes on as these flags say; every logger does so at once.
    func follow(_ arguments: ParsedArguments) {
        let new = Self.settings(arguments)
        settings.withLock { $0 = new }
    }

    /// A logger whose lines all have some fields.
    func logger(_ fields: [(key: String, value: String)]) -> Logger {
        // What is passed over is decided here, since it may be decided otherwise later.
        Logger(level: .debug, fields: fields, now: { systemNow().description }, sink: write)
    }

    private func write(_ event: LogEvent) {
        let sink = settings.withLock { event.level >= $0.level ? $0.sink : nil }
        sink?.write(event)
    }

    private static func settings(_ arguments: ParsedArguments) -> Settings {
        Settings(
            level: LogLevel(rawValue: arguments.text("log-level") ?? "") ?? .info,
            sink: StandardErrorSink(format: LogFormat(rawValue: arguments.text("log-format") ?? "") ?? .text))
    }
}
