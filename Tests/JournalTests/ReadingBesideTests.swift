import Foundation
import Journal
import Manifest
import Reconciler
import TestSupport
import Testing

@Suite struct ReadingBesideTests {
    @Test func readersSeeWholeTransactionsWhileTheJournalIsWritten() async throws {
        let scratch = try await ScratchJournal.open()
        let journal = scratch.journal
        let reader = try await JournalReader.open(scratch.path)
        let role = Sample.role("reader")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<40 {
                        let id = try await journal.begin(Sample.intent(role))
                        try await journal.settle(id, as: Sample.correction(role), owned: .unchanged)
                    }
                }
            }
            group.addTask {
                var query = JournalQuery()
                (query.order, query.limit) = (.oldestFirst, 1_000)
                var seen = 0
                while seen < 320 {
                    let entries = try await reader.entries(query)
                    // A prefix of the history without a hole, never shorter than the one seen before.
                    #expect(entries.map(\.sequence) == Array(1..<(Int64(entries.count) + 1)))
                    #expect(entries.count >= seen)
                    seen = entries.count
                    await Task.yield()
                }
            }
            try await group.waitForAll()
        }
        #expect(try await reader.unsettledIntentCount(.init(instance: "default", cluster: "production")) == 0)
    }

    @Test func aReaderDoesNotHoldUpTheWriter() async throws {
        let scratch = try await ScratchJournal.open { $0.busyTimeout = .zero }
        try await scratch.journal.record(Sample.event("one"), owned: .unchanged)
        let reader = try await JournalReader.open(scratch.path)
        #expect(try await reader.lastSequence() == 1)
        try await scratch.journal.record(Sample.event("two"), owned: .unchanged)
        #expect(try await reader.lastSequence() == 2)
    }

    @Test func aCopyInAFolderThatCannotBeWrittenIsRead() async throws {
        let scratch = try await ScratchJournal.open()
        try await scratch.journal.record(Sample.event("one"), owned: .unchanged)
        await scratch.journal.close()
        let folder = scratch.folder.path + "/archive"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        try copyFile(scratch.path, to: folder + "/journal.db")
        try FileManager.default.setAttributes([.posixPermissions: 0o444], ofItemAtPath: folder + "/journal.db")
        try FileManager.default.setAttributes([.posixPermissions: 0o555], ofItemAtPath: folder)
        defer { try? FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder) }
        #expect(try await ScratchJournal.entries(folder + "/journal.db").map(\.message) == ["one"])
    }
}
