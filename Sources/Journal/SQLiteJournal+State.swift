package import Manifest
package import Reconciler
import SQLite

extension SQLiteJournal {
    package func unsettledIntents() async throws(JournalError) -> [(id: IntentID, intent: Intent)] {
        let (instanceID, last) = (instanceID, lastEarlierIntent)
        let found = try await write { (connection) throws(DatabaseError) in
            try connection.rows(
                "SELECT id, content FROM intents WHERE instance_id = ? AND id <= ? ORDER BY id",
                [.integer(instanceID), .integer(last)]
            ) { (row) throws(DatabaseError) in (id: try row.integer(0), content: try row.text(1)) }
        }
        var intents: [(id: IntentID, intent: Intent)] = []
        for (id, content) in found {
            let intent = try describing("read") { () throws(JournalFailure) in
                try IntentContent.intent(from: content, id: id)
            }
            intents.append((IntentID(rawValue: id), intent))
        }
        return intents
    }

    package func ownedObjects() async throws(JournalError) -> [ObjectID: OwnedObject] {
        let instanceID = instanceID
        let pairs = try await write { (connection) throws(DatabaseError) in
            try connection.rows(
                """
                SELECT api_group, object_kind, namespace, name, uid, declaration_digest, revision
                FROM owned WHERE instance_id = ?
                """, [.integer(instanceID)]
            ) { (row) throws(DatabaseError) in try ownedObject(row) }
        }
        return Dictionary(pairs) { _, last in last }
    }

    package func lastChange(
        of object: ObjectID, under revisions: Set<String>, from first: Int64
    ) async throws(JournalError) -> PastChange? {
        // The object leads: an object has few entries, and a revision may have very many.
        let sql = """
            SELECT sequence, patch FROM entries INDEXED BY entries_object
            WHERE name = ? AND namespace = ? AND object_kind = ? AND sequence >= ? AND api_group = ?
                AND instance = ? AND cluster = ? AND kind = 'action' AND outcome = 'succeeded' AND reason IN (?, ?)
                AND revision IN (\(revisions.map { _ in "?" }.joined(separator: ", ")))
            ORDER BY sequence DESC LIMIT 1
            """
        let values: [SQLValue] =
            [
                .text(object.name), .text(object.namespace), .text(object.kind), .integer(first), .text(object.group),
                .text(configuration.instance), .text(configuration.cluster), .text(EntryReason.revisionChanged.word),
                .text(EntryReason.incident(.actionInterrupted).word),
            ] + revisions.map(SQLValue.text)
        let found = try await write { (connection) throws(DatabaseError) in
            try connection.firstRow(sql, values) { (row) throws(DatabaseError) in
                (sequence: try row.integer(0), patch: try row.optionalText(1))
            }
        }
        guard let found else { return nil }
        return try describing("read") { () throws(JournalFailure) in
            try pastChange(found.sequence, patch: found.patch)
        }
    }

    package func identity() async throws(JournalError) -> String {
        try await perform("read") { (connection) throws(JournalFailure) in try JournalIdentity.id(on: connection) }
    }

    package func remembered(_ key: MemoryKey) async throws(JournalError) -> String? {
        let values: [SQLValue] = [.integer(instanceID), .text(key.rawValue)]
        return try await write { (connection) throws(DatabaseError) in
            try connection.firstRow("SELECT value FROM memory WHERE instance_id = ? AND key = ?", values) {
                (row) throws(DatabaseError) in try row.text(0)
            }
        }
    }

    package func remember(_ key: MemoryKey, _ value: String) async throws(JournalError) {
        let values: [SQLValue] = [.integer(instanceID), .text(key.rawValue), .text(value)]
        try await write { (connection) throws(DatabaseError) in
            // What is remembered already costs no wait for the disk.
            try connection.execute(
                """
                INSERT INTO memory (instance_id, key, value) VALUES (?, ?, ?)
                ON CONFLICT DO UPDATE SET value = excluded.value WHERE value IS NOT excluded.value
                """, values)
        }
    }
}

private func pastChange(_ sequence: Int64, patch: String?) throws(JournalFailure) -> PastChange {
    guard let patch else { return PastChange(sequence: sequence, patch: nil) }
    return PastChange(sequence: sequence, patch: try tree(fromCanonical: patch, in: "entry \(sequence)"))
}

/// Reads a row of `owned`: group, kind, namespace, name, uid, digest, revision.
func ownedObject(_ row: borrowing Row) throws(DatabaseError) -> (ObjectID, OwnedObject) {
    (
        ObjectID(
            group: try row.text(0), kind: try row.text(1), namespace: try row.text(2), name: try row.text(3)),
        OwnedObject(uid: try row.text(4), declarationDigest: try row.text(5), revision: try row.text(6))
    )
}
