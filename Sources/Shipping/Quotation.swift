import Manifest

/// A receiver's words as part of ours: on one line, at most 500 bytes, without control characters.
func quoted(_ text: String) -> String { quoted(Array(text.utf8), hiding: []) }

/// The same, with everything taken out that nobody may read.
///
/// The secrets are taken out before the text is cut, so that no half of one is left at its end. Of longer answers only
/// the beginning is looked at.
func quoted(_ bytes: [UInt8], hiding secrets: [[UInt8]]) -> String {
    // Shorter ones are no secrets, and taking them out would make any text unreadable.
    let secrets = secrets.filter { $0.count >= 4 }.sorted { $0.count > $1.count }
    var seen = bytes.prefix(1 << 16)
    if seen.count < bytes.count { seen = seen.dropLast(secrets.first?.count ?? 0) }
    let text = String(decoding: redacted(seen, secrets), as: UTF8.self)
    var line = ""
    for scalar in text.unicodeScalars {
        let isPlain = !scalar.properties.isWhitespace && !isControl(scalar)
        if isPlain {
            line.unicodeScalars.append(scalar)
        } else if !line.isEmpty, line.unicodeScalars.last != " " {
            line.unicodeScalars.append(" ")
        }
    }
    if line.unicodeScalars.last == " " { line.unicodeScalars.removeLast() }
    return line.bounded(toBytes: 500)
}

/// What moves the cursor of a terminal, reverses the direction of a line or is not to be seen at all.
func isControl(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: true
    default: false
    }
}

private func redacted(_ bytes: ArraySlice<UInt8>, _ secrets: [[UInt8]]) -> [UInt8] {
    var result: [UInt8] = []
    var index = bytes.startIndex
    while index < bytes.endIndex {
        if let secret = secrets.first(where: { bytes[index...].starts(with: $0) }) {
            result += "(redacted)".utf8
            index += secret.count
        } else {
            result.append(bytes[index])
            index += 1
        }
    }
    return result
}
