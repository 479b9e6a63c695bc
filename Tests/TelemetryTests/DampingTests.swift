import Synchronization
import Telemetry
import Testing

@Suite struct DampingTests {
    @Test func theSameIsToldOnceAMinuteAndCounted() {
        var damping = Damping()
        let told = (0..<300).compactMap { second in damping.take("attempt \(second) failed", at: .seconds(second)) }
        #expect(told == [0, 59, 59, 59, 59])
    }

    @Test func anotherMessageIsToldAtOnce() {
        var damping = Damping()
        #expect(damping.take("full", at: .seconds(1)) == 0)
        #expect(damping.take("gone", at: .seconds(1)) == 0)
        #expect(damping.take("full", at: .seconds(2)) == nil)
        #expect(damping.take("full", at: .seconds(61)) == 1)
    }

    @Test func itIsBounded() {
        var damping = Damping(capacity: 4)
        for word in ["a", "b", "c", "d", "e"] { #expect(damping.take(word, at: .zero) == 0) }
        #expect(damping.take("e", at: .zero) == nil)
    }

    @Test func aLineSaysHowManyWereLeftOut() {
        let lines = Mutex<[LogEvent]>([])
        let logger = Logger(level: .info, now: { "" }, sink: { line in lines.withLock { $0.append(line) } })
        let voice = DampedVoice(logger)
        for second in [0, 20, 40, 70] { voice.log(.warning, "Failed", [("error", "full")], at: .seconds(second)) }
        let fields = lines.withLock { $0.map { $0.fields.map { "\($0.key)=\($0.value)" } } }
        #expect(fields == [["error=full"], ["error=full", "repeated=2"]])
    }
}
