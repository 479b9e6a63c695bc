import SQLite
import Signatures

/// Entries as they are kept, with their hashes, read one by one without building anything.
enum EntryScan {
    /// One row; good only inside the closure that it is given to.
    struct ScannedRow {
        var sequence: Int64
        /// What was recorded when the entry was written; nil where it is no hash.
        var recordedHash: SHA256Digest?
        var columns: RowColumns
    }

    private static let selection =
        "SELECT sequence, leaf_hash, \(EntryColumns.names.joined(separator: ", ")) FROM entries NOT INDEXED"

    static func rows(
        _ condition: String, _ values: [SQLValue], on connection: Connection,
        _ visit: (ScannedRow) throws(JournalFailure) -> Void
    ) throws(JournalFailure) {
        var failure: JournalFailure?
        do throws(DatabaseError) {
            try connection.forEachRow("\(selection) \(condition)", values) { (row) throws(DatabaseError) in
                let scanned = ScannedRow(
                    sequence: try row.integer(0), recordedHash: SHA256Digest(try row.blob(1)),
                    columns: RowColumns(row: row, offset: 2))
                do throws(JournalFailure) {
                    try visit(scanned)
                    return true
                } catch {
                    failure = error
                    return false
                }
            }
        } catch {
            throw .database(error)
        }
        if let failure { throw failure }
    }
}
