import JSON
import Manifest

/// A JSON value that lies in a longer text and has not been read.
///
/// Audit events carry whole bodies, which may be secrets and which the client chose: patches are kept byte by byte, however
/// deep they nest. Looking for the few members that matter without reading the rest means that no body ever becomes a
/// value here, that depth costs nothing, and that one event which cannot be read leaves the others alone (rule M10).
struct RawJSON {
    private let bytes: [UInt8]
    private let range: Range<Int>

    init(_ bytes: [UInt8]) { self.init(bytes, in: bytes.indices) }

    init(_ bytes: [UInt8], in range: Range<Int>) {
        self.bytes = bytes
        let start = Self.skipSpace(bytes, from: range.lowerBound, to: range.upperBound)
        self.range = start..<range.upperBound
    }

    var isEmpty: Bool { range.isEmpty }
    private var first: UInt8? { range.isEmpty ? nil : bytes[range.lowerBound] }
    var isObject: Bool { first == UInt8(ascii: "{") }
    var isArray: Bool { first == UInt8(ascii: "[") }

    /// The value as a tree, where it is JSON and not deeper than a few levels.
    var tree: Tree? { try? parseJSON(Array(bytes[range]), limits: JSONLimits(maximumBytes: 1 << 20, maximumDepth: 16)) }

    /// The text, where this is one.
    var string: String? { first == UInt8(ascii: "\"") ? tree?.string : nil }

    /// The member of an object; of several with one key the last, as the API server reads it.
    subscript(key: String) -> RawJSON? {
        var found: RawJSON?
        forEachMember { if $0.hasSameBytes(as: key) { found = $1 } }
        return found
    }

    /// Goes through the members of an object.
    ///
    /// - Returns: False where this is no object or has no end; a last member without an end is given as far as it goes.
    @discardableResult
    func forEachMember(_ body: (String, RawJSON) -> Void) -> Bool {
        guard isObject else { return false }
        var index = skipSpace(from: range.lowerBound + 1)
        if index < range.upperBound, bytes[index] == UInt8(ascii: "}") { return true }
        while index < range.upperBound {
            guard bytes[index] == UInt8(ascii: "\""), let keyEnd = endOfString(from: index),
                let key = RawJSON(bytes, in: index..<keyEnd).string
            else { return false }
            index = skipSpace(from: keyEnd)
            guard index < range.upperBound, bytes[index] == UInt8(ascii: ":") else { return false }
            index = skipSpace(from: index + 1)
            let end = endOfValue(from: index)
            body(key, RawJSON(bytes, in: index..<(end ?? range.upperBound)))
            guard let end else { return false }
            index = skipSpace(from: end)
            guard index < range.upperBound else { return false }
            if bytes[index] == UInt8(ascii: "}") { return true }
            guard bytes[index] == UInt8(ascii: ",") else { return false }
            index = skipSpace(from: index + 1)
        }
        return false
    }

    /// Goes through the elements of a list.
    ///
    /// - Returns: False where this is no list or has no end; an element without an end is not given.
    @discardableResult
    func forEachElement(_ body: (RawJSON) -> Void) -> Bool {
        guard isArray else { return false }
        var index = skipSpace(from: range.lowerBound + 1)
        if index < range.upperBound, bytes[index] == UInt8(ascii: "]") { return true }
        while index < range.upperBound, let end = endOfValue(from: index) {
            body(RawJSON(bytes, in: index..<end))
            index = skipSpace(from: end)
            guard index < range.upperBound else { return false }
            if bytes[index] == UInt8(ascii: "]") { return true }
            guard bytes[index] == UInt8(ascii: ",") else { return false }
            index = skipSpace(from: index + 1)
        }
        return false
    }

    // MARK: Finding ends

    private func skipSpace(from start: Int) -> Int { Self.skipSpace(bytes, from: start, to: range.upperBound) }

    private static func skipSpace(_ bytes: [UInt8], from start: Int, to end: Int) -> Int {
        var index = start
        while index < end, bytes[index] == 0x20 || bytes[index] == 0x09 || bytes[index] == 0x0a || bytes[index] == 0x0d
        {
            index += 1
        }
        return min(index, end)
    }

    private func endOfString(from start: Int) -> Int? {
        var index = start + 1
        while index < range.upperBound {
            switch bytes[index] {
            case UInt8(ascii: "\""): return index + 1
            case UInt8(ascii: "\\"): index += 2
            default: index += 1
            }
        }
        return nil
    }

    /// Counts brackets instead of descending, so that no nesting is too deep.
    private func endOfValue(from start: Int) -> Int? {
        var index = start
        var depth = 0
        while index < range.upperBound {
            switch bytes[index] {
            case UInt8(ascii: "\""):
                guard let end = endOfString(from: index) else { return nil }
                index = end
                if depth == 0 { return index }
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                index += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                if depth == 0 { return index > start ? index : nil }
                depth -= 1
                index += 1
                if depth == 0 { return index }
            case UInt8(ascii: ","), 0x20, 0x09, 0x0a, 0x0d:
                if depth == 0 { return index > start ? index : nil }
                index += 1
            default: index += 1
            }
        }
        return depth == 0 && index > start ? index : nil
    }
}
