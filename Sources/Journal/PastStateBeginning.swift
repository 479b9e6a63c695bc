import Manifest
import SQLite

/// From where on a journal, or a merged history, knows the state: where retention has removed what was before.
struct PastStateBeginning {
    /// The last entry before; from it on every object's last change is there.
    var through: Int64
    var time: Timestamp
    /// The entry that says what was removed.
    var entry: Int64

    /// - Returns: Nil where nothing ever was removed.
    init?(on connection: Connection) throws(JournalFailure) {
        guard try MergedSchema.isMerged(connection) else {
            guard let cut = try JournalCut.read(on: connection) else { return nil }
            (through, time, entry) = (cut.through, cut.time, cut.entry)
            return
        }
        // Of several logs the one counts that begins last.
        let rows = try JournalFailure.wrapping { () throws(DatabaseError) in
            try connection.rows(
                """
                SELECT (SELECT min(sequence) - 1 FROM merged_places WHERE log = merged_logs.id AND number > cut_through),
                    place.sequence, entry.after
                FROM merged_logs JOIN merged_places AS place ON place.log = merged_logs.id AND place.number = cut_entry
                    JOIN entries AS entry ON entry.sequence = place.sequence
                WHERE cut_through > 0 ORDER BY 1 DESC LIMIT 1
                """
            ) { (row) throws(DatabaseError) in
                (through: try row.integer(0), entry: try row.integer(1), content: try row.text(2))
            }
        }
        guard let last = rows.first else { return nil }
        let content = try tree(fromCanonical: last.content, in: "entry \(last.entry)")
        guard let time = content["time"]?.string.flatMap({ Timestamp($0) }) else {
            throw .unreadable("entry \(last.entry) does not say from when on entries are there")
        }
        (through, self.time, entry) = (last.through, time, last.entry)
    }
}
