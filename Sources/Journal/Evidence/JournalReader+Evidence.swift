package import Reconciler
import SQLite
package import Signatures
package import TransparencyLog

extension JournalReader {
    /// The newest signed checkpoint; nil where there is none.
    package func newestCheckpoint() async throws(JournalError) -> SignedCheckpoint? {
        try await read { (connection) throws(JournalFailure) in try Self.newestCheckpoint(connection) }
    }

    /// The keys that have signed checkpoints, as the journal names them, the newest last.
    package func checkpointKeys() async throws(JournalError) -> [String] {
        try await read { (connection) throws(JournalFailure) in try StoredFacts.keys(on: connection) }
    }

    /// An id that no other journal has; with a sequence number it names an entry for ever.
    package func identity() async throws(JournalError) -> String {
        try await read { (connection) throws(JournalFailure) in try JournalIdentity.id(on: connection) }
    }

    /// Signs what the journal holds now, without writing to it.
    ///
    /// What was added since the newest stored checkpoint is compared with its hashes first, so that nothing changed since
    /// is signed.
    ///
    /// - Throws: ``JournalError`` also where the journal does not fit its newest checkpoint any more.
    package func signCheckpoint(with key: Ed25519PrivateKey) async throws(JournalError) -> SignedCheckpoint {
        try await read { (connection) throws(JournalFailure) in
            let tree = StoredTree(connection: connection, hasher: try newHasher())
            let size = try JournalFailure.wrapping { () throws(DatabaseError) in try Self.lastSequence(connection) }
            let newest = try Self.newestCheckpoint(connection)?.checkpoint
            if let newest {
                guard newest.size <= size,
                    try tree.root(size: newest.size) == newest.root
                else { throw .checkpoint("it does not fit its newest checkpoint: run bylaw journal verify") }
            }
            let start = max(newest?.size ?? 0, try JournalCut.through(on: connection))
            var check = EntryStreamCheck(first: start + 1, wantedSizes: [], hasher: tree.hasher)
            var encoding = EntryEncoding()
            try EntryScan.rows(
                "WHERE sequence > ? ORDER BY sequence", [.integer(start)], on: connection
            ) { (row) throws(JournalFailure) in
                let isSound = try check.take(row.sequence, recorded: row.recordedHash, in: &encoding) {
                    (encoding) throws(JournalFailure) in try encoding.encode(row.columns)
                }
                guard isSound else {
                    throw .checkpoint("entry \(row.sequence) is not what was written: run bylaw journal verify")
                }
            }
            let origin = try JournalIdentity.origin(on: connection)
            let root = try tree.root(size: size)
            do throws(NoteFailure) {
                let signer = try NoteSigner(name: origin, key: key)
                do throws(KeyFailure) {
                    return try SignedCheckpoint(Checkpoint(origin: origin, size: size, root: root), signer: signer)
                } catch {
                    throw NoteFailure(error.message)
                }
            } catch {
                throw .checkpoint(error.message)
            }
        }
    }

    /// One entry with the proof that it is in the journal.
    ///
    /// - Throws: ``JournalError`` where there is no such entry, where no checkpoint covers it yet, and where it is not what
    ///   the checkpoint was signed over.
    ///   It is the proof of the log that the entry was written to, under its number there.
    package func proof(of sequence: Int64) async throws(JournalError) -> EntryProof {
        guard let place = try await place(of: sequence) else {
            return try await read { (connection) throws(JournalFailure) in
                try Self.proof(of: sequence, on: connection)
            }
        }
        do throws(JournalFailure) {
            return try await JournalVerifier.onConnection(to: path, log: place.log) {
                (connection) throws(JournalFailure) in
                try Self.proof(of: place.number, on: connection)
            }
        } catch {
            throw JournalError(error, doing: "read", path: path)
        }
    }

    private static func proof(
        of sequence: Int64, on connection: Connection
    ) throws(JournalFailure) -> EntryProof {
        let size = try JournalFailure.wrapping { () throws(DatabaseError) in try Self.lastSequence(connection) }
        guard sequence >= 1, sequence <= size else { throw .checkpoint("there is no entry \(sequence)") }
        guard let checkpoint = try Self.newestCheckpoint(connection), checkpoint.checkpoint.size >= sequence else {
            throw .checkpoint(
                "no checkpoint covers entry \(sequence) yet: the controller signs one a minute, and bylaw sync at its end"
            )
        }
        var text: [UInt8] = []
        try EntryScan.rows("WHERE sequence = ?", [.integer(sequence)], on: connection) {
            (row) throws(JournalFailure) in
            var encoding = EntryEncoding()
            try encoding.encode(row.columns)
            text = encoding.text(sequence: sequence)
        }
        if text.isEmpty, let cut = try JournalCut.read(on: connection) {
            throw .removed(through: cut.through, time: cut.time, entry: cut.entry)
        }
        let tree = StoredTree(connection: connection, hasher: try newHasher())
        let covered = checkpoint.checkpoint
        let hashes = try tree.inclusionProof(of: sequence - 1, inTreeOf: covered.size)
        let leaf: SHA256Digest
        do throws(HashingFailure) { leaf = try tree.hasher.leaf(text) } catch { throw .hashing }
        do throws(ProofFailure) {
            try verifyInclusion(
                of: leaf, at: UInt64(sequence - 1), inTreeOf: UInt64(covered.size), root: covered.root,
                proof: hashes)
        } catch {
            throw .checkpoint("entry \(sequence) is not what was signed: run bylaw journal verify")
        }
        return EntryProof(
            entry: text, bundle: InclusionBundle(index: sequence - 1, proof: hashes, checkpoint: checkpoint))
    }

    private static func newestCheckpoint(_ connection: Connection) throws(JournalFailure) -> SignedCheckpoint? {
        let stored = StoredCheckpoints(connection: connection)
        return try stored.newest(keys: try stored.ownKeys())
    }
}

/// A hasher, or the journal's own failure.
func newHasher() throws(JournalFailure) -> SHA256Hasher {
    do throws(HashingFailure) { return try SHA256Hasher() } catch { throw .hashing }
}
