import Manifest
import SQLite

/// Which entries stay when retention removes what is old: those that something in force depends on.
///
/// So the journal still tells who brought in a right that holds today, however long ago that was.
enum KeptEntries {
    /// Of the entries up to `last`, ascending: the state of every instance at that moment, what is not certain of it, the
    /// revision in force, open incidents, changes of the signing key, and who made what is kept.
    static func upTo(_ last: Int64, on connection: Connection) throws(JournalFailure) -> [Int64] {
        try JournalFailure.wrapping { () throws(DatabaseError) in
            var kept: Set<Int64> = []
            for sql in [state, uncertain, revision, incidents, keys] {
                kept.formUnion(
                    try connection.rows(sql, [.integer(last)]) { (row) throws(DatabaseError) in try row.integer(0) })
            }
            let references = try connection.rows(
                """
                SELECT sequence, refers_to FROM entries INDEXED BY entries_reference
                WHERE refers_to IS NOT NULL AND refers_to <= ?1 AND sequence <= ?1 AND reason = 'ActorIdentified'
                """, [.integer(last)]
            ) { (row) throws(DatabaseError) in (try row.integer(0), try row.integer(1)) }
            for (sequence, other) in references where kept.contains(other) { kept.insert(sequence) }
            return kept.sorted()
        }
    }

    private static let object = "instance, cluster, api_group, object_kind, namespace, name"

    private static let state = """
        SELECT last FROM (
            SELECT max(sequence) AS last, action, outcome, after FROM entries NOT INDEXED
            WHERE sequence <= ? AND \(PastState.formsAnObject) GROUP BY \(object))
        WHERE after IS NOT NULL AND (action IS NOT 'delete' OR outcome = 'abandoned')
        """

    private static let uncertain = """
        SELECT last FROM (
            SELECT max(sequence) AS last, outcome FROM entries NOT INDEXED
            WHERE sequence <= ? AND \(PastState.concernsAnObject) GROUP BY \(object))
        WHERE outcome IN ('failed', 'abandoned')
        """

    private static let revision = """
        SELECT max(sequence) FROM entries INDEXED BY entries_reason
        WHERE reason = 'RevisionAccepted' AND sequence <= ? GROUP BY instance, cluster
        """

    private static let incidents = "SELECT sequence FROM open_incidents WHERE sequence <= ?"

    private static let keys = """
        SELECT sequence FROM entries INDEXED BY entries_reason WHERE reason = 'SigningKeyChanged' AND sequence <= ?
        """
}
