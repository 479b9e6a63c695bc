internal import CCrypto

/// The SHA-256 digest of some bytes, in lower-case hexadecimal.
///
/// - Returns: 64 digits; empty only where libcrypto itself refuses, which callers must treat as "no digest", never as equal.
package func sha256Hex(_ bytes: some Collection<UInt8>) -> String {
    var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
    var length: UInt32 = 0
    let input = Array(bytes)
    guard EVP_Digest(input, input.count, &digest, &length, EVP_sha256(), nil) == 1 else { return "" }
    return hexadecimal(digest.prefix(Int(length)))
}

/// Bytes as lower-case hexadecimal digits.
package func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for byte in bytes {
        text.append(digits[Int(byte >> 4)])
        text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
}
