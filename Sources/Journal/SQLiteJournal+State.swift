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

/// Reads a row of `owned`: group, kind, namespace, name, uid, digest, revision.
func ownedObject(_ row: borrowing Row) throws(DatabaseError) -> (ObjectID, OwnedObject) {
    (
        ObjectID(
            group: try row.text(0), kind: try row.text(1), namespace: try row.text(2), name: try row.text(3)),
        OwnedObject(uid: try row.text(4), declarationDigest: try row.text(5), revision: try row.text(6))
    )
}
