package import Reconciler
import SQLite

/// Which objects an instance made on a cluster, and which it found there and took over, by uid.
///
/// The latest entry of each decides: what was handed over is neither any more, and what is found again later was not made.
package struct MadeObjects: Sendable, Equatable {
    package var made: Set<String> = []
    package var takenOver: Set<String> = []

    package init(made: Set<String> = [], takenOver: Set<String> = []) {
        self.made = made
        self.takenOver = takenOver
    }
}

extension JournalReader {
    /// What an instance made on a cluster, and what it took over.
    package func madeObjects(_ scope: Scope) async throws(JournalError) -> MadeObjects {
        try await read { (connection) throws(JournalFailure) in
            try JournalFailure.wrapping { () throws(DatabaseError) in try readMadeObjects(scope, on: connection) }
        }
    }
}

extension SQLiteJournal {
    /// What this instance made on this cluster, and what it took over.
    package func madeObjects() async throws(JournalError) -> MadeObjects {
        let scope = JournalReader.Scope(instance: configuration.instance, cluster: configuration.cluster)
        return try await write { (connection) throws(DatabaseError) in try readMadeObjects(scope, on: connection) }
    }
}

/// Retention keeps the entries that tell it of what is in force, see ``KeptEntries``.
private func readMadeObjects(
    _ scope: JournalReader.Scope, on connection: Connection
) throws(DatabaseError) -> MadeObjects {
    var objects = MadeObjects()
    let rows = try connection.rows(
        """
        SELECT uid, action, max(sequence) FROM (
            SELECT uid, action, sequence FROM entries INDEXED BY entries_action
            WHERE \(KeptEntries.coming) AND instance = ?1 AND cluster = ?2
            UNION ALL
            SELECT uid, action, sequence FROM entries INDEXED BY entries_reason
            WHERE \(KeptEntries.handingOver) AND instance = ?1 AND cluster = ?2)
        WHERE uid IS NOT NULL GROUP BY uid
        """, [.text(scope.instance), .text(scope.cluster)]
    ) { (row) throws(DatabaseError) in (try row.text(0), try row.text(1)) }
    for (uid, action) in rows {
        switch action {
        case "create", "replace": objects.made.insert(uid)
        case "adopt": objects.takenOver.insert(uid)
        default: break
        }
    }
    return objects
}
