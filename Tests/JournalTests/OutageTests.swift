import Foundation
import Journal
import Manifest
import Reconciler
import Signatures
import TestSupport
import Testing

/// A journal that cannot be written for a while, and what is true of it afterwards.
@Suite struct OutageTests {
    /// The disk fills up in the middle of a group: who was told that it stands finds it, and nobody else does.
    @Test func onlyWhatIsDurableIsAcknowledgedAtAFullDisk() async throws {
        let key = try Ed25519PrivateKey.generate()
        let scratch = try await ScratchJournal.open {
            $0.maximumBytes = 900 << 10
            $0.signingKey = key
        }
        let journal = scratch.journal
        try await journal.introduceKey(at: Sample.start)
        // Something that can be freed later.
        try await journal.remember(.status, String(repeating: "s", count: 200 << 10))
        let acknowledged = await withTaskGroup(of: [Int64].self) { group in
            for writer in 0..<16 {
                group.addTask {
                    var written: [Int64] = []
                    for index in 0..<400 {
                        do throws(JournalError) {
                            let role = Sample.role("r-\(writer)-\(index)")
                            written.append(try await journal.record(Sample.correction(role), owned: .unchanged))
                        } catch {
                            #expect(error.kind == .unwritable)
                            return written
                        }
                    }
                    return written
                }
            }
            return await group.reduce(into: []) { $0 += $1 }
        }
        #expect(try await scratch.entries().map(\.sequence) == [1] + acknowledged.sorted())
        let error = await #expect(throws: JournalError.self) { try await journal.expectWritable(bytes: 256 << 10) }
        #expect(error?.kind == .unwritable)
        #expect(error?.incident == .journalUnwritable)
        #expect(error?.message.contains("the disk is full") == true)

        try await journal.remember(.status, "small")
        try await journal.expectWritable(bytes: 64 << 10)
        let last = Int64(acknowledged.count) + 1
        for number in 1...10 {
            let sequence = try await journal.record(Sample.event("after \(number)"), owned: .unchanged)
            #expect(sequence == last + Int64(number), "the edge of the tree is where the table ends")
        }
        await journal.close()
        var configuration = Sample.configuration(scratch.path)
        configuration.signingKey = key
        let again = try await SQLiteJournal.open(configuration)
        #expect(try await again.record(Sample.event("later"), owned: .unchanged) == last + 11)
        _ = try await again.checkpoint(at: Sample.start)
        await again.close()
        let report = try await JournalVerifier.verify(scratch.path, VerificationRequest())
        #expect(report.findings.isEmpty, "\(report)")
        #expect(report.provenThrough == last + 11)
    }

    @Test func aFileThatIsGoneIsNotBegunAnew() async throws {
        let scratch = try await ScratchJournal.open()
        try await scratch.journal.record(Sample.event("one"), owned: .unchanged)
        try FileManager.default.moveItem(atPath: scratch.path, toPath: scratch.path + ".aside")
        for _ in 1...2 {
            let error = await #expect(throws: JournalError.self) {
                try await scratch.journal.begin(Sample.intent(Sample.role("r")))
            }
            #expect(error?.kind == .unwritable)
            await #expect(throws: JournalError.self) { try await scratch.journal.expectWritable(bytes: 1) }
            #expect(!exists(scratch.path))
        }
        try FileManager.default.moveItem(atPath: scratch.path + ".aside", toPath: scratch.path)
        try await scratch.journal.expectWritable(bytes: 1)
        _ = try await scratch.journal.begin(Sample.intent(Sample.role("r")))
        try await scratch.journal.record(Sample.event("two"), owned: .unchanged)
        #expect(try await scratch.entries().map(\.message) == ["one", "two"])
        #expect(try await scratch.journal.remembered(.status) == nil, "nothing is left of the probe")
    }

    @Test func aJournalThatAnotherWroteMeanwhileIsNotGoneOnWith() async throws {
        let scratch = try await ScratchJournal.open()
        try await scratch.journal.record(Sample.event("one"), owned: .unchanged)
        try FileManager.default.moveItem(atPath: scratch.path, toPath: scratch.path + ".aside")
        await #expect(throws: JournalError.self) { try await scratch.journal.expectWritable(bytes: 1) }
        try FileManager.default.moveItem(atPath: scratch.path + ".aside", toPath: scratch.path)
        let other = try await SQLiteJournal.open(Sample.configuration(scratch.path))
        try await other.record(Sample.event("of another"), owned: .unchanged)
        await other.close()
        for _ in 1...2 {
            let error = await #expect(throws: JournalError.self) { try await scratch.journal.expectWritable(bytes: 1) }
            #expect(error?.kind == .takenOver)
            #expect(error?.incident == .journalUnwritable)
        }
        // Whoever begins anew may.
        let again = try await SQLiteJournal.open(Sample.configuration(scratch.path))
        #expect(try await again.record(Sample.event("three"), owned: .unchanged) == 3)
        await again.close()
    }

    /// Somebody puts another file in its place: an older copy, another journal, something else.
    @Test(arguments: ["older", "other", "text"]) func whatTakesItsPlaceIsRefused(_ replacement: String) async throws {
        let scratch = try await ScratchJournal.open()
        try await scratch.journal.record(Sample.event("one"), owned: .unchanged)
        let reader = try await JournalReader.open(scratch.path)
        try await reader.backUp(to: scratch.path + ".older")
        await reader.close()
        try await scratch.journal.record(Sample.event("two"), owned: .unchanged)
        let other = try await SQLiteJournal.open(Sample.configuration(scratch.path + ".other"))
        await other.close()
        try Data("not a database".utf8).write(to: URL(fileURLWithPath: scratch.path + ".text"))

        for suffix in ["", "-wal", "-shm"] {
            try FileManager.default.moveItem(atPath: scratch.path + suffix, toPath: scratch.path + ".aside" + suffix)
        }
        let before = try bytes(of: scratch.path + "." + replacement)
        try before.write(to: URL(fileURLWithPath: scratch.path))
        for _ in 1...2 {
            let error = await #expect(throws: JournalError.self) {
                try await scratch.journal.expectWritable(bytes: 1)
            }
            let kinds: [String: JournalError.Kind] = ["older": .tampered, "other": .unwritable, "text": .damaged]
            #expect(error?.kind == kinds[replacement], "\(error?.message ?? "")")
            await #expect(throws: JournalError.self) {
                try await scratch.journal.record(Sample.event("lost"), owned: .unchanged)
            }
        }
        if replacement == "text" { #expect(try bytes(of: scratch.path) == before, "it is left as it is") }

        for suffix in ["-wal", "-shm"] where exists(scratch.path + suffix) {
            try FileManager.default.removeItem(atPath: scratch.path + suffix)
        }
        try FileManager.default.removeItem(atPath: scratch.path)
        for suffix in ["", "-wal", "-shm"] where exists(scratch.path + ".aside" + suffix) {
            try FileManager.default.moveItem(atPath: scratch.path + ".aside" + suffix, toPath: scratch.path + suffix)
        }
        try await scratch.journal.expectWritable(bytes: 1)
        #expect(try await scratch.journal.record(Sample.event("three"), owned: .unchanged) == 3)
        #expect(try await scratch.entries().map(\.message) == ["one", "two", "three"])
    }
}
