import Journal
import Manifest
import Reconciler
import TestSupport
import Testing

@Suite struct OwnershipTests {
    static let object = OwnedObject(uid: "u-1", declarationDigest: "d-1", revision: "r-1")

    @Test func ownershipChangesTogetherWithItsEntry() async throws {
        let scratch = try await ScratchJournal.open()
        let journal = scratch.journal
        let (reader, writer) = (Sample.role("reader"), Sample.role("writer"))
        let id = try await journal.begin(Sample.intent(reader))
        #expect(try await journal.ownedObjects().isEmpty)
        try await journal.settle(id, as: Sample.correction(reader), owned: .owns(reader, Self.object))
        try await journal.record(Sample.event("recognised", reason: .recognised), owned: .owns(writer, Self.object))
        #expect(try await journal.ownedObjects() == [reader: Self.object, writer: Self.object])

        let changed = OwnedObject(uid: "u-2", declarationDigest: "d-2", revision: "r-2")
        try await journal.record(Sample.event("replaced"), owned: .owns(reader, changed))
        try await journal.record(Sample.event("deleted"), owned: .released(writer))
        #expect(try await journal.ownedObjects() == [reader: changed])
    }

    /// What was found and taken over, or only changed, was made by somebody else.
    @Test func whatWasMadeIsToldFromWhatWasTakenOver() async throws {
        let scratch = try await ScratchJournal.open()
        for action in ActionKind.allCases {
            for outcome in EntryOutcome.allCases {
                var draft = Sample.correction(Sample.role("\(action)"))
                (draft.action, draft.outcome, draft.uid) = (action, outcome, "\(action) \(outcome)")
                try await scratch.journal.record(draft, owned: .unchanged)
            }
        }
        let made = MadeObjects(made: ["create succeeded", "replace succeeded"], takenOver: ["adopt succeeded"])
        #expect(try await scratch.journal.madeObjects() == made)
        let reader = try await JournalReader.open(scratch.path)
        #expect(try await reader.madeObjects(.init(instance: "default", cluster: "production")) == made)
        for other in [
            JournalReader.Scope(instance: "other", cluster: "production"),
            JournalReader.Scope(instance: "default", cluster: "other"),
        ] { #expect(try await reader.madeObjects(other) == MadeObjects()) }
    }

    /// What was handed over is somebody else's, also where it is found and taken over again.
    @Test func theLatestEntryTellsWhetherItWasMade() async throws {
        let scratch = try await ScratchJournal.open()
        func record(_ uid: String, _ action: ActionKind, _ reason: EntryReason, _ outcome: EntryOutcome = .succeeded)
            async throws
        {
            var draft = Sample.correction(Sample.role(uid))
            (draft.uid, draft.action, draft.reason, draft.outcome) = (uid, action, reason, outcome)
            try await scratch.journal.record(draft, owned: .unchanged)
        }
        for uid in ["again", "over", "kept", "changed"] { try await record(uid, .create, .revisionChanged) }
        for uid in ["again", "over"] { try await record(uid, .update, .uninstalled) }
        try await record("kept", .update, .uninstalled, .abandoned)
        try await record("changed", .update, .revisionChanged)
        try await record("again", .adopt, .revisionChanged)
        #expect(
            try await scratch.journal.madeObjects() == MadeObjects(made: ["kept", "changed"], takenOver: ["again"]))
    }

    @Test func aFailedSettlingChangesNothing() async throws {
        let scratch = try await ScratchJournal.open()
        let role = Sample.role("reader")
        await #expect(throws: JournalError.self) {
            try await scratch.journal.settle(
                IntentID(rawValue: 7), as: Sample.correction(role), owned: .owns(role, Self.object))
        }
        #expect(try await scratch.journal.ownedObjects().isEmpty)
    }

    @Test func objectsOfOneNameAreToldApart() async throws {
        let scratch = try await ScratchJournal.open()
        let ids = [
            ObjectID(.role, namespace: "a", name: "x"), ObjectID(.role, namespace: "b", name: "x"),
            ObjectID(.clusterRole, name: "x"), ObjectID(.roleBinding, namespace: "a", name: "x"),
            ObjectID(group: "example.org", kind: "Role", namespace: "a", name: "x"),
            // Two spellings of one letter are two names.
            ObjectID(.role, namespace: "a", name: "e\u{301}"), ObjectID(.role, namespace: "a", name: "\u{e9}"),
        ]
        for id in ids { try await scratch.journal.record(Sample.event("own"), owned: .owns(id, Self.object)) }
        try await scratch.journal.record(Sample.event("release"), owned: .released(ids[0]))
        let reader = try await JournalReader.open(scratch.path)
        #expect(try await reader.ownedObjectCount(.init(instance: "default", cluster: "production")) == 6)
    }

    @Test func instancesOfOneFileDoNotSeeEachOthersState() async throws {
        let scratch = try await ScratchJournal.open()
        let role = Sample.role("reader")
        try await scratch.journal.record(Sample.event("own"), owned: .owns(role, Self.object))
        try await scratch.journal.remember(.enforcedRevision, "abc")
        try await scratch.journal.raise(Sample.incident(.fetchFailed, nil, "unreachable"))
        _ = try await scratch.journal.begin(Sample.intent(role))
        await scratch.journal.close()
        let copy = scratch.folder.path + "/copy.db"
        try copyFile(scratch.path, to: copy)

        let other = try await SQLiteJournal.open(Sample.configuration(copy, instance: "other"))
        #expect(try await other.ownedObjects().isEmpty)
        #expect(try await other.remembered(.enforcedRevision) == nil)
        #expect(try await other.unsettledIntents().isEmpty)
        #expect(try await other.raise(Sample.incident(.fetchFailed, nil, "unreachable")) != nil)
        let reader = try await JournalReader.open(copy)
        #expect(try await reader.scopes().map(\.instance) == ["default", "other"])
        #expect(try await reader.openIncidents(.init(instance: "other", cluster: "production")).count == 1)
        #expect(try await reader.openIncidents().count == 2)
    }
}
