import JSON
import Journal
import Manifest
import Reconciler
import Testing

@Suite struct EntryRoundTripTests {
    @Test func anEntryComesBackWithEveryFact() async throws {
        let scratch = try await ScratchJournal.open()
        let role = Sample.role("reader")
        let sequence = try await scratch.journal.record(Sample.correction(role), owned: .unchanged)
        let text = Sample.tree.jsonText()
        let expected = JournalEntry(
            sequence: 1, time: Sample.start, instance: "default", cluster: "production", kind: .action,
            reason: "DriftCorrected", isIncident: true, outcome: .succeeded, action: .update, object: role,
            objectVersion: "v1", uid: "u-1", resourceVersion: "42", before: text, after: text,
            patch: #"{"rules":null}"#, revision: Sample.revision, approver: nil,
            actor: Actor(
                name: "kubectl-edit", operation: "Update", time: "2026-03-01T11:59:58Z", certainty: .claimed),
            runbook: .init(path: "Runbooks/DriftCorrected.md", revision: "0.1.0+test"),
            duration: .microseconds(4_250), auditID: "a-1", message: "put back what Git declares")
        #expect(sequence == 1)
        #expect(try await scratch.entries() == [expected])
    }

    @Test func aBareEntryComesBackWithoutInventions() async throws {
        let scratch = try await ScratchJournal.open()
        try await scratch.journal.record(Sample.event("in step"), owned: .unchanged)
        let expected = JournalEntry(
            sequence: 1, time: Sample.start, instance: "default", cluster: "production", kind: .event, reason: "Synced",
            isIncident: false, outcome: .succeeded, message: "in step")
        #expect(try await scratch.entries() == [expected])
    }

    @Test(arguments: [
        "", "line one\nline two", "quote ' and \"", "zero\u{0}byte", "e\u{301} is not \u{e9}", "🏳️‍🌈 \u{202e}reversed",
        "'); DROP TABLE entries; --",
    ])
    func aMessageKeepsItsBytes(_ message: String) async throws {
        let scratch = try await ScratchJournal.open()
        try await scratch.journal.record(Sample.event(message), owned: .unchanged)
        let kept = try #require(try await scratch.entries().first).message
        #expect(kept.hasSameBytes(as: message))
    }

    @Test func aLongMessageIsCutWithAMark() async throws {
        let scratch = try await ScratchJournal.open()
        // Characters of three bytes, so that the limit falls inside one.
        let message = String(repeating: "€", count: 40_000)
        try await scratch.journal.record(Sample.event(message), owned: .unchanged)
        let kept = try #require(try await scratch.entries().first).message
        #expect(kept.utf8.count <= 64 << 10)
        #expect(kept.utf8.count > (64 << 10) - 8)
        #expect(kept.hasSuffix("€… [cut, 120000 bytes]"))
        #expect(!kept.contains("\u{fffd}"))
    }

    @Test func longTextsOfACommitAreCut() async throws {
        let scratch = try await ScratchJournal.open()
        var entry = Sample.correction(Sample.role("reader"))
        entry.revision?.subject = String(repeating: "s", count: 1 << 20)
        entry.revision?.trailers = (0..<10_000).map {
            .init(key: "Key-\($0)", value: String(repeating: "v", count: 90))
        }
        try await scratch.journal.record(entry, owned: .unchanged)
        let kept = try #require(try await scratch.entries().first?.revision)
        #expect(kept.subject.utf8.count == 4 << 10)
        #expect(kept.subject.hasSuffix("… [cut, 1048576 bytes]"))
        #expect(kept.trailers.count < 1_000)
        #expect(kept.trailers.last?.key == "…")
    }

    @Test func aSecretIsRefusedWhereverItComesFrom() async throws {
        let scratch = try await ScratchJournal.open()
        let secret: Tree = ["apiVersion": "v1", "kind": "Secret", "data": ["password": "aHVudGVyMg=="]]
        var asBefore = Sample.correction(Sample.role("reader"))
        asBefore.before = secret
        var asObject = Sample.correction(ObjectID(group: "", kind: "Secret", namespace: "team-a", name: "token"))
        asObject.before = ["password": "aHVudGVyMg=="]
        var asIntent = Sample.intent(Sample.role("reader"))
        asIntent.desired = secret
        for entry in [asBefore, asObject] {
            let error = await #expect(throws: JournalError.self) {
                try await scratch.journal.record(entry, owned: .unchanged)
            }
            #expect(error?.message.contains("refused to keep the content") == true)
            #expect(error?.message.contains("aHVudGVyMg") == false)
        }
        let intent = asIntent
        await #expect(throws: JournalError.self) { try await scratch.journal.begin(intent) }
        #expect(try await scratch.entries().isEmpty)
        #expect(try await scratch.journal.unsettledIntents().isEmpty)
    }

    @Test func aHugeDurationDoesNotTrap() async throws {
        let scratch = try await ScratchJournal.open()
        for duration in [Duration.seconds(Int64.max), .seconds(Int64.min), .zero] {
            var entry = Sample.event("long")
            entry.duration = duration
            try await scratch.journal.record(entry, owned: .unchanged)
        }
        #expect(
            try await scratch.entries().map(\.duration) == [
                .microseconds(Int64.max), .microseconds(Int64.min), .zero,
            ])
    }
}
