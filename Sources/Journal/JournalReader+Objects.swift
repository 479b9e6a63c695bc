package import Manifest
package import Reconciler
import SQLite

extension JournalReader {
    /// Which object of a name the journal last saw in force on a cluster before an entry, and in which version.
    ///
    /// - Parameter cluster: Its name in the journal, which may be of several; whichever instance saw it.
    package func lastState(
        of object: ObjectID, on cluster: String, before sequence: Int64
    ) async throws(JournalError) -> (uid: String, resourceVersion: String?)? {
        try await read { (connection) throws(JournalFailure) in
            let after = try JournalFailure.wrapping { () throws(DatabaseError) in
                try connection.firstRow(
                    """
                    SELECT after FROM entries INDEXED BY entries_object
                    WHERE name = ? AND namespace = ? AND object_kind = ? AND api_group = ? AND sequence < ?
                        AND after IS NOT NULL
                        AND cluster = ?
                        AND (kind = 'action' AND outcome = 'succeeded' OR reason = 'Recognised')
                    ORDER BY sequence DESC LIMIT 1
                    """,
                    [
                        .text(object.name), .text(object.namespace), .text(object.kind), .text(object.group),
                        .integer(sequence), .text(cluster),
                    ]
                ) { (row) throws(DatabaseError) in try row.text(0) }
            }
            guard let after else { return nil }
            let metadata = try tree(fromCanonical: after, in: "an entry about \(object)")["metadata"]
            guard let uid = metadata?["uid"]?.string else { return nil }
            return (uid: uid, resourceVersion: metadata?["resourceVersion"]?.string)
        }
    }

    /// The entries that say more about another one or undo it, the oldest first.
    package func entries(about sequence: Int64) async throws(JournalError) -> [JournalEntry] {
        try await read { (connection) throws(JournalFailure) in
            try Self.entries(
                "SELECT \(EntryColumns.selection(includesContent: true)) FROM entries WHERE refers_to = ? ORDER BY sequence",
                [.integer(sequence)], on: connection)
        }
    }
}
