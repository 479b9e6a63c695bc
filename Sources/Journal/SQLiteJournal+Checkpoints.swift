package import Manifest
package import Reconciler
import SQLite
import Signatures
package import TransparencyLog

extension SQLiteJournal {
    /// How many of the newest checkpoints are kept whatever they cover.
    private static var keptCheckpoints: Int64 { 100 }
    /// Of the older ones, one in this many entries is kept: what lies between two that hold was not rewritten.
    private static var checkpointSpacing: Int64 { 4096 }

    /// Signs what the journal holds, durably.
    ///
    /// Where nothing was added since the last one, that one is given again.
    ///
    /// - Throws: ``JournalError`` where it cannot be signed or stored, and where the journal has no key.
    package func checkpoint(at now: Timestamp) async throws(JournalError) -> SignedCheckpoint {
        let signer = try await noteSigner()
        let tree = tree
        return try await perform("sign a checkpoint of") { (connection) throws(JournalFailure) in
            let (size, root) = try tree.head(on: connection)
            if let last = try Self.checkpoint(ofSize: size, on: connection),
                last.note.signatures.contains(where: { $0.keyID == signer.verifier.keyID })
            {
                return last
            }
            let signed: SignedCheckpoint
            do throws(KeyFailure) {
                signed = try SignedCheckpoint(
                    Checkpoint(origin: signer.verifier.name, size: size, root: root), signer: signer)
            } catch {
                throw .checkpoint(error.message)
            }
            try Self.wrapping { () throws(DatabaseError) in
                try connection.execute(
                    "INSERT OR REPLACE INTO checkpoints (size, time, note) VALUES (?, ?, ?)",
                    [.integer(size), .text(now.description), .text(signed.note.description)])
                try Self.thinOut(on: connection)
            }
            return signed
        }
    }

    /// Which key signs from now on; where it is another one than before, an entry says so.
    ///
    /// - Returns: Nil where the journal was opened without a key.
    @discardableResult
    package func introduceKey(at now: Timestamp) async throws(JournalError) -> VerifierKey? {
        guard configuration.signingKey != nil else { return nil }
        let key = try await noteSigner().verifier
        let text = key.description
        let earlier = try await write { (connection) throws(DatabaseError) in
            try connection.firstRow("SELECT key FROM checkpoint_keys ORDER BY id DESC LIMIT 1") {
                (row) throws(DatabaseError) in try row.text(0)
            }
        }
        guard earlier != text else { return key }
        let draft = EntryDraft(
            at: now, kind: .event, reason: .signingKeyChanged, outcome: .succeeded,
            message: "checkpoints of this journal are signed with the key \(text) from here on"
                + (earlier.map { ", no longer with \($0)" } ?? ""))
        let prepared = try prepare(draft)
        let tree = tree
        try await perform("write") { (connection) throws(JournalFailure) in
            _ = try tree.append(prepared, to: connection)
            try Self.wrapping { () throws(DatabaseError) in
                // A key that comes back is the newest again.
                try connection.execute("DELETE FROM checkpoint_keys WHERE key = ?", [.text(text)])
                try connection.execute(
                    "INSERT INTO checkpoint_keys (key, time) VALUES (?, ?)", [.text(text), .text(now.description)])
            }
        }
        return key
    }

    private func noteSigner() async throws(JournalError) -> NoteSigner {
        guard let key = configuration.signingKey else {
            throw JournalError(.checkpoint("it was opened without a key"), doing: "sign", path: path)
        }
        let origin = try await perform("read") { (connection) throws(JournalFailure) in
            try JournalIdentity.origin(on: connection)
        }
        do throws(NoteFailure) { return try NoteSigner(name: origin, key: key) } catch {
            throw JournalError(.checkpoint(error.message), doing: "sign", path: path)
        }
    }

    private static func checkpoint(
        ofSize size: Int64, on connection: Connection
    ) throws(JournalFailure) -> SignedCheckpoint? {
        let note = try wrapping { () throws(DatabaseError) in
            try connection.firstRow("SELECT note FROM checkpoints WHERE size = ?", [.integer(size)]) {
                (row) throws(DatabaseError) in try row.text(0)
            }
        }
        // One that cannot be read is signed anew; verification tells of it.
        do throws(NoteFailure) { return try note.map { text throws(NoteFailure) in try SignedCheckpoint(text) } } catch
        {
            return nil
        }
    }

    /// Deletes the checkpoint that has just left the newest ones, where a kept one lies close before it.
    private static func thinOut(on connection: Connection) throws(DatabaseError) {
        try connection.execute(
            """
            DELETE FROM checkpoints WHERE size IN (
                SELECT size FROM (SELECT size FROM checkpoints ORDER BY size DESC LIMIT 1 OFFSET ?) AS aged
                WHERE EXISTS (
                    SELECT 1 FROM checkpoints AS earlier
                    WHERE earlier.size < aged.size AND earlier.size / ? = aged.size / ?))
            """, [.integer(keptCheckpoints), .integer(checkpointSpacing), .integer(checkpointSpacing)])
    }
}

/// What tells this journal from every other one.
enum JournalIdentity {
    /// The name under which its checkpoints are signed.
    static func origin(on connection: Connection) throws(JournalFailure) -> String {
        "bylaw.dev/journal/\(try id(on: connection))"
    }

    /// 32 hexadecimal digits, random, made with the journal.
    static func id(on connection: Connection) throws(JournalFailure) -> String {
        let id: String?
        do throws(DatabaseError) {
            id = try connection.firstRow("SELECT id FROM identity") { (row) throws(DatabaseError) in try row.text(0) }
        } catch {
            throw .database(error)
        }
        guard let id, id.utf8.count == 32, id.allSatisfy({ $0.isASCII && $0.isHexDigit }) else {
            throw .unreadable("its identity is missing or is none")
        }
        return id
    }
}
