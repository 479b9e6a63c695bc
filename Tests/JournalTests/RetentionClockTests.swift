import Journal
import Manifest
import Reconciler
import Signatures
import TestSupport
import Testing

/// Which entries are old where a clock was wrong, now or when something was written.
@Suite struct RetentionClockTests {
    private static let day: Int64 = 86_400
    private static let year: Int64 = 365

    private struct Made {
        var journal: SQLiteJournal
        var folder: ScratchDirectory
    }

    /// 700 entries, of the days that are given.
    private func made(_ days: (Int64) -> Int64 = { $0 }) async throws -> Made {
        let folder = try ScratchDirectory()
        var configuration = Sample.configuration(folder.path + "/journal.db")
        configuration.signingKey = try .generate()
        let journal = try await SQLiteJournal.open(configuration)
        for number: Int64 in 1...700 {
            _ = try await journal.record(Sample.event("e", at: days(number) * Self.day), owned: .unchanged)
        }
        _ = try await journal.checkpoint(at: Sample.start)
        return Made(journal: journal, folder: folder)
    }

    /// Up to which entry it is cut at a day; nil where it is not.
    private func cut(_ made: Made, keeping days: Int64, on day: Int64) async throws -> Int64? {
        try await made.journal.removeOldEntries(
            RetentionPolicy(maximumAge: .seconds(days * Self.day)), at: Sample.moment(day * Self.day), minimumCount: 1
        )?.through
    }

    @Test func aClockThatIsAYearAheadMakesNothingOld() async throws {
        let made = try await made()
        #expect(try await cut(made, keeping: 600, on: 700) == nil)
        #expect(try await cut(made, keeping: 600, on: 700 + Self.year) == nil)
        // Nor when it has written something itself, nor when it is put right again.
        for day in [0, 1, 2] {
            let ahead = Sample.event("started", at: (700 + Self.year + Int64(day)) * Self.day)
            _ = try await made.journal.record(ahead, owned: .unchanged)
        }
        #expect(try await cut(made, keeping: 600, on: 702 + Self.year) == nil)
        _ = try await made.journal.record(Sample.event("right", at: 703 * Self.day), owned: .unchanged)
        #expect(try await cut(made, keeping: 600, on: 703) == nil)
        #expect(try await cut(made, keeping: 150, on: 703) == 512, "what is old by every account goes")
        await made.journal.close()
    }

    @Test func aSecondJumpMakesNothingOlderThanByAnEighth() async throws {
        let made = try await made { $0 < 400 ? $0 : $0 < 550 ? $0 + Self.year : $0 + 2 * Self.year }
        #expect(try await cut(made, keeping: 520, on: 700 + 2 * Self.year) == nil)
        await made.journal.close()
    }

    @Test(arguments: [Self.year, 100 * Self.year, -40 * Self.year])
    func oneEntryWithAWrongTimeHoldsUpNothing(_ wrong: Int64) async throws {
        let made = try await made { $0 == 100 || $0 == 256 ? $0 + wrong : $0 }
        #expect(try await cut(made, keeping: 100, on: 700) == 512)
        await made.journal.close()
    }

    @Test func oneEntryWithATimeLongAgoMakesNothingOld() async throws {
        let made = try await made { $0 == 690 ? -40 * Self.year : $0 }
        #expect(try await cut(made, keeping: 600, on: 700) == nil)
        await made.journal.close()
    }

    @Test func aClockThatWasSetBackMakesNothingOld() async throws {
        let made = try await made()
        #expect(try await cut(made, keeping: 100, on: 50) == nil)
        await made.journal.close()
    }

    /// A flood must not push anything out by the size, whatever the clock says.
    @Test func bySizeAsWellOneWrongClockRemovesNothing() async throws {
        let made = try await made { $0 / 30 }
        let small = RetentionPolicy(maximumBytes: 1)
        let ahead = Sample.moment((23 + Self.year) * Self.day)
        #expect(try await made.journal.removeOldEntries(small, at: ahead, minimumCount: 1) == nil)
        await made.journal.close()
    }
}
