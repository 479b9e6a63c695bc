import Foundation
import Journal
import Manifest
import Reconciler
import SQLite
import Signatures
import TestSupport
import Testing
import TransparencyLog

/// Whoever has the volume changes the file, and verification says where.
@Suite struct TamperTests {
    @Test func anUntouchedJournalIsProven() async throws {
        let journal = try await SignedJournal.make(entries: 300, signedAt: [1, 255, 256, 257, 299])
        let report = try await journal.verify()
        #expect(report.isIntact, "\(report.findings)")
        #expect(report.provenThrough == 300)
        #expect(report.checkpointCount == 7)
        #expect(report.keys.map(\.publicKey) == [journal.key.publicKey])
        #expect(!report.areKeysItsOwn)
        #expect(try await journal.verify(VerificationRequest()).areKeysItsOwn)
    }

    /// Exhaustive over the rows of a journal that is longer than a block; the benchmark does it with 10,000.
    @Test func everyDeletionSwapAndCutIsNamed() async throws {
        let journal = try await SignedJournal.make(entries: 260, signedAt: [100])
        for number in stride(from: Int64(1), through: 260, by: 3) {
            let removed = try await journal.afterTampering("DELETE FROM entries WHERE sequence = \(number)")
            let expected: TamperFinding.Kind = number == 260 ? .truncated : .removed
            #expect(removed.findings.first?.kind == expected, "\(number): \(removed.findings)")
            #expect(removed.findings.first?.entries == number...number)

            let other = number % 260 + 1
            let swapped = try await journal.afterTampering(
                "UPDATE entries SET sequence = -1 WHERE sequence = \(number)",
                "UPDATE entries SET sequence = \(number) WHERE sequence = \(other)",
                "UPDATE entries SET sequence = \(other) WHERE sequence = -1")
            #expect(swapped.findings.first?.kind == .reordered, "\(number): \(swapped.findings)")
            #expect(swapped.findings.first?.entries?.lowerBound == min(number, other))

            let cut = try await journal.afterTampering("DELETE FROM entries WHERE sequence > \(number - 1)")
            #expect(cut.findings.contains { $0.kind == .truncated && $0.entries == number...260 }, "\(cut.findings)")
        }
    }

    /// A bit of each column in turn, in rows all over the journal.
    @Test func everyFlippedBitIsNamed() async throws {
        let journal = try await SignedJournal.make(entries: 260)
        var random = SplitMix64(seed: 7)
        for column in SignedJournal.columns {
            let number = Int64.random(in: 1...260, using: &random)
            guard try flip(column, of: number, in: journal.path, using: &random) else { continue }
            let report = try await journal.verify()
            #expect(report.findings.first?.kind == .changed, "\(column) of \(number): \(report.findings)")
            #expect(report.findings.first?.entries == number...number, "\(column)")
            try flipBack(column, of: number, in: journal.path)
        }
        #expect(try await journal.verify().isIntact)
    }

    @Test func contentThatIsMovedAloneIsNamed() async throws {
        let journal = try await SignedJournal.make(entries: 20)
        let columns = SignedJournal.columns
        let report = try await journal.afterTampering(
            "UPDATE entries SET (\(columns.joined(separator: ", "))) = "
                + "(SELECT \(columns.joined(separator: ", ")) FROM entries WHERE sequence = 9) WHERE sequence = 5")
        #expect(report.findings.first?.kind == .reordered)
        #expect(report.findings.first?.entries == 5...5)
        #expect(report.findings.first?.message.contains("written as 9") == true)
    }

    @Test func anInsertedEntryIsNamed() async throws {
        let journal = try await SignedJournal.make(entries: 20)
        let columns = "\(SignedJournal.columns.joined(separator: ", ")), leaf_hash"
        let report = try await journal.afterTampering(
            "UPDATE entries SET sequence = -sequence - 1 WHERE sequence >= 8",
            "UPDATE entries SET sequence = -sequence WHERE sequence < 0",
            "INSERT INTO entries (sequence, \(columns)) SELECT 8, \(columns) FROM entries WHERE sequence = 3")
        #expect(report.findings.first?.entries == 8...8, "\(report.findings)")
        let behind = try await journal.afterTampering(
            "INSERT INTO entries (sequence, \(columns)) SELECT 0, \(columns) FROM entries WHERE sequence = 3")
        #expect(behind.findings.first?.kind == .inserted)
        let removed = try await journal.afterTampering(
            "DELETE FROM entries WHERE sequence = 8", "UPDATE entries SET sequence = -sequence WHERE sequence > 8",
            "UPDATE entries SET sequence = -sequence - 1 WHERE sequence < 0")
        #expect(removed.findings.first?.kind == .removed)
        #expect(removed.findings.first?.entries == 8...8)
    }

    /// Whoever knows the format writes fitting hashes: then the checkpoints tell, and between which two it was.
    @Test func aRewrittenHistoryDoesNotFitItsCheckpoints() async throws {
        let journal = try await SignedJournal.make(entries: 600, signedAt: [100, 300])
        let forged = try await rewritten(entries: 600, at: nil)
        try journal.replaceHistory(by: forged.path)
        // The same entries have the same hashes, whoever wrote them.
        #expect(try await journal.verify().isIntact)

        let other = try await rewritten(entries: 600, at: 250)
        try journal.replaceHistory(by: other.path)
        let report = try await journal.verify()
        #expect(report.findings.first?.kind == .rewritten)
        #expect(report.findings.first?.entries == 101...300, "\(report.findings)")
        #expect(report.provenThrough == 100)
        // With the checkpoints gone from the file too, the one that was kept elsewhere still tells.
        try journal.tamper("DELETE FROM checkpoints")
        let without = try await journal.verify()
        #expect(without.findings.first?.kind == .rewritten)
        #expect(without.findings.first?.entries == 1...600)
    }

    @Test func aRewrittenHashIsFoundInItsBlock() async throws {
        let journal = try await SignedJournal.make(entries: 300)
        let other = try await rewritten(entries: 300, at: 42)
        try journal.replaceHistory(by: other.path, entries: "sequence = 42", blocks: "0")
        let report = try await journal.verify()
        #expect(report.findings.first?.kind == .rewritten)
        #expect(report.findings.first?.entries == 1...256, "\(report.findings)")
    }

    @Test func aCheckpointOfAnotherJournalOrAnotherKeyIsRefused() async throws {
        let journal = try await SignedJournal.make(entries: 5)
        let other = try await SignedJournal.make(entries: 5)
        let foreign = try await journal.verify(
            VerificationRequest(keys: [.bare(journal.key.publicKey)], checkpoints: [other.checkpoint]))
        #expect(foreign.findings.map(\.kind) == [.badCheckpoint])
        let unknown = try await journal.verify(VerificationRequest(keys: [.bare(other.key.publicKey)]))
        #expect(unknown.findings.map(\.kind) == [.unsigned])
        #expect(unknown.unknownCheckpointCount == 1)
        try journal.tamper(
            "UPDATE checkpoints SET note = replace(note, char(10) || '5' || char(10), char(10) || '4' || char(10))")
        let changed = try await journal.verify(VerificationRequest(keys: [.bare(journal.key.publicKey)]))
        #expect(changed.findings.first?.kind == .badCheckpoint, "\(changed.findings)")
    }

    @Test func aDamagedPageIsAFinding() async throws {
        let journal = try await SignedJournal.make(entries: 300)
        var content = try Data(contentsOf: URL(fileURLWithPath: journal.path))
        let place = try #require(content.range(of: Data("fought 202 ".utf8)))
        let page = place.lowerBound / 4096 * 4096
        content.replaceSubrange(page..<(page + 4096), with: Data(repeating: 0xff, count: 4096))
        try content.write(to: URL(fileURLWithPath: journal.path))
        let report = try await journal.verify()
        #expect(report.findings.first?.kind == .damaged, "\(report.findings)")
    }

    // MARK: Helpers

    /// The same entries, but for one.
    private func rewritten(entries count: Int, at number: Int?) async throws -> ScratchJournal {
        let scratch = try await ScratchJournal.open()
        for each in 1...count {
            var draft = Sample.numbered(each)
            if each == number { draft.message = "nothing to see here" }
            _ = try await scratch.journal.record(draft, owned: .unchanged)
        }
        await scratch.journal.close()
        return scratch
    }

    /// Flips one bit of a column; false where it is NULL there.
    private func flip(
        _ column: String, of number: Int64, in path: String, using random: inout SplitMix64
    ) throws -> Bool {
        let connection = try Connection(path: path, mode: .readWrite)
        try connection.executeScript("DROP TRIGGER IF EXISTS entries_never_change")
        try connection.executeScript("DROP TABLE IF EXISTS kept")
        try connection.executeScript(
            "CREATE TABLE kept AS SELECT \(column) AS value FROM entries WHERE sequence = \(number)")
        if ["is_incident", "pull_request", "duration_microseconds"].contains(column) {
            let bit = Int64(1) << Int64.random(in: 0..<32, using: &random)
            try connection.execute(
                "UPDATE entries SET \(column) = (\(column) | ?1) - (\(column) & ?1) WHERE sequence = ?2",
                [.integer(bit), .integer(number)])
            return try connection.firstRow("SELECT value IS NOT NULL FROM kept") { (row) throws(DatabaseError) in
                try row.integer(0) == 1
            } ?? false
        }
        let bytes = try connection.firstRow("SELECT CAST(value AS BLOB) FROM kept WHERE value <> ''") {
            (row) throws(DatabaseError) in try row.blob(0)
        }
        guard var bytes, !bytes.isEmpty else { return false }
        bytes[Int.random(in: bytes.indices, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        try connection.execute(
            "UPDATE entries SET \(column) = CAST(? AS TEXT) WHERE sequence = ?", [.blob(bytes), .integer(number)])
        return true
    }

    private func flipBack(_ column: String, of number: Int64, in path: String) throws {
        let connection = try Connection(path: path, mode: .readWrite)
        try connection.executeScript(
            "UPDATE entries SET \(column) = (SELECT value FROM kept) WHERE sequence = \(number)")
    }
}
