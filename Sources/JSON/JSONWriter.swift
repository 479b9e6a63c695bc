package import Manifest

extension Tree {
    /// The canonical JSON of the value: members in the byte order of their keys, no white space.
    package func jsonText() -> String { String(decoding: jsonBytes(), as: UTF8.self) }

    /// The bytes of ``jsonText()``.
    package func jsonBytes() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(512)
        writeJSON(self, indentation: nil, into: &bytes)
        return bytes
    }

    /// The same value over several lines, indented by two spaces, for people.
    package func indentedJSON() -> String {
        var bytes: [UInt8] = []
        writeJSON(self, indentation: 0, into: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// Appends a value; `indentation` is the depth of the lines, or nil to write on one line.
private func writeJSON(_ tree: Tree, indentation: Int?, into bytes: inout [UInt8]) {
    switch tree {
    case .null: bytes.append(contentsOf: "null".utf8)
    case .bool(let value): bytes.append(contentsOf: (value ? "true" : "false").utf8)
    case .integer(let value): bytes.append(contentsOf: String(value).utf8)
    case .unsigned(let value): bytes.append(contentsOf: String(value).utf8)
    case .double(let value): bytes.append(contentsOf: numberText(value).utf8)
    case .string(let value): writeString(value, into: &bytes)
    case .array(let elements):
        bytes.append(UInt8(ascii: "["))
        for (index, element) in elements.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            breakLine(indentation.map { $0 + 1 }, into: &bytes)
            writeJSON(element, indentation: indentation.map { $0 + 1 }, into: &bytes)
        }
        if !elements.isEmpty { breakLine(indentation, into: &bytes) }
        bytes.append(UInt8(ascii: "]"))
    case .object(let members):
        bytes.append(UInt8(ascii: "{"))
        for (index, member) in members.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            breakLine(indentation.map { $0 + 1 }, into: &bytes)
            writeString(member.key, into: &bytes)
            bytes.append(UInt8(ascii: ":"))
            if indentation != nil { bytes.append(UInt8(ascii: " ")) }
            writeJSON(member.value, indentation: indentation.map { $0 + 1 }, into: &bytes)
        }
        if !members.isEmpty { breakLine(indentation, into: &bytes) }
        bytes.append(UInt8(ascii: "}"))
    }
}

private func breakLine(_ indentation: Int?, into bytes: inout [UInt8]) {
    guard let indentation else { return }
    bytes.append(0x0a)
    for _ in 0..<indentation * 2 { bytes.append(0x20) }
}

/// The shortest digits that read back as the same number, in the form that Go writes: plain from 1e-6 up to 1e21, with an
/// exponent beyond.
///
/// Zero has no sign here, unlike in Go, since equal values must have equal texts.
private func numberText(_ value: Double) -> String {
    guard value.isFinite else { return "null" }
    if value == 0 { return "0" }
    // Swift's own text has the shortest digits; only the place of the point differs.
    let parts = "\(abs(value))".split(separator: "e")
    let mantissa = parts[0].split(separator: ".", omittingEmptySubsequences: false)
    let whole = String(mantissa[0])
    let fraction = mantissa.count > 1 && mantissa[1] != "0" ? String(mantissa[1]) : ""
    let exponent = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
    let leadingZeros = (whole + fraction).prefix { $0 == "0" }.count
    var digits = String((whole + fraction).dropFirst(leadingZeros))
    /// The value is 0.DIGITS times ten to this power.
    let power = whole.utf8.count + exponent - leadingZeros
    while digits.hasSuffix("0") { digits.removeLast() }
    let sign = value < 0 ? "-" : ""
    guard abs(value) >= 1e-6, abs(value) < 1e21 else {
        let rest = digits.dropFirst()
        return "\(sign)\(digits.prefix(1))\(rest.isEmpty ? "" : "." + rest)e\(power > 0 ? "+" : "")\(power - 1)"
    }
    if power <= 0 { return "\(sign)0." + String(repeating: "0", count: -power) + digits }
    if power >= digits.utf8.count {
        return sign + digits + String(repeating: "0", count: power - digits.utf8.count)
    }
    return "\(sign)\(digits.prefix(power)).\(digits.dropFirst(power))"
}

private let hexDigits = Array("0123456789abcdef".utf8)

private func writeString(_ text: String, into bytes: inout [UInt8]) {
    var text = text
    text.withUTF8 { appendJSONString($0, to: &bytes) }
}

/// Appends a string of the canonical JSON, quotes included.
///
/// - Parameter utf8: Its text; what is not UTF-8 is copied as it is.
package func appendJSONString(_ utf8: UnsafeBufferPointer<UInt8>, to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "\""))
    var start = 0
    for index in utf8.indices {
        let byte = utf8[index]
        guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else { continue }
        bytes.append(contentsOf: utf8[start..<index])
        start = index + 1
        bytes.append(UInt8(ascii: "\\"))
        switch byte {
        case 0x0a: bytes.append(UInt8(ascii: "n"))
        case 0x0d: bytes.append(UInt8(ascii: "r"))
        case 0x09: bytes.append(UInt8(ascii: "t"))
        case 0x08: bytes.append(UInt8(ascii: "b"))
        case 0x0c: bytes.append(UInt8(ascii: "f"))
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(byte)
        default:
            bytes.append(contentsOf: "u00".utf8)
            bytes.append(hexDigits[Int(byte >> 4)])
            bytes.append(hexDigits[Int(byte & 15)])
        }
    }
    bytes.append(contentsOf: utf8[start...])
    bytes.append(UInt8(ascii: "\""))
}
