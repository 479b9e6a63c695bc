import Foundation
import Glibc
import SQLite

/// A failed system call in the words of a failed SQLite call, so that both get the same hints.
func systemCallFailure(_ code: Int32, operation: String) -> DatabaseError {
    DatabaseError(
        extendedCode: DatabaseError.Code.cannotOpen.rawValue, operation: operation, detail: operation,
        systemError: code)
}

/// Opening the journal's file, on the queue that owns the connection.
enum JournalFile {
    /// Opens the file for writing, makes or migrates its tables, and checks it for damage.
    ///
    /// The writer lock must be held. A file that is not a journal of this or an earlier version is left as it is.
    static func openForWriting(
        _ configuration: JournalConfiguration, note: UpgradeNote
    ) throws(JournalFailure) -> Connection {
        let path = configuration.path
        try checkOrigin(of: path)
        if try isNew(path) { try createPrivately(path) }
        giveBackRights(besideJournal: path)
        let connection: Connection
        do throws(SchemaError) {
            connection = try wrapping { () throws(DatabaseError) in
                let connection = try Connection(path: path, mode: .readWrite, busyTimeout: configuration.busyTimeout)
                if try connection.isEmpty() {
                    // First and alone, so that the main file says whose it is whatever happens next.
                    try connection.executeScript("PRAGMA application_id = \(JournalSchema.schema.applicationID)")
                }
                return connection
            }
            try connection.expect(JournalSchema.schema, mustBeCurrent: false)
            try wrapping { () throws(DatabaseError) in try tune(connection, configuration) }
            try connection.checkIntegrity(
                maximumBytes: configuration.maximumCheckedBytes, otherwiseTables: existingTables(connection))
        } catch {
            throw .schema(error)
        }
        if let upgrade = try JournalMigration.perform(on: connection, configuration) { note.take(upgrade) }
        try JournalFailure.wrapping { () throws(DatabaseError) in try connection.setCheckpointsOnClose(true) }
        return connection
    }

    /// Opens the file for reading, beside a writer or alone; also a merged history.
    ///
    /// - Parameter log: Of a merged history, the log that is to be seen as the journal that it was; nil for the whole.
    static func openForReading(path: String, log: Int64? = nil) throws(JournalFailure) -> Connection {
        guard try !isNew(path) else {
            throw .missing
        }
        let isMerged = try isMerged(path)
        if !isMerged { try checkOrigin(of: path) }
        do throws(SchemaError) {
            let connection = try wrapping { () throws(DatabaseError) in try connectForReading(path) }
            try connection.expect(isMerged ? MergedSchema.schema : JournalSchema.schema, mustBeCurrent: true)
            if let log { try wrapping { () throws(DatabaseError) in try MergedLog.show(log, on: connection) } }
            return connection
        } catch {
            if isMerged {
                switch error {
                case .newer, .older: throw .mergedByAnotherVersion
                case .database, .foreign, .damaged: break
                }
            }
            throw .schema(error)
        }
    }

    /// Whether a file that is there says that it is a merged history.
    static func isMerged(_ path: String) throws(JournalFailure) -> Bool {
        guard try !isNew(path) else { return false }
        do throws(DatabaseError) {
            return try Connection(path: path, mode: .readOnly).fileHeader().applicationID == MergedSchema.applicationID
        } catch {
            // What else it is, opening tells.
            if error.code == .notADatabase { return false }
            throw .database(error)
        }
    }

    private static func connectForReading(_ path: String) throws(DatabaseError) -> Connection {
        do throws(DatabaseError) {
            let connection = try Connection(path: path, mode: .readOnly)
            // Opening is lazy: only a read shows whether the shared-memory file can be had.
            _ = try connection.schemaVersion()
            try connection.executeScript("PRAGMA query_only = 1; PRAGMA cache_size = -32000")
            return connection
        } catch {
            // A copy in a folder that cannot be written has no shared-memory file and can have none. Without a log
            // beside it the main file is the whole journal, and nobody can be writing it.
            guard error.code == .cannotOpen || error.code == .readOnly, try size(path + "-wal") == 0 else {
                throw error
            }
            return try Connection(path: path, mode: .immutable)
        }
    }

    private static func tune(_ connection: Connection, _ configuration: JournalConfiguration) throws(DatabaseError) {
        let mode = try connection.firstRow("PRAGMA journal_mode = WAL") { (row) throws(DatabaseError) in try row.text(0)
        }
        guard mode == "wal" else {
            throw DatabaseError(
                extendedCode: DatabaseError.Code.cannotOpen.rawValue, operation: "switch to a write-ahead log",
                detail: "the file system does not support a write-ahead log")
        }
        try connection.executeScript(
            """
            PRAGMA synchronous = FULL;
            PRAGMA secure_delete = FAST;
            PRAGMA wal_autocheckpoint = 4000;
            PRAGMA journal_size_limit = 67108864;
            PRAGMA cache_size = -16000;
            """)
        if let maximumBytes = configuration.maximumBytes {
            try connection.executeScript("PRAGMA max_page_count = \(max(1, maximumBytes / 4096))")
        }
    }

    private static func existingTables(_ connection: Connection) throws(SchemaError) -> [String] {
        let names = try wrapping { () throws(DatabaseError) in
            try connection.rows("SELECT name FROM sqlite_schema WHERE type = 'table'") { (row) throws(DatabaseError) in
                try row.text(0)
            }
        }
        return JournalSchema.statefulTables.filter(names.contains)
    }

    /// Refuses a file that is not a journal; one that is empty or not there yet is fine.
    ///
    /// Reads the header alone, without a lock, a recovery or a file beside it: what is not ours stays untouched.
    static func checkOrigin(of path: String) throws(JournalFailure) {
        guard try !isNew(path) else { return }
        do throws(SchemaError) {
            let connection = try wrapping { () throws(DatabaseError) in try Connection(path: path, mode: .readOnly) }
            try connection.expectHeader(of: JournalSchema.schema)
        } catch {
            throw .schema(error)
        }
    }

    private static func wrapping<Value>(
        _ body: () throws(DatabaseError) -> Value
    ) throws(SchemaError) -> Value {
        do throws(DatabaseError) { return try body() } catch { throw .database(error) }
    }

    // MARK: Files

    static func isNew(_ path: String) throws(JournalFailure) -> Bool {
        do throws(DatabaseError) { return try size(path) == 0 } catch { throw .database(error) }
    }

    /// The size in bytes; 0 where there is no such file.
    private static func size(_ path: String) throws(DatabaseError) -> Int {
        var status = stat()
        guard stat(path, &status) == 0 else {
            guard errno == ENOENT else { throw systemCallFailure(errno, operation: "look at \(path)") }
            return 0
        }
        guard status.st_mode & S_IFMT != S_IFDIR else {
            throw systemCallFailure(EISDIR, operation: "look at \(path)")
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw systemCallFailure(EINVAL, operation: "\(path) is no regular file")
        }
        return Int(status.st_size)
    }

    /// Gives our own files beside the journal the rights that the journal has.
    ///
    /// SQLite makes them with those of the journal at that moment: made while it could only be read, they would keep it
    /// from being written after somebody has put its rights right. Where that fails, opening tells.
    private static func giveBackRights(besideJournal path: String) {
        var main = stat()
        guard stat(path, &main) == 0, main.st_mode & 0o600 == 0o600 else { return }
        for suffix in ["-wal", "-shm"] {
            var beside = stat()
            guard lstat(path + suffix, &beside) == 0, beside.st_mode & S_IFMT == S_IFREG, beside.st_uid == geteuid(),
                beside.st_mode & 0o600 != 0o600
            else { continue }
            chmod(path + suffix, main.st_mode & 0o666)
        }
    }

    /// SQLite would make the file readable for everybody; the files that it makes later take over its rights.
    private static func createPrivately(_ path: String) throws(JournalFailure) {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .database(systemCallFailure(errno, operation: "create \(path)")) }
        close(descriptor)
    }
}
