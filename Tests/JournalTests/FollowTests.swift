import Journal
import Manifest
import Reconciler
import Testing

@Suite struct FollowTests {
    @Test func entriesComeAsTheyAreWritten() async throws {
        let scratch = try await ScratchJournal.open()
        let journal = scratch.journal
        for index in 0..<3 { try await journal.record(Sample.event("early \(index)"), owned: .unchanged) }
        let reader = try await JournalReader.open(scratch.path)
        let source = Source(journal)
        var seen: [String] = []
        for try await entry in reader.follow(JournalQuery(), wait: { await source.writeMore() }) {
            seen.append(entry.message)
        }
        #expect(seen == ["early 0", "early 1", "early 2", "late 1", "late 2", "late 3"])
    }

    @Test func onlyMatchesComeAndOnlyOnce() async throws {
        let scratch = try await ScratchJournal.open()
        let journal = scratch.journal
        // More than two pages of matches, with others in between.
        for index in 0..<1_100 {
            let role = Sample.role("r")
            async let one = journal.record(Sample.event("noise"), owned: .unchanged)
            async let two = journal.record(Sample.correction(role, at: Int64(index)), owned: .unchanged)
            _ = try await (one, two)
        }
        let reader = try await JournalReader.open(scratch.path)
        var query = JournalQuery()
        query.reason = "DriftCorrected"
        var seen: [Int64] = []
        for try await entry in reader.follow(query, wait: { false }) { seen.append(entry.sequence) }
        #expect(seen.count == 1_100)
        #expect(zip(seen, seen.dropFirst()).allSatisfy { $0 < $1 })
    }

    @Test func itBeginsAfterTheGivenNumber() async throws {
        let scratch = try await QueryTests.filled()
        let reader = try await JournalReader.open(scratch.path)
        var query = JournalQuery()
        query.afterSequence = 9
        var seen: [Int64] = []
        for try await entry in reader.follow(query, wait: { false }) { seen.append(entry.sequence) }
        #expect(seen == [10, 11, 12])
    }

    /// Writes one entry each time the follower has nothing more, three times.
    private actor Source {
        private let journal: SQLiteJournal
        private var count = 0

        init(_ journal: SQLiteJournal) { self.journal = journal }

        func writeMore() async -> Bool {
            count += 1
            guard count <= 3 else { return false }
            do {
                try await journal.record(Sample.event("late \(count)"), owned: .unchanged)
                return true
            } catch {
                Issue.record(error)
                return false
            }
        }
    }
}
