package import Signatures
package import TransparencyLog

/// A public key that an auditor has: with the name that signatures carry, or the bare key.
package enum KnownKey: Sendable {
    case named(VerifierKey)
    case bare(Ed25519PublicKey)

    /// Reads a PEM, or keys as `NAME+KEYID+BASE64`, one a line.
    package static func read(_ text: String) throws(NoteFailure) -> [KnownKey] {
        if text.contains("-----BEGIN") {
            do throws(KeyFailure) { return [.bare(try Ed25519PublicKey(pem: Array(text.utf8)))] } catch {
                throw NoteFailure(error.message)
            }
        }
        let lines = text.split(whereSeparator: \.isNewline).filter { !$0.allSatisfy(\.isWhitespace) }
        guard !lines.isEmpty else { throw NoteFailure("it is empty") }
        var keys: [KnownKey] = []
        for line in lines { keys.append(.named(try VerifierKey(line))) }
        return keys
    }

    /// The key under the name of a log.
    func verifier(for origin: String) throws(NoteFailure) -> VerifierKey {
        switch self {
        case .named(let key): key
        case .bare(let key): try VerifierKey(name: origin, publicKey: key)
        }
    }
}
