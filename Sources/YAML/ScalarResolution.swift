import Manifest

/// A scalar that cannot be what its tag or its form says.
struct ScalarFailure: Error {
    var message: String
}

/// What a scalar stands for, before it has passed through JSON.
enum ResolvedScalar {
    case null
    case bool(Bool)
    case integer(Int64)
    case unsigned(UInt64)
    /// Written with a fraction or an exponent, or too large for a whole number.
    case float(Double)
    case text(String)

    /// The value as it comes back out of JSON text, where `80.0` is written `80`.
    var tree: Tree {
        switch self {
        case .null: return .null
        case .bool(let value): return .bool(value)
        case .integer(let value): return .integer(value)
        case .unsigned(let value): return .unsigned(value)
        case .text(let value): return .string(value)
        case .float(let value):
            guard value == value.rounded(), abs(value) < 1e21 else { return .double(value) }
            if let whole = Int64(exactly: value) { return .integer(whole) }
            if let whole = UInt64(exactly: value) { return .unsigned(whole) }
            return .double(value)
        }
    }
}

/// Finds what a scalar stands for: the rules of YAML 1.1 as `go-yaml` version 2 has them.
///
/// A plain scalar may be null, a boolean, a number or text; a quoted one is text.
func resolveScalar(_ value: String, tag: String?, isPlain: Bool) throws(ScalarFailure) -> ResolvedScalar {
    let prefix = "tag:yaml.org,2002:"
    guard let tag else { return isPlain ? try resolvePlain(value) : .text(value) }
    guard tag.hasPrefix(prefix) else { return .text(value) }
    switch tag.dropFirst(prefix.count) {
    case "binary": return .text(try decodeBase64(value))
    case "null":
        guard case .null = try resolvePlain(value) else { throw ScalarFailure(message: "\"\(value)\" is not null") }
        return .null
    case "bool":
        guard case .bool(let bool) = try resolvePlain(value) else {
            throw ScalarFailure(message: "\"\(value)\" is not a boolean")
        }
        return .bool(bool)
    case "int":
        let resolved = try resolvePlain(value)
        switch resolved {
        case .integer, .unsigned: return resolved
        default: throw ScalarFailure(message: "\"\(value)\" is not a whole number")
        }
    case "float":
        switch try resolvePlain(value) {
        case .integer(let value): return .float(Double(value))
        case .float(let value): return .float(value)
        default: throw ScalarFailure(message: "\"\(value)\" is not a number")
        }
    default: return .text(value)
    }
}

private let booleans: [String: Bool] = {
    var table: [String: Bool] = [:]
    for word in ["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"] { table[word] = true }
    for word in ["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"] { table[word] = false }
    return table
}()

private func resolvePlain(_ value: String) throws(ScalarFailure) -> ResolvedScalar {
    guard let first = value.utf8.first else { return .null }
    switch first {
    case UInt8(ascii: "~"), UInt8(ascii: "n"), UInt8(ascii: "N"):
        if ["~", "null", "Null", "NULL"].contains(value) { return .null }
        return booleans[value].map(ResolvedScalar.bool) ?? .text(value)
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"):
        return try resolveNumber(value)
    case UInt8(ascii: "."):
        if [".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN"].contains(value) {
            throw ScalarFailure(message: "\(value) has no form in JSON")
        }
        return decimalFloat(Array(value.utf8)) ?? .text(value)
    default:
        return booleans[value].map(ResolvedScalar.bool) ?? .text(value)
    }
}

private func resolveNumber(_ value: String) throws(ScalarFailure) -> ResolvedScalar {
    if ["+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF"].contains(value) {
        throw ScalarFailure(message: "\(value) has no form in JSON")
    }
    let plain = value.utf8.filter { $0 != UInt8(ascii: "_") }
    return wholeNumber(plain) ?? decimalFloat(plain) ?? .text(value)
}

/// What is beyond the range of a double stays text, as in Go.
private func decimalFloat(_ text: [UInt8]) -> ResolvedScalar? {
    guard isDecimalFloat(text), let value = Double(String(decoding: text, as: UTF8.self)), value.isFinite else {
        return nil
    }
    return .float(value)
}

/// Reads a whole number with Go's prefixes: `0x`, `0o`, `0b`, and a leading `0` for octal.
private func wholeNumber(_ text: [UInt8]) -> ResolvedScalar? {
    var digits = text[...]
    let isNegative = digits.first == UInt8(ascii: "-")
    let isSigned = isNegative || digits.first == UInt8(ascii: "+")
    if isSigned { digits = digits.dropFirst() }
    var radix = 10
    if digits.first == UInt8(ascii: "0"), digits.count > 1 {
        switch digits[digits.startIndex + 1] | 0x20 {
        case UInt8(ascii: "x"): radix = 16
        case UInt8(ascii: "o"): radix = 8
        case UInt8(ascii: "b"): radix = 2
        default: radix = 0
        }
        if radix == 0 {
            radix = 8
            digits = digits.dropFirst()
        } else {
            digits = digits.dropFirst(2)
        }
    }
    guard let first = digits.first, first != UInt8(ascii: "+"), first != UInt8(ascii: "-") else { return nil }
    let text = (isNegative ? "-" : "") + String(decoding: digits, as: UTF8.self)
    if let value = Int64(text, radix: radix) { return .integer(value) }
    // Go reads what is too large for a signed number as an unsigned one only without a sign.
    guard !isSigned, let value = UInt64(text, radix: radix) else { return nil }
    return .unsigned(value)
}

/// Whether the text has the form `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`.
private func isDecimalFloat(_ text: [UInt8]) -> Bool {
    var rest = text[...]
    func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
    if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") { rest = rest.dropFirst() }
    let whole = rest.prefix(while: isDigit)
    rest = rest.dropFirst(whole.count)
    if rest.first == UInt8(ascii: ".") {
        rest = rest.dropFirst()
        let fraction = rest.prefix(while: isDigit)
        guard !whole.isEmpty || !fraction.isEmpty else { return false }
        rest = rest.dropFirst(fraction.count)
    } else if whole.isEmpty {
        return false
    }
    guard let exponent = rest.first else { return true }
    guard exponent | 0x20 == UInt8(ascii: "e") else { return false }
    rest = rest.dropFirst()
    if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") { rest = rest.dropFirst() }
    return !rest.isEmpty && rest.allSatisfy(isDigit)
}

private func decodeBase64(_ text: String) throws(ScalarFailure) -> String {
    var bytes: [UInt8] = []
    var buffer: UInt32 = 0
    var bits = 0
    var padding = 0
    for byte in text.utf8 where byte != 0x0a && byte != 0x0d {
        let digit: UInt32
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): digit = UInt32(byte - 65)
        case UInt8(ascii: "a")...UInt8(ascii: "z"): digit = UInt32(byte - 71)
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = UInt32(byte + 4)
        case UInt8(ascii: "+"): digit = 62
        case UInt8(ascii: "/"): digit = 63
        case UInt8(ascii: "="):
            padding += 1
            continue
        default: throw ScalarFailure(message: "!!binary is followed by something that is not base64")
        }
        guard padding == 0 else { throw ScalarFailure(message: "!!binary is followed by something that is not base64") }
        buffer = buffer << 6 | digit
        bits += 6
        if bits >= 8 {
            bits -= 8
            bytes.append(UInt8(truncatingIfNeeded: buffer >> UInt32(bits)))
        }
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
        throw ScalarFailure(message: "!!binary holds bytes that are not UTF-8 text")
    }
    return text
}
