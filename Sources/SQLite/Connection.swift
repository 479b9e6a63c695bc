internal import CSQLite

/// An open SQLite database, for use by one thread at a time.
///
/// Not Sendable on purpose: the library's own mutexes are off (`SQLITE_OPEN_NOMUTEX`), so whoever opens a connection
/// confines it, as ``SerializedConnection`` and ``GroupedWriter`` do.
package final class Connection {
    /// How a file is opened.
    package enum Mode: Sendable, Equatable {
        /// Reads and writes; makes the file where there is none.
        case readWrite
        /// Reads beside a writer.
        case readOnly
        /// Reads the main file alone and touches nothing: no lock, no recovery, no file beside it.
        case immutable
        /// A new database that is gone with its connection; the path is a name for messages.
        case inMemory
    }

    package let path: String
    package let mode: Mode
    let handle: OpaquePointer
    private var cache: [String: Statement] = [:]
    private static let maximumCachedStatements = 128

    /// Opens a database and turns off what a file from elsewhere could abuse.
    ///
    /// - Parameter busyTimeout: How long a statement waits for another connection's lock.
    /// - Throws: ``DatabaseError``; `readOnly` as well where the file can be read but not written.
    package init(path: String, mode: Mode, busyTimeout: Duration = .seconds(5)) throws(DatabaseError) {
        let operation = "open \(path)"
        guard !path.isEmpty, !path.utf8.contains(0) else {
            throw DatabaseError(
                extendedCode: SQLITE_CANTOPEN, operation: operation, detail: "the path is empty or holds a zero byte")
        }
        // The library gives names such as "file:x" and ":memory:" a meaning of their own; a path means a file here.
        let literalPath = path.hasPrefix("/") ? path : "./" + path
        let modeFlags =
            switch mode {
            case .readWrite: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
            case .inMemory: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MEMORY
            case .readOnly: SQLITE_OPEN_READONLY
            case .immutable: SQLITE_OPEN_READONLY | SQLITE_OPEN_URI
            }
        let name = mode == .immutable ? Self.immutableAddress(of: literalPath) : literalPath
        var opened: OpaquePointer?
        let code = sqlite3_open_v2(
            name, &opened, modeFlags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_PRIVATECACHE, nil)
        guard code == SQLITE_OK, let opened else {
            let failure = Self.failure(code, operation, on: opened, sql: nil)
            sqlite3_close_v2(opened)
            throw failure
        }
        self.path = path
        self.mode = mode
        handle = opened
        try configure(operation, busyTimeout: busyTimeout)
    }

    deinit {
        // Statements first: a connection with live statements would only be marked for closing.
        cache.removeAll()
        sqlite3_close_v2(handle)
    }

    private func configure(_ operation: String, busyTimeout: Duration) throws(DatabaseError) {
        if mode == .readWrite, sqlite3_db_readonly(handle, "main") != 0 {
            throw DatabaseError(
                extendedCode: SQLITE_READONLY, operation: operation, detail: "the file cannot be written",
                systemError: sqlite3_system_errno(handle))
        }
        let options: [(Int32, Int32)] = [
            (SQLITE_DBCONFIG_DQS_DML, 0), (SQLITE_DBCONFIG_DQS_DDL, 0), (SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0),
            (SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0), (SQLITE_DBCONFIG_DEFENSIVE, 1), (SQLITE_DBCONFIG_ENABLE_FKEY, 1),
            // Until the file has proven to be ours, closing it must change nothing.
            (SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1),
        ]
        for (option, value) in options {
            try check(shim_sqlite_configure(handle, option, value), operation)
        }
        sqlite3_limit(handle, SQLITE_LIMIT_ATTACHED, 0)
        sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, 64 << 20)
        try check(sqlite3_busy_timeout(handle, busyTimeout.wholeMilliseconds), operation)
        // Temporary files would need a writable folder, which a hardened container may not have.
        try execute("PRAGMA temp_store = MEMORY")
    }

    /// Whether closing the connection may write the log back into the main file; off at first.
    package func setCheckpointsOnClose(_ isEnabled: Bool) throws(DatabaseError) {
        try check(
            shim_sqlite_configure(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, isEnabled ? 0 : 1),
            "configure \(path)")
    }

    // MARK: Statements

    /// Runs one statement to its end; rows it returns are passed over.
    package func execute(_ sql: String, _ values: [SQLValue] = []) throws(DatabaseError) {
        try run(sql, values) { (_) throws(DatabaseError) in true }
    }

    /// Runs one statement and reads every row of its answer.
    package func rows<Value>(
        _ sql: String, _ values: [SQLValue] = [], _ read: (Row) throws(DatabaseError) -> Value
    ) throws(DatabaseError) -> [Value] {
        var found: [Value] = []
        try run(sql, values) { (row) throws(DatabaseError) in
            found.append(try read(row))
            return true
        }
        return found
    }

    /// Runs one statement and reads the first row of its answer, if it has one.
    package func firstRow<Value>(
        _ sql: String, _ values: [SQLValue] = [], _ read: (Row) throws(DatabaseError) -> Value
    ) throws(DatabaseError) -> Value? {
        var found: Value?
        try run(sql, values) { (row) throws(DatabaseError) in
            found = try read(row)
            return false
        }
        return found
    }

    /// Runs one statement and shows each row of its answer to `visit` until that returns false.
    package func forEachRow(
        _ sql: String, _ values: [SQLValue] = [], _ visit: (Row) throws(DatabaseError) -> Bool
    ) throws(DatabaseError) {
        try run(sql, values, visit)
    }

    /// Runs several statements without values, one after the other.
    package func executeScript(_ sql: String) throws(DatabaseError) {
        var rest = Substring(sql)
        while !rest.allSatisfy({ $0.isWhitespace || $0 == ";" }) {
            let (statement, length) = try prepare(String(rest), isPersistent: false)
            if let statement {
                try step(statement) { (_) throws(DatabaseError) in true }
            }
            guard length > 0 else { return }
            rest = Substring(decoding: rest.utf8.dropFirst(length), as: UTF8.self)
        }
    }

    /// How many rows the last INSERT, UPDATE or DELETE touched.
    package var changedRowCount: Int { Int(sqlite3_changes64(handle)) }

    /// Whether a transaction is open; SQLite ends one by itself after some failures, such as a full disk.
    package var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }

    private func run(
        _ sql: String, _ values: [SQLValue], _ visit: (Row) throws(DatabaseError) -> Bool
    ) throws(DatabaseError) {
        let statement = try cachedStatement(sql)
        defer { statement.reset() }
        guard statement.parameterCount == values.count else {
            throw DatabaseError(
                extendedCode: SQLITE_RANGE, operation: "bind values",
                detail: "\(values.count) values for \(statement.parameterCount) parameters", sql: sql)
        }
        for (offset, value) in values.enumerated() {
            try check(statement.bind(value, at: Int32(offset + 1)), "bind value \(offset + 1)", sql: sql)
        }
        try step(statement, visit)
    }

    private func step(
        _ statement: Statement, _ visit: (Row) throws(DatabaseError) -> Bool
    ) throws(DatabaseError) {
        while true {
            let code = sqlite3_step(statement.handle)
            switch code {
            case SQLITE_ROW: guard try visit(Row(statement)) else { return }
            case SQLITE_DONE: return
            default: throw Self.failure(code, "run a statement on \(path)", on: handle, sql: statement.sql)
            }
        }
    }

    private func cachedStatement(_ sql: String) throws(DatabaseError) -> Statement {
        // A statement that is still running (a query inside a query) must not be started again.
        if let statement = cache[sql], sqlite3_stmt_busy(statement.handle) == 0 { return statement }
        let (statement, _) = try prepare(sql, isPersistent: true)
        guard let statement else {
            throw DatabaseError(
                extendedCode: SQLITE_MISUSE, operation: "prepare a statement", detail: "there is no statement", sql: sql
            )
        }
        if cache.count >= Self.maximumCachedStatements { cache.removeAll() }
        cache[sql] = statement
        return statement
    }

    /// Compiles the first statement of a text; gives back how many bytes of the text it took.
    private func prepare(_ sql: String, isPersistent: Bool) throws(DatabaseError) -> (Statement?, Int) {
        var text = sql
        var prepared: OpaquePointer?
        var used = 0
        let flags = isPersistent ? UInt32(SQLITE_PREPARE_PERSISTENT) : 0
        let code = text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { bytes in
                var tail: UnsafePointer<CChar>?
                let code = sqlite3_prepare_v3(
                    handle, bytes.baseAddress, Int32(clamping: bytes.count), flags, &prepared, &tail)
                if let start = bytes.baseAddress, let tail { used = tail - start }
                return code
            }
        }
        try check(code, "prepare a statement on \(path)", sql: sql)
        return (prepared.map { Statement(takingOwnershipOf: $0, sql: sql) }, used)
    }

    /// Reads the first bytes of the main file; the result code of the read.
    func readMainFile(into bytes: inout [UInt8]) -> Int32 {
        let count = Int32(clamping: bytes.count)
        return bytes.withUnsafeMutableBytes { shim_sqlite_read_main_file(handle, $0.baseAddress, count, 0) }
    }

    // MARK: Errors

    func failure(_ code: Int32, _ operation: String) -> DatabaseError {
        Self.failure(code, operation, on: handle, sql: nil)
    }

    private func check(_ code: Int32, _ operation: String, sql: String? = nil) throws(DatabaseError) {
        guard code != SQLITE_OK else { return }
        throw Self.failure(code, operation, on: handle, sql: sql)
    }

    /// The library keeps its message per connection until the next call, so it is copied here.
    private static func failure(
        _ code: Int32, _ operation: String, on handle: OpaquePointer?, sql: String?
    ) -> DatabaseError {
        let isCurrent = handle.map { sqlite3_extended_errcode($0) == code } ?? false
        let message = isCurrent ? sqlite3_errmsg(handle) : sqlite3_errstr(code)
        return DatabaseError(
            extendedCode: code, operation: operation, detail: message.map { String(cString: $0) } ?? "no detail",
            sql: sql, systemError: handle.map { sqlite3_system_errno($0) } ?? 0)
    }

    /// The URI of a file that SQLite is to treat as unchanging.
    private static func immutableAddress(of path: String) -> String {
        var address = "file:"
        // A path that begins with two slashes would be read as a host name.
        if path.hasPrefix("/") { address += "//" }
        for byte in path.utf8 {
            switch byte {
            case UInt8(ascii: "/"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "a")...UInt8(ascii: "z"):
                address.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16)
                address += byte < 16 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return address + "?immutable=1"
    }
}

extension Duration {
    /// Whole milliseconds, at least 0 and at most what SQLite takes.
    fileprivate var wholeMilliseconds: Int32 {
        let (seconds, attoseconds) = components
        let (product, overflows) = seconds.multipliedReportingOverflow(by: 1000)
        guard !overflows, seconds >= 0 else { return seconds < 0 ? 0 : Int32.max }
        return Int32(clamping: max(product, product &+ attoseconds / 1_000_000_000_000_000))
    }
}
