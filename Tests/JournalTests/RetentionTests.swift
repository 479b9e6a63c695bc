import Foundation
import Journal
import Manifest
import Reconciler
import SQLite
import Signatures
import TestSupport
import Testing
import TransparencyLog

/// Old entries go, and what is left is proven as before.
@Suite struct RetentionTests {
    private static let day: Int64 = 86_400
    private static let commits = ["a", "b"].map { String(repeating: $0, count: 40) }
    private let scope = JournalReader.Scope(instance: "default", cluster: "production")

    /// One entry a day: five roles that change all the time, and once a role that nobody touches again.
    private static func entry(_ number: Int) -> EntryDraft {
        let seconds = Int64(number) * day
        var revision = Sample.revision
        revision.commit = commits[number < 300 ? 0 : 1]
        switch number {
        case 3: return Sample.correction(Sample.role("old-and-in-force"), at: seconds)
        case 4, 6:
            var draft = Sample.correction(Sample.role(number == 4 ? "deleted-early" : "busy-1"), at: seconds)
            (draft.action, draft.uid) = (.create, "made on day \(number)")
            return draft
        case 5:
            var draft = Sample.correction(Sample.role("deleted-early"), at: seconds)
            (draft.action, draft.after) = (.delete, nil)
            return draft
        // Made, handed over and taken over again.
        case 7, 8, 9:
            var draft = Sample.correction(Sample.role("busy-2"), at: seconds)
            draft.uid = "handed over"
            draft.action = [7: .create, 8: .update, 9: .adopt][number]
            if number == 8 { draft.reason = .uninstalled }
            return draft
        case 10, 300:
            return EntryDraft(
                at: Sample.moment(seconds), kind: .event, reason: .revisionAccepted, outcome: .succeeded,
                revision: revision, message: "accepted")
        case 11:
            return EntryDraft(
                at: Sample.moment(seconds), kind: .event, reason: .actorIdentified, outcome: .succeeded,
                actor: Actor(name: "eve", operation: "patch", time: nil, certainty: .proven), refersTo: 3,
                message: "eve did it")
        default:
            var draft = Sample.correction(Sample.role("busy-\(number % 5)"), at: seconds)
            draft.after?.set(["metadata", "resourceVersion"], to: .string(String(number)))
            draft.message = "correction \(number)"
            return draft
        }
    }

    private struct Made {
        var journal: SQLiteJournal
        var path: String
        var key: Ed25519PrivateKey
        var early: SignedCheckpoint
        var folder: ScratchDirectory

        var request: VerificationRequest {
            VerificationRequest(keys: [.bare(key.publicKey)], checkpoints: [early])
        }

        func verify() async throws -> VerificationReport { try await JournalVerifier.verify(path, request) }
    }

    /// 700 entries, one of them an incident that is open, and a checkpoint over the first 100 that was kept elsewhere.
    private func made() async throws -> Made {
        let folder = try ScratchDirectory()
        let key = try Ed25519PrivateKey.generate()
        var configuration = Sample.configuration(folder.path + "/journal.db")
        configuration.signingKey = key
        let journal = try await SQLiteJournal.open(configuration)
        try await journal.introduceKey(at: Sample.start)
        var early: SignedCheckpoint?
        for number in 2...700 {
            if number == 20 {
                _ = try await journal.raise(
                    Sample.incident(.fetchFailed, nil, "no answer", at: 20 * Self.day))
            } else {
                _ = try await journal.record(Self.entry(number), owned: .unchanged)
            }
            if number == 100 { early = try await journal.checkpoint(at: Sample.moment(100 * Self.day)) }
        }
        return Made(
            journal: journal, path: configuration.path, key: key, early: try #require(early), folder: folder)
    }

    private func policy(_ days: Int64) -> RetentionPolicy { RetentionPolicy(maximumAge: .seconds(days * Self.day)) }
    private let now = Sample.moment(700 * Self.day)

    @Test func whatNothingDependsOnGoes() async throws {
        let made = try await made()
        let before = try await state(of: made, at: 600)
        let report = try #require(
            try await made.journal.removeOldEntries(policy(100), at: now, minimumCount: 1))
        #expect(report.through == 512)
        #expect(report.entry == 701)
        // The key, the role in force and who made it, that two of the five were made or taken over, the open incident, the revision in
        // force, the five roles.
        let left = try await ScratchJournal.entries(made.path).map(\.sequence)
        #expect(left == [1, 3, 6, 9, 11, 20, 300, 508, 509, 510, 511, 512] + Array(513...701))
        #expect(report.removedCount == 500)
        #expect(report.keptCount == 12)
        #expect(
            try await made.journal.madeObjects() == MadeObjects(made: ["made on day 6"], takenOver: ["handed over"]))
        #expect(try await made.journal.removeOldEntries(policy(100), at: now, minimumCount: 1) == nil)
        let whole = try await made.verify()
        #expect(whole.isIntact, "\(whole.findings)")
        #expect(whole.provenThrough == 701)
        #expect(whole.removedThrough == 512)
        #expect(whole.keptCount == 12)
        #expect(try await state(of: made, at: 600) == before)
        await made.journal.close()
    }

    private func state(of made: Made, at day: Int64) async throws -> PastState? {
        let reader = try await JournalReader.open(made.path)
        let state = try await reader.state(at: .time(Sample.moment(day * Self.day)), scope)
        await reader.close()
        return state
    }

    @Test func anEarlierMomentIsToldToBeGone() async throws {
        let made = try await made()
        let atTheCut = try await state(of: made, at: 512)
        _ = try await made.journal.removeOldEntries(policy(100), at: now, minimumCount: 1)
        #expect(try await state(of: made, at: 512) == atTheCut)
        let failure = await #expect(throws: JournalError.self) { _ = try await state(of: made, at: 511) }
        #expect(failure?.message.contains("retention has removed what was before") == true)
        let reader = try await JournalReader.open(made.path)
        // That of days 10 to 299 is not told to be unknown, and the one in force is known.
        let early = await #expect(throws: JournalError.self) {
            _ = try await reader.state(at: .revision(String(Self.commits[0].prefix(12))), scope)
        }
        #expect(early?.message.contains("retention has removed what was before") == true)
        #expect(try await reader.state(at: .revision(Self.commits[1]), scope)?.throughSequence == 701)
        let unproven = await #expect(throws: JournalError.self) { _ = try await reader.proof(of: 200) }
        #expect(unproven?.message.contains("retention has removed") == true)
        // What was kept is proven as ever.
        for sequence: Int64 in [3, 300, 511, 513, 701] {
            try await reader.proof(of: sequence).verify(with: [.bare(made.key.publicKey)])
        }
        #expect(try await reader.removedThrough() == 512)
        #expect(try await reader.outcomeCounts(JournalQuery()).values.reduce(0, +) == 201)
        await reader.close()
        await made.journal.close()
    }

    @Test func theJournalGoesOnAndIsCutAgain() async throws {
        let made = try await made()
        _ = try await made.journal.removeOldEntries(policy(400), at: now, minimumCount: 1)
        await made.journal.close()
        var configuration = Sample.configuration(made.path)
        configuration.signingKey = made.key
        let journal = try await SQLiteJournal.open(configuration)
        for number in 701...800 { _ = try await journal.record(Self.entry(number), owned: .unchanged) }
        let report = try #require(
            try await journal.removeOldEntries(policy(100), at: Sample.moment(800 * Self.day), minimumCount: 1))
        // 300 to 700 lie in between, and entry 701 tells of the first cut.
        #expect(report.through == 512)
        let whole = try await made.verify()
        #expect(whole.isIntact, "\(whole.findings)")
        #expect(whole.provenThrough == 802)
        await journal.close()
    }

    @Test func tooFewAndTooYoungEntriesStay() async throws {
        let made = try await made()
        #expect(try await made.journal.removeOldEntries(policy(100), at: now, minimumCount: 600) == nil)
        #expect(try await made.journal.removeOldEntries(policy(600), at: now, minimumCount: 1) == nil)
        // By size as well, what is younger than thirty days stays: all of it where the clock says day 20.
        let small = RetentionPolicy(maximumBytes: 1)
        #expect(
            try await made.journal.removeOldEntries(small, at: Sample.moment(20 * Self.day), minimumCount: 1) == nil)
        #expect(try await made.journal.removeOldEntries(small, at: now, minimumCount: 1)?.through == 512)
        await made.journal.close()
    }

    @Test func withoutAKeyNothingGoes() async throws {
        let scratch = try await ScratchJournal.open()
        let failure = await #expect(throws: JournalError.self) {
            _ = try await scratch.journal.removeOldEntries(policy(1), at: now, minimumCount: 1)
        }
        #expect(failure?.message.contains("without a key") == true)
    }

    @Test func aChangedEntryIsNotLetGo() async throws {
        let made = try await made()
        let intruder = try Connection(path: made.path, mode: .readWrite)
        try intruder.executeScript(
            "DROP TRIGGER entries_never_change; UPDATE entries SET message = 'nothing' WHERE sequence = 200")
        let failure = await #expect(throws: JournalError.self) {
            _ = try await made.journal.removeOldEntries(policy(100), at: now, minimumCount: 1)
        }
        #expect(failure?.message.contains("entry 200 is not what was written") == true)
        #expect(try await ScratchJournal.entries(made.path).count == 700)
        await made.journal.close()
    }

    @Test func anExportOfWhatIsLeftIsVerified() async throws {
        let made = try await made()
        _ = try await made.journal.removeOldEntries(policy(100), at: now, minimumCount: 1)
        await made.journal.close()
        let reader = try await JournalReader.open(made.path)
        let (end, last, cut) = try await reader.exportEnd()
        var lines: [String] = []
        var after: Int64 = 0
        while let page = try await reader.exportPage(after: after, through: last, cut: cut) {
            lines += page.lines.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
            after = page.last
        }
        await reader.close()
        lines += String(decoding: end, as: UTF8.self).split(separator: "\n").map(String.init)
        let path = made.folder.path + "/export.jsonl"
        func findings(_ change: (inout [String]) -> Void = { _ in }) throws -> [TamperFinding] {
            var changed = lines
            change(&changed)
            try changed.map { $0 + "\n" }.joined().write(toFile: path, atomically: true, encoding: .utf8)
            let report = try JournalVerifier.verifyExport(path, made.request)
            #expect(report.isIntact != (report.provenThrough < 701) || !report.isIntact)
            return report.findings
        }
        #expect(try findings() == [])
        // The first lines: the cut, the hashes of block 0, and the entries that were kept of it.
        #expect(try findings { $0.remove(at: 0) }.first?.kind == .removed)
        #expect(try findings { $0.remove(at: 1) }.first?.kind == .damaged)
        let kept = try findings { $0.remove(at: 3) }
        #expect(kept.first?.kind == .removed)
        #expect(kept.first?.entries == 3...3)
        #expect(try findings { $0[3] = $0[3].replacing("team-a", with: "team-b") }.first?.entries == 3...3)
        #expect(try findings { $0[1] = $0[1].replacing("\"block\":0", with: "\"block\":1") }.isEmpty == false)
        #expect(try findings { $0.removeLast(60) }.isEmpty == false)
    }

    @Test(arguments: [
        "DELETE FROM entries WHERE sequence = 3",
        "DELETE FROM entries WHERE sequence = 512",
        "DELETE FROM entries WHERE sequence = 513",
        "UPDATE entries SET message = 'x' WHERE sequence = 300",
        "UPDATE entries SET sequence = 12 WHERE sequence = 11",
        "UPDATE cut SET through = 0, entry = 0, kept = 0",
        "UPDATE cut SET through = 256",
        "UPDATE cut SET kept = 9",
        "UPDATE cut SET entry = 700",
        "UPDATE cut SET through = 768; DELETE FROM entries WHERE sequence > 512 AND sequence < 600",
        "DELETE FROM cut",
        "DELETE FROM cut_blocks WHERE block = 1",
        "UPDATE cut_blocks SET leaves = zeroblob(8192) WHERE block = 0",
        "UPDATE cut_blocks SET leaves = x'00' WHERE block = 0",
        "DELETE FROM tree_blocks WHERE block = 0",
        "UPDATE entries SET after = replace(after, '[1,', '[1,2,') WHERE sequence = 701",
    ])
    func whatIsDoneToACutJournalIsFound(statement: String) async throws {
        let made = try await made()
        _ = try await made.journal.removeOldEntries(policy(100), at: now, minimumCount: 1)
        await made.journal.close()
        let connection = try Connection(path: made.path, mode: .readWrite)
        for trigger in ["entries_never_go", "entries_never_change", "entries_are_never_replaced"] {
            try connection.executeScript("DROP TRIGGER \(trigger)")
        }
        let untouched = try await made.verify()
        #expect(untouched.findings.map(\.kind) == [.damaged], "the triggers alone")
        try connection.executeScript(statement)
        let report = try await made.verify()
        #expect(report.findings.count > 1, "\(report.findings)")
    }

    /// Who can write the file and has no key makes up a cut.
    @Test(arguments: [false, true]) func aCutThatNobodySignedIsARemoval(isCovered: Bool) async throws {
        let made = try await made()
        _ = try await made.journal.checkpoint(at: now)
        let content: Tree = ["kept": [], "note": "", "through": 256, "time": .string(Sample.start.description)]
        _ = try await made.journal.record(
            EntryDraft(
                at: now, kind: .event, reason: .journalCut, outcome: .succeeded, after: content, message: "retention"),
            owned: .unchanged)
        if isCovered { _ = try await made.journal.checkpoint(at: now) }
        await made.journal.close()
        let connection = try Connection(path: made.path, mode: .readWrite)
        let leaves = try connection.rows("SELECT leaf_hash FROM entries WHERE sequence <= 256 ORDER BY sequence") {
            (row) throws(DatabaseError) in try row.blob(0)
        }
        try connection.executeScript("PRAGMA foreign_keys = 0; UPDATE cut SET through = 256, entry = 701, kept = 0")
        try connection.execute(
            "INSERT INTO cut_blocks (block, leaves) VALUES (0, ?)", [.blob(leaves.flatMap { $0 })])
        try connection.executeScript("DELETE FROM entries WHERE sequence <= 256")
        let report = try await made.verify()
        #expect(report.findings.first?.kind == .removed)
        #expect(report.findings.first?.entries == 1...256)
        // Nor is it signed for afterwards.
        var configuration = Sample.configuration(made.path)
        configuration.signingKey = made.key
        let refused = await #expect(throws: JournalError.self) { _ = try await SQLiteJournal.open(configuration) }
        #expect(refused?.message.contains("nobody has signed for that") == true)
    }

    /// Who changes what an earlier step kept must not get it removed by the next one.
    @Test func whatWasKeptIsLookedAtAgain() async throws {
        let made = try await made()
        _ = try await made.journal.removeOldEntries(policy(400), at: now, minimumCount: 1)
        let intruder = try Connection(path: made.path, mode: .readWrite)
        try intruder.executeScript(
            "DROP TRIGGER entries_never_change; UPDATE entries SET kind = 'event' WHERE sequence = 3")
        let failure = await #expect(throws: JournalError.self) {
            _ = try await made.journal.removeOldEntries(policy(100), at: now, minimumCount: 1)
        }
        #expect(failure?.message.contains("entry 3 is not what was written") == true)
        await made.journal.close()
    }

    /// Of the first entries nearly all stay: it has to look further.
    @Test func aClusterOfManyObjectsIsCutAsWell() async throws {
        let folder = try ScratchDirectory()
        var configuration = Sample.configuration(folder.path + "/journal.db")
        configuration.signingKey = try .generate()
        let journal = try await SQLiteJournal.open(configuration)
        // Sixty-four at a time, so that they are out of order by less than an eighth of the age.
        for first in stride(from: 0, to: 6400, by: 64) {
            try await withThrowingTaskGroup { group in
                for number in first..<first + 64 {
                    group.addTask {
                        let name = number < 4200 ? "role-\(number)" : "busy"
                        let correction = Sample.correction(Sample.role(name), at: Int64(number) * 3600)
                        _ = try await journal.record(correction, owned: .unchanged)
                    }
                }
                try await group.waitForAll()
            }
        }
        _ = try await journal.checkpoint(at: now)
        let report = try await journal.removeOldEntries(policy(22), at: now, minimumCount: 1024)
        #expect(report.map { $0.removedCount >= 1024 } == true)
        await journal.close()
        let whole = try await JournalVerifier.verify(configuration.path, VerificationRequest())
        #expect(whole.findings.allSatisfy { $0.kind == .unsigned || $0.kind == .removed })
    }

    /// A row that no cut can have does not end the process.
    @Test(arguments: [Int64.max, -256, 1 << 62, 100]) func anImpossibleCutIsRefused(through: Int64) async throws {
        let made = try await made()
        await made.journal.close()
        let connection = try Connection(path: made.path, mode: .readWrite)
        try connection.execute("UPDATE cut SET through = ?, entry = 1, kept = 0", [.integer(through)])
        var configuration = Sample.configuration(made.path)
        configuration.signingKey = made.key
        await #expect(throws: JournalError.self) { _ = try await SQLiteJournal.open(configuration) }
        #expect(try await made.verify().isIntact == false)
    }
}
