internal import CCrypto

/// The HMAC-SHA256 of some bytes under a key (RFC 2104).
///
/// - Returns: 32 bytes; nil only where libcrypto itself refuses, which callers must treat as a failed check.
package func hmacSHA256(_ message: some Collection<UInt8>, key: some Collection<UInt8>) -> [UInt8]? {
    var code = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
    var length: UInt32 = 0
    let message = Array(message)
    let key = Array(key)
    // The length of a key is an Int32 there.
    guard let keyLength = Int32(exactly: key.count) else { return nil }
    guard HMAC(EVP_sha256(), key, keyLength, message, message.count, &code, &length) != nil, length == 32 else {
        return nil
    }
    return Array(code.prefix(32))
}

/// Whether two runs of bytes are equal, in a time that says nothing about where they differ.
///
/// Lengths may show: compare codes of one length, or the codes of both sides where the length itself is secret.
package func isEqualInConstantTime(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    guard left.count == right.count else { return false }
    return CRYPTO_memcmp(left, right, left.count) == 0
}
