import JSON
package import Manifest
package import Reconciler
package import TransparencyLog

/// One entry with the proof that it is in the journal: all that an auditor needs beside the public key.
package struct EntryProof: Equatable, Sendable {
    /// The entry's canonical text, the data of its leaf.
    package var entry: [UInt8]
    package var bundle: InclusionBundle

    /// The number of the entry.
    package var sequence: Int64 { bundle.index + 1 }

    init(entry: [UInt8], bundle: InclusionBundle) {
        self.entry = entry
        self.bundle = bundle
    }

    /// The document that is handed over.
    ///
    /// The proof is text in the form of C2SP tlog-proof, which other programs verify as well.
    package func document() throws(JournalError) -> Tree {
        do throws(JSONError) {
            return [
                "apiVersion": "bylaw.dev/v1", "kind": "JournalEntryProof", "entry": try parseJSON(entry),
                "proof": .string(bundle.description),
            ]
        } catch {
            throw JournalError(
                kind: .request, message: "write a proof: the entry is no JSON", hint: "Run bylaw journal verify.")
        }
    }

    /// Reads such a document; says nothing of whether the proof holds.
    package init(_ document: Tree) throws(NoteFailure) {
        guard document["kind"] == "JournalEntryProof", let entry = document["entry"],
            let text = document["proof"]?.string
        else { throw NoteFailure("it is no proof of an entry") }
        let bundle = try InclusionBundle(text)
        guard bundle.index < Int64.max, entry["sequence"]?.integer == bundle.index + 1 else {
            throw NoteFailure("its entry has another number than its proof")
        }
        self.init(entry: entry.jsonBytes(), bundle: bundle)
    }

    /// Proves that the entry is in the journal whose key is given.
    package func verify(with keys: [KnownKey]) throws(NoteFailure) {
        var verifiers: [VerifierKey] = []
        for key in keys { verifiers.append(try key.verifier(for: bundle.checkpoint.checkpoint.origin)) }
        try bundle.verify(entry, with: verifiers)
    }
}
