import Manifest
import Reconciler
import Testing

@Suite struct FightRecordTests {
    private func id(_ number: Int) -> ObjectID { ObjectID(.role, namespace: "a", name: "r\(number)") }

    @Test func objectsOfEverNewNamesFillNothing() {
        var fights = FightRecord(capacity: 100)
        let opponent = id(-1)
        for second in 0..<10_000 {
            let now = Duration.seconds(second)
            _ = fights.correct(id(second), at: now)
            if second % 5 == 0 { _ = fights.correct(opponent, at: now) }
            #expect(fights.count <= 100)
        }
        // The one that is really fought about is not forgotten among them.
        #expect(fights.isOn(opponent, at: .seconds(10_000)))
    }

    @Test func aFightCoolsDown() {
        var fights = FightRecord()
        var isFight = false
        for second in 0..<8 { isFight = fights.correct(id(0), at: .seconds(second)) }
        #expect(isFight && fights.pause(of: id(0), at: .seconds(8)) > .zero)
        #expect(fights.pause(of: id(0), at: .seconds(8)) <= FightMeter.longestPause)
        #expect(fights.endOld(at: .seconds(60)) == [])
        #expect(fights.pause(of: id(0), at: .seconds(600)) == .zero)
        #expect(fights.endOld(at: .seconds(3600)) == [id(0)])
    }
}
