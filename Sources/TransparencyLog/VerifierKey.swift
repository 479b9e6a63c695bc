package import Signatures

/// A public key with its name, in the form in which auditors keep it: `NAME+KEYID+BASE64` (C2SP signed-note).
package struct VerifierKey: Hashable, Sendable, CustomStringConvertible {
    package let name: String
    package let publicKey: Ed25519PublicKey
    /// The first four bytes of SHA-256(name || 0x0A || 0x01 || key).
    package let keyID: [UInt8]

    /// The byte that says Ed25519.
    private static let algorithm: UInt8 = 0x01

    /// - Throws: ``NoteFailure`` where the name is empty, or has white space or a plus sign.
    package init(name: String, publicKey: Ed25519PublicKey) throws(NoteFailure) {
        guard !name.isEmpty, name.utf8.count <= 255,
            name.unicodeScalars.allSatisfy({ !$0.properties.isWhitespace && $0 != "+" && $0.value > 0x20 })
        else { throw NoteFailure("a key's name is not empty and has neither white space nor a plus sign") }
        self.name = name
        self.publicKey = publicKey
        do throws(HashingFailure) {
            let hasher = try SHA256Hasher()
            try hasher.update(Array(name.utf8) + [0x0a, Self.algorithm] + publicKey.bytes)
            keyID = Array(try hasher.finish().bytes.prefix(4))
        } catch {
            throw NoteFailure("libcrypto refused to hash")
        }
    }

    /// Reads `NAME+KEYID+BASE64`.
    package init(_ text: some StringProtocol) throws(NoteFailure) {
        // Base64 has plus signs of its own; a name has none.
        let parts = text.split(separator: "+", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, let bytes = bytes(fromBase64: parts[2]), bytes.first == Self.algorithm else {
            throw NoteFailure("it is no Ed25519 key in the form NAME+KEYID+BASE64")
        }
        let publicKey: Ed25519PublicKey
        do throws(KeyFailure) { publicKey = try Ed25519PublicKey(bytes: Array(bytes.dropFirst())) } catch {
            throw NoteFailure(error.message)
        }
        try self.init(name: String(parts[0]), publicKey: publicKey)
        guard parts[1] == hexadecimal(keyID) else {
            throw NoteFailure("the key's id does not belong to it: the text was changed")
        }
    }

    package var description: String { "\(name)+\(hexadecimal(keyID))+\(base64([Self.algorithm] + publicKey.bytes))" }
}
