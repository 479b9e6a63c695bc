import SQLite
import Signatures

/// Writes a merged history into an empty file, in one transaction.
struct MergedHistoryWriter {
    let connection: Connection

    /// - Parameters:
    ///   - logs: In the order of their identities.
    ///   - taken: How many entries are taken of each.
    /// - Returns: How many entries the history has.
    func write(_ logs: [MergeSource], _ taken: [Int64]) throws(JournalFailure) -> Int64 {
        try JournalFailure.wrapping { () throws(DatabaseError) in
            // Nothing random may stay behind where it was deleted: the same journals give the same file.
            try connection.executeScript(
                """
                PRAGMA application_id = \(MergedSchema.applicationID); PRAGMA secure_delete = ON;
                PRAGMA cache_size = -64000;
                """)
        }
        do throws(SchemaError) { try connection.migrate(to: MergedSchema.schema) } catch { throw .schema(error) }
        var sources: [Connection] = []
        for log in logs { sources.append(try JournalFile.openForReading(path: log.path)) }
        return try withSnapshots(of: sources[...]) { () throws(JournalFailure) in
            try connection.transaction(.immediate, orElse: { .database($0) }) { () throws(JournalFailure) in
                for (index, log) in logs.enumerated() {
                    let source = sources[index]
                    try copyEvidence(of: log, taken[index], as: Int64(index + 1), from: source)
                }
                var entries: [MergeOrder.Log] = []
                for (source, size) in zip(sources, taken) {
                    entries.append(try MergeOrder.Log(upTo: size, on: source))
                }
                return try copyEntries(in: MergeOrder(entries), from: sources)
            }
        }
    }

    /// Runs `body` while each connection sees one moment, whatever is written meanwhile.
    private func withSnapshots<Value>(
        of sources: ArraySlice<Connection>, _ body: () throws(JournalFailure) -> Value
    ) throws(JournalFailure) -> Value {
        guard let first = sources.first else { return try body() }
        return try first.snapshot(orElse: { .database($0) }) { () throws(JournalFailure) in
            try withSnapshots(of: sources.dropFirst(), body)
        }
    }

    // MARK: The logs

    /// Copies what proves the first entries of a journal.
    private func copyEvidence(
        of log: MergeSource, _ size: Int64, as id: Int64, from source: Connection
    ) throws(JournalFailure) {
        let hashedThrough = try JournalIdentity.hashedThrough(on: source)
        let cut = try JournalCut.read(on: source)
        try JournalFailure.wrapping { () throws(DatabaseError) in
            try connection.execute(
                """
                INSERT INTO merged_logs (id, identity, hashed_through, size, cut_through, cut_entry, cut_kept)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """,
                [
                    .integer(id), .text(log.identity), .integer(hashedThrough), .integer(size),
                    .integer(cut?.through ?? 0), .integer(cut?.entry ?? 0), .integer(Int64(cut?.kept.count ?? 0)),
                ])
            try copy(
                "SELECT block, root FROM tree_blocks WHERE block < ? ORDER BY block",
                [.integer(size / JournalFrontier.blockSize)], from: source, to: "merged_blocks", id
            ) { (row) throws(DatabaseError) in [.integer(try row.integer(0)), .blob(try row.blob(1))] }
            try copy(
                "SELECT block, leaves FROM cut_blocks ORDER BY block", [], from: source, to: "merged_cut_blocks", id
            ) { (row) throws(DatabaseError) in [.integer(try row.integer(0)), .blob(try row.blob(1))] }
            try copy(
                "SELECT size, time, note FROM checkpoints WHERE size <= ? ORDER BY size", [.integer(size)],
                from: source, to: "merged_checkpoints", id
            ) { (row) throws(DatabaseError) in
                [.integer(try row.integer(0)), .text(try row.text(1)), .text(try row.text(2))]
            }
            try copy(
                "SELECT id, key, time FROM checkpoint_keys ORDER BY id", [], from: source, to: "merged_keys", id
            ) { (row) throws(DatabaseError) in
                let key = try row.text(1)
                // Those of all logs, for whoever asks for the keys of the history.
                try connection.execute(
                    "INSERT INTO checkpoint_keys (key, time) VALUES (?, ?)", [.text(key), .text(try row.text(2))])
                return [.integer(try row.integer(0)), .text(key), .text(try row.text(2))]
            }
        }
    }

    private func copy(
        _ selection: String, _ values: [SQLValue], from source: Connection, to table: String, _ log: Int64,
        _ read: (Row) throws(DatabaseError) -> [SQLValue]
    ) throws(DatabaseError) {
        try source.forEachRow(selection, values) { (row) throws(DatabaseError) in
            let columns = try read(row)
            let marks = columns.map { _ in ", ?" }.joined()
            try connection.execute("INSERT INTO \(table) VALUES (?\(marks))", [.integer(log)] + columns)
            return true
        }
    }

    // MARK: The entries

    private func copyEntries(in order: MergeOrder, from sources: [Connection]) throws(JournalFailure) -> Int64 {
        var sequence: Int64 = 0
        for (index, number) in order {
            sequence += 1
            let (log, place) = (Int64(index + 1), sequence)
            try EntryScan.rows("WHERE sequence = ?", [.integer(number)], on: sources[index]) {
                (row) throws(JournalFailure) in
                try JournalFailure.wrapping { () throws(DatabaseError) in
                    try add(try row.columns.values(), row.recordedHash, number, of: log, at: place)
                }
            }
        }
        try JournalFailure.wrapping { () throws(DatabaseError) in
            try connection.execute(
                "INSERT INTO instances (instance, cluster) SELECT DISTINCT instance, cluster FROM entries ORDER BY 1, 2"
            )
        }
        return sequence
    }

    /// Adds one entry; where it refers to another one of its log, it leads to that in the history.
    private func add(
        _ columns: [SQLValue], _ hash: SHA256Digest?, _ number: Int64, of log: Int64, at sequence: Int64
    ) throws(DatabaseError) {
        var columns = columns
        let reference = columns[EntryColumn.refersTo.rawValue]
        if reference != .null {
            // Nothing is found where retention has removed it.
            let other = try connection.firstRow(
                "SELECT sequence FROM merged_places WHERE log = ? AND number = ?", [.integer(log), reference]
            ) { (row) throws(DatabaseError) in try row.integer(0) }
            columns[EntryColumn.refersTo.rawValue] = .optional(other)
        }
        try connection.execute(
            "INSERT INTO merged_places (sequence, log, number, refers_to) VALUES (?, ?, ?, ?)",
            [.integer(sequence), .integer(log), .integer(number), reference])
        try connection.execute(
            EntryColumns.insertion, [.integer(sequence)] + columns + [.blob(hash?.bytes ?? [])])
        try TextIndex.add(sequence, columns, to: connection)
    }
}

extension RowColumns {
    /// The values of an entry, in the order of ``EntryColumns/names``.
    fileprivate func values() throws(DatabaseError) -> [SQLValue] {
        var values: [SQLValue] = []
        values.reserveCapacity(EntryColumn.allCases.count)
        for column in EntryColumn.allCases {
            switch column {
            case .isIncident, .pullRequest, .durationMicroseconds, .refersTo:
                values.append(.optional(try row.optionalInteger(offset + column.rawValue)))
            default: values.append(.optional(try row.optionalText(offset + column.rawValue)))
            }
        }
        return values
    }
}
