internal import CSQLite

/// What the first hundred bytes of a database file say about whose it is (SQLite file format, section 1.3).
package struct FileHeader: Equatable, Sendable {
    package var applicationID: Int32
    package var userVersion: Int

    /// The size in bytes.
    static let size = 100

    /// Reads the bytes of a header; nil where they are not one.
    init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.size, bytes.starts(with: Array("SQLite format 3\0".utf8)) else { return nil }
        func number(at offset: Int) -> Int32 {
            Int32(bitPattern: bytes[offset..<(offset + 4)].reduce(0) { $0 << 8 | UInt32($1) })
        }
        userVersion = Int(number(at: 60))
        applicationID = number(at: 68)
    }
}

extension Connection {
    /// Reads the header of the main file alone: without a lock, a recovery or a file beside it.
    ///
    /// Only the header. After a crash the pages of the main file need not fit together without the log beside it: a
    /// checkpoint that was cut short has written some of them and not the others.
    ///
    /// - Throws: ``DatabaseError``; `notADatabase` where the file does not begin with a header.
    package func fileHeader() throws(DatabaseError) -> FileHeader {
        var bytes = [UInt8](repeating: 0, count: FileHeader.size)
        let code = readMainFile(into: &bytes)
        guard code == SQLITE_OK else { throw failure(code, "read the header of \(path)") }
        guard let header = FileHeader(bytes) else {
            throw DatabaseError(
                extendedCode: SQLITE_NOTADB, operation: "read the header of \(path)", detail: "file is not a database")
        }
        return header
    }
}
