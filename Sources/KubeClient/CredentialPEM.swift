import Foundation

/// What is wrong with text that should hold certificates, or nil: half-written files are told from good ones before
/// anybody connects with them (rule A4).
func flawOfCertificates(_ bytes: [UInt8]) -> String? {
    let blocks = pemBlocks(bytes)
    guard !blocks.isEmpty else { return "holds no PEM text" }
    let certificates = blocks.filter { $0.label == "CERTIFICATE" }
    guard !certificates.isEmpty else { return "holds no certificate" }
    return certificates.allSatisfy { isWholeSequence($0.content) } ? nil : "holds a damaged certificate"
}

/// What is wrong with text that should hold a private key, or nil.
func flawOfKey(_ bytes: [UInt8]) -> String? {
    let keys = pemBlocks(bytes).filter { $0.label.hasSuffix("PRIVATE KEY") }
    guard let key = keys.first else { return "holds no private key" }
    // OpenSSL would ask at a terminal for the password.
    guard !key.label.contains("ENCRYPTED"), !key.hasHeaders else { return "holds a key that is locked with a password" }
    return isWholeSequence(key.content) ? nil : "holds a damaged key"
}

private struct PEMBlock {
    var label: String
    var content: Data
    var hasHeaders: Bool
}

private func pemBlocks(_ bytes: [UInt8]) -> [PEMBlock] {
    var blocks: [PEMBlock] = []
    var label: String?
    var text = ""
    var hasHeaders = false
    for line in String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline) {
        let line = line.trimmingCharacters(in: .whitespaces)
        if line.hasPrefix("-----BEGIN "), line.hasSuffix("-----") {
            label = String(line.dropFirst(11).dropLast(5))
            text = ""
            hasHeaders = false
        } else if let open = label, line == "-----END \(open)-----" {
            blocks.append(PEMBlock(label: open, content: Data(base64Encoded: text) ?? Data(), hasHeaders: hasHeaders))
            label = nil
        } else if label != nil {
            if line.contains(":") { hasHeaders = true } else { text += line }
        }
    }
    return blocks
}

/// Whether bytes are one DER sequence from beginning to end.
private func isWholeSequence(_ content: Data) -> Bool {
    let bytes = [UInt8](content)
    guard bytes.count > 2, bytes[0] == 0x30 else { return false }
    guard bytes[1] >= 0x80 else { return Int(bytes[1]) + 2 == bytes.count }
    let lengthBytes = Int(bytes[1] & 0x7f)
    guard (1...4).contains(lengthBytes), bytes.count > 2 + lengthBytes else { return false }
    let length = bytes[2..<2 + lengthBytes].reduce(0) { $0 << 8 | Int($1) }
    return length + 2 + lengthBytes == bytes.count
}
