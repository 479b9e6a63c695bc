/// Who made a signature that is trusted.
package struct Signer: Sendable, Equatable {
    package enum Format: Sendable, Equatable { case ssh, openPGP }

    /// The first principal of the allowed-signers file that matches, or the key's primary user id.
    ///
    /// Without control characters, and of at most 512 bytes.
    package var name: String
    /// The mail address in ``name``; empty where there is none, as in a principal with wildcards.
    package var email: String
    /// As the tool prints it: `SHA256:…`, or the hexadecimal digits of the primary key.
    package var fingerprint: String
    package var format: Format

    package init(name: String, email: String, fingerprint: String, format: Format) {
        self.name = name
        self.email = email
        self.fingerprint = fingerprint
        self.format = format
    }
}

/// What a signature is worth.
///
/// Only ``trusted(_:)`` is a yes. Each text is one sentence without a full stop that names the key, where one is known.
package enum SignatureVerdict: Sendable, Equatable {
    case trusted(Signer)
    case unsigned
    /// It does not fit what it is said to sign, or is no signature that can be read in one way only.
    case bad(String)
    /// The key, or the signature itself, is not valid at this time: not any more, or not yet.
    case expired(String)
    case revoked(String)
    /// The signature fits, but nothing that the operator gave vouches for its key.
    case untrusted(String)
    /// It could not be told: a tool or a file is missing, took too long, or said what is not known here.
    case uncheckable(String)
}
