package import Signatures

/// What a log commits itself to: so many entries, with this root (C2SP tlog-checkpoint).
package struct Checkpoint: Equatable, Sendable {
    /// Which log it is of.
    package var origin: String
    package var size: Int64
    package var root: SHA256Digest

    package init(origin: String, size: Int64, root: SHA256Digest) {
        self.origin = origin
        self.size = size
        self.root = root
    }

    /// Reads the text of a note.
    package init(text: String) throws(NoteFailure) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        guard lines.count >= 3, lines.allSatisfy({ !$0.isEmpty }) else {
            throw NoteFailure("it is no checkpoint: an origin, a size and a root, one a line")
        }
        guard let size = Int64(lines[1]), size >= 0, String(size) == lines[1] else {
            throw NoteFailure("its size \"\(lines[1].prefix(40))\" is no number")
        }
        guard let root = SHA256Digest(base64Text: lines[2]) else {
            throw NoteFailure("its root is not the base64 of 32 bytes")
        }
        origin = String(lines[0])
        self.size = size
        self.root = root
    }

    /// The text that is signed.
    package var text: String { "\(origin)\n\(size)\n\(root.base64Text)\n" }
}

/// A checkpoint with its signatures.
package struct SignedCheckpoint: Equatable, Sendable {
    package let checkpoint: Checkpoint
    package let note: SignedNote

    package init(_ checkpoint: Checkpoint, signer: NoteSigner) throws(KeyFailure) {
        self.checkpoint = checkpoint
        note = try SignedNote(text: checkpoint.text, signer: signer)
    }

    /// Reads one; says nothing of whether its signatures are good.
    package init(_ text: String) throws(NoteFailure) {
        note = try SignedNote(text)
        checkpoint = try Checkpoint(text: note.text)
    }
}
