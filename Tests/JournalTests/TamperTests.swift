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

    /// Every thirteenth row of a journal that is longer than a block; the benchmark does it with each of 10,000.
    @Test func everyDeletionSwapAndCutIsNamed() async throws {
        let journal = try await SignedJournal.make(entries: 260, signedAt: [100])
        for number in stride(from: Int64(1), through: 260, by: 13) {
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
        #expect(report.findings.first?.entries == 1...300, "\(report.findings)")
        #expect(report.findings.first?.message.contains("differs at 1 to 256") == true)
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

    /// Entries that vanish from lists are still there for whoever reads them in order.
    @Test func indexesAndTablesThatSomebodyChangedAreFound() async throws {
        let journal = try await SignedJournal.make(entries: 20)
        let index = "CREATE INDEX entries_reason ON entries (reason)"
        try journal.tamper("DROP INDEX entries_reason", index + " WHERE sequence <> 9")
        #expect(try await journal.verify().findings.map(\.kind) == [.damaged])
        try journal.tamper("DROP INDEX entries_reason", index)
        #expect(try await journal.verify().isIntact)
        try journal.tamper("INSERT INTO entries_text (entries_text) VALUES ('delete-all')")
        #expect(try await journal.verify().findings.first?.message.contains("the text index differs") == true)
        try journal.tamper("INSERT INTO entries_text (entries_text) VALUES ('rebuild')")
        #expect(try await journal.verify().isIntact)
        try journal.tamper("CREATE TRIGGER extra AFTER INSERT ON entries BEGIN SELECT 1; END")
        #expect(try await journal.verify().findings.first?.message.contains("extra") == true)
    }

    @Test func anEmptiedJournalProvesNothing() async throws {
        let journal = try await SignedJournal.make(entries: 20)
        try journal.tamper("DELETE FROM entries", "DELETE FROM checkpoints")
        let keyed = VerificationRequest(keys: [.bare(journal.key.publicKey)])
        #expect(try await journal.verify(keyed).findings.map(\.kind) == [.unsigned, .damaged])
        #expect(try await journal.verify().findings.first?.kind == .truncated)
    }

    @Test func anOldTailThatNothingCoversIsTold() async throws {
        let journal = try await SignedJournal.make(entries: 300, signedAt: [40])
        try journal.tamper("DELETE FROM checkpoints WHERE size > 40")
        var request = VerificationRequest(keys: [.bare(journal.key.publicKey)], now: Sample.moment(400))
        #expect(try await journal.verify(request).isIntact, "a checkpoint may be on its way")
        request.now = Sample.moment(100_000)
        let report = try await journal.verify(request)
        #expect(report.findings.map(\.kind) == [.unsigned])
        #expect(report.findings.first?.entries == 41...300)
    }

    @Test func numbersBeyondAnyJournalDoNotTrap() async throws {
        let journal = try await SignedJournal.make(entries: 20)
        let columns = "\(SignedJournal.columns.joined(separator: ", ")), leaf_hash"
        let report = try await journal.afterTampering(
            "INSERT INTO entries (sequence, \(columns)) SELECT \(Int64.max), \(columns) FROM entries WHERE sequence = 3",
            "UPDATE entries SET duration_microseconds = \(Int64.max) WHERE sequence = 5")
        #expect(report.findings.first?.kind == .inserted)
        let blocks = try await journal.afterTampering("INSERT INTO tree_blocks VALUES (\(Int64.max), x'00')")
        #expect(blocks.findings.map(\.kind) == [.damaged], "\(blocks.findings)")
    }

    /// The program itself refuses to go on, so that it never signs what contradicts an earlier signature.
    @Test func aJournalThatWasCutOffOrChangedIsNotOpened() async throws {
        let journal = try await SignedJournal.make(entries: 300, signedAt: [290])
        var configuration = Sample.configuration(journal.path)
        configuration.signingKey = journal.key
        func refusal() async throws -> String {
            let error = await #expect(throws: JournalError.self) {
                await (try await SQLiteJournal.open(configuration)).close()
            }
            return error?.message ?? ""
        }
        await (try await SQLiteJournal.open(configuration)).close()
        try journal.tamper("UPDATE entries SET message = 'x' WHERE sequence = 12", "DELETE FROM checkpoints")
        #expect(try await refusal().contains("entry 12 is not what was written"))
        let cut = try await SignedJournal.make(entries: 30)
        configuration.path = cut.path
        configuration.signingKey = cut.key
        try cut.tamper("DELETE FROM entries WHERE sequence > 25")
        #expect(try await refusal().contains("entries 26 to 30 were signed and are gone"))
    }

    @Test func entriesThatVanishBeneathTheWriterStopIt() async throws {
        let scratch = try await ScratchJournal.open()
        for number in 1...5 { _ = try await scratch.journal.record(Sample.numbered(number), owned: .unchanged) }
        let intruder = try Connection(path: scratch.path, mode: .readWrite)
        try intruder.executeScript("DROP TRIGGER entries_never_go; DELETE FROM entries WHERE sequence > 3")
        let failure = await #expect(throws: JournalError.self) {
            try await scratch.journal.record(Sample.numbered(6), owned: .unchanged)
        }
        #expect(failure?.message.contains("entries 4 to 5 were written and are gone") == true)
        await scratch.journal.close()
    }

    @Test func aPlantedCheckpointIsNeverGivenOut() async throws {
        let scratch = try await ScratchJournal.open { $0.signingKey = try? .generate() }
        _ = try await scratch.journal.record(Sample.numbered(1), owned: .unchanged)
        let honest = try await scratch.journal.checkpoint(at: Sample.start)
        _ = try await scratch.journal.record(Sample.numbered(2), owned: .unchanged)
        let intruder = try Connection(path: scratch.path, mode: .readWrite)
        try intruder.execute(
            "INSERT INTO checkpoints (size, time, note) VALUES (2, '', ?)", [.text(honest.note.description)])
        let next = try await scratch.journal.checkpoint(at: Sample.start)
        #expect(next.checkpoint.size == 2)
        #expect(try await scratch.journal.begins(with: honest.checkpoint))
        #expect(try await scratch.journal.begins(with: next.checkpoint))
        var forged = next.checkpoint
        forged.root = honest.checkpoint.root
        #expect(try await !scratch.journal.begins(with: forged))
        forged.size = 3
        #expect(try await !scratch.journal.begins(with: forged))
        await scratch.journal.close()
    }

    // MARK: Helpers

    private static let trigger = """
        CREATE TRIGGER entries_never_change BEFORE UPDATE ON entries BEGIN
            SELECT RAISE(ABORT, 'entries of the journal are never changed');
        END
        """

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
        try connection.executeScript("DROP TRIGGER entries_never_change; DROP TABLE IF EXISTS kept")
        defer { try? connection.executeScript(Self.trigger) }
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
        try connection.executeScript("DROP TRIGGER entries_never_change")
        defer { try? connection.executeScript(Self.trigger) }
        try connection.executeScript(
            "UPDATE entries SET \(column) = (SELECT value FROM kept) WHERE sequence = \(number)")
    }
}
