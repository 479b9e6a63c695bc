internal import CCrypto

/// A key for Ed25519 signatures could not be made, read or used.
package struct KeyFailure: Error, Equatable, Sendable {
    /// What is wrong, without any part of the key.
    package var message: String
    package init(_ message: String) { self.message = message }
}

/// An Ed25519 public key: 32 bytes.
package struct Ed25519PublicKey: Hashable, Sendable {
    package let bytes: [UInt8]

    /// - Throws: ``KeyFailure`` where there are not 32 bytes.
    package init(bytes: [UInt8]) throws(KeyFailure) {
        guard bytes.count == 32 else { throw KeyFailure("an Ed25519 key has 32 bytes, this has \(bytes.count)") }
        self.bytes = bytes
    }

    /// Reads the PEM of a public key, as `openssl pkey -pubout` writes it.
    package init(pem: [UInt8]) throws(KeyFailure) {
        let key = try OwnedKey(pem: pem, "a public key in PEM form") { PEM_read_bio_PUBKEY($0, nil, nil, nil) }
        self = try key.publicKey()
    }

    /// Whether the signature of the message was made with this key (RFC 8032).
    package func isSigner(of message: [UInt8], signature: [UInt8]) -> Bool {
        guard signature.count == 64, let key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, bytes, bytes.count)
        else { return false }
        defer { EVP_PKEY_free(key) }
        guard let context = EVP_MD_CTX_new() else { return false }
        defer { EVP_MD_CTX_free(context) }
        guard EVP_DigestVerifyInit(context, nil, nil, nil, key) == 1 else { return false }
        return EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
    }
}

/// An Ed25519 private key.
///
/// Never printed: its text is ``pem()`` alone, for the file it is kept in.
package final class Ed25519PrivateKey: Sendable, CustomStringConvertible {
    private let key: OwnedKey
    package let publicKey: Ed25519PublicKey

    package var description: String { "an Ed25519 private key" }

    private init(_ key: OwnedKey) throws(KeyFailure) {
        self.key = key
        publicKey = try key.publicKey()
    }

    /// Makes a new key from libcrypto's random numbers.
    package static func generate() throws(KeyFailure) -> Ed25519PrivateKey {
        guard let context = EVP_PKEY_CTX_new_id(EVP_PKEY_ED25519, nil) else { throw KeyFailure("no memory for a key") }
        defer { EVP_PKEY_CTX_free(context) }
        var made: OpaquePointer?
        guard EVP_PKEY_keygen_init(context) == 1, EVP_PKEY_keygen(context, &made) == 1, let made else {
            throw KeyFailure("libcrypto could not make an Ed25519 key")
        }
        return try Ed25519PrivateKey(OwnedKey(takingOwnershipOf: made))
    }

    /// Reads the PEM of a private key without a pass phrase, as `openssl genpkey -algorithm ed25519` writes it.
    package convenience init(pem: [UInt8]) throws(KeyFailure) {
        try self.init(
            OwnedKey(pem: pem, "a private key in PEM form, without a pass phrase") {
                // Without this, libcrypto would ask on the terminal.
                PEM_read_bio_PrivateKey($0, nil, { _, _, _, _ in -1 }, nil)
            })
    }

    /// The PEM (PKCS #8) of the key.
    package func pem() throws(KeyFailure) -> [UInt8] {
        guard let bio = BIO_new(BIO_s_mem()) else { throw KeyFailure("no memory for a key's text") }
        defer { BIO_free(bio) }
        var start: UnsafeMutablePointer<CChar>?
        guard PEM_write_bio_PKCS8PrivateKey(bio, key.handle, nil, nil, 0, nil, nil) == 1 else {
            throw KeyFailure("libcrypto could not write a key")
        }
        let count = shim_crypto_memory_bio_bytes(bio, &start)
        guard count > 0, let start else { throw KeyFailure("libcrypto wrote no key") }
        return UnsafeBufferPointer(start: start, count: count).map { UInt8(bitPattern: $0) }
    }

    /// The signature of a message: 64 bytes (RFC 8032).
    package func sign(_ message: [UInt8]) throws(KeyFailure) -> [UInt8] {
        guard let context = EVP_MD_CTX_new() else { throw KeyFailure("no memory for a signature") }
        defer { EVP_MD_CTX_free(context) }
        var signature = [UInt8](repeating: 0, count: 64)
        var count = signature.count
        guard EVP_DigestSignInit(context, nil, nil, nil, key.handle) == 1,
            EVP_DigestSign(context, &signature, &count, message, message.count) == 1, count == 64
        else { throw KeyFailure("libcrypto could not sign") }
        return signature
    }
}

/// A key of libcrypto's, freed exactly once.
///
/// `@unchecked Sendable`: libcrypto's keys are counted atomically and not changed once they are made.
private final class OwnedKey: @unchecked Sendable {
    let handle: OpaquePointer

    init(takingOwnershipOf handle: OpaquePointer) { self.handle = handle }

    convenience init(
        pem: [UInt8], _ expected: String, read: (OpaquePointer) -> OpaquePointer?
    ) throws(KeyFailure) {
        guard pem.count <= 65_536, let bio = BIO_new_mem_buf(pem, Int32(pem.count)) else {
            throw KeyFailure("it is larger than any key")
        }
        defer { BIO_free(bio) }
        guard let handle = read(bio) else { throw KeyFailure("it is not \(expected)") }
        self.init(takingOwnershipOf: handle)
        guard EVP_PKEY_get_id(handle) == EVP_PKEY_ED25519 else {
            throw KeyFailure("it is a key of another kind than Ed25519")
        }
    }

    deinit { EVP_PKEY_free(handle) }

    func publicKey() throws(KeyFailure) -> Ed25519PublicKey {
        var bytes = [UInt8](repeating: 0, count: 32)
        var count = bytes.count
        guard EVP_PKEY_get_raw_public_key(handle, &bytes, &count) == 1, count == 32 else {
            throw KeyFailure("libcrypto gives no public key")
        }
        return try Ed25519PublicKey(bytes: bytes)
    }
}
