internal import CSQLite

/// A compiled statement, finalized exactly once, when the last reference to it goes.
final class Statement {
    let handle: OpaquePointer
    let sql: String

    init(takingOwnershipOf handle: OpaquePointer, sql: String) {
        self.handle = handle
        self.sql = sql
    }

    deinit { sqlite3_finalize(handle) }

    var parameterCount: Int { Int(sqlite3_bind_parameter_count(handle)) }

    /// Binds one value; SQLite copies text and bytes, so nothing of ours must outlive the call.
    func bind(_ value: SQLValue, at index: Int32) -> Int32 {
        switch value {
        case .null: return sqlite3_bind_null(handle, index)
        case .integer(let number): return sqlite3_bind_int64(handle, index, number)
        case .real(let number): return sqlite3_bind_double(handle, index, number)
        case .text(var text):
            return text.withUTF8 { bytes in
                bytes.withMemoryRebound(to: CChar.self) { bytes in
                    // An empty buffer may have no address, which SQLite would read as NULL.
                    guard let start = bytes.baseAddress else { return shim_sqlite_bind_text_copy(handle, index, "", 0) }
                    return shim_sqlite_bind_text_copy(handle, index, start, UInt64(bytes.count))
                }
            }
        case .blob(let bytes):
            return bytes.withUnsafeBytes { bytes in
                guard let start = bytes.baseAddress else { return sqlite3_bind_zeroblob(handle, index, 0) }
                return shim_sqlite_bind_blob_copy(handle, index, start, UInt64(bytes.count))
            }
        }
    }

    /// Makes it ready for the next use, and lets go of the bound values.
    func reset() {
        sqlite3_reset(handle)
        sqlite3_clear_bindings(handle)
    }
}
