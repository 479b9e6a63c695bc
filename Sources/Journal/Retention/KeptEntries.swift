import Manifest
import SQLite

/// Which entries stay when retention removes what is old: those that something in force depends on.
///
/// So the journal still tells who brought in a right that holds today, however long ago that was.
enum KeptEntries {
    /// Of the entries up to `last`, ascending: the state of every instance at that moment, what is not certain of it, the
    /// revision in force, open incidents, changes of the signing key, how each object in force was made, and who made what
    /// is kept.
    static func upTo(_ last: Int64, on connection: Connection) throws(JournalFailure) -> [Int64] {
        try JournalFailure.wrapping { () throws(DatabaseError) in
            var kept: Set<Int64> = []
            for sql in [state, uncertain, revision, incidents, keys] {
                kept.formUnion(
                    try connection.rows(sql, [.integer(last)]) { (row) throws(DatabaseError) in try row.integer(0) })
            }
            kept.formUnion(try origins(upTo: last, on: connection))
            kept.formUnion(try acceptances(of: kept, upTo: last, on: connection))
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

    /// For each object in force, the change that a revision brought, since corrections after it name only who corrected;
    /// and that by which it was made, taken over or handed over last, since only what Bylaw made goes with it.
    private static func origins(upTo last: Int64, on connection: Connection) throws(DatabaseError) -> Set<Int64> {
        func lastByObject(_ sql: String) throws(DatabaseError) -> [String: Int64] {
            let rows = try connection.rows(sql, [.integer(last)]) { (row) throws(DatabaseError) in
                (try row.text(0), try row.integer(1))
            }
            return Dictionary(rows) { max($0, $1) }
        }
        let inForce = try lastByObject("SELECT key, last FROM (\(stateRows)) WHERE \(isThere)")
        let changes = try lastByObject(
            """
            SELECT \(key), max(sequence) FROM entries NOT INDEXED
            WHERE sequence <= ? AND kind = 'action' AND outcome = 'succeeded' AND object_kind IS NOT NULL
                AND reason IN ('RevisionChanged', 'ActionInterrupted') GROUP BY 1
            """)
        let comings = try lastByObject(
            """
            SELECT \(key), max(sequence) FROM entries INDEXED BY entries_action
            WHERE sequence <= ? AND \(coming) AND object_kind IS NOT NULL GROUP BY 1
            """)
        let handovers = try lastByObject(
            """
            SELECT \(key), max(sequence) FROM entries INDEXED BY entries_reason
            WHERE sequence <= ? AND \(handingOver) AND object_kind IS NOT NULL GROUP BY 1
            """)
        return Set(
            [changes, comings.merging(handovers) { max($0, $1) }].flatMap {
                $0.filter { inForce[$0.key] != nil }.values
            })
    }

    /// Where the revisions that are named by what is kept were accepted.
    private static func acceptances(
        of kept: Set<Int64>, upTo last: Int64, on connection: Connection
    ) throws(DatabaseError) -> Set<Int64> {
        let named = try connection.rows(
            "SELECT sequence, revision FROM entries NOT INDEXED WHERE sequence <= ? AND revision IS NOT NULL",
            [.integer(last)]
        ) { (row) throws(DatabaseError) in (try row.integer(0), try row.text(1)) }
        let revisions = Set(named.filter { kept.contains($0.0) }.map(\.1))
        let accepted = try connection.rows(
            """
            SELECT max(sequence), revision FROM entries INDEXED BY entries_reason
            WHERE reason = 'RevisionAccepted' AND sequence <= ? AND revision IS NOT NULL
            GROUP BY instance, cluster, revision
            """, [.integer(last)]
        ) { (row) throws(DatabaseError) in (try row.integer(0), try row.text(1)) }
        return Set(accepted.filter { revisions.contains($0.1) }.map(\.0))
    }

    /// Which entries tell that an object was made or taken over; the last condition lets SQLite see that the partial index
    /// has them all.
    static let coming = """
        action IN ('create', 'replace', 'adopt') AND kind = 'action' AND outcome = 'succeeded' AND action <> 'update'
        """

    /// Which entries tell that an object was handed over: the marker came off, and it stayed.
    static let handingOver = """
        reason = 'Uninstalled' AND action = 'update' AND kind = 'action' AND outcome = 'succeeded'
        """

    private static let key =
        "json_array(instance, cluster, api_group, object_kind, namespace, name)"
    private static let stateRows = """
        SELECT \(key) AS key, max(sequence) AS last, action, outcome, after FROM entries NOT INDEXED
        WHERE sequence <= ? AND \(PastState.formsAnObject) GROUP BY 1
        """
    private static let isThere = "after IS NOT NULL AND (action IS NOT 'delete' OR outcome = 'abandoned')"

    private static let object = "instance, cluster, api_group, object_kind, namespace, name"

    private static let state = "SELECT last FROM (\(stateRows)) WHERE \(isThere)"

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
