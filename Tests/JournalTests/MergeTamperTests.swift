import Journal
import Manifest
import Reconciler
import SQLite
import TestSupport
import Testing
import TransparencyLog

/// Whoever has the file of a merged history changes it, and verification says so.
@Suite struct MergeTamperTests {
    private let columns = SignedJournal.columns

    @Test func everyDeletionSwapAndMoveIsFound() async throws {
        let replicas = try await Replicas.make(entries: 14)
        let count = try await replicas.merge().entryCount
        for number in 1...count {
            let gone = try await replicas.afterTampering(["DELETE FROM entries WHERE sequence = \(number)"])
            #expect(!gone.isIntact, "deleted \(number)")
            let unplaced = try await replicas.afterTampering([
                "DELETE FROM entries WHERE sequence = \(number)",
                "DELETE FROM merged_places WHERE sequence = \(number)",
            ])
            #expect(!unplaced.isIntact, "deleted with its place \(number)")

            let other = number % count + 1
            let swapped = try await replicas.afterTampering(swap("entries", number, other))
            #expect(!swapped.isIntact, "swapped \(number)")
            // Each log is whole then; only the order of the history is another.
            let reordered = try await replicas.afterTampering(
                swap("entries", number, other) + swap("merged_places", number, other))
            #expect(!reordered.isIntact, "reordered \(number)")

            let moved = try await replicas.afterTampering([
                "UPDATE merged_places SET log = 3 - log, number = number + 1000 WHERE sequence = \(number)"
            ])
            #expect(!moved.isIntact, "moved \(number)")
            let cut = try await replicas.afterTampering([
                "DELETE FROM entries WHERE sequence >= \(number)",
                "DELETE FROM merged_places WHERE sequence >= \(number)",
            ])
            #expect(!cut.isIntact, "cut at \(number)")
        }
        #expect(try await JournalVerifier.verify(replicas.history, replicas.known).isIntact)
    }

    @Test func everyFlippedBitIsFound() async throws {
        let replicas = try await Replicas.make(entries: 40)
        let count = try await replicas.merge().entryCount
        var random = SplitMix64(seed: 11)
        for column in columns + ["leaf_hash"] {
            for _ in 0..<4 {
                let number = Int64.random(in: 1...count, using: &random)
                let report = try await replicas.afterTampering([
                    """
                    UPDATE entries SET \(column) = CASE typeof(\(column)) WHEN 'null' THEN
                        CASE WHEN '\(column)' IN ('pull_request', 'duration_microseconds', 'refers_to') THEN 1 ELSE 'x' END
                        WHEN 'integer' THEN \(column) + 1 WHEN 'blob' THEN zeroblob(32)
                        ELSE char(unicode(\(column)) + 1) || substr(\(column), 2) END WHERE sequence = \(number)
                    """
                ])
                #expect(!report.isIntact, "\(column) of \(number)")
            }
        }
    }

    @Test func aCutAtTheEndOfEachLogIsFound() async throws {
        let replicas = try await Replicas.make(entries: 20, replicas: 3)
        try await replicas.merge()
        for log in 1...3 {
            let last = "SELECT sequence FROM merged_places WHERE log = \(log) AND number > 18"
            let statements = [
                "DELETE FROM entries WHERE sequence IN (\(last))",
                "DELETE FROM merged_places WHERE sequence IN (\(last))",
                // What is behind moves up, as if nothing had been there.
                """
                CREATE TEMP TABLE moved AS
                    SELECT sequence AS old, row_number() OVER (ORDER BY sequence) AS new FROM merged_places
                """,
                "UPDATE entries SET sequence = -(SELECT new FROM moved WHERE old = sequence)",
                "UPDATE merged_places SET sequence = -(SELECT new FROM moved WHERE old = sequence)",
                "UPDATE entries SET sequence = -sequence", "UPDATE merged_places SET sequence = -sequence",
                "UPDATE merged_logs SET size = 18 WHERE id = \(log)",
            ]
            let cut = try await replicas.afterTampering(statements)
            #expect(cut.findings.contains { $0.kind == .truncated }, "\(cut.findings)")
            // With the checkpoints over it gone as well, one that was kept elsewhere tells.
            let checkpoint = try await checkpoint(of: log, in: replicas)
            var request = replicas.known
            request.checkpoints = [checkpoint]
            let forged = try await replicas.afterTampering(
                statements + ["DELETE FROM merged_checkpoints WHERE log = \(log)"], request)
            #expect(!forged.isIntact)
            // And so it does where the whole log is gone.
            let gone = "SELECT sequence FROM merged_places WHERE log = \(log)"
            let without = try await replicas.afterTampering(
                [
                    "PRAGMA foreign_keys = OFF", "DELETE FROM entries WHERE sequence IN (\(gone))",
                    "DELETE FROM merged_places WHERE log = \(log)", "DELETE FROM merged_logs WHERE id = \(log)",
                ], request)
            #expect(without.findings.contains { $0.kind == .badCheckpoint }, "\(without.findings)")
        }
    }

    private func checkpoint(of log: Int, in replicas: Replicas) async throws -> SignedCheckpoint {
        let connection = try Connection(path: replicas.history, mode: .readOnly)
        let note = try connection.firstRow(
            "SELECT note FROM merged_checkpoints WHERE log = ? ORDER BY size DESC", [.integer(Int64(log))]
        ) { (row) throws(DatabaseError) in try row.text(0) }
        return try SignedCheckpoint(try #require(note))
    }

    private func swap(_ table: String, _ one: Int64, _ other: Int64) -> [String] {
        [
            "UPDATE \(table) SET sequence = -1 WHERE sequence = \(one)",
            "UPDATE \(table) SET sequence = \(one) WHERE sequence = \(other)",
            "UPDATE \(table) SET sequence = \(other) WHERE sequence = -1",
        ]
    }
}
