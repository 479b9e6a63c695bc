package import Signatures
package import TransparencyLog

/// A public key that an auditor has: with the name that signatures carry, or the bare key.
package enum KnownKey: Sendable {
    case named(VerifierKey)
    case bare(Ed25519PublicKey)

    /// Reads `NAME+KEYID+BASE64` or a PEM.
    package init(text: String) throws(NoteFailure) {
        guard text.contains("-----BEGIN") else {
            self = .named(try VerifierKey(text.trimmingPrefix { $0.isWhitespace }.prefix { !$0.isWhitespace }))
            return
        }
        do throws(KeyFailure) { self = .bare(try Ed25519PublicKey(pem: Array(text.utf8))) } catch {
            throw NoteFailure(error.message)
        }
    }

    /// The key under the name of a log.
    func verifier(for origin: String) throws(NoteFailure) -> VerifierKey {
        switch self {
        case .named(let key): key
        case .bare(let key): try VerifierKey(name: origin, publicKey: key)
        }
    }
}
