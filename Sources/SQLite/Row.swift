internal import CSQLite

/// One row of an answer; good only inside the closure that it is given to.
///
/// Each reader throws ``DatabaseError`` with the code `mismatch` where the column holds another type than asked for:
/// a NULL that nobody expected must not turn into an empty text.
package struct Row {
    private let statement: Statement

    init(_ statement: Statement) { self.statement = statement }

    package func integer(_ column: Int) throws(DatabaseError) -> Int64 {
        try expect(SQLITE_INTEGER, "an integer", column)
        return sqlite3_column_int64(statement.handle, Int32(column))
    }

    package func real(_ column: Int) throws(DatabaseError) -> Double {
        try expect(SQLITE_FLOAT, "a real number", column)
        return sqlite3_column_double(statement.handle, Int32(column))
    }

    package func text(_ column: Int) throws(DatabaseError) -> String {
        try expect(SQLITE_TEXT, "a text", column)
        guard let start = sqlite3_column_text(statement.handle, Int32(column)) else { return "" }
        let count = Int(sqlite3_column_bytes(statement.handle, Int32(column)))
        return String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    }

    /// Gives the bytes of a text to `body`, without a copy; good only inside it.
    ///
    /// - Returns: False where the column is NULL; `body` is not called then.
    package func withText(
        _ column: Int, _ body: (UnsafeBufferPointer<UInt8>) -> Void
    ) throws(DatabaseError) -> Bool {
        guard try !isNull(column) else { return false }
        try expect(SQLITE_TEXT, "a text", column)
        let start = sqlite3_column_text(statement.handle, Int32(column))
        body(UnsafeBufferPointer(start: start, count: Int(sqlite3_column_bytes(statement.handle, Int32(column)))))
        return true
    }

    package func blob(_ column: Int) throws(DatabaseError) -> [UInt8] {
        try expect(SQLITE_BLOB, "a blob", column)
        guard let start = sqlite3_column_blob(statement.handle, Int32(column)) else { return [] }
        let count = Int(sqlite3_column_bytes(statement.handle, Int32(column)))
        return [UInt8](UnsafeRawBufferPointer(start: start, count: count))
    }

    package func isNull(_ column: Int) throws(DatabaseError) -> Bool {
        try checkRange(column)
        return sqlite3_column_type(statement.handle, Int32(column)) == SQLITE_NULL
    }

    package func optionalInteger(_ column: Int) throws(DatabaseError) -> Int64? {
        try isNull(column) ? nil : try integer(column)
    }

    package func optionalText(_ column: Int) throws(DatabaseError) -> String? {
        try isNull(column) ? nil : try text(column)
    }

    private func expect(_ type: Int32, _ words: String, _ column: Int) throws(DatabaseError) {
        try checkRange(column)
        let found = sqlite3_column_type(statement.handle, Int32(column))
        guard found != type else { return }
        let name = sqlite3_column_name(statement.handle, Int32(column)).map { String(cString: $0) } ?? "\(column)"
        throw DatabaseError(
            extendedCode: SQLITE_MISMATCH, operation: "read the column \(name)",
            detail: "it holds \(Self.typeName(found)) instead of \(words)", sql: statement.sql)
    }

    private func checkRange(_ column: Int) throws(DatabaseError) {
        let count = Int(sqlite3_column_count(statement.handle))
        guard (0..<count).contains(column) else {
            throw DatabaseError(
                extendedCode: SQLITE_RANGE, operation: "read column \(column)",
                detail: "the answer has \(count) columns", sql: statement.sql)
        }
    }

    private static func typeName(_ type: Int32) -> String {
        switch type {
        case SQLITE_INTEGER: "an integer"
        case SQLITE_FLOAT: "a real number"
        case SQLITE_TEXT: "a text"
        case SQLITE_BLOB: "a blob"
        default: "NULL"
        }
    }
}
