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
            let wanted = Checkpoint(origin: signer.verifier.name, size: size, root: root)
            let stored = StoredCheckpoints(connection: connection)
            if let last = try stored.verified(size: size, keys: [signer.verifier]) {
                guard last.checkpoint == wanted else {
                    throw .contradictsCheckpoint("another root was signed over its first \(size) entries")
                }
                return last
            }
            let signed: SignedCheckpoint
            do throws(KeyFailure) { signed = try SignedCheckpoint(wanted, signer: signer) } catch {
                throw .checkpoint(error.message)
            }
            try JournalFailure.wrapping { () throws(DatabaseError) in
                try connection.execute(
                    "INSERT OR REPLACE INTO checkpoints (size, time, note) VALUES (?, ?, ?)",
                    [.integer(size), .text(now.description), .text(signed.note.description)])
                try Self.thinOut(on: connection)
            }
            return signed
        }
    }

    /// Whether the journal begins with exactly what a checkpoint was signed over, whoever keeps it.
    package func begins(with checkpoint: Checkpoint) async throws(JournalError) -> Bool {
        let tree = tree
        return try await perform("read") { (connection) throws(JournalFailure) in
            let (size, _) = try tree.head(on: connection)
            guard try JournalIdentity.origin(on: connection) == checkpoint.origin, checkpoint.size <= size else {
                return false
            }
            return try StoredTree(connection: connection, hasher: newHasher()).root(size: checkpoint.size)
                == checkpoint.root
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
        let hashedThrough = try await perform("read") { (connection) throws(JournalFailure) in
            try JournalIdentity.hashedThrough(on: connection)
        }
        let draft = EntryDraft(
            at: now, kind: .event, reason: .signingKeyChanged, outcome: .succeeded,
            message: "checkpoints of this journal are signed with the key \(text) from here on"
                + (earlier.map { ", no longer with \($0)" } ?? "")
                + (earlier == nil && hashedThrough > 0
                    ? "; entries 1 to \(hashedThrough) were written before there was a tree, and nothing proves them"
                    : ""))
        let prepared = try prepare(draft)
        let tree = tree
        let sequence = try await perform("write") { (connection) throws(JournalFailure) in
            let sequence = try tree.append(prepared, to: connection)
            try JournalFailure.wrapping { () throws(DatabaseError) in
                // A key that comes back is the newest again.
                try connection.execute("DELETE FROM checkpoint_keys WHERE key = ?", [.text(text)])
                try connection.execute(
                    "INSERT INTO checkpoint_keys (key, time) VALUES (?, ?)", [.text(text), .text(now.description)])
            }
            return sequence
        }
        tree.noteDurable(sequence)
        return key
    }

    func noteSigner() async throws(JournalError) -> NoteSigner {
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

    /// Deletes the checkpoint that has just left the newest ones, where a kept one lies close before it.
    ///
    /// The last one of a key stays: it is what proves the entries up to a change of keys.
    private static func thinOut(on connection: Connection) throws(DatabaseError) {
        let aged = try connection.rows(
            "SELECT size, note FROM checkpoints ORDER BY size DESC LIMIT 2 OFFSET ?", [.integer(keptCheckpoints - 1)]
        ) { (row) throws(DatabaseError) in (size: try row.integer(0), note: try row.text(1)) }
        guard aged.count == 2, keys(in: aged[0].note) == keys(in: aged[1].note) else { return }
        try connection.execute(
            """
            DELETE FROM checkpoints WHERE size = ?1 AND EXISTS (
                SELECT 1 FROM checkpoints AS earlier WHERE earlier.size < ?1 AND earlier.size / ?2 = ?1 / ?2)
            """, [.integer(aged[1].size), .integer(checkpointSpacing)])
    }

    private static func keys(in note: String) -> [[UInt8]]? {
        do throws(NoteFailure) { return try SignedNote(note).signatures.map(\.keyID) } catch { return nil }
    }
}

/// What tells this journal from every other one.
enum JournalIdentity {
    /// The name under which its checkpoints are signed.
    static func origin(on connection: Connection) throws(JournalFailure) -> String {
        origin(ofID: try id(on: connection))
    }

    /// The name under which the checkpoints of a journal are signed.
    static func origin(ofID id: String) -> String { "bylaw.dev/journal/\(id)" }

    /// 32 hexadecimal digits, random, made with the journal.
    static func id(on connection: Connection) throws(JournalFailure) -> String {
        let id: String?
        do throws(DatabaseError) {
            id = try connection.firstRow("SELECT id FROM identity") { (row) throws(DatabaseError) in try row.text(0) }
        } catch {
            throw .database(error)
        }
        guard let id, id.utf8.count == 32, id.allSatisfy({ $0.isASCII && $0.isHexDigit }) else {
            guard try !MergedSchema.isMerged(connection) else { throw .merged("identity and no signature of its own") }
            throw .unreadable("its identity is missing or is none")
        }
        return id
    }

    /// How many entries had been written before the journal had a tree.
    static func hashedThrough(on connection: Connection) throws(JournalFailure) -> Int64 {
        do throws(DatabaseError) {
            return try connection.firstRow("SELECT hashed_through FROM identity") { (row) throws(DatabaseError) in
                try row.integer(0)
            } ?? 0
        } catch {
            throw .database(error)
        }
    }
}
