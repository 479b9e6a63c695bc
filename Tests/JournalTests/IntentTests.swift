import Journal
import Manifest
import Reconciler
import TestSupport
import Testing

@Suite struct IntentTests {
    @Test func anIntentIsNoEntryUntilItIsSettled() async throws {
        let scratch = try await ScratchJournal.open()
        let role = Sample.role("reader")
        let id = try await scratch.journal.begin(Sample.intent(role))
        #expect(try await scratch.entries().isEmpty)
        try await scratch.journal.settle(id, as: Sample.correction(role), owned: .unchanged)
        #expect(try await scratch.entries().map(\.object) == [role])
    }

    @Test func whatAnEarlierRunLeftOpenComesBackInOrder() async throws {
        let scratch = try await ScratchJournal.open()
        let roles = ["c", "a", "b"].map { Sample.role($0) }
        for role in roles { _ = try await scratch.journal.begin(Sample.intent(role)) }
        #expect(try await scratch.journal.unsettledIntents().isEmpty, "they are this run's own")
        await scratch.journal.close()

        let next = try await Self.reopen(scratch)
        _ = try await next.begin(Sample.intent(Sample.role("own")))
        let unsettled = try await next.unsettledIntents()
        #expect(unsettled.map(\.intent) == roles.map { Sample.intent($0) })
        for (id, intent) in unsettled {
            var entry = Sample.correction(intent.object)
            entry.outcome = .abandoned
            try await next.settle(id, as: entry, owned: .unchanged)
        }
        #expect(try await next.unsettledIntents().isEmpty)
        #expect(try await ScratchJournal.entries(next.path).map(\.outcome) == [.abandoned, .abandoned, .abandoned])
    }

    @Test func anIntentKeepsTheDifferenceBetweenNothingAndNull() async throws {
        let scratch = try await ScratchJournal.open()
        var bare = Sample.intent(Sample.role("bare"))
        (bare.before, bare.desired, bare.patch) = (nil, nil, .null)
        (bare.revision, bare.actor, bare.uid, bare.resourceVersion) = (nil, nil, nil, nil)
        _ = try await scratch.journal.begin(bare)
        await scratch.journal.close()
        #expect(try await Self.reopen(scratch).unsettledIntents().map(\.intent) == [bare])
    }

    @Test func anIntentIsSettledOnce() async throws {
        let scratch = try await ScratchJournal.open()
        let role = Sample.role("reader")
        let id = try await scratch.journal.begin(Sample.intent(role))
        try await scratch.journal.settle(id, as: Sample.correction(role), owned: .unchanged)
        let error = await #expect(throws: JournalError.self) {
            try await scratch.journal.settle(id, as: Sample.correction(role), owned: .released(role))
        }
        #expect(error?.message.contains("intent \(id.rawValue) has an outcome already") == true)
        #expect(try await scratch.entries().count == 1)
    }

    @Test func aSettledIntentsNumberIsNotUsedAgain() async throws {
        let scratch = try await ScratchJournal.open()
        let role = Sample.role("reader")
        let first = try await scratch.journal.begin(Sample.intent(role))
        try await scratch.journal.settle(first, as: Sample.correction(role), owned: .unchanged)
        #expect(try await scratch.journal.begin(Sample.intent(role)) != first)
    }

    static func reopen(_ scratch: ScratchJournal) async throws -> SQLiteJournal {
        // The first journal still holds the lock of its process: a copy stands for what the next process finds.
        let copy = scratch.folder.path + "/next.db"
        try copyFile(scratch.path, to: copy)
        return try await SQLiteJournal.open(Sample.configuration(copy))
    }
}
