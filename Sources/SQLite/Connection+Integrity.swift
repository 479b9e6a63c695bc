extension Connection {
    /// The size of the main file as SQLite counts it, in bytes.
    package func sizeInBytes() throws(DatabaseError) -> Int64 {
        let pages = try firstRow("PRAGMA page_count") { (row) throws(DatabaseError) in try row.integer(0) }
        let size = try firstRow("PRAGMA page_size") { (row) throws(DatabaseError) in try row.integer(0) }
        return (pages ?? 0) * (size ?? 0)
    }

    /// How much of that is in use, in bytes; the rest is used again before the file grows.
    package func usedBytes() throws(DatabaseError) -> Int64 {
        let free = try firstRow("PRAGMA freelist_count") { (row) throws(DatabaseError) in try row.integer(0) }
        let size = try firstRow("PRAGMA page_size") { (row) throws(DatabaseError) in try row.integer(0) }
        return try sizeInBytes() - (free ?? 0) * (size ?? 0)
    }

    /// Looks for damage, in bounded time.
    ///
    /// The whole file up to `maximumBytes` (some 0.5 GB/s from a warm cache); in a larger file only the named tables,
    /// because a controller that starts must not wait for minutes.
    ///
    /// - Throws: ``SchemaError/damaged(findings:)`` with at most ten findings.
    package func checkIntegrity(maximumBytes: Int64, otherwiseTables tables: [String]) throws(SchemaError) {
        var findings: [String] = []
        do {
            if try sizeInBytes() <= maximumBytes {
                findings = try rows("PRAGMA quick_check(10)") { (row) throws(DatabaseError) in try row.text(0) }
            } else {
                for table in tables where findings.allSatisfy({ $0 == "ok" }) {
                    findings = try rows("PRAGMA quick_check(\"\(table)\")") { (row) throws(DatabaseError) in
                        try row.text(0)
                    }
                }
            }
        } catch {
            guard error.code == .corrupt || error.code == .notADatabase else { throw .database(error) }
            findings = [error.detail]
        }
        guard findings.allSatisfy({ $0 == "ok" }) else { throw .damaged(findings: Array(findings.prefix(10))) }
    }

    /// The statements that made the tables, indexes and triggers of some tables, in the order of their names.
    package func definitions(ofTables tables: [String]) throws(DatabaseError) -> [String] {
        let marks = tables.map { _ in "?" }.joined(separator: ", ")
        return try rows(
            "SELECT type || ' ' || name || ': ' || ifnull(sql, '') FROM sqlite_schema WHERE tbl_name IN (\(marks)) ORDER BY 1",
            tables.map(SQLValue.text)
        ) { (row) throws(DatabaseError) in try row.text(0) }
    }

    /// Compares one table with its indexes, row by row; the first findings, none where all is well.
    package func integrityFindings(ofTable table: String) throws(DatabaseError) -> [String] {
        try rows("PRAGMA integrity_check(\(table))") { (row) throws(DatabaseError) in try row.text(0) }
            .filter { $0 != "ok" }
    }
}
