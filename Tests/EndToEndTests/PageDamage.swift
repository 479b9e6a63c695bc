import Foundation
import Journal
import Manifest
import Reconciler
import Testing

/// Pages of a journal that are overwritten behind the back of whoever has it open, as a failing disk does.
struct PageDamage {
    private static let pageBytes = 4096
    private static let rubbish = Data(repeating: 0xa5, count: 512)
    private let journal: String
    private let whole: Data

    /// Spoils every page but the first, which says what the file is.
    init(of journal: String) throws {
        self.journal = journal
        whole = try Data(contentsOf: URL(fileURLWithPath: journal))
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: journal))
        for offset in stride(from: Self.pageBytes, to: whole.count, by: Self.pageBytes) {
            try file.seek(toOffset: UInt64(offset))
            try file.write(contentsOf: Self.rubbish)
        }
        try file.close()
    }

    /// Makes every page that is still spoiled what it was; those that were written since stay as they are.
    func repair() throws {
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: journal))
        for offset in stride(from: Self.pageBytes, to: whole.count, by: Self.pageBytes) {
            try file.seek(toOffset: UInt64(offset))
            guard try file.read(upToCount: Self.rubbish.count) == Self.rubbish else { continue }
            try file.seek(toOffset: UInt64(offset))
            try file.write(contentsOf: whole[offset..<min(offset + Self.pageBytes, whole.count)])
        }
        try file.close()
    }
}

/// Adds entries until a journal is larger than what its writer keeps of it in memory (16 MB).
func outgrowCache(_ journal: String) async throws {
    let reader = try await JournalReader.open(journal)
    let scope = try #require(try await reader.scopes().first)
    await reader.close()
    let writer = try await SQLiteJournal.open(
        JournalConfiguration(
            path: journal, instance: scope.instance, cluster: scope.cluster, build: "test",
            signingKey: try SigningKeyFile.load(journal + ".key", mayMake: false)))
    let now = Timestamp(microsecondsSinceEpoch: Int64(Date().timeIntervalSince1970 * 1_000_000))
    try await withThrowingTaskGroup { group in
        for part in 0..<64 {
            group.addTask {
                for number in 0..<100 {
                    let id = ObjectID(.role, namespace: "filler-\((number * 37 + part) % 100)", name: "role-\(part)")
                    try await writer.record(
                        EntryDraft(
                            at: now, kind: .event, reason: .recognised, outcome: .succeeded, object: id,
                            after: .string(String(repeating: "x", count: 4000)), message: "filler \(number)"),
                        owned: .unchanged)
                }
            }
        }
        try await group.waitForAll()
    }
    await writer.close()
}
