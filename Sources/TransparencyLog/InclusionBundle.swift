package import Signatures

/// The proof that one entry is in a log, good without the log (C2SP tlog-proof).
package struct InclusionBundle: Equatable, Sendable {
    /// Counts from 0.
    package var index: Int64
    package var proof: [SHA256Digest]
    package var checkpoint: SignedCheckpoint

    private static let header = "c2sp.org/tlog-proof@v1"
    /// A tree of more than two to the power of this many leaves cannot be.
    private static let maximumHashes = 63

    package init(index: Int64, proof: [SHA256Digest], checkpoint: SignedCheckpoint) {
        self.index = index
        self.proof = proof
        self.checkpoint = checkpoint
    }

    /// Reads the text form; says nothing of whether the proof holds.
    package init(_ text: String) throws(NoteFailure) {
        guard text.utf8.count <= 2 * SignedNote.maximumBytes else { throw NoteFailure("it is larger than any proof") }
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)[...]
        guard lines.popFirst().map(String.init) == Self.header else {
            throw NoteFailure("it does not begin with \(Self.header)")
        }
        if lines.first?.hasPrefix("extra ") == true { lines.removeFirst() }
        guard let line = lines.popFirst(), line.hasPrefix("index "), let index = Int64(line.dropFirst(6)), index >= 0
        else { throw NoteFailure("its line with the index is missing") }
        self.index = index
        proof = []
        while let line = lines.popFirst(), !line.isEmpty {
            guard proof.count < Self.maximumHashes, let hash = SHA256Digest(base64Text: line) else {
                throw NoteFailure("it has a line that is no hash, or too many of them")
            }
            proof.append(hash)
        }
        checkpoint = try SignedCheckpoint(lines.joined(separator: "\n"))
    }

    package var description: String {
        "\(Self.header)\nindex \(index)\n" + proof.map { $0.base64Text + "\n" }.joined() + "\n"
            + checkpoint.note.description
    }

    /// Proves that an entry is in the log whose keys are given.
    ///
    /// - Throws: ``NoteFailure`` where the checkpoint is not signed by one of them, or the entry is not the one that it covers.
    package func verify(_ entry: [UInt8], with keys: [VerifierKey]) throws(NoteFailure) {
        try checkpoint.note.verify(with: keys)
        let leaf: SHA256Digest
        do throws(HashingFailure) { leaf = try SHA256Hasher().leaf(entry) } catch {
            throw NoteFailure("libcrypto refused to hash")
        }
        do throws(ProofFailure) {
            try verifyInclusion(
                of: leaf, at: UInt64(index), inTreeOf: UInt64(checkpoint.checkpoint.size),
                root: checkpoint.checkpoint.root, proof: proof)
        } catch {
            throw NoteFailure(error.message)
        }
    }
}
