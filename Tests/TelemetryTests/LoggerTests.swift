import Synchronization
import Telemetry
import Testing

@Suite struct LoggerTests {
    /// Keeps what was logged, and how often the clock was asked.
    private final class Recorder: Sendable {
        let events = Mutex<[LogEvent]>([])
        let looksAtTheClock = Atomic<Int>(0)

        func logger(_ level: LogLevel, fields: [(key: String, value: String)] = []) -> Logger {
            Logger(
                level: level, fields: fields,
                now: {
                    "t\(self.looksAtTheClock.wrappingAdd(1, ordering: .relaxed).newValue)"
                },
                sink: { event in self.events.withLock { $0.append(event) } })
        }

        var messages: [String] { events.withLock { $0.map(\.message) } }
    }

    @Test func levelsHaveAnOrder() {
        #expect(LogLevel.allCases.sorted() == [.debug, .info, .notice, .warning, .error])
        #expect(LogLevel.allCases.map(\.rawValue) == ["debug", "info", "notice", "warning", "error"])
        #expect(!(LogLevel.info < .info))
    }

    @Test(arguments: LogLevel.allCases)
    func writesFromItsOwnLevelOn(_ level: LogLevel) {
        let recorder = Recorder()
        let logger = recorder.logger(level)
        for other in LogLevel.allCases { logger.log(other, other.rawValue) }
        #expect(recorder.messages == LogLevel.allCases.filter { $0 >= level }.map(\.rawValue))
        #expect(recorder.looksAtTheClock.load(ordering: .relaxed) == recorder.messages.count)
    }

    @Test func theFieldsOfTheRunComeFirstInTheirOrder() throws {
        let recorder = Recorder()
        let logger = recorder.logger(.info, fields: [("run", "r1"), ("revision", "abc")])
        logger.log(.notice, "object applied", [("object", "Role a/b"), ("action", "update")])
        let event = try #require(recorder.events.withLock { $0.first })
        #expect(event.time == "t1")
        #expect(event.level == .notice)
        #expect(event.message == "object applied")
        #expect(event.fields.map(\.key) == ["run", "revision", "object", "action"])
        #expect(event.fields.map(\.value) == ["r1", "abc", "Role a/b", "update"])
    }
}
