import SQLite

/// One of the logs that a merged history was made of.
struct MergedLog: Sendable, Equatable {
    /// Its number in the history: the logs are numbered in the byte order of their identities.
    var id: Int64
    /// The id of the journal that it was.
    var identity: String
    /// How many entries it has, those included that retention had removed.
    var size: Int64

    /// The name under which its checkpoints are signed.
    var origin: String { JournalIdentity.origin(ofID: identity) }

    /// The logs of a history, in the order of their numbers.
    static func all(on connection: Connection) throws(JournalFailure) -> [MergedLog] {
        try JournalFailure.wrapping { () throws(DatabaseError) in
            try connection.rows("SELECT id, identity, size FROM merged_logs ORDER BY id") {
                (row) throws(DatabaseError) in
                MergedLog(id: try row.integer(0), identity: try row.text(1), size: try row.integer(2))
            }
        }
    }

    /// Has a connection to a merged history see one of its logs as the journal that it was.
    ///
    /// Views of this connection alone, under the names of a journal's tables, which SQLite finds before those of the file: so
    /// one code verifies and proves the entries of a journal and those of a log.
    static func show(_ log: Int64, on connection: Connection) throws(DatabaseError) {
        let columns = EntryColumns.names.map { name in
            name == EntryColumn.refersTo.name ? "place.refers_to AS refers_to" : "entry.\(name) AS \(name)"
        }
        let views = [
            "entries": """
            SELECT place.number AS sequence, \(columns.joined(separator: ", ")), entry.leaf_hash AS leaf_hash
            FROM main.merged_places AS place JOIN main.entries AS entry ON entry.sequence = place.sequence
            WHERE place.log = \(log)
            """,
            "tree_blocks": "SELECT block, root FROM main.merged_blocks WHERE log = \(log)",
            "checkpoints": "SELECT size, time, note FROM main.merged_checkpoints WHERE log = \(log)",
            "checkpoint_keys": "SELECT id, key, time FROM main.merged_keys WHERE log = \(log)",
            "identity": "SELECT identity AS id, hashed_through FROM main.merged_logs WHERE id = \(log)",
            "cut": """
            SELECT cut_through AS through, cut_entry AS entry, cut_kept AS kept FROM main.merged_logs WHERE id = \(log)
            """,
            "cut_blocks": "SELECT block, leaves FROM main.merged_cut_blocks WHERE log = \(log)",
        ]
        try connection.executeScript("PRAGMA query_only = 0")
        for (name, selection) in views {
            try connection.executeScript("CREATE TEMP VIEW \(name) AS \(selection)")
        }
        try connection.executeScript("PRAGMA query_only = 1")
    }
}
