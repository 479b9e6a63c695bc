import Journal
import Manifest
import Reconciler
import Testing

/// The change that a revert undoes, as the journal finds it.
@Suite struct LastChangeTests {
    private let role = Sample.role("reader")

    private func change(
        _ object: ObjectID, _ commit: String, _ edit: (inout EntryDraft) -> Void = { _ in }
    ) -> EntryDraft {
        var draft = Sample.correction(object)
        draft.reason = .revisionChanged
        draft.revision?.commit = commit
        draft.patch = [["apply": ["name": .string(commit)]]]
        edit(&draft)
        return draft
    }

    @Test func isTheLatestThatSucceededUnderOneOfTheRevisions() async throws {
        let scratch = try await ScratchJournal.open()
        let journal = scratch.journal
        for draft in [
            change(role, "b"), change(role, "c"), change(role, "d"), change(Sample.role("other"), "c"),
            change(Sample.role("reader", in: "team-b"), "c"),
            change(ObjectID(group: "other.example.com", kind: "Role", namespace: "team-a", name: "reader"), "c"),
            change(role, "c") { $0.outcome = .failed }, change(role, "c") { $0.reason = .incident(.driftCorrected) },
            change(role, "c") { $0.reason = .incident(.undeclaredRemoved) },
            change(role, "c") { ($0.kind, $0.reason) = (.event, .recognised) },
        ] { try await journal.record(draft, owned: .unchanged) }
        let found = try await journal.lastChange(of: role, under: ["b", "c"], from: 0)
        #expect(found == PastChange(sequence: 2, patch: [["apply": ["name": "c"]]]))
        #expect(try await journal.lastChange(of: role, under: ["b", "c"], from: 3) == nil)
        #expect(try await journal.lastChange(of: role, under: ["b"], from: 0)?.sequence == 1)
        #expect(try await journal.lastChange(of: role, under: ["unknown"], from: 0) == nil)
        #expect(try await journal.lastChange(of: role, under: [], from: 0) == nil)
        // What a crash left half recorded was found done.
        let late = try await journal.record(
            change(role, "c") { $0.reason = .incident(.actionInterrupted) }, owned: .unchanged)
        #expect(try await journal.lastChange(of: role, under: ["c"], from: 0)?.sequence == late)
        await journal.close()
        withExtendedLifetime(scratch) {}
    }

    @Test func anotherInstancesChangesAreNotOurs() async throws {
        let scratch = try await ScratchJournal.open()
        try await scratch.journal.record(change(role, "b"), owned: .unchanged)
        await scratch.journal.close()
        let other = try await SQLiteJournal.open(Sample.configuration(scratch.path, instance: "other"))
        #expect(try await other.lastChange(of: role, under: ["b"], from: 0) == nil)
        await other.close()
    }

    /// One journal may be of several clusters, whose objects have the same names.
    @Test func whatAnotherClusterSawIsNotWhatThisOneSaw() async throws {
        let scratch = try await ScratchJournal.open()
        try await scratch.journal.record(change(role, "b"), owned: .unchanged)
        await scratch.journal.close()
        var configuration = Sample.configuration(scratch.path)
        configuration.cluster = "staging"
        let staging = try await SQLiteJournal.open(configuration)
        try await staging.record(
            change(role, "b") { $0.after?.set(["metadata", "uid"], to: "u-2") }, owned: .unchanged)
        await staging.close()
        let reader = try await JournalReader.open(scratch.path)
        #expect(try await reader.lastState(of: role, on: "production", before: 100)?.uid == "u-1")
        #expect(try await reader.lastState(of: role, on: "staging", before: 100)?.uid == "u-2")
        #expect(try await reader.lastState(of: role, on: "staging", before: 2) == nil)
        #expect(try await reader.lastState(of: role, on: "other", before: 100) == nil)
        await reader.close()
    }

    @Test func whatAnIntentUndoesSurvivesACrash() async throws {
        let scratch = try await ScratchJournal.open()
        var intent = Sample.intent(role)
        intent.refersTo = 12
        _ = try await scratch.journal.begin(intent)
        await scratch.journal.close()
        let next = try await SQLiteJournal.open(Sample.configuration(scratch.path))
        #expect(try await next.unsettledIntents().map(\.intent) == [intent])
        await next.close()
    }

    @Test func anUndoneEntryIsFoundFromBothSides() async throws {
        let scratch = try await ScratchJournal.open()
        let made = try await scratch.journal.record(change(role, "b"), owned: .unchanged)
        let undone = try await scratch.journal.record(change(role, "c") { $0.refersTo = made }, owned: .unchanged)
        let told = try await scratch.journal.record(
            change(role, "b") { ($0.kind, $0.reason, $0.refersTo) = (.notice, .actorIdentified, made) },
            owned: .unchanged)
        let reader = try await JournalReader.open(scratch.path)
        let later = try await reader.entries(about: made)
        #expect(later.map(\.sequence) == [undone, told])
        #expect(later.map(\.undoes) == [made, nil], "who did it is another matter")
        await reader.close()
        await scratch.journal.close()
    }
}
