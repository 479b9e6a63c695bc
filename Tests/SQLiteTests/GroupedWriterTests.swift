import Dispatch
import SQLite
import TestSupport
import Testing

@Suite struct GroupedWriterTests {
    private let folder: ScratchDirectory
    private var path: String { folder.path + "/test.db" }

    init() throws { folder = try ScratchDirectory() }

    private func writer() async throws -> GroupedWriter {
        let path = path
        return try await GroupedWriter(label: "test") { () throws(DatabaseError) -> sending Connection in
            let connection = try Connection(path: path, mode: .readWrite)
            try connection.executeScript("PRAGMA journal_mode = WAL; CREATE TABLE kept (value INTEGER) STRICT")
            return connection
        }
    }

    private static func insert(_ value: Int64, _ connection: Connection) throws(DatabaseError) {
        try connection.execute("INSERT INTO kept VALUES (?)", [.integer(value)])
    }

    private static func count(_ connection: Connection) throws(DatabaseError) -> Int64 {
        try connection.firstRow("SELECT count(*) FROM kept") { (row) throws(DatabaseError) in try row.integer(0) } ?? -1
    }

    @Test func aWriteIsSeenByOthersWhenItsCallerGoesOn() async throws {
        let writer = try await writer()
        let reader = try Connection(path: path, mode: .readOnly)
        for value in 1...20 {
            try await writer.perform { (connection) throws(DatabaseError) in try Self.insert(Int64(value), connection) }
            #expect(try Self.count(reader) == Int64(value))
        }
    }

    /// While one write is held up, more gather; the next transaction takes them together, so that each of them finds
    /// those before it, although a reader sees none of them yet.
    @Test func whatGathersDuringACommitGoesTogether() async throws {
        let writer = try await writer()
        let path = path
        let reader = try await SerializedConnection(label: "test.reader") {
            () throws(DatabaseError) -> sending Connection in
            try Connection(path: path, mode: .readOnly)
        }
        let entered = DispatchSemaphore(value: 0)
        let gate = DispatchSemaphore(value: 0)
        let first = Task {
            try await writer.perform { (connection) throws(DatabaseError) in
                entered.signal()
                gate.wait()
                try Self.insert(0, connection)
            }
        }
        // Its own thread waits, not one of the pool's.
        await withCheckedContinuation { continuation in
            DispatchQueue(label: "test.entered").async {
                entered.wait()
                continuation.resume()
            }
        }
        let seen = try await withThrowingTaskGroup(of: (inside: Int64, outside: Int64).self) { group in
            for value in 1...12 {
                group.addImmediateTask {
                    try await writer.perform { (connection) throws(DatabaseError) in
                        try Self.insert(Int64(value), connection)
                        let outside = try Connection(path: path, mode: .readOnly)
                        return (try Self.count(connection), try Self.count(outside))
                    }
                }
            }
            gate.signal()
            return try await group.reduce(into: []) { $0.append($1) }
        }
        try await first.value
        #expect(seen.map(\.inside).sorted() == Array(2...13))
        #expect(seen.map(\.outside) == [Int64](repeating: 1, count: 12))
        #expect(try await reader.perform { (connection) throws(DatabaseError) in try Self.count(connection) } == 13)
    }

    /// As a disk that hangs does.
    @Test func aWriteThatDoesNotEndIsSeen() async throws {
        let writer = try await writer()
        #expect(writer.busySince == nil)
        let before = ContinuousClock.now
        let gate = DispatchSemaphore(value: 0)
        let (begun, begin) = AsyncStream.makeStream(of: Void.self)
        let first = Task {
            try await writer.perform { (connection) throws(DatabaseError) in
                begin.yield()
                gate.wait()
                try Self.insert(0, connection)
            }
        }
        for await _ in begun { break }
        let busy = try #require(writer.busySince)
        #expect(busy >= before && busy <= .now)
        gate.signal()
        try await first.value
        // What was asked for afterwards begins anew, and ends.
        try await writer.perform { (connection) throws(DatabaseError) in try Self.insert(1, connection) }
        await writer.close()
        #expect(writer.busySince == nil)
    }

    @Test func aWriteThatFailsIsUndoneAlone() async throws {
        let writer = try await writer()
        let results = await withTaskGroup(of: Result<Void, DatabaseError>.self) { group in
            for value in 0..<40 {
                group.addTask {
                    do throws(DatabaseError) {
                        try await writer.perform { (connection) throws(DatabaseError) in
                            try Self.insert(Int64(value), connection)
                            if value.isMultiple(of: 2) { try connection.execute("INSERT INTO missing VALUES (1)") }
                        }
                        return .success(())
                    } catch {
                        return .failure(error)
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(results.count { if case .failure = $0 { true } else { false } } == 20)
        let odd = try await writer.perform { (connection) throws(DatabaseError) in
            try connection.rows("SELECT value FROM kept ORDER BY value") { (row) throws(DatabaseError) in
                try row.integer(0)
            }
        }
        #expect(odd == Array(stride(from: 1, to: 40, by: 2)))
    }

    @Test func whatEndsTheTransactionFailsEveryWriteInIt() async throws {
        let writer = try await writer()
        try await writer.perform { (connection) throws(DatabaseError) in
            try connection.execute("INSERT INTO kept VALUES (-1)")
        }
        let failures = await withTaskGroup(of: Int.self) { group in
            for value in 0..<30 {
                group.addTask {
                    do throws(DatabaseError) {
                        try await writer.perform { (connection) throws(DatabaseError) in
                            try Self.insert(Int64(value), connection)
                            if value == 15 { try connection.execute("ROLLBACK") }
                        }
                        return 0
                    } catch {
                        return 1
                    }
                }
            }
            return await group.reduce(0, +)
        }
        #expect(failures >= 1)
        let kept = try await writer.perform { (connection) throws(DatabaseError) in try Self.count(connection) }
        // Every caller that was told of a success finds its row, and nobody else's row is there.
        #expect(kept == Int64(1 + 30 - failures))
    }

    @Test func aClosedWriterRefuses() async throws {
        let writer = try await writer()
        await writer.close()
        await #expect(throws: DatabaseError.self) {
            try await writer.perform { (connection) throws(DatabaseError) in try Self.insert(1, connection) }
        }
    }

    @Test func anErrorWhileOpeningReachesTheCaller() async throws {
        let path = folder.path + "/missing/test.db"
        await #expect(throws: DatabaseError.self) {
            try await GroupedWriter(label: "test") { () throws(DatabaseError) -> sending Connection in
                try Connection(path: path, mode: .readWrite)
            }
        }
    }
}
