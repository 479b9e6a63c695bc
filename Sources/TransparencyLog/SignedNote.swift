package import Signatures

/// A text with signatures under it (C2SP signed-note).
///
/// The text and each signature line end with a line break; a blank line stands between them.
package struct SignedNote: Equatable, Sendable {
    /// One signature line.
    package struct Signature: Equatable, Sendable {
        package var name: String
        /// Four bytes that tell keys of one name apart.
        package var keyID: [UInt8]
        package var bytes: [UInt8]
    }

    /// Ends with a line break.
    package var text: String
    package var signatures: [Signature]

    /// Larger than any note of ours, and small enough to read whole.
    package static let maximumBytes = 65_536
    private static let maximumSignatures = 100

    /// Signs a text under a key's name.
    package init(text: String, signer: NoteSigner) throws(KeyFailure) {
        self.text = text
        signatures = [
            Signature(
                name: signer.verifier.name, keyID: signer.verifier.keyID,
                bytes: try signer.key.sign(Array(text.utf8)))
        ]
    }

    /// Reads a note; says nothing of whether its signatures are good.
    package init(_ note: String) throws(NoteFailure) {
        guard note.utf8.count <= Self.maximumBytes else { throw NoteFailure("it is larger than any signed note") }
        let lines = note.split(separator: "\n", omittingEmptySubsequences: false)
        // A line break at the end leaves an empty last piece; the blank line is the last one before the signatures.
        guard lines.last == "", let blank = lines.dropLast().lastIndex(of: ""), blank > 0 else {
            throw NoteFailure("it is no signed note: a text, a blank line and signature lines")
        }
        guard note.unicodeScalars.allSatisfy({ $0 == "\n" || $0.value >= 0x20 && $0 != "\u{7f}" && $0 != "\u{fffd}" })
        else { throw NoteFailure("it holds control characters or is not UTF-8") }
        text = lines[..<blank].map { $0 + "\n" }.joined()
        let written = lines[(blank + 1)...].dropLast()
        guard !written.isEmpty else { throw NoteFailure("it has no signature") }
        guard written.count <= Self.maximumSignatures else { throw NoteFailure("it has too many signatures") }
        signatures = []
        for line in written { signatures.append(try Self.signature(line)) }
    }

    private static func signature(_ line: Substring) throws(NoteFailure) -> Signature {
        let words = line.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 3, words[0] == "\u{2014}", !words[1].isEmpty, !words[1].contains("+"),
            let bytes = bytes(fromBase64: words[2]), bytes.count > 4
        else { throw NoteFailure("it has a line that is no signature: \"\(line.prefix(80))\"") }
        return Signature(name: String(words[1]), keyID: Array(bytes.prefix(4)), bytes: Array(bytes.dropFirst(4)))
    }

    /// The whole note.
    package var description: String {
        text + "\n"
            + signatures.map { "\u{2014} \($0.name) \(base64($0.keyID + $0.bytes))\n" }.joined()
    }

    /// The keys of the given ones whose signature stands under the text; none that is wrong.
    ///
    /// - Throws: ``NoteFailure`` where a signature names one of the keys and was not made by it, and where none of the keys
    ///   has signed. Signatures of other keys are passed over, as the form asks for.
    @discardableResult
    package func verify(with keys: [VerifierKey]) throws(NoteFailure) -> [VerifierKey] {
        var signers: [VerifierKey] = []
        for signature in signatures {
            guard let key = keys.first(where: { $0.name == signature.name && $0.keyID == signature.keyID }) else {
                continue
            }
            guard key.publicKey.isSigner(of: Array(text.utf8), signature: signature.bytes) else {
                throw NoteFailure("the signature of \(key.name) is wrong: the text was changed after it was signed")
            }
            if !signers.contains(key) { signers.append(key) }
        }
        guard !signers.isEmpty else {
            let names = Set(signatures.map { "\($0.name)+\(hexadecimal($0.keyID))" }).sorted()
            throw NoteFailure("no key that was given has signed it; it is signed by \(names.joined(separator: ", "))")
        }
        return signers
    }
}

/// A private key under the name that its signatures carry.
package struct NoteSigner: Sendable {
    package var key: Ed25519PrivateKey
    package var verifier: VerifierKey

    package init(name: String, key: Ed25519PrivateKey) throws(NoteFailure) {
        self.key = key
        verifier = try VerifierKey(name: name, publicKey: key.publicKey)
    }
}
