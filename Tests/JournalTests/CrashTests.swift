import Foundation
import Journal
import Manifest
import Reconciler
import SQLite
import TestSupport
import Testing

/// What the next start finds when the process or the machine stops at any moment: a prefix of the history.
///
/// A killed process leaves the files as they are at that moment, so a copy of them taken in the middle of the writing
/// stands for it; a machine that stops may lose any part of the log's end that no commit has waited for.
@Suite struct CrashTests {
    /// One pair for each number: an intent, then its entry.
    ///
    /// Numbers rise, so a prefix is easy to tell.
    private static func write(_ count: Int, to journal: SQLiteJournal) async throws {
        for index in 0..<count {
            let role = Sample.role("r-\(index)")
            let id = try await journal.begin(Sample.intent(role, at: Int64(index), message: "\(index)"))
            var entry = Sample.correction(role, at: Int64(index))
            entry.message = "\(index)"
            try await journal.settle(
                id, as: entry, owned: .owns(role, OwnedObject(uid: "\(index)", declarationDigest: "d", revision: "r")))
        }
    }

    /// Opens what a crash left behind, and checks that it is a prefix: entries 0..<n, at most the intent n, and
    /// exactly n owned objects.
    @discardableResult
    private static func checkPrefix(_ path: String) async throws -> (entries: Int, hasIntent: Bool) {
        let journal = try await SQLiteJournal.open(Sample.configuration(path))
        let unsettled = try await journal.unsettledIntents()
        let owned = try await journal.ownedObjects()
        let entries = try await ScratchJournal.entries(path)
        #expect(entries.map(\.message) == entries.indices.map { "\($0)" })
        #expect(entries.map(\.sequence) == entries.indices.map { Int64($0) + 1 })
        #expect(Set(owned.values.map(\.uid)) == Set(entries.map(\.message)))
        #expect(unsettled.count <= 1)
        if let intent = unsettled.first?.intent {
            #expect(
                intent
                    == Sample.intent(
                        Sample.role("r-\(entries.count)"), at: Int64(entries.count), message: "\(entries.count)"))
        }
        // And the journal goes on from there.
        for (id, intent) in unsettled {
            var entry = Sample.correction(intent.object)
            entry.outcome = .abandoned
            #expect(try await journal.settle(id, as: entry, owned: .unchanged) == Int64(entries.count) + 1)
        }
        await journal.close()
        return (entries.count, !unsettled.isEmpty)
    }

    @Test func everyCutOfTheLogLeavesAPrefixOfTheHistory() async throws {
        let scratch = try await ScratchJournal.open()
        try await Self.write(25, to: scratch.journal)
        let main = try bytes(of: scratch.path)
        let log = try bytes(of: scratch.path + "-wal")
        let total = log.count
        #expect(total > 100_000)
        var lengths: [Int] = [0, 1, 31, 32, 33, total - 1, total]
        // 4,120 is a page and its header in the log: cuts on, before and after it, and at odd places in between.
        for offset in stride(from: 0, to: total, by: 4_120 * 5) {
            lengths += [offset + 32, offset + 33, offset + 2_931]
        }
        var found: Set<Int> = []
        var last = -1
        for (index, length) in lengths.filter({ $0 <= total }).sorted().enumerated() {
            let path = scratch.folder.path + "/cut-\(index).db"
            try main.write(to: URL(fileURLWithPath: path))
            try log.prefix(length).write(to: URL(fileURLWithPath: path + "-wal"))
            let (entries, _) = try await Self.checkPrefix(path)
            #expect(entries >= last, "a longer log holds no less")
            last = entries
            found.insert(entries)
        }
        #expect(last == 25)
        #expect(found.count > 15)
    }

    @Test func aGarbledEndOfTheLogLeavesAPrefixOfTheHistory() async throws {
        let scratch = try await ScratchJournal.open()
        try await Self.write(10, to: scratch.journal)
        let main = try bytes(of: scratch.path)
        let log = try bytes(of: scratch.path + "-wal")
        for (index, offset) in stride(from: 40_000, to: log.count - 8, by: 10_001).enumerated() {
            let path = scratch.folder.path + "/garbled-\(index).db"
            var garbled = log
            for place in offset..<(offset + 8) { garbled[place] ^= 0x5a }
            try main.write(to: URL(fileURLWithPath: path))
            try garbled.write(to: URL(fileURLWithPath: path + "-wal"))
            try await Self.checkPrefix(path)
        }
    }

    @Test func aCopyTakenWhileItIsWrittenIsAPrefixOfTheHistory() async throws {
        let scratch = try await ScratchJournal.open()
        let journal = scratch.journal
        let writing = Task { try await Self.write(400, to: journal) }
        var taken: Set<Int> = []
        let reader = try await JournalReader.open(scratch.path)
        var index = 0
        while try await reader.lastSequence() < 400 {
            let path = scratch.folder.path + "/copy-\(index).db"
            index += 1
            // The main file does not change before the first checkpoint, which these writes do not reach: that is
            // what makes two copies, one after the other, one state.
            try copyFile(scratch.path, to: path)
            try copyFile(scratch.path + "-wal", to: path + "-wal")
            taken.insert(try await Self.checkPrefix(path).entries)
        }
        try await writing.value
        #expect(taken.count > 3)
    }

    @Test func whatACallerWasToldIsInTheFile() async throws {
        let scratch = try await ScratchJournal.open()
        for index in 0..<20 {
            try await scratch.journal.record(Sample.event("\(index)"), owned: .unchanged)
            let path = scratch.folder.path + "/told-\(index).db"
            try copyFile(scratch.path, to: path)
            try copyFile(scratch.path + "-wal", to: path + "-wal")
            #expect(try await ScratchJournal.entries(path).last?.message == "\(index)")
        }
    }

    /// A checkpoint writes the pages in order, the first one with the new size of the file: when the process is killed
    /// in it, the main file alone looks damaged, and is whole together with its log.
    @Test func aCheckpointThatIsCutShortLosesNothing() async throws {
        let scratch = try await ScratchJournal.open()
        try await Self.write(25, to: scratch.journal)
        let main = try bytes(of: scratch.path)
        let log = try bytes(of: scratch.path + "-wal")
        let whole = scratch.folder.path + "/whole.db"
        try main.write(to: URL(fileURLWithPath: whole))
        try log.write(to: URL(fileURLWithPath: whole + "-wal"))
        try Self.checkpoint(whole)
        let checkpointed = try bytes(of: whole)
        #expect(checkpointed.count > main.count)
        let pages = checkpointed.count / 4096
        for done in [1, 2, 3, pages / 2, pages - 1, pages] {
            for reads in [true, false] {
                let path = scratch.folder.path + "/checkpoint-\(done)-\(reads).db"
                try (checkpointed.prefix(done * 4096) + main.dropFirst(done * 4096)).write(
                    to: URL(fileURLWithPath: path))
                try log.write(to: URL(fileURLWithPath: path + "-wal"))
                if reads {
                    #expect(try await ScratchJournal.entries(path).count == 25)
                } else {
                    #expect(try await Self.checkPrefix(path).entries == 25)
                }
            }
        }
    }

    private static func checkpoint(_ path: String) throws {
        let connection = try Connection(path: path, mode: .readWrite)
        try connection.executeScript("PRAGMA wal_checkpoint(TRUNCATE)")
    }
}
