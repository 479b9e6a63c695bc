import JSON
import Journal
import Manifest
import Reconciler
import SQLite
import Signatures

/// Durable entries with the tree against the same inserts without it, in turns, so that noise hits both.
func compareGroupCommit(in folder: String) async throws {
    let rounds = 6
    let count = 12_000
    let tasks = 64
    let journal = try await BenchmarkEntries.open(folder + "/with-tree.db", key: .generate())
    _ = try await journal.record(BenchmarkEntries.entry(1), owned: .unchanged)
    let plain = try await PlainWriter(beside: journal.path, at: folder + "/without-tree.db")
    var withTree: [Double] = []
    var without: [Double] = []
    for round in 0..<rounds {
        let numbers = (round * count)..<((round + 1) * count)
        withTree.append(
            Double(count) / (try await seconds { try await BenchmarkEntries.write(numbers, to: journal, tasks: tasks) })
        )
        without.append(Double(count) / (try await seconds { try await plain.write(numbers, tasks: tasks) }))
    }
    await journal.close()
    await plain.close()
    let pairs = zip(withTree, without).map { $0 / $1 }.sorted()
    report(
        "group commit, \(tasks) tasks: \(Int(withTree.sorted()[rounds / 2])) entries/s with the tree, "
            + "\(Int(without.sorted()[rounds / 2])) without; ratio of the rounds: "
            + pairs.map { "\(Int($0 * 100)) %" }.joined(separator: ", "))
}

/// The same rows into the same table and the same text index by the same group commit, without canonical form, hash or tree.
final class PlainWriter: Sendable {
    private let writer: GroupedWriter
    private static let columns = [
        "time", "instance", "cluster", "kind", "reason", "is_incident", "outcome", "action", "api_group", "api_version",
        "object_kind", "namespace", "name", "uid", "resource_version", "revision", "author", "committer",
        "pull_request", "approver", "actor", "actor_operation", "actor_time", "actor_certainty", "runbook",
        "runbook_revision", "duration_microseconds", "audit_id", "subject", "trailers", "message", "patch", "before",
        "after", "refers_to", "actor_details",
    ]
    private let insertion =
        "INSERT INTO entries (\(columns.joined(separator: ", "))) VALUES (\(columns.map { _ in "?" }.joined(separator: ", ")))"

    private static let searched = [
        "message", "namespace", "name", "revision", "author", "committer", "approver", "subject", "trailers", "actor",
        "actor_details", "before", "after",
    ]
    private let indexing =
        "INSERT INTO entries_text (rowid, \(searched.joined(separator: ", "))) "
        + "VALUES (last_insert_rowid(), \(searched.map { _ in "?" }.joined(separator: ", ")))"

    init(beside journal: String, at path: String) async throws {
        let scratch = try await BenchmarkEntries.open(path, key: .generate())
        await scratch.close()
        writer = try await GroupedWriter(label: "bench") { () throws(DatabaseError) -> sending Connection in
            let connection = try Connection(path: path, mode: .readWrite)
            try connection.executeScript(
                """
                PRAGMA synchronous = FULL; PRAGMA secure_delete = FAST; PRAGMA wal_autocheckpoint = 4000;
                PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -16000;
                """)
            return connection
        }
    }

    func write(_ numbers: Range<Int>, tasks: Int) async throws {
        try await withThrowingTaskGroup { group in
            for task in 0..<tasks {
                group.addTask { [self] in
                    for number in stride(from: numbers.lowerBound + task, to: numbers.upperBound, by: tasks) {
                        let values = Self.values(of: BenchmarkEntries.entry(number))
                        let texts = Self.searched.compactMap(Self.columns.firstIndex(of:)).map { values[$0] }
                        try await writer.perform { (connection) throws(DatabaseError) in
                            try connection.execute(self.insertion, values)
                            try connection.execute(self.indexing, texts)
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    func close() async { await writer.close() }

    private static func values(of draft: EntryDraft) -> [SQLValue] {
        let incident = draft.reason.incident
        return [
            .text(draft.at.description), .text("default"), .text("production"), .text(draft.kind.rawValue),
            .text(draft.reason.word), .integer(incident == nil ? 0 : 1), .text(draft.outcome.rawValue),
            .optional(draft.action?.rawValue), .optional(draft.object?.group), .text("v1"),
            .optional(draft.object?.kind), .optional(draft.object?.namespace), .optional(draft.object?.name),
            .optional(draft.uid), .optional(draft.resourceVersion), .optional(draft.revision?.commit),
            .optional(draft.revision?.author), .optional(draft.revision?.committer), .integer(12), .null,
            .optional(draft.actor?.name), .optional(draft.actor?.operation), .null,
            .optional(draft.actor?.certainty.rawValue), .optional(incident.map { "Runbooks/\($0.rawValue).md" }),
            .optional(incident.map { _ in "bench" }), .integer(4_250), .optional(draft.auditID),
            .optional(draft.revision?.subject), .text("[[\"Reviewed-by\",\"Bo <bo@example.org>\"]]"),
            .text(draft.message), .optional(draft.patch?.jsonText()), .optional(draft.before?.jsonText()),
            .optional(draft.after?.jsonText()), .null, .null,
        ]
    }
}
