import Manifest
import Reconciler
import Testing

@Suite struct TellingRecordTests {
    private let id = ObjectID(.role, namespace: "a", name: "r")

    /// A thousand changes a minute for an hour are told some ten times.
    @Test func whatChangesAllTheTimeIsToldLessAndLessOften() {
        var record = TellingRecord()
        var count = 0
        for tick in 0..<60_000 {
            let now = Duration.milliseconds(60 * tick)
            guard record.pauseEnd(of: id, at: now) == nil else { continue }
            record.note(id, at: now)
            count += 1
        }
        #expect((10...20).contains(count))
    }

    @Test func afterALongCalmItIsToldAtOnceAgain() {
        var record = TellingRecord()
        for second in 0..<4 { record.note(id, at: .seconds(second)) }
        #expect(record.pauseEnd(of: id, at: .seconds(10)) == .seconds(11))
        record.note(id, at: .seconds(2000))
        #expect(record.pauseEnd(of: id, at: .seconds(2000)) == .seconds(2001))
    }

    @Test func itIsBounded() {
        var record = TellingRecord(capacity: 10)
        for number in 0..<100 { record.note(ObjectID(.role, namespace: "a", name: "\(number)"), at: .zero) }
        #expect(record.pauseEnd(of: ObjectID(.role, namespace: "a", name: "99"), at: .zero) == .seconds(1))
    }
}
