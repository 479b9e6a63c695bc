package import Manifest
package import Reconciler
import SQLite

extension SQLiteJournal {
    /// How many texts of one incident on one object stay open: a failure that words itself anew each time must not
    /// grow without end.
    private static var maximumOpenTexts: Int64 { 16 }

    @discardableResult
    package func raise(_ incident: EntryDraft) async throws(JournalError) -> Int64? {
        let prepared = try prepare(incident)
        guard let reason = incident.reason.incident else { return try await record(incident, owned: .unchanged) }
        let key = Self.incidentKey(reason, incident.object, instanceID)
        let time = incident.at.description
        let message = incident.message.bounded(toBytes: TextLimit.message)
        let tree = tree
        let sequence: Int64? = try await perform("write") { (connection) throws(JournalFailure) in
            let isOpen = try JournalFailure.wrapping { () throws(DatabaseError) in
                try connection.firstRow(
                    "SELECT 1 FROM open_incidents WHERE \(Self.incidentCondition) AND message = ?",
                    key + [.text(message)]
                ) { (_) throws(DatabaseError) in true }
            }
            guard isOpen == nil else { return nil }
            let sequence = try tree.append(prepared, to: connection)
            try JournalFailure.wrapping { () throws(DatabaseError) in
                try connection.execute(Self.insertion, key + [.integer(sequence), .text(time), .text(message)])
                try connection.execute(
                    """
                    DELETE FROM open_incidents WHERE \(Self.incidentCondition) AND id NOT IN
                        (SELECT id FROM open_incidents WHERE \(Self.incidentCondition) ORDER BY id DESC LIMIT ?)
                    """, key + key + [.integer(Self.maximumOpenTexts)])
            }
            return sequence
        }
        if let sequence { tree.noteDurable(sequence) }
        return sequence
    }

    /// Opens the incident of a change that failed, or lets the open one tell of the latest failure.
    static func open(
        _ key: [SQLValue], sequence: Int64, time: String, message: String, on connection: Connection
    ) throws(DatabaseError) {
        try connection.execute(
            "UPDATE open_incidents SET sequence = ?, message = ? WHERE \(incidentCondition)",
            [.integer(sequence), .text(message)] + key)
        guard connection.changedRowCount == 0 else { return }
        try connection.execute(insertion, key + [.integer(sequence), .text(time), .text(message)])
    }

    package func openIncidents() async throws(JournalError) -> [(reason: IncidentReason, object: ObjectID?)] {
        let instanceID = instanceID
        let rows = try await write { (connection) throws(DatabaseError) in
            try connection.rows(
                """
                SELECT DISTINCT reason, api_group, object_kind, namespace, name FROM open_incidents
                WHERE instance_id = ?
                """, [.integer(instanceID)]
            ) { (row) throws(DatabaseError) in
                let object = ObjectID(
                    group: try row.text(1), kind: try row.text(2), namespace: try row.text(3), name: try row.text(4))
                return (reason: try row.text(0), object: object.kind.isEmpty ? nil : object)
            }
        }
        // A reason of a later version is nothing that this one could end.
        return rows.compactMap { row in IncidentReason(rawValue: row.reason).map { ($0, row.object) } }
    }

    package func resolve(_ reasons: [IncidentReason], object: ObjectID?) async throws(JournalError) {
        guard !reasons.isEmpty else { return }
        let keys = reasons.map { Self.incidentKey($0, object, instanceID) }
        try await write { (connection) throws(DatabaseError) in
            for key in keys {
                try connection.execute("DELETE FROM open_incidents WHERE \(Self.incidentCondition)", key)
            }
        }
    }

    private static var insertion: String {
        """
        INSERT INTO open_incidents
            (instance_id, reason, api_group, object_kind, namespace, name, sequence, time, message)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
        """
    }

    private static var incidentCondition: String {
        "instance_id = ? AND reason = ? AND api_group = ? AND object_kind = ? AND namespace = ? AND name = ?"
    }

    /// An incident of the instance as a whole has an empty kind.
    static func incidentKey(
        _ reason: IncidentReason, _ object: ObjectID?, _ instanceID: Int64
    ) -> [SQLValue] {
        [
            .integer(instanceID), .text(reason.rawValue), .text(object?.group ?? ""), .text(object?.kind ?? ""),
            .text(object?.namespace ?? ""), .text(object?.name ?? ""),
        ]
    }
}
