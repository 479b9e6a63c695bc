import SQLite

/// The index over the words of entries, kept in the transaction that adds or removes them.
enum TextIndex {
    /// The columns of `entries` in which words are looked for.
    static let columns = [
        "message", "namespace", "name", "revision", "author", "committer", "approver", "subject", "trailers", "actor",
        "actor_details", "before", "after",
    ]

    private static let list = columns.joined(separator: ", ")
    private static let insertion =
        "INSERT INTO entries_text (rowid, \(list)) VALUES (?, \(columns.map { _ in "?" }.joined(separator: ", ")))"
    private static let places = columns.compactMap(EntryColumns.names.firstIndex(of:))

    /// Adds an entry by the values of its columns.
    static func add(_ sequence: Int64, _ values: [SQLValue], to connection: Connection) throws(DatabaseError) {
        try connection.execute(insertion, [.integer(sequence)] + places.map { values[$0] })
    }

    /// Compares the index with the entries; false where it does not lead to all of them, or to others.
    ///
    /// In a copy in memory: SQLite looks into such an index only where it may write.
    static func isWhole(on connection: Connection) throws(DatabaseError) -> Bool {
        let copy = try connection.copyInMemory()
        do throws(DatabaseError) {
            try copy.execute("INSERT INTO entries_text (entries_text, rank) VALUES ('integrity-check', 1)")
            return true
        } catch {
            // Whatever somebody did to it: only what the machine lacks is no finding.
            let lacks: [DatabaseError.Code] = [.noMemory, .full, .inputOutput]
            if lacks.contains(error.code) { throw error }
            return false
        }
    }

    /// Takes out the entries between two numbers, which must still be there.
    static func remove(
        after first: Int64, before last: Int64, from connection: Connection
    ) throws(DatabaseError) {
        try connection.execute(
            """
            INSERT INTO entries_text (entries_text, rowid, \(list))
                SELECT 'delete', sequence, \(list) FROM entries WHERE sequence > ? AND sequence < ?
            """, [.integer(first), .integer(last)])
    }
}
