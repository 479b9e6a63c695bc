import SQLite

/// The tables of a history that was merged out of several journals.
///
/// Context: each journal is a log of its own, whose leaves hold the numbers that its entries have there. Choice: `entries`
/// holds every entry once, under its number in the history, with references that lead within the history, so that whatever
/// reads a journal reads this as well; `merged_places` says where each entry stands in its own log and what it refers to
/// there, which is all that its leaf needs beside its columns. The order of the history is nobody's word: it follows from the
/// logs (``MergeOrder``), and verification finds it anew. Given up: a signature over the history as a whole.
///
/// The file has an application id of its own, so that no version of this program takes it for a journal and writes to it.
enum MergedSchema {
    /// "Bylm" in ASCII.
    static let applicationID: Int32 = 0x4279_6c6d

    /// A merged history is never brought to a later version: it is merged anew.
    static let schema = Schema(
        applicationID: applicationID,
        migrations: JournalSchema.schema.migrations + [.init(name: "the logs", sql: logs)])

    /// The tables beside those of a journal.
    static let tables = [
        "merged_logs", "merged_places", "merged_blocks", "merged_checkpoints", "merged_keys", "merged_cut_blocks",
    ]

    static func isMerged(_ connection: Connection) throws(JournalFailure) -> Bool {
        try JournalFailure.wrapping { () throws(DatabaseError) in try connection.applicationID() } == applicationID
    }

    private static let logs = """
        CREATE TABLE merged_logs (
            id INTEGER PRIMARY KEY,
            identity TEXT NOT NULL UNIQUE,
            hashed_through INTEGER NOT NULL,
            size INTEGER NOT NULL,
            cut_through INTEGER NOT NULL,
            cut_entry INTEGER NOT NULL,
            cut_kept INTEGER NOT NULL
        ) STRICT;

        CREATE TABLE merged_places (
            sequence INTEGER PRIMARY KEY,
            log INTEGER NOT NULL REFERENCES merged_logs (id),
            number INTEGER NOT NULL,
            refers_to INTEGER,
            UNIQUE (log, number)
        ) STRICT;

        CREATE TABLE merged_blocks (
            log INTEGER NOT NULL REFERENCES merged_logs (id),
            block INTEGER NOT NULL,
            root BLOB NOT NULL,
            PRIMARY KEY (log, block)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE merged_checkpoints (
            log INTEGER NOT NULL REFERENCES merged_logs (id),
            size INTEGER NOT NULL,
            time TEXT NOT NULL,
            note TEXT NOT NULL,
            PRIMARY KEY (log, size)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE merged_keys (
            log INTEGER NOT NULL REFERENCES merged_logs (id),
            id INTEGER NOT NULL,
            key TEXT NOT NULL,
            time TEXT NOT NULL,
            PRIMARY KEY (log, id)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE merged_cut_blocks (
            log INTEGER NOT NULL REFERENCES merged_logs (id),
            block INTEGER NOT NULL,
            leaves BLOB NOT NULL,
            PRIMARY KEY (log, block)
        ) STRICT, WITHOUT ROWID;

        DELETE FROM identity;
        """
}
