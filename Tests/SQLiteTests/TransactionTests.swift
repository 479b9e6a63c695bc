import SQLite
import TestSupport
import Testing

@Suite struct TransactionTests {
    private struct Refusal: Error {}

    private let folder: ScratchDirectory
    private let connection: Connection

    init() throws {
        folder = try ScratchDirectory()
        connection = try Connection(path: folder.path + "/test.db", mode: .readWrite, busyTimeout: .zero)
        try connection.executeScript("PRAGMA journal_mode = WAL; CREATE TABLE kept (value TEXT NOT NULL) STRICT")
    }

    private func insert(_ value: String) throws(DatabaseError) {
        try connection.execute("INSERT INTO kept VALUES (?)", [.text(value)])
    }

    private func values() throws -> [String] {
        try connection.rows("SELECT value FROM kept ORDER BY rowid") { (row) throws(DatabaseError) in try row.text(0) }
    }

    @Test func whatReturnsIsKeptAndWhatThrowsIsNot() throws {
        try connection.transaction(.immediate) { () throws(DatabaseError) in try insert("kept") }
        #expect(throws: Refusal.self) {
            try connection.transaction(.immediate, orElse: { $0 }) { () throws(any Error) in
                try insert("lost")
                throw Refusal()
            }
        }
        #expect(try values() == ["kept"])
        #expect(!connection.isInTransaction)
    }

    @Test func aSavepointUndoesOnlyItsPart() throws {
        try connection.transaction(.immediate, orElse: { $0 }) { () throws(any Error) in
            try insert("first")
            #expect(throws: Refusal.self) {
                try connection.savepoint(orElse: { $0 }) { () throws(any Error) in
                    try insert("undone")
                    throw Refusal()
                }
            }
            try connection.savepoint(orElse: { $0 }) { () throws(any Error) in try insert("second") }
        }
        #expect(try values() == ["first", "second"])
    }

    @Test func aFailureThatEndsTheTransactionShows() throws {
        try connection.executeScript("PRAGMA max_page_count = 20")
        let big = String(repeating: "x", count: 200_000)
        let error = #expect(throws: DatabaseError.self) {
            try connection.transaction(.immediate) { () throws(DatabaseError) in
                try insert("small")
                try connection.savepoint(orElse: { $0 }) { () throws(DatabaseError) in try insert(big) }
            }
        }
        #expect(error?.code == .full)
        #expect(!connection.isInTransaction)
        #expect(try values() == [])
    }

    @Test func anotherWritersLockIsBusy() throws {
        let other = try Connection(path: folder.path + "/test.db", mode: .readWrite, busyTimeout: .zero)
        try other.transaction(.immediate) { () throws(DatabaseError) in
            let error = #expect(throws: DatabaseError.self) {
                try connection.transaction(.immediate) { () throws(DatabaseError) in try insert("never") }
            }
            #expect(error?.code == .busy)
        }
        try connection.transaction(.immediate) { () throws(DatabaseError) in try insert("later") }
        #expect(try values() == ["later"])
    }

    @Test func aDeferredTransactionSeesOneMoment() throws {
        let reader = try Connection(path: folder.path + "/test.db", mode: .readOnly)
        func count() throws(DatabaseError) -> Int64? {
            try reader.firstRow("SELECT count(*) FROM kept") { (row) throws(DatabaseError) in try row.integer(0) }
        }
        try reader.snapshot(orElse: { $0 }) { () throws(DatabaseError) in
            #expect(try count() == 0)
            try insert("new")
            #expect(try count() == 0)
        }
        #expect(try count() == 1)
    }
}
