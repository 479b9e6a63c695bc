package import Manifest
package import Reconciler
import SQLite
import Synchronization

/// The journal for reading, beside the process that writes it or on a copy.
///
/// Takes no lock that a writer would wait for. Each answer is one consistent moment.
package final class JournalReader: Sendable {
    /// An instance on a cluster that the journal knows.
    package struct Scope: Sendable, Hashable {
        package var instance: String
        package var cluster: String

        package init(instance: String, cluster: String) {
            self.instance = instance
            self.cluster = cluster
        }
    }

    package let path: String
    private let opened: Mutex<Opened>

    /// A connection, and the file that the path led to when it was opened.
    private struct Opened: Sendable {
        var connection: SerializedConnection
        var file: FileIdentity
    }

    /// Opens the journal at `path`.
    ///
    /// - Throws: ``JournalError`` where there is none, where it cannot be read, or where it is something else.
    package static func open(_ path: String) async throws(JournalError) -> JournalReader {
        do throws(JournalFailure) {
            return JournalReader(path, try await connect(path))
        } catch {
            throw JournalError(error, doing: "open", path: path)
        }
    }

    private init(_ path: String, _ opened: Opened) {
        self.path = path
        self.opened = Mutex(opened)
    }

    private static func connect(_ path: String) async throws(JournalFailure) -> Opened {
        let connection = try await SerializedConnection(label: "bylaw.journal.reader") {
            () throws(JournalFailure) -> sending Connection in try JournalFile.openForReading(path: path)
        }
        do throws(JournalFailure) {
            return Opened(connection: connection, file: try FileIdentity(path))
        } catch {
            await connection.close()
            throw error
        }
    }

    /// The connection to the file that lies there now: a volume may have been mounted anew, or the file put back.
    private func connection() async throws(JournalFailure) -> SerializedConnection {
        let now = try FileIdentity(path)
        let known = opened.withLock { $0 }
        guard known.file != now else { return known.connection }
        let new = try await Self.connect(path)
        let old = opened.withLock { current in
            guard current.file == known.file else { return new.connection }
            defer { current = new }
            return current.connection
        }
        await old.close()
        return opened.withLock { $0.connection }
    }

    package func close() async { await opened.withLock { $0.connection }.close() }

    // MARK: Entries

    /// The entries that match, in the order that the query asks for.
    package func entries(_ query: JournalQuery) async throws(JournalError) -> [JournalEntry] {
        try await read { (connection) throws(JournalFailure) in try Self.select(query, on: connection) }
    }

    /// The entries that match, and the last sequence number of all entries at the same moment.
    package func entriesAndEnd(_ query: JournalQuery) async throws(JournalError) -> (
        entries: [JournalEntry], end: Int64
    ) {
        try await read { (connection) throws(JournalFailure) in
            (
                try Self.select(query, on: connection),
                try JournalFailure.wrapping { () throws(DatabaseError) in
                    try Self.lastSequence(connection)
                }
            )
        }
    }

    /// One entry, or nil where there is no such number.
    package func entry(sequence: Int64) async throws(JournalError) -> JournalEntry? {
        try await read { (connection) throws(JournalFailure) in
            try Self.entries(
                "SELECT \(EntryColumns.selection(includesContent: true)) FROM entries WHERE sequence = ?",
                [.integer(sequence)], on: connection
            ).first
        }
    }

    /// The number of the newest entry; 0 in an empty journal.
    ///
    /// Entries are numbered from 1 without a gap; only retention makes gaps, see ``removedThrough()``.
    package func lastSequence() async throws(JournalError) -> Int64 {
        try await read { (connection) throws(JournalFailure) in
            try JournalFailure.wrapping { () throws(DatabaseError) in try Self.lastSequence(connection) }
        }
    }

    /// Up to which entry retention has removed all but what something in force depends on; 0 where it never did.
    package func removedThrough() async throws(JournalError) -> Int64 {
        try await read { (connection) throws(JournalFailure) in try JournalCut.through(on: connection) }
    }

    /// How many of the entries that match have each outcome; limit and order play no part.
    package func outcomeCounts(_ query: JournalQuery) async throws(JournalError) -> [EntryOutcome: Int64] {
        try await read { (connection) throws(JournalFailure) in
            let counts = try JournalFailure.wrapping { () throws(DatabaseError) in
                let plan = try QueryPlan(query, on: connection)
                return plan.isEmpty ? [] : try Self.count(plan, isFiltered: query.hasFilter, on: connection)
            }
            var byOutcome: [EntryOutcome: Int64] = [:]
            for (word, count) in counts {
                guard let outcome = EntryOutcome(rawValue: word) else {
                    throw .unreadable("an entry has the outcome “\(word)”, which this version does not know")
                }
                byOutcome[outcome] = count
            }
            return byOutcome
        }
    }

    // MARK: State

    package func scopes() async throws(JournalError) -> [Scope] {
        try await readRows("SELECT instance, cluster FROM instances ORDER BY id", []) { (row) throws(DatabaseError) in
            Scope(instance: try row.text(0), cluster: try row.text(1))
        }
    }

    /// The incidents that are open, the newest first.
    package func openIncidents(_ scope: Scope? = nil) async throws(JournalError) -> [OpenIncident] {
        let rows = try await readOwnState(
            """
            SELECT sequence, time, instance, cluster, reason, api_group, object_kind, namespace, name, message
            FROM open_incidents JOIN instances ON instances.id = instance_id
            WHERE ifnull(instance = ?, 1) AND ifnull(cluster = ?, 1) ORDER BY sequence DESC
            """, [.optional(scope?.instance), .optional(scope?.cluster)]
        ) { (row) throws(DatabaseError) in
            (
                time: try row.text(1),
                incident: OpenIncident(
                    sequence: try row.integer(0), since: Timestamp(microsecondsSinceEpoch: 0),
                    instance: try row.text(2), cluster: try row.text(3), reason: try row.text(4),
                    object: try row.text(6).isEmpty
                        ? nil
                        : ObjectID(
                            group: try row.text(5), kind: try row.text(6), namespace: try row.text(7),
                            name: try row.text(8)),
                    message: try row.text(9))
            )
        }
        var incidents: [OpenIncident] = []
        for (time, incident) in rows {
            guard let since = Timestamp(time) else {
                throw JournalError(
                    .unreadable("the incident of entry \(incident.sequence) has the time “\(time)”"), doing: "read",
                    path: path)
            }
            var incident = incident
            incident.since = since
            incidents.append(incident)
        }
        return incidents
    }

    /// What an instance remembers under a name; nil where nothing.
    package func remembered(_ key: MemoryKey, _ scope: Scope) async throws(JournalError) -> String? {
        try await readOwnState(
            """
            SELECT value FROM memory JOIN instances ON instances.id = instance_id
            WHERE instance = ? AND cluster = ? AND key = ?
            """, [.text(scope.instance), .text(scope.cluster), .text(key.rawValue)]
        ) { (row) throws(DatabaseError) in try row.text(0) }.first
    }

    /// How many objects an instance is known to own.
    package func ownedObjectCount(_ scope: Scope) async throws(JournalError) -> Int64 {
        try await readCount("owned", scope)
    }

    /// How many writes have been begun and have no outcome yet.
    package func unsettledIntentCount(_ scope: Scope) async throws(JournalError) -> Int64 {
        try await readCount("intents", scope)
    }

    /// What an instance is known to own.
    package func ownedObjects(_ scope: Scope) async throws(JournalError) -> [ObjectID: OwnedObject] {
        let pairs = try await readOwnState(
            """
            SELECT api_group, object_kind, namespace, name, uid, declaration_digest, revision
            FROM owned JOIN instances ON instances.id = instance_id
            WHERE instance = ? AND cluster = ?
            """, [.text(scope.instance), .text(scope.cluster)]
        ) { (row) throws(DatabaseError) in try ownedObject(row) }
        return Dictionary(pairs) { _, last in last }
    }

    // MARK: Parts

    private func readCount(_ table: String, _ scope: Scope) async throws(JournalError) -> Int64 {
        try await readOwnState(
            """
            SELECT count(*) FROM \(table) JOIN instances ON instances.id = instance_id
            WHERE instance = ? AND cluster = ?
            """, [.text(scope.instance), .text(scope.cluster)]
        ) { (row) throws(DatabaseError) in try row.integer(0) }.first ?? 0
    }

    private static func select(
        _ query: JournalQuery, on connection: Connection
    ) throws(JournalFailure) -> [JournalEntry] {
        let plan = try JournalFailure.wrapping { () throws(DatabaseError) in try QueryPlan(query, on: connection) }
        guard !plan.isEmpty else { return [] }
        let (sql, values) = plan.selection(query)
        return try entries(sql, values, on: connection)
    }

    static func entries(
        _ sql: String, _ values: [SQLValue], on connection: Connection
    ) throws(JournalFailure) -> [JournalEntry] {
        let results = try JournalFailure.wrapping { () throws(DatabaseError) in
            try connection.rows(sql, values) { (row) throws(DatabaseError) in try EntryColumns.entry(from: row) }
        }
        var entries: [JournalEntry] = []
        entries.reserveCapacity(results.count)
        for result in results { entries.append(try result.get()) }
        return entries
    }

    static func lastSequence(_ connection: Connection) throws(DatabaseError) -> Int64 {
        try connection.firstRow("SELECT ifnull(max(sequence), 0) FROM entries") { (row) throws(DatabaseError) in
            try row.integer(0)
        } ?? 0
    }

    private static func count(
        _ plan: QueryPlan, isFiltered: Bool, on connection: Connection
    ) throws(DatabaseError) -> [(String, Int64)] {
        let unusual = try connection.rows(plan.countingUnusual.sql, plan.countingUnusual.values) {
            (row) throws(DatabaseError) in (try row.text(0), try row.integer(1))
        }
        let total =
            isFiltered
            ? try connection.firstRow(plan.counting.sql, plan.counting.values) { (row) throws(DatabaseError) in
                try row.integer(0)
            } ?? 0 : try JournalCut.entryCount(on: connection)
        let usual = total - unusual.reduce(0) { $0 + $1.1 }
        return usual > 0 ? unusual + [(EntryOutcome.succeeded.rawValue, usual)] : unusual
    }

    private func readRows<Value: Sendable>(
        _ sql: String, _ values: [SQLValue], _ row: @escaping @Sendable (Row) throws(DatabaseError) -> Value
    ) async throws(JournalError) -> [Value] {
        try await read { (connection) throws(JournalFailure) in
            try JournalFailure.wrapping { () throws(DatabaseError) in try connection.rows(sql, values, row) }
        }
    }

    /// Reads what an instance knows of itself, which a merged history does not have.
    private func readOwnState<Value: Sendable>(
        _ sql: String, _ values: [SQLValue], _ row: @escaping @Sendable (Row) throws(DatabaseError) -> Value
    ) async throws(JournalError) -> [Value] {
        try await read { (connection) throws(JournalFailure) in
            guard try !MergedSchema.isMerged(connection) else { throw .merged("state of an instance that runs") }
            return try JournalFailure.wrapping { () throws(DatabaseError) in try connection.rows(sql, values, row) }
        }
    }

    /// One snapshot: a writer's commit in between must not show in half of an answer.
    func read<Value: Sendable>(
        _ body: @escaping @Sendable (Connection) throws(JournalFailure) -> Value
    ) async throws(JournalError) -> Value {
        do throws(JournalFailure) {
            return try await connection().perform(
                { (connection) throws(JournalFailure) in
                    try connection.snapshot(orElse: { .database($0) }) { () throws(JournalFailure) in
                        try body(connection)
                    }
                }, orElse: { .database($0) })
        } catch {
            throw JournalError(error, doing: "read", path: path)
        }
    }
}
