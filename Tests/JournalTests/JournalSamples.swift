import Journal
import Manifest
import Reconciler
import TestSupport

/// Journals and what is written into them, as the tests need them.
enum Sample {
    static let start = Timestamp(microsecondsSinceEpoch: 1_772_366_400_000_000)

    static func moment(_ seconds: Int64) -> Timestamp { start.advanced(by: .seconds(seconds)) }

    static func configuration(_ path: String, instance: String = "default") -> JournalConfiguration {
        JournalConfiguration(path: path, instance: instance, cluster: "production", build: "0.1.0+test")
    }

    static func role(_ name: String, in namespace: String = "team-a") -> ObjectID {
        ObjectID(.role, namespace: namespace, name: name)
    }

    static let revision = RevisionFacts(
        commit: "0123456789abcdef0123456789abcdef01234567", author: "Ana Lima <ana@example.org>",
        committer: "Merge Bot <bot@example.org>", subject: "Let team A read pods (#12)", pullRequest: 12,
        trailers: [.init(key: "Reviewed-by", value: "Bo <bo@example.org>"), .init(key: "Ticket", value: "SEC-7")])

    static let tree: Tree = [
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
        "metadata": ["name": "reader", "namespace": "team-a", "uid": "u-1", "resourceVersion": "41"],
        "rules": [["apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]]],
    ]

    static func intent(_ object: ObjectID, at seconds: Int64 = 0, message: String = "update the role") -> Intent {
        Intent(
            at: moment(seconds), action: .update, reason: .incident(.driftCorrected), object: object, uid: "u-1",
            resourceVersion: "41", before: tree, desired: tree, patch: ["rules": .null], revision: revision,
            actor: Actor(
                name: "kubectl-edit", operation: "Update", time: "2026-03-01T11:59:58Z", certainty: .claimed),
            message: message)
    }

    static func correction(_ object: ObjectID, at seconds: Int64 = 0) -> EntryDraft {
        EntryDraft(
            at: moment(seconds), kind: .action, reason: .incident(.driftCorrected), outcome: .succeeded,
            action: .update,
            object: object, uid: "u-1", resourceVersion: "42", before: tree, after: tree, patch: ["rules": .null],
            revision: revision,
            actor: Actor(
                name: "kubectl-edit", operation: "Update", time: "2026-03-01T11:59:58Z", certainty: .claimed),
            duration: .microseconds(4_250), auditID: "a-1", message: "put back what Git declares")
    }

    static func event(_ message: String, at seconds: Int64 = 0, reason: EntryReason = .synced) -> EntryDraft {
        EntryDraft(at: moment(seconds), kind: .event, reason: reason, outcome: .succeeded, message: message)
    }

    static func incident(
        _ reason: IncidentReason, _ object: ObjectID?, _ message: String, at seconds: Int64 = 0
    ) -> EntryDraft {
        EntryDraft(
            at: moment(seconds), kind: .notice, reason: .incident(reason), outcome: .failed, object: object,
            message: message)
    }
}

/// A journal in a folder of its own.
struct ScratchJournal {
    let folder: ScratchDirectory
    let journal: SQLiteJournal

    var path: String { folder.path + "/journal.db" }

    static func open(_ change: (inout JournalConfiguration) -> Void = { _ in }) async throws -> ScratchJournal {
        let folder = try ScratchDirectory()
        var configuration = Sample.configuration(folder.path + "/journal.db")
        change(&configuration)
        return ScratchJournal(folder: folder, journal: try await SQLiteJournal.open(configuration))
    }

    /// Every entry, the oldest first.
    func entries() async throws -> [JournalEntry] { try await Self.entries(path) }

    static func entries(_ path: String) async throws -> [JournalEntry] {
        let reader = try await JournalReader.open(path)
        var query = JournalQuery()
        query.order = .oldestFirst
        query.limit = JournalQuery.maximumLimit
        let entries = try await reader.entries(query)
        await reader.close()
        return entries
    }
}

extension SQLiteJournal {
    /// Finds out what is old, and removes of it what one step does.
    func removeOldEntries(
        _ policy: RetentionPolicy, at now: Timestamp, minimumCount: Int64
    ) async throws -> RetentionReport? {
        let reader = try await JournalReader.open(path)
        let old = try await reader.oldEntries(policy, at: now)
        await reader.close()
        return try await removeOldEntries(old, at: now, minimumCount: minimumCount)
    }
}
