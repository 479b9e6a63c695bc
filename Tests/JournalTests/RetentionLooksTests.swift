import Journal
import Manifest
import Testing

/// What counts as old by the times of entries alone, however many they are.
@Suite struct RetentionLooksTests {
    private static let year = 365.0

    private func moment(_ day: Double) -> Timestamp { Sample.start.advanced(by: .seconds(day * 86_400)) }

    /// The last of so many entries that is older than 30 days.
    private func lastOld(_ count: Int64, now: Double, day: (Int64) -> Double) -> Int64? {
        RetentionClock(age: .seconds(30 * 86_400), now: moment(now)).lastOld(after: 0, through: count) {
            moment(day($0))
        }
    }

    /// When the last of them was written that is older than 30 days on day 100, where four a day are written, and clocks say
    /// something else.
    private func lastOldDay(ofDay: (Double) -> Double, now: Double = 100) -> Double? {
        lastOld(400, now: now) { ofDay(Double($0) / 4) }.map { Double($0) / 4 }
    }

    @Test func whereEveryClockIsRightItIsTheAgeAndOneStep() throws {
        #expect(try #require(lastOldDay { $0 }) == 69.5)
    }

    /// A machine without a battery starts in 1970, writes one entry, and then learns the time.
    @Test(arguments: [-56.0, 1, 100]) func aClockThatGoesBackAndForthMakesNothingOld(_ years: Double) throws {
        func isWrong(_ day: Double) -> Bool { day >= 80 && day < 100 && day.remainder(dividingBy: 2) == 0 }
        let last = try #require(lastOldDay { isWrong($0) ? $0 + years * Self.year : $0 })
        #expect(last < 70)
        #expect(last > 60, "nor does it hold up more than a step of each way and an eighth")
    }

    /// The same with a wrong time of some days, in which much is written.
    @Test(arguments: [-56.0, 1, 0.02]) func aClockThatIsWrongForDaysMakesNothingOld(_ years: Double) throws {
        let last = try #require(lastOldDay { Int($0) % 10 < 3 ? $0 + years * Self.year : $0 })
        #expect(last < 70)
        #expect(last > 50)
    }

    @Test func aClockThatIsSetBackForGoodKeepsMore() throws {
        // What came before has times from before the threshold only later.
        #expect(lastOldDay { $0 < 90 ? $0 + Self.year : $0 } == nil)
        #expect(lastOldDay { $0 < 60 ? $0 + Self.year : $0 } == 69.5)
        let last = try #require(lastOldDay { $0 < 90 ? $0 + 3 : $0 })
        #expect(last < 67)
        #expect(last > 66)
    }

    @Test func aClockThatJumpsAheadForGoodMakesNothingOld() throws {
        let jumped = try #require(lastOldDay(ofDay: { $0 < 90 ? $0 : $0 + Self.year }, now: 100 + Self.year))
        #expect(jumped < 70)
        #expect(jumped > 65)
        let twice = try #require(
            lastOldDay(
                ofDay: { $0 < 80 ? $0 : $0 < 90 ? $0 + Self.year : $0 + 2 * Self.year }, now: 100 + 2 * Self.year))
        #expect(twice < 70 + 30 / 8, "by an eighth at the most")
    }

    /// A flood in which nothing is told apart, and ten entries a day since.
    @Test func whatIsBehindAFloodGoesWhenItIsOld() throws {
        let flood: Int64 = 1_000_000
        func day(_ sequence: Int64) -> Double {
            sequence <= flood ? Double(sequence) / Double(flood) : 1 + Double(sequence - flood) / 10
        }
        // It must not push itself out either.
        #expect(lastOld(flood + 200, now: 21, day: day) == nil)
        let last = try #require(lastOld(flood + 600, now: 61, day: day))
        #expect(last >= flood)
        #expect(day(last) < 31)
    }

    @Test func whatIsLookedAtIsBounded() {
        let looks = Array(RetentionClock.looks(through: 1_000_000_000, after: 0))
        #expect(looks.count < 40_000)
        #expect(Array(looks.prefix(4096)) == (0..<4096).map { 1_000_000_000 - $0 })
        #expect(zip(looks, looks.dropFirst()).allSatisfy { $0 > $1 })
        #expect(looks.allSatisfy { $0 > 0 })
        #expect(Array(RetentionClock.looks(through: 7, after: 5)) == [7, 6])
        #expect(Array(RetentionClock.looks(through: 5, after: 5)).isEmpty)
        #expect(Array(RetentionClock.looks(through: 0, after: 0)).isEmpty)
    }

    @Test func whatGoesForItsSizeGoesOnlyWhileThereIsTooMuch() {
        let old = OldEntries(lastByAge: 100, lastBySize: 300, maximumBytes: 1000)
        #expect(old.last(bytes: 1001) == 300)
        #expect(old.last(bytes: 1000) == 100)
        #expect(OldEntries(lastByAge: 300, lastBySize: 100, maximumBytes: 1000).last(bytes: 1001) == 300)
        #expect(OldEntries(lastByAge: 100).last(bytes: .max) == 100)
    }
}
