internal import CSQLite

/// An SQLite call that failed.
///
/// Holds the statement's text but never a bound value: values may be what a person must not see in a log.
package struct DatabaseError: Error, Equatable, Sendable {
    /// The kind of failure: SQLite's primary result code.
    package struct Code: RawRepresentable, Hashable, Sendable {
        package var rawValue: Int32
        package init(rawValue: Int32) { self.rawValue = rawValue }

        package static let error = Code(rawValue: SQLITE_ERROR)
        package static let busy = Code(rawValue: SQLITE_BUSY)
        package static let locked = Code(rawValue: SQLITE_LOCKED)
        package static let readOnly = Code(rawValue: SQLITE_READONLY)
        package static let interrupted = Code(rawValue: SQLITE_INTERRUPT)
        package static let inputOutput = Code(rawValue: SQLITE_IOERR)
        package static let corrupt = Code(rawValue: SQLITE_CORRUPT)
        package static let full = Code(rawValue: SQLITE_FULL)
        package static let noMemory = Code(rawValue: SQLITE_NOMEM)
        package static let cannotOpen = Code(rawValue: SQLITE_CANTOPEN)
        package static let tooBig = Code(rawValue: SQLITE_TOOBIG)
        package static let constraint = Code(rawValue: SQLITE_CONSTRAINT)
        package static let mismatch = Code(rawValue: SQLITE_MISMATCH)
        package static let misuse = Code(rawValue: SQLITE_MISUSE)
        package static let notADatabase = Code(rawValue: SQLITE_NOTADB)
        package static let permission = Code(rawValue: SQLITE_PERM)
        package static let authorization = Code(rawValue: SQLITE_AUTH)
    }

    /// SQLite's extended result code.
    package var extendedCode: Int32
    /// What was being done.
    package var operation: String
    /// SQLite's own words.
    package var detail: String
    /// The statement, with `?` where values are bound; nil where no statement was involved.
    package var sql: String?
    /// The `errno` of the system call that failed, or 0.
    package var systemError: Int32

    package init(
        extendedCode: Int32, operation: String, detail: String, sql: String? = nil, systemError: Int32 = 0
    ) {
        self.extendedCode = extendedCode
        self.operation = operation
        self.detail = detail
        self.sql = sql
        self.systemError = systemError
    }

    package var code: Code { Code(rawValue: extendedCode & 0xff) }
}

extension DatabaseError: CustomStringConvertible {
    package var description: String {
        var text = "\(operation): \(detail) (SQLite \(extendedCode)"
        if systemError != 0 { text += ", errno \(systemError)" }
        text += ")"
        if let sql { text += " in: \(sql)" }
        return text
    }
}

extension DatabaseError {
    /// The connection was closed before the work came to its turn.
    static let closed = DatabaseError(
        extendedCode: SQLITE_MISUSE, operation: "use a connection", detail: "it is closed")

    /// SQLite has undone a transaction by itself.
    static let transactionLost = DatabaseError(
        extendedCode: SQLITE_ABORT, operation: "write", detail: "the transaction was rolled back")
}
