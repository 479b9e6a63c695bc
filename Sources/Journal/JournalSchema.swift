import SQLite

/// The tables of the journal.
///
/// A released step is never edited; what comes later is a step of its own.
enum JournalSchema {
    /// "Bylw" in ASCII.
    static let schema = Schema(
        applicationID: 0x4279_6c77,
        migrations: [
            .init(name: "first tables", sql: firstTables),
            .init(name: "the tree over the entries", sql: tree, convert: hashEarlierEntries),
            .init(name: "search and retention", sql: searchAndRetention),
        ])

    /// What is small and what the next start depends on: checked for damage even in a huge file.
    static let statefulTables = ["instances", "intents", "owned", "open_incidents", "memory"]

    /// In `entries` the columns that filters read come first and the long texts last, so that looking at a row that
    /// does not match stays within one page.
    ///
    /// Each filter has an index that ends in the sequence number (every SQLite index does), so the newest matches are
    /// found without a sort. Each index costs a page of every commit, so the common word of a column has none where a
    /// scan from the newest entry finds it as soon. Words of closed sets are text without CHECK: a later version may
    /// add a word without making the table anew, which rows that never change forbid.
    private static let firstTables = """
        CREATE TABLE instances (
            id INTEGER PRIMARY KEY,
            instance TEXT NOT NULL,
            cluster TEXT NOT NULL,
            UNIQUE (instance, cluster)
        ) STRICT;

        CREATE TABLE entries (
            sequence INTEGER PRIMARY KEY,
            time TEXT NOT NULL,
            instance TEXT NOT NULL,
            cluster TEXT NOT NULL,
            kind TEXT NOT NULL,
            reason TEXT NOT NULL,
            is_incident INTEGER NOT NULL,
            outcome TEXT NOT NULL,
            action TEXT,
            api_group TEXT,
            api_version TEXT,
            object_kind TEXT,
            namespace TEXT,
            name TEXT,
            uid TEXT,
            resource_version TEXT,
            revision TEXT,
            author TEXT,
            committer TEXT,
            pull_request INTEGER,
            approver TEXT,
            actor TEXT,
            actor_operation TEXT,
            actor_time TEXT,
            actor_certainty TEXT,
            runbook TEXT,
            runbook_revision TEXT,
            duration_microseconds INTEGER,
            audit_id TEXT,
            subject TEXT,
            trailers TEXT,
            message TEXT NOT NULL,
            patch TEXT,
            before TEXT,
            after TEXT
        ) STRICT;

        CREATE INDEX entries_time ON entries (time);
        CREATE INDEX entries_object ON entries (name, namespace, object_kind);
        CREATE INDEX entries_namespace ON entries (namespace);
        CREATE INDEX entries_kind ON entries (object_kind);
        CREATE INDEX entries_reason ON entries (reason);
        CREATE INDEX entries_revision ON entries (revision);
        CREATE INDEX entries_author ON entries (author);
        CREATE INDEX entries_action ON entries (action) WHERE action <> 'update';
        CREATE INDEX entries_incident ON entries (is_incident) WHERE is_incident = 1;
        CREATE INDEX entries_unusual ON entries (outcome) WHERE outcome <> 'succeeded';

        CREATE TRIGGER entries_never_change BEFORE UPDATE ON entries BEGIN
            SELECT RAISE(ABORT, 'entries of the journal are never changed');
        END;
        CREATE TRIGGER entries_never_go BEFORE DELETE ON entries BEGIN
            SELECT RAISE(ABORT, 'entries of the journal are never deleted');
        END;
        CREATE TRIGGER entries_are_never_replaced BEFORE INSERT ON entries
            WHEN EXISTS (SELECT 1 FROM entries WHERE sequence = NEW.sequence)
        BEGIN
            SELECT RAISE(ABORT, 'entries of the journal are never replaced');
        END;

        CREATE TABLE intents (
            id INTEGER PRIMARY KEY,
            instance_id INTEGER NOT NULL REFERENCES instances (id),
            time TEXT NOT NULL,
            content TEXT NOT NULL
        ) STRICT;

        CREATE TABLE owned (
            instance_id INTEGER NOT NULL REFERENCES instances (id),
            api_group TEXT NOT NULL,
            object_kind TEXT NOT NULL,
            namespace TEXT NOT NULL,
            name TEXT NOT NULL,
            uid TEXT NOT NULL,
            declaration_digest TEXT NOT NULL,
            revision TEXT NOT NULL,
            PRIMARY KEY (instance_id, api_group, object_kind, namespace, name)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE open_incidents (
            id INTEGER PRIMARY KEY,
            instance_id INTEGER NOT NULL REFERENCES instances (id),
            reason TEXT NOT NULL,
            api_group TEXT NOT NULL,
            object_kind TEXT NOT NULL,
            namespace TEXT NOT NULL,
            name TEXT NOT NULL,
            sequence INTEGER NOT NULL REFERENCES entries (sequence),
            time TEXT NOT NULL,
            message TEXT NOT NULL
        ) STRICT;
        CREATE INDEX open_incidents_object
            ON open_incidents (instance_id, reason, name, namespace, object_kind, api_group);

        CREATE TABLE memory (
            instance_id INTEGER NOT NULL REFERENCES instances (id),
            key TEXT NOT NULL,
            value TEXT NOT NULL,
            PRIMARY KEY (instance_id, key)
        ) STRICT, WITHOUT ROWID;
        """

    /// `tree_blocks` has the root of each full run of ``JournalFrontier/blockSize`` entries; what lies above and below is
    /// computed when it is needed.
    private static let tree = """
        ALTER TABLE entries ADD COLUMN leaf_hash BLOB NOT NULL DEFAULT x'';
        ALTER TABLE entries ADD COLUMN refers_to INTEGER;
        ALTER TABLE entries ADD COLUMN actor_details TEXT;
        CREATE INDEX entries_reference ON entries (refers_to) WHERE refers_to IS NOT NULL;

        CREATE TABLE tree_blocks (
            block INTEGER PRIMARY KEY,
            root BLOB NOT NULL
        ) STRICT;

        CREATE TABLE checkpoints (
            size INTEGER PRIMARY KEY,
            time TEXT NOT NULL,
            note TEXT NOT NULL
        ) STRICT;

        CREATE TABLE checkpoint_keys (
            id INTEGER PRIMARY KEY,
            key TEXT NOT NULL UNIQUE,
            time TEXT NOT NULL
        ) STRICT;

        CREATE TABLE identity (
            id TEXT NOT NULL,
            hashed_through INTEGER NOT NULL
        ) STRICT;
        INSERT INTO identity (id, hashed_through)
            SELECT lower(hex(randomblob(16))), ifnull(max(sequence), 0) FROM entries;
        """

    /// The text index, and what retention needs.
    ///
    /// The index holds no text of its own: what it finds is read from `entries`. ``TextIndex`` keeps it, since a trigger of
    /// an untrusted schema may not. The one row of `cut` says up to which
    /// entry retention has removed what is not needed any more, and which entry says so; `cut_blocks` keeps the hashes of
    /// what was there, so that every proof still can be made.
    private static let searchAndRetention = """
        CREATE VIRTUAL TABLE entries_text USING fts5 (
            \(TextIndex.columns.joined(separator: ", ")),
            content = 'entries', content_rowid = 'sequence', tokenize = 'unicode61 remove_diacritics 2'
        );
        INSERT INTO entries_text (entries_text) VALUES ('rebuild');

        CREATE TABLE cut (
            through INTEGER NOT NULL,
            entry INTEGER NOT NULL,
            kept INTEGER NOT NULL
        ) STRICT;
        INSERT INTO cut (through, entry, kept) VALUES (0, 0, 0);

        CREATE TABLE cut_blocks (
            block INTEGER PRIMARY KEY,
            leaves BLOB NOT NULL
        ) STRICT;

        DROP TRIGGER entries_never_go;
        CREATE TRIGGER entries_never_go BEFORE DELETE ON entries
            WHEN OLD.sequence > ifnull((SELECT max(through) FROM cut), 0)
        BEGIN
            SELECT RAISE(ABORT, 'entries of the journal are never deleted');
        END;
        DROP TRIGGER entries_are_never_replaced;
        CREATE TRIGGER entries_are_never_replaced BEFORE INSERT ON entries
            WHEN NEW.sequence > 0 AND NEW.sequence <= ifnull((SELECT max(through) FROM cut), 0)
                OR EXISTS (SELECT 1 FROM entries WHERE sequence = NEW.sequence)
        BEGIN
            SELECT RAISE(ABORT, 'entries of the journal are never replaced');
        END;
        """

    /// How the tables are defined in a journal that nobody changed.
    static func expectedDefinitions(
        ofTables tables: [String], in schema: Schema
    ) throws(DatabaseError) -> [String] {
        let connection = try Connection(path: "a new journal", mode: .inMemory)
        do throws(SchemaError) { try connection.migrate(to: schema) } catch {
            if case .database(let error) = error { throw error }
            return []
        }
        return try connection.definitions(ofTables: tables)
    }

    /// Gives the entries of a journal that had no tree their hashes, once.
    @Sendable private static func hashEarlierEntries(_ connection: Connection) throws(DatabaseError) {
        let trigger = try connection.firstRow("SELECT sql FROM sqlite_schema WHERE name = 'entries_never_change'") {
            (row) throws(DatabaseError) in try row.text(0)
        }
        guard let trigger else {
            throw DatabaseError(
                extendedCode: DatabaseError.Code.corrupt.rawValue, operation: "hash the entries",
                detail: "the trigger that keeps entries from changing is missing")
        }
        try connection.executeScript("DROP TRIGGER entries_never_change")
        try JournalTree.hashAllEntries(on: connection)
        try connection.executeScript(trigger)
    }
}
