import SQLite
import Signatures
import TransparencyLog

/// The checkpoints that lie in the journal, which are believed only where a signature says so.
struct StoredCheckpoints {
    let connection: Connection
    /// How many are looked at for one that holds, so that planted ones cost little.
    private static let maximumTried: Int64 = 300
    /// How many entries behind the newest checkpoint are hashed anew when the journal is opened.
    private static let maximumRehashed: Int64 = 20_000

    /// The one over exactly `size` entries, where one of the keys has signed it for this journal.
    func verified(size: Int64, keys: [VerifierKey]) throws(JournalFailure) -> SignedCheckpoint? {
        try newest("WHERE size = ?", [.integer(size)], keys: keys)
    }

    /// The newest that one of the keys has signed for this journal.
    func newest(keys: [VerifierKey]) throws(JournalFailure) -> SignedCheckpoint? {
        try newest("WHERE 1", [], keys: keys)
    }

    /// The keys that the journal names and that are keys under its own name.
    func ownKeys() throws(JournalFailure) -> [VerifierKey] {
        let origin = try JournalIdentity.origin(on: connection)
        return try StoredFacts.keys(on: connection).compactMap { text in
            do throws(NoteFailure) {
                let key = try VerifierKey(text)
                return key.name == origin ? key : nil
            } catch {
                return nil
            }
        }
    }

    /// Refuses a journal that is not what was signed, before anything is added to it.
    ///
    /// Looks at the newest checkpoint that our own key has signed, and at what was added since: a whole verification is
    /// `bylaw journal verify`.
    func expectFit(of key: Ed25519PrivateKey?) throws(JournalFailure) {
        guard let key else { return }
        let origin = try JournalIdentity.origin(on: connection)
        let ours: VerifierKey
        do throws(NoteFailure) { ours = try VerifierKey(name: origin, publicKey: key.publicKey) } catch {
            throw .checkpoint(error.message)
        }
        let newest = try newest(keys: [ours])
        let last = try JournalFailure.wrapping { () throws(DatabaseError) in
            try connection.firstRow("SELECT ifnull(max(sequence), 0) FROM entries") { (row) throws(DatabaseError) in
                try row.integer(0)
            } ?? 0
        }
        let covered = newest?.checkpoint.size ?? 0
        guard covered <= last else {
            throw .contradictsCheckpoint("entries \(last + 1) to \(covered) were signed and are gone")
        }
        if let newest {
            let tree = StoredTree(connection: connection, hasher: try newHasher())
            guard try tree.root(size: covered) == newest.checkpoint.root else {
                throw .contradictsCheckpoint("another root was signed over its first \(covered) entries")
            }
        }
        let cut = try JournalCut.through(on: connection)
        guard cut <= last else {
            throw .contradictsCheckpoint("entries up to \(cut) were removed, it says, and there are \(last)")
        }
        try expectSigned(try JournalCut.read(on: connection), of: origin, by: ours, covered: covered)
        try expectUnchangedTail(after: max(covered, last - Self.maximumRehashed, cut))
    }

    /// What was removed, our key has signed for; or another one of this journal, and our own checkpoint covers that.
    private func expectSigned(
        _ cut: JournalCut?, of origin: String, by ours: VerifierKey, covered: Int64
    ) throws(JournalFailure) {
        guard let cut, try !cut.isSigned(of: origin, by: [ours]) else { return }
        guard covered >= cut.entry, try cut.isSigned(of: origin, by: try ownKeys()) else {
            throw .contradictsCheckpoint("entries up to \(cut.through) were removed, and nobody has signed for that")
        }
    }

    private func expectUnchangedTail(after start: Int64) throws(JournalFailure) {
        var check = EntryStreamCheck(first: start + 1, wantedSizes: [], hasher: try newHasher())
        var encoding = EntryEncoding()
        try EntryScan.rows("WHERE sequence > ? ORDER BY sequence", [.integer(start)], on: connection) {
            (row) throws(JournalFailure) in
            let isSound = try check.take(row.sequence, recorded: row.recordedHash, in: &encoding) {
                (encoding) throws(JournalFailure) in try encoding.encode(row.columns)
            }
            guard isSound else { throw .contradictsCheckpoint("entry \(check.expected) is not what was written") }
        }
    }

    private func newest(
        _ condition: String, _ values: [SQLValue], keys: [VerifierKey]
    ) throws(JournalFailure) -> SignedCheckpoint? {
        let origin = try JournalIdentity.origin(on: connection)
        let notes = try JournalFailure.wrapping { () throws(DatabaseError) in
            try connection.rows(
                "SELECT size, note FROM checkpoints \(condition) ORDER BY size DESC LIMIT ?",
                values + [.integer(Self.maximumTried)]
            ) { (row) throws(DatabaseError) in (size: try row.integer(0), note: try row.text(1)) }
        }
        for (size, note) in notes {
            do throws(NoteFailure) {
                let signed = try SignedCheckpoint(note)
                guard signed.checkpoint.size == size, signed.checkpoint.origin == origin else { continue }
                try signed.note.verify(with: keys)
                return signed
            } catch {
                // One that nobody known has signed says nothing; verification tells of it.
                continue
            }
        }
        return nil
    }
}
