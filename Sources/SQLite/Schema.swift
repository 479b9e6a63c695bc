/// The tables of an application's database, as the steps that make them.
package struct Schema: Sendable {
    /// Stands in the file's header and says whose database it is.
    package var applicationID: Int32
    /// In order, never changed once released; the number of steps done is the file's `user_version`.
    package var migrations: [Migration]

    /// One step: statements that run in one transaction together with the steps beside it.
    package struct Migration: Sendable {
        package typealias Conversion = @Sendable (Connection) throws(DatabaseError) -> Void

        package var name: String
        package var sql: String
        /// What SQL alone cannot do with the rows that are there; runs after the statements.
        package var convert: Conversion?

        package init(name: String, sql: String, convert: Conversion? = nil) {
            self.name = name
            self.sql = sql
            self.convert = convert
        }
    }

    package init(applicationID: Int32, migrations: [Migration]) {
        self.applicationID = applicationID
        self.migrations = migrations
    }

    /// The version that this program knows.
    package var version: Int { migrations.count }
}

/// Why a file is not the database that was asked for.
package enum SchemaError: Error, Equatable {
    case database(DatabaseError)
    /// A database of something else; 0 where its maker left no id.
    case foreign(applicationID: Int32)
    /// Made by a later version of the program.
    case newer(version: Int, known: Int)
    /// Made by an earlier version, and opened for reading only.
    case older(version: Int, known: Int)
    /// Damaged; the first findings of SQLite's own check.
    case damaged(findings: [String])
}

extension Connection {
    /// The `application_id` in the file's header.
    package func applicationID() throws(DatabaseError) -> Int32 {
        let value = try firstRow("PRAGMA application_id") { (row) throws(DatabaseError) in try row.integer(0) }
        return Int32(truncatingIfNeeded: value ?? 0)
    }

    /// The `user_version` of the file: how many migrations it has had.
    package func schemaVersion() throws(DatabaseError) -> Int {
        let value = try firstRow("PRAGMA user_version") { (row) throws(DatabaseError) in try row.integer(0) }
        return Int(value ?? 0)
    }

    /// Whether the file has no page yet.
    package func isEmpty() throws(DatabaseError) -> Bool {
        let count = try firstRow("PRAGMA page_count") { (row) throws(DatabaseError) in try row.integer(0) }
        return count == 0
    }

    /// Runs the steps that this file has not had, all or none.
    ///
    /// - Parameter alongside: What is written in the same transaction, where there are such steps.
    package func migrate(
        to schema: Schema, alongside: (Connection) throws(DatabaseError) -> Void = { _ in }
    ) throws(SchemaError) {
        try transaction(.immediate, orElse: { SchemaError.database($0) }) { () throws(SchemaError) in
            let version = try wrapping { () throws(DatabaseError) in try schemaVersion() }
            guard version <= schema.version else {
                throw .newer(version: version, known: schema.version)
            }
            guard version < schema.version else { return }
            try wrapping { () throws(DatabaseError) in
                for migration in schema.migrations[max(0, version)...] {
                    try executeScript(migration.sql)
                    try migration.convert?(self)
                }
                try executeScript("PRAGMA user_version = \(schema.version)")
                try alongside(self)
            }
        }
    }

    private func wrapping<Value>(_ body: () throws(DatabaseError) -> Value) throws(SchemaError) -> Value {
        do { return try body() } catch { throw .database(error) }
    }

    /// Refuses a file that is not a database of this schema, before anything in it is changed.
    ///
    /// - Parameter mustBeCurrent: Whether an earlier version is refused too, for a connection that cannot migrate.
    package func expect(_ schema: Schema, mustBeCurrent: Bool) throws(SchemaError) {
        try schema.expect(
            applicationID: try wrapping { () throws(DatabaseError) in try applicationID() },
            version: try wrapping { () throws(DatabaseError) in try schemaVersion() }, mustBeCurrent: mustBeCurrent)
    }

    /// Refuses a file whose header says that it is another program's or a later version's.
    ///
    /// Nothing beyond the header is looked at, and nothing is changed; see ``fileHeader()``.
    package func expectHeader(of schema: Schema) throws(SchemaError) {
        let header = try wrapping { () throws(DatabaseError) in try fileHeader() }
        try schema.expect(applicationID: header.applicationID, version: header.userVersion, mustBeCurrent: false)
    }
}

extension Schema {
    fileprivate func expect(
        applicationID found: Int32, version foundVersion: Int, mustBeCurrent: Bool
    ) throws(SchemaError) {
        guard found == applicationID else { throw .foreign(applicationID: found) }
        guard foundVersion <= version else { throw .newer(version: foundVersion, known: version) }
        guard foundVersion == version || !mustBeCurrent else { throw .older(version: foundVersion, known: version) }
    }
}
