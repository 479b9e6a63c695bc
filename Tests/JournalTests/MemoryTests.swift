import Journal
import Reconciler
import TestSupport
import Testing

@Suite struct MemoryTests {
    @Test func whatWasRememberedLastIsKept() async throws {
        let scratch = try await ScratchJournal.open()
        let journal = scratch.journal
        for key in MemoryKey.allCases { #expect(try await journal.remembered(key) == nil) }
        try await journal.remember(.enforcedRevision, "one")
        try await journal.remember(.newestRevision, "")
        try await journal.remember(.enforcedRevision, "two")
        #expect(try await journal.remembered(.enforcedRevision) == "two")
        #expect(try await journal.remembered(.newestRevision) == "")
        await journal.close()

        let copy = scratch.folder.path + "/next.db"
        try copyFile(scratch.path, to: copy)
        #expect(try await SQLiteJournal.open(Sample.configuration(copy)).remembered(.enforcedRevision) == "two")
        let reader = try await JournalReader.open(copy)
        let scope = JournalReader.Scope(instance: "default", cluster: "production")
        #expect(try await reader.remembered(.enforcedRevision, scope) == "two")
        #expect(try await reader.remembered(.status, scope) == nil)
    }
}
