internal import CSQLite

extension Connection {
    /// Copies the database, as it is at one moment, into a new file, while others go on writing it.
    ///
    /// - Throws: ``DatabaseError`` where the file cannot be written; what is there then is not to be used.
    package func backUp(to path: String) throws(DatabaseError) {
        try copy(to: try Connection(path: path, mode: .readWrite))
    }

    /// Copies the database, as it is at one moment, into memory, which takes as much of it as the file has bytes.
    package func copyInMemory() throws(DatabaseError) -> Connection {
        let target = try Connection(path: path, mode: .inMemory)
        try copy(to: target)
        return target
    }

    private func copy(to target: Connection) throws(DatabaseError) {
        guard let backup = sqlite3_backup_init(target.handle, "main", handle, "main") else {
            throw target.failure(sqlite3_extended_errcode(target.handle), "copy \(path) to \(target.path)")
        }
        let code = sqlite3_backup_step(backup, -1)
        let end = sqlite3_backup_finish(backup)
        guard code == SQLITE_DONE, end == SQLITE_OK else {
            throw target.failure(code == SQLITE_DONE ? end : code, "copy \(path) to \(target.path)")
        }
    }
}
