import Foundation
import Journal
import Manifest
import Reconciler
import TestSupport
import Testing

/// What was in force at an earlier moment.
@Suite struct PastStateTests {
    private static let commits = ["a", "b", "c"].map { String(repeating: $0, count: 40) }
    private let scope = JournalReader.Scope(instance: "default", cluster: "production")

    private func draft(
        _ reason: EntryReason, _ object: ObjectID?, commit: Int, at seconds: Int64, action: ActionKind? = nil,
        after: Tree? = nil, outcome: EntryOutcome = .succeeded
    ) -> EntryDraft {
        var revision = Sample.revision
        revision.commit = Self.commits[commit]
        return EntryDraft(
            at: Sample.moment(seconds), kind: action == nil ? .event : .action, reason: reason, outcome: outcome,
            action: action, object: object, before: Sample.tree, after: after, revision: revision, message: "m")
    }

    private func role(_ rule: String) -> Tree {
        var tree = Sample.tree
        tree.set(["rules"], to: [["apiGroups": [""], "resources": [.string(rule)], "verbs": ["get"]]])
        return tree
    }

    /// Three revisions, a drift, a deletion, a failure, and an object that was found and given up.
    private func story() async throws -> ScratchJournal {
        let scratch = try await ScratchJournal.open()
        let (a, b, c) = (Sample.role("a"), Sample.role("b"), Sample.role("c"))
        for entry in [
            draft(.revisionAccepted, nil, commit: 0, at: 0),
            draft(.revisionChanged, a, commit: 0, at: 1, action: .create, after: role("pods")),
            draft(.recognised, c, commit: 0, at: 2, after: role("services")),
            draft(.revisionAccepted, nil, commit: 1, at: 10),
            draft(.revisionChanged, a, commit: 1, at: 11, action: .update, after: role("secrets")),
            draft(.revisionChanged, b, commit: 1, at: 12, action: .create, after: role("nodes")),
            draft(.revisionChanged, b, commit: 1, at: 13, action: .update, after: nil, outcome: .failed),
            draft(.incident(.driftCorrected), a, commit: 1, at: 14, action: .update, after: role("secrets")),
            draft(.revisionAccepted, nil, commit: 2, at: 20),
            draft(.revisionChanged, b, commit: 2, at: 21, action: .delete),
            draft(.recognised, c, commit: 2, at: 22),
        ] { _ = try await scratch.journal.record(entry, owned: .unchanged) }
        await scratch.journal.close()
        return scratch
    }

    private func objects(_ state: PastState?) -> [String: Tree?] {
        Dictionary(
            uniqueKeysWithValues: (state?.objects ?? []).map {
                ($0.id.name, $0.tree["rules"]?.array?.first?["resources"]?.array?.first)
            })
    }

    @Test func aTimeGivesWhatWasAppliedUntilThen() async throws {
        let scratch = try await story()
        let reader = try await JournalReader.open(scratch.path)
        var state = try await reader.state(at: .time(Sample.moment(5)), scope)
        #expect(objects(state) == ["a": "pods", "c": "services"])
        #expect(state?.commit == Self.commits[0])
        state = try await reader.state(at: .time(Sample.moment(15)), scope)
        #expect(objects(state) == ["a": "secrets", "b": "nodes", "c": "services"])
        #expect(state?.objects.first?.sequence == 8)
        state = try await reader.state(at: .time(Sample.moment(500)), scope)
        #expect(objects(state) == ["a": "secrets"])
        #expect(state?.throughSequence == 11)
        #expect(try await reader.state(at: .time(Sample.moment(-5)), scope)?.throughSequence == 0)
        withExtendedLifetime(scratch) {}
    }

    /// What was cut short leaves what was there, and is told.
    @Test func whatFailedOrWasCutShortIsNotForgotten() async throws {
        let scratch = try await ScratchJournal.open()
        let (a, b, c) = (Sample.role("a"), Sample.role("b"), Sample.role("c"))
        for entry in [
            draft(.revisionChanged, a, commit: 0, at: 1, action: .create, after: role("pods")),
            draft(.revisionChanged, b, commit: 0, at: 2, action: .create, after: role("nodes")),
            draft(.revisionChanged, a, commit: 0, at: 3, action: .update, outcome: .abandoned),
            draft(.revisionChanged, b, commit: 0, at: 4, action: .delete, after: role("nodes"), outcome: .abandoned),
            draft(.revisionChanged, c, commit: 0, at: 5, action: .create, after: role("secrets"), outcome: .abandoned),
        ] { _ = try await scratch.journal.record(entry, owned: .unchanged) }
        await scratch.journal.close()
        let reader = try await JournalReader.open(scratch.path)
        let state = try await reader.state(at: .time(Sample.moment(9)), scope)
        #expect(objects(state) == ["a": "pods", "b": "nodes"])
        #expect(state?.uncertain.map(\.name).sorted() == ["a", "b", "c"])
        await reader.close()
        withExtendedLifetime(scratch) {}
    }

    @Test func aRevisionGivesWhatItEndedWith() async throws {
        let scratch = try await story()
        let reader = try await JournalReader.open(scratch.path)
        #expect(objects(try await reader.state(at: .revision("aaaaaaa"), scope)) == ["a": "pods", "c": "services"])
        let second = try await reader.state(at: .revision(Self.commits[1]), scope)
        #expect(objects(second) == ["a": "secrets", "b": "nodes", "c": "services"])
        #expect(second?.throughSequence == 8)
        #expect(objects(try await reader.state(at: .revision("ccccccc"), scope)) == ["a": "secrets"])
        #expect(try await reader.state(at: .revision("ddddddd"), scope) == nil)
        #expect(
            try await reader.state(at: .time(Sample.moment(50)), .init(instance: "other", cluster: "production"))?
                .objects.isEmpty == true)
        withExtendedLifetime(scratch) {}
    }

    @Test func aBackupIsAJournalOfItsMoment() async throws {
        let journal = try await SignedJournal.make(entries: 300)
        let reader = try await JournalReader.open(journal.path)
        let copy = journal.folder.path + "/copy.db"
        try await reader.backUp(to: copy)
        let report = try await JournalVerifier.verify(copy, journal.kept)
        #expect(report.isIntact, "\(report.findings)")
        #expect(report.provenThrough == 300)
        let rights = try FileManager.default.attributesOfItem(atPath: copy)[.posixPermissions] as? Int
        #expect(rights == 0o600)
        await #expect(throws: JournalError.self) { try await reader.backUp(to: copy) }
        let files = try FileManager.default.contentsOfDirectory(atPath: journal.folder.path)
        #expect(!files.contains { $0.contains(".part") }, "\(files)")
        await reader.close()
    }
}
