import Foundation
import Journal
import Manifest
import Reconciler
import SQLite
import TestSupport
import Testing

@Suite struct OpeningTests {
    @Test func aNewJournalIsItsOwnersAlone() async throws {
        let scratch = try await ScratchJournal.open()
        try await scratch.journal.record(Sample.event("one"), owned: .unchanged)
        for suffix in ["", "-wal", "-shm", ".lock"] {
            let attributes = try FileManager.default.attributesOfItem(atPath: scratch.path + suffix)
            #expect(attributes[.posixPermissions] as? Int == 0o600, "\(suffix)")
        }
    }

    @Test func aClosedJournalIsOneWholeFile() async throws {
        let scratch = try await ScratchJournal.open()
        try await scratch.journal.record(Sample.event("one"), owned: .unchanged)
        await scratch.journal.close()
        #expect(!exists(scratch.path + "-wal"))
        #expect(try await scratch.entries().map(\.message) == ["one"])
        await #expect(throws: JournalError.self) {
            try await scratch.journal.record(Sample.event("two"), owned: .unchanged)
        }
    }

    @Test func entriesGoOnWhereTheLastRunStopped() async throws {
        let folder = try ScratchDirectory()
        let path = folder.path + "/journal.db"
        for run in 1...3 {
            try await Self.runOnce(path, "run \(run)")
        }
        #expect(try await ScratchJournal.entries(path).map(\.message) == ["run 1", "run 2", "run 3"])
        #expect(try await ScratchJournal.entries(path).map(\.sequence) == [1, 2, 3])
    }

    private static func runOnce(_ path: String, _ message: String) async throws {
        let journal = try await SQLiteJournal.open(Sample.configuration(path))
        try await journal.record(Sample.event(message), owned: .unchanged)
        await journal.close()
    }

    @Test func aSecondWriterIsToldWhoTheFirstIs() async throws {
        let scratch = try await ScratchJournal.open()
        let error = await #expect(throws: JournalError.self) {
            try await SQLiteJournal.open(Sample.configuration(scratch.path))
        }
        #expect(error?.message.contains("process \(getpid()) is writing it") == true)
        #expect(error?.hint.contains("Stop that process") == true)
        try await scratch.journal.record(Sample.event("still works"), owned: .unchanged)
    }

    @Test(arguments: [
        "not a database at all, but long enough to look like something: " + String(repeating: "x", count: 2000),
        "short",
    ])
    func aFileOfSomethingElseIsLeftAsItIs(_ content: String) async throws {
        let folder = try ScratchDirectory()
        let path = try folder.write(content, to: "notes.txt")
        let error = await #expect(throws: JournalError.self) {
            try await SQLiteJournal.open(Sample.configuration(path))
        }
        #expect(error?.message.contains("not a database") == true)
        #expect(error?.hint.contains("--journal") == true)
        await #expect(throws: JournalError.self) { try await JournalReader.open(path) }
        #expect(try bytes(of: path) == Data(content.utf8))
        #expect(!exists(path + "-wal"))
    }

    @Test func aDatabaseOfSomethingElseIsLeftAsItIs() async throws {
        let folder = try ScratchDirectory()
        let path = folder.path + "/other #1?.db"
        try Self.makeForeign(path)
        let before = try bytes(of: path)
        for open in [
            { _ = try await SQLiteJournal.open(Sample.configuration(path)) },
            { _ = try await JournalReader.open(path) },
        ] as [@Sendable () async throws -> Void] {
            let error = await #expect(throws: JournalError.self) { try await open() }
            #expect(error?.message.contains("made by another program, not a journal; it was left as it is") == true)
        }
        #expect(try bytes(of: path) == before)
        #expect(!exists(path + "-wal"))
    }

    private static func makeForeign(_ path: String) throws {
        let connection = try Connection(path: path, mode: .readWrite)
        try connection.executeScript("CREATE TABLE photos (name TEXT); INSERT INTO photos VALUES ('cat');")
    }

    @Test func aJournalOfALaterVersionIsLeftAsItIs() async throws {
        let scratch = try await ScratchJournal.open()
        await scratch.journal.close()
        let path = scratch.folder.path + "/later.db"
        try copyFile(scratch.path, to: path)
        try Self.raiseVersion(path)
        let before = try bytes(of: path)
        for open in [
            { _ = try await SQLiteJournal.open(Sample.configuration(path)) },
            { _ = try await JournalReader.open(path) },
        ] as [@Sendable () async throws -> Void] {
            let error = await #expect(throws: JournalError.self) { try await open() }
            #expect(
                error?.message.contains("later version of bylaw made it (schema 99, this one knows up to 3)") == true)
        }
        #expect(try bytes(of: path) == before)
    }

    private static func raiseVersion(_ path: String) throws {
        let connection = try Connection(path: path, mode: .readWrite)
        try connection.executeScript("PRAGMA user_version = 99")
        try connection.executeScript("PRAGMA wal_checkpoint(TRUNCATE)")
    }

    /// Overwrites one page after another: each damage is found at the opening or leaves a journal that can be read.
    @Test func damageIsOneClearErrorAndTheFileStays() async throws {
        let scratch = try await ScratchJournal.open()
        for index in 0..<200 {
            try await scratch.journal.record(Sample.correction(Sample.role("r-\(index)")), owned: .unchanged)
        }
        await scratch.journal.close()
        let whole = try bytes(of: scratch.path)
        var refused = 0
        for page in stride(from: 1, to: whole.count / 4096, by: 7) {
            let path = scratch.folder.path + "/damaged-\(page).db"
            var damaged = whole
            damaged.replaceSubrange((page * 4096)..<(page * 4096 + 512), with: Data(repeating: 0xa5, count: 512))
            try damaged.write(to: URL(fileURLWithPath: path))
            do {
                let journal = try await SQLiteJournal.open(Sample.configuration(path))
                await journal.close()
            } catch {
                refused += 1
                #expect(error.message.contains("it is damaged"), "\(error)")
                #expect(error.hint.contains("restore a backup"))
                #expect(try bytes(of: path) == damaged)
            }
        }
        #expect(refused > 5)
    }

    struct Place: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var path: String
        var says: String
        var hints: String
    }

    @Test(arguments: [
        Place(
            testDescription: "no such folder", path: "missing/journal.db", says: "No such file or directory",
            hints: "Create the folder"),
        Place(testDescription: "a folder", path: "folder", says: "Is a directory", hints: "Name a file, not a folder"),
        Place(
            testDescription: "below a file", path: "file/journal.db", says: "Not a directory",
            hints: "Create the folder"),
        Place(
            testDescription: "a zero byte", path: "folder/journal\u{0}.db", says: "Invalid argument", hints: "--journal"
        ),
    ])
    func aPlaceWhereNothingCanBeWrittenIsOneClearError(_ place: Place) async throws {
        let folder = try ScratchDirectory()
        try folder.write("x", to: "folder/x")
        try folder.write("x", to: "file")
        let path = folder.path + "/" + place.path
        let error = await #expect(throws: JournalError.self) {
            try await SQLiteJournal.open(Sample.configuration(path))
        }
        #expect(error?.message.contains(place.says) == true, "\(error?.message ?? "")")
        #expect(error?.hint.contains(place.hints) == true, "\(error?.hint ?? "")")
        #expect(!exists(folder.path + "/folder/journal"))
    }

    @Test func aFolderOfTheKernelCannotHoldAJournal() async throws {
        let error = await #expect(throws: JournalError.self) {
            try await SQLiteJournal.open(Sample.configuration("/proc/journal.db"))
        }
        #expect(error?.message.hasPrefix("open the journal /proc/journal.db: ") == true)
        #expect(error?.hint.isEmpty == false)
    }

    @Test func readingWhereThereIsNoJournalSaysSo() async throws {
        let folder = try ScratchDirectory()
        let error = await #expect(throws: JournalError.self) { try await JournalReader.open(folder.path + "/none.db") }
        #expect(error?.message.contains("there is no journal") == true)
        #expect(!exists(folder.path + "/none.db"))
    }

    @Test func aFullDiskFailsTheWritesAndKeepsWhatStands() async throws {
        let scratch = try await ScratchJournal.open { $0.maximumBytes = 400 << 10 }
        var written: [Int64] = []
        var failure: JournalError?
        for index in 0..<2_000 where failure == nil {
            do throws(JournalError) {
                written.append(
                    try await scratch.journal.record(Sample.correction(Sample.role("r-\(index)")), owned: .unchanged))
            } catch {
                failure = error
            }
        }
        let error = try #require(failure)
        #expect(error.message.contains("the disk is full"))
        #expect(error.hint.contains("Free space"))
        #expect(written.count > 20)
        #expect(try await scratch.entries().map(\.sequence) == written)
    }
}
