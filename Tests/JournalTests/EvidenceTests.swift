import Foundation
import JSON
import Journal
import Manifest
import Reconciler
import SQLite
import Signatures
import TestSupport
import Testing
import TransparencyLog

/// What an auditor gets: checkpoints, proofs, exports.
@Suite struct EvidenceTests {
    /// The line of an export, without its hash, is the JSON that the program shows.
    @Test func theCanonicalTextIsTheEntryAsJSON() async throws {
        let journal = try await SignedJournal.make(entries: 12)
        let reader = try await JournalReader.open(journal.path)
        let page = try #require(try await reader.exportPage(after: 0, through: 12, cut: 0))
        #expect(page.last == 12)
        let lines = page.lines.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
        #expect(lines.count == 12)
        let hasher = try SHA256Hasher()
        for (index, line) in lines.enumerated() {
            let entry = try #require(try await reader.entry(sequence: Int64(index + 1)))
            let text = try entryTree(entry).jsonText()
            let leaf = try hasher.leaf(Array(text.utf8))
            #expect(line == text.dropLast() + ",\"leafHash\":\"\(leaf.base64Text)\"}")
        }
        await reader.close()
    }

    @Test func anEntryIsProvenWithoutTheJournal() async throws {
        let journal = try await SignedJournal.make(entries: 700)
        let reader = try await JournalReader.open(journal.path)
        for sequence: Int64 in [1, 2, 256, 257, 512, 513, 700] {
            let document = try await reader.proof(of: sequence).document()
            // Through a text and back, as somebody would send it.
            let proof = try EntryProof(try parseJSON(document.indentedJSON()))
            #expect(proof.sequence == sequence)
            #expect(proof.bundle.proof.count <= 10)
            try proof.verify(with: [.bare(journal.key.publicKey)])
            var forged = document
            forged.set(["entry", "message"], to: "nothing to see here")
            let forgedProof = try EntryProof(forged)
            #expect(throws: NoteFailure.self) { try forgedProof.verify(with: [.bare(journal.key.publicKey)]) }
        }
        let failure = await #expect(throws: JournalError.self) { try await reader.proof(of: 701) }
        #expect(failure?.message.contains("no entry 701") == true)
        await reader.close()
    }

    @Test func whatNoCheckpointCoversIsNotProvenYet() async throws {
        let scratch = try await ScratchJournal.open { $0.signingKey = try? .generate() }
        try await scratch.journal.introduceKey(at: Sample.start)
        _ = try await scratch.journal.checkpoint(at: Sample.start)
        _ = try await scratch.journal.record(Sample.numbered(2), owned: .unchanged)
        let reader = try await JournalReader.open(scratch.path)
        _ = try await reader.proof(of: 1)
        let failure = await #expect(throws: JournalError.self) { try await reader.proof(of: 2) }
        #expect(failure?.message.contains("no checkpoint covers entry 2 yet") == true)
        let report = try await JournalVerifier.verify(scratch.path, VerificationRequest())
        #expect(report.isIntact, "\(report.findings)")
        #expect(report.provenThrough == 1)
        await reader.close()
    }

    @Test func aReaderSignsBesideTheWriter() async throws {
        let key = try Ed25519PrivateKey.generate()
        let scratch = try await ScratchJournal.open { $0.signingKey = key }
        try await scratch.journal.introduceKey(at: Sample.start)
        for number in 1...300 { _ = try await scratch.journal.record(Sample.numbered(number), owned: .unchanged) }
        let reader = try await JournalReader.open(scratch.path)
        let signed = try await reader.signCheckpoint(with: key)
        #expect(signed == (try await scratch.journal.checkpoint(at: Sample.start)))
        await scratch.journal.close()
        let connection = try Connection(path: scratch.path, mode: .readWrite)
        try connection.executeScript("DROP TRIGGER entries_never_change")
        try connection.executeScript("UPDATE entries SET message = 'x' WHERE sequence = 300")
        // What a checkpoint covers is verified by it; what came since is looked at before it is signed.
        _ = try await reader.signCheckpoint(with: key)
        try connection.executeScript("DELETE FROM checkpoints")
        await #expect(throws: JournalError.self) { try await reader.signCheckpoint(with: key) }
        await reader.close()
    }

    /// Where SQLite undoes a write, the tree forgets it too.
    @Test func aFailedWriteLeavesTheTreeAsItWas() async throws {
        let scratch = try await ScratchJournal.open { $0.signingKey = try? .generate() }
        let journal = scratch.journal
        for number in 1...255 { _ = try await journal.record(Sample.numbered(number), owned: .unchanged) }
        let owned = OwnershipChange.owns(
            Sample.role("a"), OwnedObject(uid: "u", declarationDigest: "d", revision: "r"))
        let intruder = try Connection(path: scratch.path, mode: .readWrite)
        try intruder.executeScript(
            "CREATE TRIGGER refuse BEFORE INSERT ON owned BEGIN SELECT RAISE(ABORT, 'refused'); END")
        for _ in 1...3 {
            await #expect(throws: JournalError.self) { try await journal.record(Sample.numbered(7), owned: owned) }
        }
        // The one that completes the block is undone beside others that stand.
        await withTaskGroup { group in
            for number in 1...40 {
                group.addTask {
                    _ = try? await journal.record(
                        Sample.numbered(number), owned: number.isMultiple(of: 2) ? owned : .unchanged)
                }
            }
        }
        try intruder.executeScript("DROP TRIGGER refuse")
        #expect(try await journal.record(Sample.numbered(8), owned: owned) == 276)
        _ = try await journal.checkpoint(at: Sample.start)
        await journal.close()
        let report = try await JournalVerifier.verify(scratch.path, VerificationRequest())
        #expect(report.lastSequence == 276)
        #expect(report.findings.map(\.kind) == [.unsigned], "no key was introduced: \(report.findings)")
    }

    @Test func whatAnotherProgramWroteBehindUsStopsTheJournal() async throws {
        let scratch = try await ScratchJournal.open()
        _ = try await scratch.journal.record(Sample.numbered(1), owned: .unchanged)
        let intruder = try Connection(path: scratch.path, mode: .readWrite)
        let columns = "\(SignedJournal.columns.joined(separator: ", ")), leaf_hash"
        try intruder.executeScript(
            "INSERT INTO entries (\(columns)) SELECT \(columns) FROM entries WHERE sequence = 1")
        let failure = await #expect(throws: JournalError.self) {
            try await scratch.journal.record(Sample.numbered(2), owned: .unchanged)
        }
        #expect(failure?.message.contains("something else wrote entries behind entry 1") == true)
        await scratch.journal.close()
    }

    @Test func anotherKeyIsAnEntryAndOldOnesStayVerifiable() async throws {
        let folder = try ScratchDirectory()
        let keys = [try Ed25519PrivateKey.generate(), try Ed25519PrivateKey.generate()]
        var configuration = Sample.configuration(folder.path + "/journal.db")
        var checkpoints: [SignedCheckpoint] = []
        for (round, key) in keys.enumerated() {
            configuration.signingKey = key
            for _ in 1...2 {
                let journal = try await SQLiteJournal.open(configuration)
                try await journal.introduceKey(at: Sample.moment(Int64(round)))
                _ = try await journal.record(Sample.numbered(round), owned: .unchanged)
                checkpoints.append(try await journal.checkpoint(at: Sample.moment(Int64(round))))
                await journal.close()
            }
        }
        let entries = try await ScratchJournal.entries(configuration.path)
        #expect(entries.map(\.reason).filter { $0 == "SigningKeyChanged" }.count == 2)
        #expect(entries[3].message.contains("no longer with"))
        let both = VerificationRequest(keys: keys.map { .bare($0.publicKey) }, checkpoints: checkpoints)
        let report = try await JournalVerifier.verify(configuration.path, both)
        #expect(report.isIntact, "\(report.findings)")
        #expect(report.keys.count == 2)
        let old = try await JournalVerifier.verify(
            configuration.path, VerificationRequest(keys: [.bare(keys[0].publicKey)]))
        #expect(old.isIntact)
        #expect(old.provenThrough == 3)
        #expect(old.unknownCheckpointCount == 2)
    }

    @Test func anExportIsVerifiedAndItsChangesAreNamed() async throws {
        let journal = try await SignedJournal.make(entries: 520, signedAt: [200])
        let reader = try await JournalReader.open(journal.path)
        var lines: [String] = []
        var after: Int64 = 0
        while let page = try await reader.exportPage(after: after, through: 520, cut: 0) {
            lines += page.lines.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
            after = page.last
        }
        let end = String(decoding: try await reader.exportEnd().lines, as: UTF8.self)
        await reader.close()
        let path = journal.folder.path + "/export.jsonl"
        func verify(_ lines: [String], _ request: VerificationRequest? = nil) throws -> VerificationReport {
            try (lines.map { $0 + "\n" }.joined() + end).write(toFile: path, atomically: true, encoding: .utf8)
            return try JournalVerifier.verifyExport(path, request ?? journal.kept)
        }
        let whole = try verify(lines)
        #expect(whole.isIntact, "\(whole.findings)")
        #expect(whole.provenThrough == 520)
        #expect(whole.checkpointCount == 3)
        func first(_ change: (inout [String]) -> Void) throws -> TamperFinding? {
            var changed = lines
            change(&changed)
            return try verify(changed).findings.first
        }
        var finding = try first { $0[41] = $0[41].replacing("sequence", with: "sequenze") }
        #expect(finding?.kind == .changed)
        #expect(finding?.entries == 42...42)
        finding = try first { $0[300] = $0[300].replacing("production", with: "productien") }
        #expect(finding?.kind == .changed)
        #expect(finding?.entries == 301...301)
        finding = try first { $0.remove(at: 100) }
        #expect(finding?.kind == .removed)
        #expect(finding?.entries == 101...101)
        finding = try first { $0.insert($0[5], at: 50) }
        #expect(finding?.kind == .inserted)
        finding = try first { $0.swapAt(7, 9) }
        #expect(finding?.kind == .reordered)
        finding = try first { $0.removeLast(3) }
        #expect(finding?.kind == .truncated)
        #expect(finding?.entries == 518...520)
    }

    /// A journal of the version before the tree.
    @Test func anEarlierJournalGetsItsTree() async throws {
        let scratch = try await ScratchJournal.open()
        for number in 1...600 { _ = try await scratch.journal.record(Sample.numbered(number), owned: .unchanged) }
        await scratch.journal.close()
        let connection = try Connection(path: scratch.path, mode: .readWrite)
        try connection.executeScript(
            """
            DROP TRIGGER entries_never_go; DROP TRIGGER entries_are_never_replaced;
            CREATE TRIGGER entries_never_go BEFORE DELETE ON entries BEGIN SELECT RAISE(ABORT, 'never'); END;
            CREATE TRIGGER entries_are_never_replaced BEFORE INSERT ON entries
                WHEN EXISTS (SELECT 1 FROM entries WHERE sequence = NEW.sequence)
            BEGIN SELECT RAISE(ABORT, 'never'); END;
            """)
        for table in ["tree_blocks", "checkpoints", "checkpoint_keys", "identity", "entries_text", "cut", "cut_blocks"]
        {
            try connection.executeScript("DROP TABLE \(table)")
        }
        try connection.executeScript("DROP INDEX entries_reference")
        for column in ["leaf_hash", "refers_to", "actor_details"] {
            try connection.executeScript("ALTER TABLE entries DROP COLUMN \(column)")
        }
        try connection.executeScript("PRAGMA user_version = 1")
        var configuration = Sample.configuration(scratch.path)
        configuration.signingKey = try .generate()
        let journal = try await SQLiteJournal.open(configuration)
        try await journal.introduceKey(at: Sample.start)
        _ = try await journal.checkpoint(at: Sample.start)
        await journal.close()
        let report = try await JournalVerifier.verify(scratch.path, VerificationRequest())
        #expect(report.isIntact, "\(report.findings)")
        #expect(report.provenThrough == 601)
        let reader = try await JournalReader.open(scratch.path)
        var query = JournalQuery()
        query.text = TextSearch("fought 598")
        #expect(try await reader.entries(query).map(\.sequence) == [598])
        await reader.close()
        #expect(throws: DatabaseError.self) { try connection.executeScript("UPDATE entries SET message = 'x'") }
    }

    @Test func aKeyIsMadeOnceAndOnlyItsOwnerReadsIt() throws {
        let folder = try ScratchDirectory()
        let path = folder.path + "/journal.key"
        #expect(throws: JournalError.self) { try SigningKeyFile.load(path, mayMake: false) }
        let made = try SigningKeyFile.load(path, mayMake: true)
        #expect(try SigningKeyFile.load(path, mayMake: false).publicKey == made.publicKey)
        let rights = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(rights == 0o600)
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
        let failure = #expect(throws: JournalError.self) { try SigningKeyFile.load(path, mayMake: true) }
        #expect(failure?.message.contains("everybody") == true)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        try Data("no key".utf8).write(to: URL(fileURLWithPath: path))
        #expect(throws: JournalError.self) { try SigningKeyFile.load(path, mayMake: true) }
    }
}
