package import Manifest

/// What a text may be at most before it is refused.
package struct JSONLimits: Sendable {
    package var maximumBytes: Int
    package var maximumDepth: Int

    package init(maximumBytes: Int = 64 << 20, maximumDepth: Int = 512) {
        self.maximumBytes = maximumBytes
        self.maximumDepth = maximumDepth
    }
}

/// A text that is not JSON, or more than is allowed.
package struct JSONError: Error, Equatable, Sendable, CustomStringConvertible {
    /// In bytes from the start.
    package var offset: Int
    package var position: SourcePosition
    package var message: String

    package var description: String { "\(message) at \(position)" }
}

/// Reads one JSON value (RFC 8259), as Go's decoder does where that is more lenient than the standard.
///
/// Of several members with one key the last stays; bytes that are not UTF-8 and lone surrogates become U+FFFD.
package func parseJSON(_ bytes: [UInt8], limits: JSONLimits = JSONLimits()) throws(JSONError) -> Tree {
    try bytes.withUnsafeBufferPointer { buffer throws(JSONError) in
        var reader = JSONReader(buffer, limits: limits, isStrict: false)
        return try reader.readWhole().tree
    }
}

package func parseJSON(_ text: String, limits: JSONLimits = JSONLimits()) throws(JSONError) -> Tree {
    try parseJSON(Array(text.utf8), limits: limits)
}

/// Reads a JSON manifest: with the place of each value, and refusing what would silently mean something else.
///
/// Several members with one key, bytes that are not UTF-8 and lone surrogates are problems here. A byte order mark at the
/// start is skipped.
package func parseJSONDocument(_ bytes: [UInt8], limits: JSONLimits = JSONLimits(maximumDepth: 100)) -> ParsedStream {
    let start = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    do throws(JSONError) {
        return try bytes[start...].withUnsafeBufferPointer { buffer throws(JSONError) in
            var reader = JSONReader(buffer, limits: limits, isStrict: true)
            let (tree, marks) = try reader.readWhole()
            return ParsedStream(documents: [ParsedDocument(tree: tree, marks: marks)])
        }
    } catch {
        let hint = error.message.contains("duplicate") ? "Keep one of the two." : "Correct the JSON syntax there."
        return ParsedStream(
            problems: [SourceProblem(position: error.position, message: error.message, hint: hint)])
    }
}

/// A recursive-descent reader over bytes that stay where they are.
///
/// Short strings without escapes, which are nearly all, are found by a word at a time and copied once. It never reads
/// beyond the buffer: every access goes through ``peek`` or a checked range.
struct JSONReader {
    private let bytes: UnsafeBufferPointer<UInt8>
    private let limits: JSONLimits
    private let isStrict: Bool
    private var offset = 0
    private var depth = 0

    init(_ bytes: UnsafeBufferPointer<UInt8>, limits: JSONLimits, isStrict: Bool) {
        self.bytes = bytes
        self.limits = limits
        self.isStrict = isStrict
    }

    mutating func readWhole() throws(JSONError) -> (tree: Tree, marks: SourceMarks) {
        guard bytes.count <= limits.maximumBytes else {
            throw failure("the text has \(bytes.count) bytes, more than the \(limits.maximumBytes) allowed", at: 0)
        }
        skipSpace()
        var marks = SourceMarks(position: SourcePosition(line: 1, column: 1))
        let tree = try readValue(marks: &marks)
        skipSpace()
        guard offset == bytes.count else { throw failure("something follows the value", at: offset) }
        return (tree, marks)
    }

    // MARK: Values

    private mutating func readValue(marks: inout SourceMarks) throws(JSONError) -> Tree {
        if isStrict { marks.position = position() }
        guard let first = peek else { throw failure("the text ends where a value is expected", at: offset) }
        switch first {
        case UInt8(ascii: "{"): return try readObject(marks: &marks)
        case UInt8(ascii: "["): return try readArray(marks: &marks)
        case UInt8(ascii: "\""): return .string(try readString())
        case UInt8(ascii: "t"): return try readWord("true", .bool(true))
        case UInt8(ascii: "f"): return try readWord("false", .bool(false))
        case UInt8(ascii: "n"): return try readWord("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try readNumber()
        default: throw failure("a value is expected here", at: offset)
        }
    }

    private mutating func readObject(marks: inout SourceMarks) throws(JSONError) -> Tree {
        try enter()
        var pairs: [(String, Tree)] = []
        var children: [(key: String, keyPosition: SourcePosition, marks: SourceMarks)] = []
        skipSpace()
        if peek == UInt8(ascii: "}") {
            offset += 1
            depth -= 1
            return .object(Members())
        }
        while true {
            skipSpace()
            guard peek == UInt8(ascii: "\"") else {
                throw failure("a key in double quotes is expected here", at: offset)
            }
            let keyPosition = isStrict ? position() : marks.position
            let key = try readString()
            skipSpace()
            guard peek == UInt8(ascii: ":") else { throw failure("a colon is expected after the key", at: offset) }
            offset += 1
            skipSpace()
            var child = SourceMarks(position: marks.position)
            pairs.append((key, try readValue(marks: &child)))
            if isStrict { children.append((key, keyPosition, child)) }
            skipSpace()
            if peek == UInt8(ascii: ",") {
                offset += 1
                continue
            }
            guard peek == UInt8(ascii: "}") else { throw failure("a comma or } is expected here", at: offset) }
            offset += 1
            depth -= 1
            break
        }
        let members = Members(pairs)
        guard isStrict else { return .object(members) }
        if members.count < pairs.count { throw duplicateKey(children.map { ($0.key, $0.keyPosition) }) }
        children.sort { $0.key.precedesByBytes($1.key) }
        marks.children = children.map(\.marks)
        marks.keyPositions = children.map(\.keyPosition)
        return .object(members)
    }

    private mutating func readArray(marks: inout SourceMarks) throws(JSONError) -> Tree {
        try enter()
        var elements: [Tree] = []
        skipSpace()
        if peek == UInt8(ascii: "]") {
            offset += 1
            depth -= 1
            return .array([])
        }
        while true {
            skipSpace()
            var child = SourceMarks(position: marks.position)
            elements.append(try readValue(marks: &child))
            if isStrict { marks.children.append(child) }
            skipSpace()
            if peek == UInt8(ascii: ",") {
                offset += 1
                continue
            }
            guard peek == UInt8(ascii: "]") else { throw failure("a comma or ] is expected here", at: offset) }
            offset += 1
            depth -= 1
            return .array(elements)
        }
    }

    private mutating func enter() throws(JSONError) {
        offset += 1
        depth += 1
        guard depth <= limits.maximumDepth else {
            throw failure("values are nested more than \(limits.maximumDepth) deep", at: offset - 1)
        }
    }

    private mutating func readWord(_ word: StaticString, _ value: Tree) throws(JSONError) -> Tree {
        let length = word.utf8CodeUnitCount
        guard offset + length <= bytes.count,
            (0..<length).allSatisfy({ bytes[offset + $0] == word.utf8Start[$0] })
        else { throw failure("a value is expected here", at: offset) }
        offset += length
        return value
    }

    private mutating func readNumber() throws(JSONError) -> Tree {
        let start = offset
        if peek == UInt8(ascii: "-") { offset += 1 }
        let firstDigit = offset
        skipDigits()
        guard offset > firstDigit else { throw failure("a digit is expected here", at: offset) }
        if bytes[firstDigit] == UInt8(ascii: "0"), offset > firstDigit + 1 {
            throw failure("a number must not begin with 0", at: firstDigit)
        }
        var isWhole = true
        if peek == UInt8(ascii: ".") {
            isWhole = false
            offset += 1
            let first = offset
            skipDigits()
            guard offset > first else { throw failure("a digit is expected after the point", at: offset) }
        }
        if peek == UInt8(ascii: "e") || peek == UInt8(ascii: "E") {
            isWhole = false
            offset += 1
            if peek == UInt8(ascii: "+") || peek == UInt8(ascii: "-") { offset += 1 }
            let first = offset
            skipDigits()
            guard offset > first else { throw failure("a digit is expected in the exponent", at: offset) }
        }
        let text = String(decoding: bytes[start..<offset], as: UTF8.self)
        if isWhole {
            if let value = Int64(text) { return .integer(value) }
            if let value = UInt64(text) { return .unsigned(value) }
        }
        guard let value = Double(text), value.isFinite else {
            throw failure("the number \(text) is too large", at: start)
        }
        return .double(value)
    }

    private mutating func skipDigits() {
        while offset < bytes.count, bytes[offset] &- 0x30 < 10 { offset += 1 }
    }

    // MARK: Strings

    private mutating func readString() throws(JSONError) -> String {
        let opening = offset
        offset += 1
        let start = offset
        skipPlainBytes()
        guard offset < bytes.count else { throw failure("the string that begins here has no end", at: opening) }
        if bytes[offset] == UInt8(ascii: "\"") {
            let plain = bytes[start..<offset]
            offset += 1
            if isStrict, String(validating: plain, as: UTF8.self) == nil {
                throw failure("the string that begins here is not UTF-8", at: opening)
            }
            return String(decoding: plain, as: UTF8.self)
        }
        return try readEscapedString(opening: opening, start: start)
    }

    /// Moves to the next quote, backslash or control byte, eight bytes at a time while there are as many.
    private mutating func skipPlainBytes() {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let highs: UInt64 = 0x8080_8080_8080_8080
        while offset + 8 <= bytes.count {
            let word = UnsafeRawBufferPointer(bytes).loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            let quotes = word ^ (ones &* 0x22)
            let slashes = word ^ (ones &* 0x5c)
            let found =
                ((quotes &- ones) & ~quotes) | ((slashes &- ones) & ~slashes) | ((word &- (ones &* 0x20)) & ~word)
            if found & highs != 0 {
                offset += (found & highs).trailingZeroBitCount / 8
                return
            }
            offset += 8
        }
        while offset < bytes.count {
            let byte = bytes[offset]
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte < 0x20 { return }
            offset += 1
        }
    }

    private mutating func readEscapedString(opening: Int, start: Int) throws(JSONError) -> String {
        var text = Array(bytes[start..<offset])
        while true {
            guard let byte = peek else { throw failure("the string that begins here has no end", at: opening) }
            switch byte {
            case UInt8(ascii: "\""):
                offset += 1
                if isStrict, String(validating: text, as: UTF8.self) == nil {
                    throw failure("the string that begins here is not UTF-8", at: opening)
                }
                return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"):
                offset += 1
                try readEscape(into: &text)
            case ..<0x20:
                throw failure("a control character must be escaped in a string", at: offset)
            default:
                let start = offset
                skipPlainBytes()
                text.append(contentsOf: bytes[start..<offset])
            }
        }
    }

    private mutating func readEscape(into text: inout [UInt8]) throws(JSONError) {
        guard let byte = peek else { throw failure("the text ends within an escape", at: offset) }
        offset += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0c)
        case UInt8(ascii: "n"): text.append(0x0a)
        case UInt8(ascii: "r"): text.append(0x0d)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"): try readUnicodeEscape(into: &text)
        default: throw failure("\\ is followed by a character that makes no escape", at: offset - 2)
        }
    }

    private mutating func readUnicodeEscape(into text: inout [UInt8]) throws(JSONError) {
        let start = offset - 2
        var scalar = try readFourHexDigits()
        if (0xD800..<0xDC00).contains(scalar), peek == UInt8(ascii: "\\"), offset + 1 < bytes.count,
            bytes[offset + 1] == UInt8(ascii: "u")
        {
            let before = offset
            offset += 2
            let low = try readFourHexDigits()
            if (0xDC00..<0xE000).contains(low) {
                scalar = 0x10000 + (scalar - 0xD800) << 10 + (low - 0xDC00)
            } else {
                offset = before
            }
        }
        if Unicode.Scalar(scalar) == nil, isStrict {
            throw failure("half of a surrogate pair stands alone", at: start)
        }
        text.append(contentsOf: String(Unicode.Scalar(scalar) ?? "\u{FFFD}").utf8)
    }

    private mutating func readFourHexDigits() throws(JSONError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = peek, let digit = hexDigit(byte) else {
                throw failure("four hexadecimal digits are expected after \\u", at: offset)
            }
            value = value << 4 | digit
            offset += 1
        }
        return value
    }

    private func hexDigit(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte - UInt8(ascii: "A") + 10)
        default: nil
        }
    }

    // MARK: Places

    private var peek: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    private mutating func skipSpace() {
        while offset < bytes.count {
            switch bytes[offset] {
            case 0x0a:
                offset += 1
                if isStrict { noteLine(beginningAt: offset) }
            case 0x20, 0x09, 0x0d: offset += 1
            default: return
            }
        }
    }

    /// The last line that was begun; strings hold no line feed, so only white space begins one.
    private var line = 1
    /// A place on that line and how many characters stand before it; a line may be as long as the whole text, so nothing
    /// on it is counted twice.
    private var markedOffset = 0
    private var markedColumn = 0

    private mutating func noteLine(beginningAt offset: Int) {
        line += 1
        markedOffset = offset
        markedColumn = 0
    }

    /// The position of the place that the reader has come to, in characters.
    private mutating func position() -> SourcePosition {
        let end = min(offset, bytes.count)
        markedColumn += bytes[markedOffset..<end].count { $0 & 0xC0 != 0x80 }
        markedOffset = end
        return SourcePosition(line: line, column: markedColumn + 1)
    }

    /// The position of any place, by counting from the start: for errors only.
    private func countedPosition(of offset: Int) -> SourcePosition {
        let before = bytes[..<min(offset, bytes.count)]
        let lineStart = before.lastIndex(of: 0x0a).map { $0 + 1 } ?? 0
        return SourcePosition(
            line: before.count { $0 == 0x0a } + 1,
            column: before[lineStart...].count { $0 & 0xC0 != 0x80 } + 1)
    }

    private func failure(_ message: String, at offset: Int) -> JSONError {
        JSONError(offset: offset, position: countedPosition(of: offset), message: message)
    }

    private func duplicateKey(_ keys: [(key: String, position: SourcePosition)]) -> JSONError {
        // By bytes: two spellings of one character are two keys.
        var first: [[UInt8]: SourcePosition] = [:]
        for (key, position) in keys {
            if let earlier = first[Array(key.utf8)] {
                return JSONError(
                    offset: offset, position: position, message: "duplicate key \"\(key)\", first at \(earlier)")
            }
            first[Array(key.utf8)] = position
        }
        return failure("duplicate key", at: offset)
    }
}
