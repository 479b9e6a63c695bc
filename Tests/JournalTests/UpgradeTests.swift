import Foundation
import Journal
import Manifest
import Reconciler
import SQLite
import TestSupport
import Testing

/// Journals of earlier versions: what programs of that time wrote, in `Fixtures`, brought up to date.
@Suite struct UpgradeTests {
    private static let current = 3
    static let earlier = [1, 2]

    /// A journal of an earlier version in a folder of its own.
    private struct OldJournal {
        let folder: ScratchDirectory
        let version: Int
        var path: String { folder.path + "/journal.db" }
        var copy: String { "\(path).schema-\(version)" }

        init(_ version: Int) throws {
            self.version = version
            folder = try ScratchDirectory()
            let fixture = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
                .appendingPathComponent("Fixtures/schema-\(version).sql")
            try Self.make(folder.path + "/journal.db", try String(contentsOf: fixture, encoding: .utf8))
        }

        private static func make(_ path: String, _ script: String) throws {
            let connection = try Connection(path: path, mode: .readWrite)
            try connection.executeScript(script)
            try connection.executeScript("PRAGMA journal_mode = WAL")
        }

        /// Makes it larger, as its program would have, but for what it signs.
        func add(entries count: Int) throws {
            let connection = try Connection(path: path, mode: .readWrite)
            let columns = try connection.rows("SELECT name FROM pragma_table_info('entries')") {
                (row) throws(DatabaseError) in try row.text(0)
            }.filter { $0 != "sequence" }.joined(separator: ", ")
            for _ in 0..<count {
                try connection.execute(
                    "INSERT INTO entries (\(columns)) SELECT \(columns) FROM entries WHERE sequence = 3")
            }
        }

        func open(_ change: (inout JournalConfiguration) -> Void = { _ in }) async throws -> SQLiteJournal {
            var configuration = Sample.configuration(path)
            change(&configuration)
            return try await SQLiteJournal.open(configuration)
        }

        func verify() async throws -> VerificationReport {
            try await JournalVerifier.verify(path, VerificationRequest())
        }
    }

    /// All rows of the tables that every version has, as text.
    private static func content(_ path: String) throws -> [String] {
        let connection = try Connection(path: path, mode: .readWrite)
        let entries = """
            SELECT json_array(sequence, time, instance, cluster, kind, reason, is_incident, outcome, action, api_group,
                api_version, object_kind, namespace, name, uid, resource_version, revision, author, committer,
                pull_request, approver, actor, actor_operation, actor_time, actor_certainty, runbook, runbook_revision,
                duration_microseconds, audit_id, subject, trailers, message, patch, before, after) FROM entries
            """
        let queries = [
            entries, "SELECT json_array(id, instance, cluster) FROM instances",
            "SELECT json_array(id, instance_id, time, content) FROM intents",
            "SELECT json_array(instance_id, name, namespace, object_kind, uid, declaration_digest, revision) FROM owned",
            "SELECT json_array(id, instance_id, reason, name, sequence, time, message) FROM open_incidents",
            """
            SELECT json_array(instance_id, key, value) FROM memory WHERE key <> 'writer' AND key NOT GLOB 'upgrade-*'
            """,
        ]
        return try queries.flatMap { query in
            try connection.rows("SELECT * FROM (\(query)) ORDER BY 1") { (row) throws(DatabaseError) in try row.text(0)
            }
        }
    }

    private static func version(_ path: String) throws -> Int {
        try Connection(path: path, mode: .readWrite).schemaVersion()
    }

    // MARK: Forward

    @Test(arguments: earlier) func everythingIsKeptAndProven(_ version: Int) async throws {
        let old = try OldJournal(version)
        let before = try Self.content(old.path)
        #expect(before.count > 15)
        let journal = try await old.open()
        #expect(
            journal.upgrade == JournalUpgrade(from: version, to: Self.current, copy: .kept(path: old.copy)))
        #expect(try await journal.ownedObjects().count == 6)
        #expect(try await journal.unsettledIntents().map(\.intent.message) == ["cut short"])
        #expect(try await journal.openIncidents().map(\.reason) == [.driftFight])
        #expect(try await journal.remembered(.enforcedRevision) == Sample.revision.commit)
        let next = try await journal.record(Sample.event("after it", at: 20), owned: .unchanged)
        await journal.close()
        let entries = try await ScratchJournal.entries(old.path)
        #expect(entries.map(\.sequence) == Array(1...next))
        #expect(entries.last?.message == "after it")
        #expect(try Self.content(old.path).filter { !$0.contains("after it") } == before)
        let report = try await old.verify()
        #expect(report.lastSequence == next)
        #expect(report.findings.filter { $0.kind != .unsigned } == [], "\(report.findings)")
        // What was signed then proves the same entries now.
        #expect(report.checkpointCount == (version == 1 ? 0 : 2))
        #expect(report.provenThrough == (version == 1 ? 0 : 9))
        #expect(report.isIntact == (version > 1))
        // What is written from now on is found by its words, and so is what was there.
        let reader = try await JournalReader.open(old.path)
        var query = JournalQuery()
        query.text = TextSearch("correction 4")
        #expect(try await reader.entries(query).map(\.message) == ["correction 4"])
        await reader.close()
    }

    @Test(arguments: earlier) func theUpgradeHasItsEntryOnce(_ version: Int) async throws {
        let old = try OldJournal(version)
        for run in 1...3 {
            let journal = try await old.open()
            #expect((journal.upgrade != nil) == (run == 1))
            try await journal.recordUpgrade(at: Sample.moment(30))
            await journal.close()
        }
        let told = try await ScratchJournal.entries(old.path).filter { $0.reason == "JournalUpgraded" }
        #expect(
            told.map(\.message) == [
                "bylaw 0.1.0+test: the journal was brought from schema \(version) to schema 3; as it was it is kept in "
                    + "\(old.copy), for going back"
            ])
    }

    /// The process was killed after the upgrade and before its entry; whichever instance comes next makes it.
    @Test(arguments: earlier) func anUpgradeThatWasNotToldHasItsEntryFromTheNext(_ version: Int) async throws {
        let old = try OldJournal(version)
        let killed = try await old.open { $0.build = "0.2.0" }
        #expect(killed.upgrade != nil)
        await killed.close()
        for _ in 1...2 {
            let next = try await old.open {
                $0.build = "0.3.0"
                $0.instance = "another"
            }
            #expect(next.upgrade == nil)
            try await next.recordUpgrade(at: Sample.moment(30))
            await next.close()
        }
        let told = try await ScratchJournal.entries(old.path).filter { $0.reason == "JournalUpgraded" }
        #expect(told.count == 1)
        #expect(
            told.first?.message.hasPrefix("bylaw 0.2.0: the journal was brought from schema \(version) to schema 3")
                == true)
        #expect(try await old.verify().findings.allSatisfy { $0.kind == .unsigned })
    }

    @Test func whatIsNewOrUpToDateIsNotUpgraded() async throws {
        let scratch = try await ScratchJournal.open()
        #expect(scratch.journal.upgrade == nil)
        await scratch.journal.close()
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: scratch.folder.path).allSatisfy {
                !$0.contains("schema")
            })
    }

    @Test(arguments: earlier) func readingAloneAsksForTheUpgradeAndChangesNothing(_ version: Int) async throws {
        let old = try OldJournal(version)
        let before = try bytes(of: old.path)
        let error = await #expect(throws: JournalError.self) { try await JournalReader.open(old.path) }
        #expect(error?.message.contains("an earlier version of bylaw made it (schema \(version)") == true)
        #expect(error?.hint.contains("bylaw sync") == true)
        #expect(try bytes(of: old.path) == before)
        #expect(!exists(old.copy))
    }

    // MARK: Cut short

    /// A killed process leaves its log as it is at that moment.
    @Test(arguments: earlier) func killedAtAnyMomentNothingIsLost(_ version: Int) async throws {
        let old = try OldJournal(version)
        // Less than a run whose root a program of schema 2 would have kept.
        try old.add(entries: 240)
        let before = try Self.content(old.path)
        try await Self.foldIn(old.path)
        let main = try bytes(of: old.path)
        let journal = try await old.open()
        let log = try bytes(of: old.path + "-wal")
        #expect(log.count > 100_000, "all of it is in the log")
        #expect(try bytes(of: old.path) == main, "the file itself is as it was")
        await journal.close()
        var found: Set<Int> = []
        let cuts = [0, 1, 32, log.count] + stride(from: 2_000, to: log.count, by: log.count / 23)
        for (index, length) in cuts.enumerated() {
            let path = old.folder.path + "/cut-\(index).db"
            try main.write(to: URL(fileURLWithPath: path))
            try log.prefix(length).write(to: URL(fileURLWithPath: path + "-wal"))
            found.insert(try Self.version(path))
            #expect(try Self.content(path) == before, "at \(length)")
            let again = try await SQLiteJournal.open(Sample.configuration(path))
            await again.close()
            #expect(try Self.version(path) == Self.current)
            #expect(try Self.content(path) == before, "at \(length), and after the next start")
            let report = try await JournalVerifier.verify(path, VerificationRequest())
            // The entries that this test put there itself were never hashed by a program of schema 2.
            #expect(version > 1 || report.findings.allSatisfy { $0.kind == .unsigned }, "\(report.findings)")
        }
        #expect(found == [version, Self.current], "before and after, and nothing in between")
    }

    private static func foldIn(_ path: String) async throws {
        try Connection(path: path, mode: .readWrite).executeScript("PRAGMA wal_checkpoint(TRUNCATE)")
    }

    @Test func aCopyThatWasCutShortIsMadeAnew() async throws {
        let old = try OldJournal(2)
        let before = try Self.content(old.path)
        for suffix in [".part", ".part-journal", ".part-wal", ""] {
            try Data("half of a copy".utf8).write(to: URL(fileURLWithPath: old.copy + suffix))
        }
        let journal = try await old.open()
        await journal.close()
        #expect(journal.upgrade?.copy == .kept(path: old.copy))
        #expect(try Self.version(old.copy) == 2)
        #expect(try Self.content(old.copy) == before)
        #expect(!exists(old.copy + ".part"))
    }

    @Test(arguments: earlier) func aFullDiskLeavesItAsItWas(_ version: Int) async throws {
        let old = try OldJournal(version)
        try old.add(entries: 50)
        let before = try Self.content(old.path)
        let size = try bytes(of: old.path).count
        let error = await #expect(throws: JournalError.self) { try await old.open { $0.maximumBytes = Int64(size) } }
        #expect(
            error?.message.contains(
                "it could not be brought from schema \(version) to schema 3 and is as it was: the disk is full")
                == true,
            "\(error?.message ?? "")")
        #expect(error?.hint.contains("Free space") == true)
        #expect(error?.incident == .journalUnwritable, "run waits for room")
        #expect(try Self.version(old.path) == version)
        #expect(try Self.content(old.path) == before)
        #expect(!exists(old.copy), "it would only take room")
        let journal = try await old.open()
        await journal.close()
        #expect(try Self.version(old.path) == Self.current)
        #expect(try Self.content(old.path) == before)
    }

    @Test func withoutACopyItGoesOnAndSaysSo() async throws {
        let old = try OldJournal(2)
        let before = try Self.content(old.path)
        // Something that no copy can take the place of.
        try FileManager.default.createDirectory(atPath: old.copy, withIntermediateDirectories: true)
        let journal = try await old.open()
        await journal.close()
        guard case .missing(let why) = journal.upgrade?.copy else {
            Issue.record("\(String(describing: journal.upgrade))")
            return
        }
        #expect(why.contains("Is a directory"), "\(why)")
        #expect(try Self.content(old.path) == before)
    }

    // MARK: Back

    @Test(arguments: earlier) func theCopyIsTheJournalAsItWas(_ version: Int) async throws {
        let old = try OldJournal(version)
        let before = try Self.content(old.path)
        // Of an upgrade before this one.
        let stale = "\(old.path).schema-\(version == 1 ? 2 : 1)"
        try Data("of an earlier upgrade".utf8).write(to: URL(fileURLWithPath: stale))
        let journal = try await old.open()
        try await journal.record(Sample.event("by the later version", at: 20), owned: .unchanged)
        await journal.close()
        #expect(try Self.version(old.copy) == version)
        #expect(try Self.content(old.copy) == before)
        let rights = try FileManager.default.attributesOfItem(atPath: old.copy)[.posixPermissions] as? Int
        #expect(rights == 0o600)
        #expect(!exists(stale), "one copy is kept")
        // Back, as README says it, and forward again.
        for suffix in ["", "-wal", "-shm"] where exists(old.path + suffix) {
            try FileManager.default.moveItem(atPath: old.path + suffix, toPath: old.folder.path + "/aside.db" + suffix)
        }
        try FileManager.default.moveItem(atPath: old.copy, toPath: old.path)
        #expect(try Self.version(old.path) == version)
        let again = try await old.open()
        await again.close()
        #expect(again.upgrade?.from == version)
        #expect(try Self.content(old.path) == before)
        #expect(try await old.verify().findings.allSatisfy { $0.kind == .unsigned })
        #expect(
            try await ScratchJournal.entries(old.folder.path + "/aside.db").last?.message == "by the later version")
    }

    @Test func aLaterJournalIsRefusedWithTheWayBack() async throws {
        let old = try OldJournal(2)
        let journal = try await old.open()
        await journal.close()
        try Self.raiseVersion(old.path)
        let before = try bytes(of: old.path)
        for open in [
            { _ = try await SQLiteJournal.open(Sample.configuration(old.path)) },
            { _ = try await JournalReader.open(old.path) },
        ] as [@Sendable () async throws -> Void] {
            let error = await #expect(throws: JournalError.self) { try await open() }
            #expect(
                error?.message.contains("a later version of bylaw made it (schema 4, this one knows up to 3)") == true)
            #expect(error?.hint.contains("put \(old.copy) in its place") == true, "\(error?.hint ?? "")")
        }
        #expect(try bytes(of: old.path) == before)
    }

    private static func raiseVersion(_ path: String) throws {
        let connection = try Connection(path: path, mode: .readWrite)
        try connection.executeScript("PRAGMA user_version = 4; PRAGMA wal_checkpoint(TRUNCATE)")
    }
}
