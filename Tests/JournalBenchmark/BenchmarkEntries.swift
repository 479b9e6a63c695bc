import Journal
import Manifest
import Reconciler
import Signatures

/// Entries as a cluster in use writes them.
enum BenchmarkEntries {
    static let start = Timestamp(microsecondsSinceEpoch: 1_772_366_400_000_000)

    static let role: Tree = [
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
        "metadata": ["name": "reader", "namespace": "team-a", "uid": "u-1", "resourceVersion": "41"],
        "rules": [["apiGroups": [""], "resources": ["pods", "services"], "verbs": ["get", "list", "watch"]]],
    ]

    static let revision = RevisionFacts(
        commit: "0123456789abcdef0123456789abcdef01234567", author: "Ana Lima <ana@example.org>",
        committer: "Merge Bot <bot@example.org>", subject: "Let team A read pods (#12)", pullRequest: 12,
        trailers: [.init(key: "Reviewed-by", value: "Bo <bo@example.org>")])

    static func entry(_ number: Int) -> EntryDraft {
        let isDrift = number % 50 == 0
        return EntryDraft(
            at: start.advanced(by: .seconds(Int64(number))), kind: .action,
            reason: isDrift ? .incident(.driftCorrected) : .revisionChanged, outcome: .succeeded, action: .update,
            object: ObjectID(.role, namespace: "team-\(number % 200)", name: "reader-\(number % 5_000)"),
            uid: "u-\(number)",
            resourceVersion: "\(number)", before: role, after: role, patch: ["rules": .null], revision: revision,
            actor: isDrift ? Actor(name: "kubectl-edit", operation: "Update", time: nil, certainty: .claimed) : nil,
            duration: .microseconds(4_250), auditID: "a-\(number)", message: "put back what Git declares")
    }

    static func open(_ path: String, key: Ed25519PrivateKey) async throws -> SQLiteJournal {
        let journal = try await SQLiteJournal.open(
            JournalConfiguration(
                path: path, instance: "default", cluster: "production", build: "bench", maximumCheckedBytes: 0,
                signingKey: key))
        try await journal.introduceKey(at: start)
        return journal
    }

    /// Writes entries from many tasks at once, as the controller does.
    static func write(_ numbers: Range<Int>, to journal: SQLiteJournal, tasks: Int) async throws {
        try await withThrowingTaskGroup { group in
            for task in 0..<tasks {
                group.addTask {
                    for number in stride(from: numbers.lowerBound + task, to: numbers.upperBound, by: tasks) {
                        _ = try await journal.record(entry(number), owned: .unchanged)
                    }
                }
            }
            try await group.waitForAll()
        }
    }
}
