package import Reconciler
import SQLite

extension JournalReader {
    /// The uids of what an instance made on a cluster, and did not find there and take over.
    package func madeObjects(_ scope: Scope) async throws(JournalError) -> Set<String> {
        try await read { (connection) throws(JournalFailure) in
            try JournalFailure.wrapping { () throws(DatabaseError) in try madeUIDs(scope, on: connection) }
        }
    }
}

extension SQLiteJournal {
    /// The uids of what this instance made on this cluster, and did not find there and take over.
    package func madeObjects() async throws(JournalError) -> Set<String> {
        let scope = JournalReader.Scope(instance: configuration.instance, cluster: configuration.cluster)
        return try await write { (connection) throws(DatabaseError) in try madeUIDs(scope, on: connection) }
    }
}

/// Retention keeps the entries that tell it of what is in force, see ``KeptEntries``.
private func madeUIDs(
    _ scope: JournalReader.Scope, on connection: Connection
) throws(DatabaseError) -> Set<String> {
    Set(
        try connection.rows(
            """
            SELECT uid FROM entries INDEXED BY entries_action
            WHERE \(KeptEntries.making) AND instance = ? AND cluster = ? AND uid IS NOT NULL
            """, [.text(scope.instance), .text(scope.cluster)]
        ) { (row) throws(DatabaseError) in try row.text(0) })
}
