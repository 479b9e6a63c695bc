import Journal
import Manifest
import Reconciler
import Testing

@Suite struct IncidentTests {
    @Test func anOpenIncidentIsNotRaisedAgain() async throws {
        let scratch = try await ScratchJournal.open()
        let journal = scratch.journal
        let role = Sample.role("reader")
        #expect(try await journal.raise(Sample.incident(.actionRejected, role, "no such verb")) == 1)
        #expect(try await journal.raise(Sample.incident(.actionRejected, role, "no such verb", at: 9)) == nil)
        #expect(try await journal.raise(Sample.incident(.actionRejected, role, "another text")) == 2)
        #expect(try await journal.raise(Sample.incident(.actionRejected, Sample.role("b"), "no such verb")) == 3)
        #expect(try await journal.raise(Sample.incident(.actionFailed, role, "no such verb")) == 4)
        #expect(try await journal.raise(Sample.incident(.actionRejected, nil, "no such verb")) == 5)
        #expect(try await scratch.entries().map(\.sequence) == [1, 2, 3, 4, 5])
    }

    @Test func aResolvedIncidentMayBeRaisedAgain() async throws {
        let scratch = try await ScratchJournal.open()
        let journal = scratch.journal
        let (role, other) = (Sample.role("reader"), Sample.role("other"))
        for incident in [
            Sample.incident(.actionRejected, role, "a"), Sample.incident(.actionFailed, role, "b"),
            Sample.incident(.actionRejected, other, "a"), Sample.incident(.fetchFailed, nil, "c"),
        ] { try await journal.raise(incident) }
        try await journal.resolve([.actionRejected, .actionFailed], object: role)

        let reader = try await JournalReader.open(scratch.path)
        #expect(try await reader.openIncidents().map(\.object) == [nil, other])
        try await journal.resolve([.fetchFailed, .actionRejected], object: nil)
        #expect(try await reader.openIncidents().map(\.object) == [other])
        #expect(try await journal.raise(Sample.incident(.actionRejected, role, "a")) == 5)
        #expect(try await reader.openIncidents().map(\.sequence) == [5, 3])
    }

    @Test func anOpenIncidentTellsWhereItsRunbookIs() async throws {
        let scratch = try await ScratchJournal.open()
        let role = Sample.role("reader")
        try await scratch.journal.raise(Sample.incident(.driftFight, role, "somebody fights back", at: 60))
        let reader = try await JournalReader.open(scratch.path)
        let incident = try #require(try await reader.openIncidents().first)
        #expect(
            incident
                == OpenIncident(
                    sequence: 1, since: Sample.moment(60), instance: "default", cluster: "production",
                    reason: "DriftFight", object: role, message: "somebody fights back"))
        #expect(incident.runbookPath == "Runbooks/DriftFight.md")
    }

    @Test func anIncidentThatWordsItselfAnewDoesNotGrowWithoutEnd() async throws {
        let scratch = try await ScratchJournal.open()
        for attempt in 0..<40 {
            try await scratch.journal.raise(Sample.incident(.fetchFailed, nil, "attempt \(attempt)"))
        }
        let reader = try await JournalReader.open(scratch.path)
        #expect(try await reader.openIncidents().map(\.message) == (24..<40).reversed().map { "attempt \($0)" })
        #expect(try await scratch.entries().count == 40)
    }

    @Test func concurrentRaisesOfOneIncidentMakeOneEntry() async throws {
        let scratch = try await ScratchJournal.open()
        let journal = scratch.journal
        let raised = try await withThrowingTaskGroup(of: Int64?.self) { group in
            for _ in 0..<32 {
                group.addTask { try await journal.raise(Sample.incident(.clusterUnreachable, nil, "timed out")) }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(raised.compactMap { $0 } == [1])
    }
}
