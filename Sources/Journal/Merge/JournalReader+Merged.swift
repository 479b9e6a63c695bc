import Manifest
package import Reconciler
import SQLite

/// Where an entry of a merged history was written.
package struct MergedPlace: Sendable, Equatable {
    /// The number of the log in the history.
    var log: Int64
    /// The name under which the checkpoints of that log are signed.
    package var origin: String
    /// The number of the entry there, which its text, its proof and what other entries say of it mean.
    package var number: Int64
    /// What it refers to there.
    package var refersTo: Int64?
    /// What the log says of who began to write it last before, such as "bylaw started on bylaw-0"; nil where nothing does.
    package var writer: String?
}

extension JournalReader {
    /// Where an entry of a merged history was written; nil in a journal, and where there is no such entry.
    package func place(of sequence: Int64) async throws(JournalError) -> MergedPlace? {
        try await read { (connection) throws(JournalFailure) in
            guard try MergedSchema.isMerged(connection) else { return nil }
            return try JournalFailure.wrapping { () throws(DatabaseError) in
                try connection.firstRow(
                    """
                    SELECT log, identity, number, refers_to FROM merged_places JOIN merged_logs ON id = log
                    WHERE sequence = ?
                    """, [.integer(sequence)]
                ) { (row) throws(DatabaseError) in
                    let (log, number) = (try row.integer(0), try row.integer(2))
                    let writer = try connection.firstRow(
                        """
                        SELECT message FROM merged_places JOIN entries USING (sequence)
                        WHERE log = ? AND number <= ? AND reason = 'Started' ORDER BY number DESC LIMIT 1
                        """, [.integer(log), .integer(number)]
                    ) { (row) throws(DatabaseError) in try row.text(0) }
                    return MergedPlace(
                        log: log, origin: JournalIdentity.origin(ofID: try row.text(1)), number: number,
                        refersTo: try row.optionalInteger(3), writer: writer)
                }
            }
        }
    }
}
