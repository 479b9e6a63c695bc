import SQLite
import TestSupport
import Testing

@Suite struct SchemaTests {
    private static let first = Schema.Migration(
        name: "first", sql: "CREATE TABLE a (x TEXT) STRICT; INSERT INTO a VALUES ('1')")
    private static let second = Schema.Migration(name: "second", sql: "ALTER TABLE a ADD COLUMN y TEXT")
    private static let broken = Schema.Migration(
        name: "broken", sql: "CREATE TABLE b (x TEXT); CREATE TABLE a (x TEXT)")

    private let folder: ScratchDirectory
    private var path: String { folder.path + "/test.db" }

    init() throws { folder = try ScratchDirectory() }

    private func open(_ mode: Connection.Mode = .readWrite) throws -> Connection {
        try Connection(path: path, mode: mode)
    }

    private func tables(_ connection: Connection) throws -> [String] {
        try connection.rows("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name") {
            (row) throws(DatabaseError) in try row.text(0)
        }
    }

    @Test func eachStepRunsOnce() throws {
        let connection = try open()
        try connection.migrate(to: Schema(applicationID: 7, migrations: [Self.first]))
        try connection.migrate(to: Schema(applicationID: 7, migrations: [Self.first, Self.second]))
        try connection.migrate(to: Schema(applicationID: 7, migrations: [Self.first, Self.second]))
        #expect(try connection.schemaVersion() == 2)
        let rows = try connection.rows("SELECT x, y FROM a") { (row) throws(DatabaseError) in try row.text(0) }
        #expect(rows == ["1"])
    }

    @Test func aStepThatFailsUndoesTheStepsBeforeIt() throws {
        let connection = try open()
        #expect(throws: SchemaError.self) {
            try connection.migrate(to: Schema(applicationID: 7, migrations: [Self.first, Self.broken]))
        }
        #expect(try connection.schemaVersion() == 0)
        #expect(try tables(connection).isEmpty)
    }

    @Test func aLaterSchemaIsRefused() throws {
        let connection = try open()
        try connection.executeScript("PRAGMA application_id = 7; PRAGMA user_version = 3")
        let schema = Schema(applicationID: 7, migrations: [Self.first])
        #expect(throws: SchemaError.newer(version: 3, known: 1)) { try connection.migrate(to: schema) }
        #expect(throws: SchemaError.newer(version: 3, known: 1)) { try connection.expect(schema, mustBeCurrent: false) }
        #expect(try tables(connection).isEmpty)
    }

    @Test func aForeignOrEarlierDatabaseIsToldApart() throws {
        let connection = try open()
        let schema = Schema(applicationID: 7, migrations: [Self.first])
        #expect(throws: SchemaError.foreign(applicationID: 0)) { try connection.expect(schema, mustBeCurrent: false) }
        try connection.executeScript("PRAGMA application_id = 8")
        #expect(throws: SchemaError.foreign(applicationID: 8)) { try connection.expect(schema, mustBeCurrent: false) }
        try connection.executeScript("PRAGMA application_id = 7")
        try connection.expect(schema, mustBeCurrent: false)
        #expect(throws: SchemaError.older(version: 0, known: 1)) { try connection.expect(schema, mustBeCurrent: true) }
    }

    @Test func aSoundFilePassesItsCheckWholeAndInPart() throws {
        let connection = try open()
        try connection.migrate(to: Schema(applicationID: 7, migrations: [Self.first]))
        try connection.checkIntegrity(maximumBytes: .max, otherwiseTables: [])
        try connection.checkIntegrity(maximumBytes: 0, otherwiseTables: ["a"])
    }
}
