package import Manifest
package import Reconciler
import SQLite

/// The policy state of an earlier moment, as the journal has it: every object that Bylaw managed then, as it was applied.
///
/// What others made and Bylaw did not own is not in it.
package struct PastState: Sendable, Equatable {
    package struct Object: Sendable, Equatable {
        package var id: ObjectID
        package var tree: Tree
        /// The entry that brought it into this form, and when.
        package var sequence: Int64
        package var since: Timestamp
        package var commit: String?
    }

    /// The last entry that belongs to it; 0 where the journal begins later.
    package var throughSequence: Int64
    /// When that was written.
    package var throughTime: Timestamp?
    /// The revision that was enforced then.
    package var commit: String?
    /// In the order of their identities.
    package var objects: [Object]
    /// Objects whose last change before that moment failed or was cut short, so that their form is not certain.
    package var uncertain: [ObjectID] = []

    /// Which entries bring an object into a form that is known, or find it ours or no longer ours.
    static let formsAnObject = """
        object_kind IS NOT NULL AND (kind = 'action' AND outcome = 'succeeded' OR reason = 'Recognised'
            OR kind = 'action' AND outcome = 'abandoned' AND after IS NOT NULL AND action <> 'create')
        """
    /// Which entries may have changed an object.
    static let concernsAnObject = "object_kind IS NOT NULL AND (kind = 'action' OR reason = 'Recognised')"
}

/// Which moment is meant.
package enum PastMoment: Sendable, Equatable {
    case time(Timestamp)
    /// When this revision was enforced last: the state it ended with. A beginning of the commit's id is enough.
    case revision(String)
    case entry(Int64)
}

extension JournalReader {
    /// The state of a moment; nil where the journal does not know the revision.
    ///
    /// - Throws: ``JournalError`` also where the beginning of a commit's id fits several, and where retention has removed
    ///   what would have told of the moment.
    package func state(at moment: PastMoment, _ scope: Scope) async throws(JournalError) -> PastState? {
        try await read { (connection) throws(JournalFailure) in
            guard let found = try Self.lastEntry(of: moment, scope, on: connection) else {
                // Whether it was ever enforced cannot be told where the entries of then are gone.
                guard case .revision(let name) = moment, let cut = try PastStateBeginning(on: connection) else {
                    return nil
                }
                throw .revisionRemoved(name, through: cut.through, time: cut.time, entry: cut.entry)
            }
            let last = try Self.knownEntry(found, of: moment, on: connection)
            return try Self.state(through: last, scope, on: connection)
        }
    }

    /// The entry itself where the journal still knows its state; what lies further back, retention has removed.
    private static func knownEntry(
        _ last: Int64, of moment: PastMoment, on connection: Connection
    ) throws(JournalFailure) -> Int64 {
        guard let cut = try PastStateBeginning(on: connection), last < cut.through else { return last }
        // Of the last entries before the cut those that nothing depends on are gone, so a later one is the last.
        if case .time(let time) = moment, time >= cut.time { return cut.through }
        throw .removed(through: cut.through, time: cut.time, entry: cut.entry)
    }

    private static func state(
        through last: Int64, _ scope: Scope, on connection: Connection
    ) throws(JournalFailure) -> PastState {
        // The entry itself may have been removed.
        let cut = try PastStateBeginning(on: connection)
        let cutTime = cut?.through == last ? cut?.time : nil
        let names: [SQLValue] = [.text(scope.instance), .text(scope.cluster), .integer(last)]
        var state = PastState(throughSequence: last, objects: [])
        let sequences = try JournalFailure.wrapping { () throws(DatabaseError) in
            let time = try connection.firstRow("SELECT time FROM entries WHERE sequence = ?", [.integer(last)]) {
                (row) throws(DatabaseError) in try row.text(0)
            }
            state.throughTime = time.flatMap { Timestamp($0) } ?? cutTime
            state.commit = try connection.firstRow(
                """
                SELECT revision FROM entries INDEXED BY entries_reason
                WHERE reason = 'RevisionAccepted' AND instance = ? AND cluster = ? AND sequence <= ?
                ORDER BY sequence DESC LIMIT 1
                """, names
            ) { (row) throws(DatabaseError) in try row.optionalText(0) }.flatMap { $0 }
            // What changed an object last, or found it ours or no longer ours.
            return try connection.rows(
                """
                SELECT max(sequence) FROM entries NOT INDEXED
                WHERE instance = ? AND cluster = ? AND sequence <= ? AND \(PastState.formsAnObject)
                GROUP BY api_group, object_kind, namespace, name
                """, names
            ) { (row) throws(DatabaseError) in try row.integer(0) }
        }
        for sequence in sequences {
            guard
                let entry = try entries(
                    "SELECT \(EntryColumns.selection(includesContent: true)) FROM entries WHERE sequence = ?",
                    [.integer(sequence)], on: connection
                ).first, let id = entry.object, let after = entry.after,
                // A deletion that was found not done left the object as it was seen then.
                entry.action != .delete || entry.outcome == .abandoned
            else { continue }
            state.objects.append(
                PastState.Object(
                    id: id, tree: try tree(fromCanonical: after, in: "entry \(sequence)"), sequence: sequence,
                    since: entry.time, commit: entry.revision?.commit))
        }
        state.objects.sort { $0.id < $1.id }
        state.uncertain = try uncertainObjects(names, on: connection)
        return state
    }

    /// The objects whose last change failed or was cut short: part of it may have been done all the same.
    private static func uncertainObjects(
        _ names: [SQLValue], on connection: Connection
    ) throws(JournalFailure) -> [ObjectID] {
        try JournalFailure.wrapping { () throws(DatabaseError) in
            try connection.rows(
                """
                SELECT api_group, object_kind, namespace, name, outcome, max(sequence) FROM entries NOT INDEXED
                WHERE instance = ? AND cluster = ? AND sequence <= ? AND \(PastState.concernsAnObject)
                GROUP BY api_group, object_kind, namespace, name HAVING outcome IN ('failed', 'abandoned')
                """, names
            ) { (row) throws(DatabaseError) in
                ObjectID(
                    group: try row.text(0), kind: try row.text(1), namespace: try row.text(2), name: try row.text(3))
            }
        }
    }

    private static func lastEntry(
        of moment: PastMoment, _ scope: Scope, on connection: Connection
    ) throws(JournalFailure) -> Int64? {
        switch moment {
        case .entry(let sequence):
            return try JournalFailure.wrapping { () throws(DatabaseError) in min(sequence, try lastSequence(connection))
            }
        case .time(let time):
            return try number(
                "SELECT max(sequence) FROM (SELECT sequence FROM entries INDEXED BY entries_time WHERE time <= ? "
                    + "ORDER BY time DESC, sequence DESC LIMIT 1)", [.text(time.description)], on: connection) ?? 0
        case .revision(let prefix):
            let commit = try wholeCommit(prefix, on: connection)
            guard let commit else { return nil }
            let names: [SQLValue] = [.text(scope.instance), .text(scope.cluster)]
            guard
                let accepted = try number(
                    """
                    SELECT max(sequence) FROM entries INDEXED BY entries_revision
                    WHERE revision = ? AND reason = 'RevisionAccepted' AND instance = ? AND cluster = ?
                    """, [.text(commit)] + names, on: connection)
            else { return nil }
            let next = try number(
                """
                SELECT min(sequence) FROM entries INDEXED BY entries_reason
                WHERE reason = 'RevisionAccepted' AND instance = ? AND cluster = ? AND sequence > ? AND revision <> ?
                """, names + [.integer(accepted), .text(commit)], on: connection)
            if let next { return next - 1 }
            return try JournalFailure.wrapping { () throws(DatabaseError) in try lastSequence(connection) }
        }
    }

    private static func wholeCommit(
        _ prefix: String, on connection: Connection
    ) throws(JournalFailure) -> String? {
        let fitting = try JournalFailure.wrapping { () throws(DatabaseError) in
            try QueryPlan.revisions(beginningWith: prefix, on: connection)
        }
        guard fitting.count <= 1 else {
            throw .unreadable("\(fitting.count) revisions begin with \(prefix): write more of it")
        }
        return fitting.first
    }

    private static func number(
        _ sql: String, _ values: [SQLValue], on connection: Connection
    ) throws(JournalFailure) -> Int64? {
        try JournalFailure.wrapping { () throws(DatabaseError) in
            try connection.firstRow(sql, values) { (row) throws(DatabaseError) in try row.optionalInteger(0) }
        }.flatMap { $0 }
    }
}
