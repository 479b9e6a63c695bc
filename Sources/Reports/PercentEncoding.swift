/// What stays as it is in a path: RFC 3986's unreserved characters and the slash.
///
/// A colon is not among them, as it would make a scheme of a first segment.
let pathCharacters = "-._~/"

/// What stays as it is in a whole address that somebody configured, with escapes that it may have already.
///
/// Not parentheses, brackets and quotes, which end a link in Markdown.
let addressCharacters = "-._~/:@!$&*+,;=?%"

/// A text with every byte escaped that is neither a letter nor a digit nor among some others.
func percentEncoded(_ text: String, keeping kept: String) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var bytes: [UInt8] = []
    for byte in text.utf8 {
        if isLetterOrDigit(byte) || kept.utf8.contains(byte) {
            bytes.append(byte)
        } else {
            bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
    }
    return String(decoding: bytes, as: UTF8.self)
}
