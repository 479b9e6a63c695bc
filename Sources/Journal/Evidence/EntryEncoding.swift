import JSON
import SQLite
import Signatures

/// The canonical form of an entry: what the tree holds the hash of, and what an export writes.
///
/// One line of canonical JSON, exactly the text that ``entryTree(_:)`` gives, written from the columns as they are. Each
/// column that holds something shows in it, so no column can change without the text; what the journal never writes,
/// such as a name without a kind, has no form and is an error. Later versions may add members, which older entries lack.
struct EntryEncoding {
    /// The text without the digits of the sequence number, which are known last.
    private(set) var bytes: [UInt8] = []
    /// Where those digits belong.
    private(set) var sequencePosition = 0

    /// The whole text of an entry.
    func text(sequence: Int64) -> [UInt8] {
        var text = bytes
        text.insert(contentsOf: String(sequence).utf8, at: sequencePosition)
        return text
    }

    /// The hash of the entry as a leaf of the tree.
    func leafHash(sequence: Int64, by hasher: SHA256Hasher) throws(HashingFailure) -> SHA256Digest {
        do throws(HashingFailure) {
            try hasher.update([0])
            let position = sequencePosition
            var number = String(sequence)
            let parts = bytes.withUnsafeBytes { bytes -> Result<Void, HashingFailure> in
                number.withUTF8 { digits in
                    do throws(HashingFailure) {
                        try hasher.update(UnsafeRawBufferPointer(rebasing: bytes[..<position]))
                        try hasher.update(UnsafeRawBufferPointer(digits))
                        try hasher.update(UnsafeRawBufferPointer(rebasing: bytes[position...]))
                        return .success(())
                    } catch {
                        return .failure(error)
                    }
                }
            }
            try parts.get()
            return try hasher.finish()
        } catch {
            // Half a leaf must not begin the next one.
            try hasher.restart()
            throw error
        }
    }

    /// Writes the form of one entry, in place of the one before.
    ///
    /// - Throws: ``JournalFailure/unreadable(_:)`` for columns that the journal never wrote so.
    mutating func encode(_ source: some EntryColumnSource) throws(JournalFailure) {
        bytes.removeAll(keepingCapacity: true)
        let hasObject = try checkParts(of: source)
        // In the byte order of the members' names.
        literal("{")
        try optionalString("\"action\":", .action, source, end: ",")
        if try !source.isNull(.actor) {
            literal("\"actor\":{\"certainty\":")
            try string(.actorCertainty, source)
            literal(",")
            try optionalValue("\"details\":", .actorDetails, source)
            literal("\"name\":")
            try string(.actor, source)
            literal(",\"operation\":")
            try string(.actorOperation, source)
            try optionalString(",\"time\":", .actorTime, source)
            literal("},")
        }
        try optionalValue("\"after\":", .after, source)
        literal("\"apiVersion\":\"bylaw.dev/v1\",")
        try optionalString("\"approver\":", .approver, source, end: ",")
        try optionalString("\"auditID\":", .auditID, source, end: ",")
        try optionalValue("\"before\":", .before, source)
        literal("\"cluster\":")
        try string(.cluster, source)
        try optionalInteger(",\"durationMicroseconds\":", .durationMicroseconds, source)
        guard let incident = try source.integer(.isIncident), incident == 0 || incident == 1 else {
            throw .unreadable("is_incident is neither 0 nor 1")
        }
        literal(incident == 1 ? ",\"incident\":true,\"instance\":" : ",\"incident\":false,\"instance\":")
        try string(.instance, source)
        literal(",\"kind\":\"JournalEntry\",\"message\":")
        try string(.message, source)
        if hasObject { try encodeObject(source) }
        literal(",\"outcome\":")
        try string(.outcome, source)
        literal(",")
        try optionalValue("\"patch\":", .patch, source)
        literal("\"reason\":")
        try string(.reason, source)
        try optionalInteger(",\"refersTo\":", .refersTo, source)
        if try !source.isNull(.revision) { try encodeRevision(source) }
        if try !source.isNull(.runbook) {
            literal(",\"runbook\":{\"path\":")
            try string(.runbook, source)
            literal(",\"revision\":")
            try string(.runbookRevision, source)
            literal("}")
        }
        literal(",\"sequence\":")
        sequencePosition = bytes.count
        literal(",\"time\":")
        try string(.time, source)
        literal(",\"type\":")
        try string(.kind, source)
        literal("}")
    }

    private mutating func encodeObject(_ source: some EntryColumnSource) throws(JournalFailure) {
        literal(",\"object\":{\"group\":")
        try string(.apiGroup, source)
        literal(",\"kind\":")
        try string(.objectKind, source)
        literal(",\"name\":")
        try string(.name, source)
        // Cluster-scoped objects have an empty one, which is left out; NULL is what no object has.
        let start = bytes.count
        literal(",\"namespace\":")
        let value = bytes.count
        try string(.namespace, source)
        if bytes.count == value + 2 { bytes.removeSubrange(start...) }
        try optionalString(",\"resourceVersion\":", .resourceVersion, source)
        try optionalString(",\"uid\":", .uid, source)
        try optionalString(",\"version\":", .apiVersion, source)
        literal("}")
    }

    private mutating func encodeRevision(_ source: some EntryColumnSource) throws(JournalFailure) {
        literal(",\"revision\":{\"author\":")
        try string(.author, source)
        literal(",\"commit\":")
        try string(.revision, source)
        literal(",\"committer\":")
        try string(.committer, source)
        try optionalInteger(",\"pullRequest\":", .pullRequest, source)
        literal(",\"subject\":")
        try string(.subject, source)
        literal(",\"trailers\":")
        var pairs: [UInt8] = []
        guard try source.appendRaw(.trailers, to: &pairs) else { throw .unreadable("trailers is missing") }
        try appendTrailers(pairs)
        literal("}")
    }

    /// What belongs together is there together: otherwise a column could change unseen.
    private func checkParts(of source: some EntryColumnSource) throws(JournalFailure) -> Bool {
        try checkGroup(
            source, .actor, with: [.actorOperation, .actorCertainty], optional: [.actorTime, .actorDetails])
        try checkGroup(
            source, .revision, with: [.author, .committer, .subject, .trailers], optional: [.pullRequest])
        try checkGroup(source, .runbook, with: [.runbookRevision], optional: [])
        return try checkGroup(
            source, .objectKind, with: [.apiGroup, .namespace, .name],
            optional: [.apiVersion, .uid, .resourceVersion])
    }

    @discardableResult
    private func checkGroup(
        _ source: some EntryColumnSource, _ main: EntryColumn, with others: [EntryColumn], optional: [EntryColumn]
    ) throws(JournalFailure) -> Bool {
        let isThere = try !source.isNull(main)
        for other in others {
            guard try source.isNull(other) != isThere else {
                throw .unreadable("\(other.name) does not fit \(main.name)")
            }
        }
        guard !isThere else { return true }
        for other in optional {
            guard try source.isNull(other) else { throw .unreadable("\(other.name) stands without \(main.name)") }
        }
        return false
    }

    // MARK: Parts

    private mutating func literal(_ text: StaticString) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    private mutating func string(_ column: EntryColumn, _ source: some EntryColumnSource) throws(JournalFailure) {
        guard try source.appendString(column, to: &bytes) else { throw .unreadable("\(column.name) is missing") }
    }

    private mutating func optionalString(
        _ key: StaticString, _ column: EntryColumn, _ source: some EntryColumnSource, end: StaticString = ""
    ) throws(JournalFailure) {
        guard try !source.isNull(column) else { return }
        literal(key)
        try string(column, source)
        literal(end)
    }

    private mutating func optionalInteger(
        _ key: StaticString, _ column: EntryColumn, _ source: some EntryColumnSource
    ) throws(JournalFailure) {
        guard let number = try source.integer(column) else { return }
        literal(key)
        bytes.append(contentsOf: String(number).utf8)
    }

    /// JSON that is canonical already, and goes in as it is.
    private mutating func optionalValue(
        _ key: StaticString, _ column: EntryColumn, _ source: some EntryColumnSource
    ) throws(JournalFailure) {
        guard try !source.isNull(column) else { return }
        literal(key)
        let start = bytes.count
        _ = try source.appendRaw(column, to: &bytes)
        // More than one value would let a part of the content pass for another column.
        guard isOneJSONValue(bytes[start...]) else { throw .unreadable("\(column.name) is no JSON value") }
        literal(",")
    }

    /// From `[["key","value"],...]`, as it is kept, to `[{"key":"key","value":"value"},...]`.
    private mutating func appendTrailers(_ pairs: [UInt8]) throws(JournalFailure) {
        let failure = JournalFailure.unreadable("trailers is no list of pairs")
        var rest = pairs[...]
        func take(_ byte: UInt8) throws(JournalFailure) {
            guard rest.popFirst() == byte else { throw failure }
        }
        func takeString() throws(JournalFailure) -> ArraySlice<UInt8> {
            guard rest.first == UInt8(ascii: "\""), let end = endOfJSONString(rest) else { throw failure }
            defer { rest = rest[end...] }
            return rest[..<end]
        }
        try take(UInt8(ascii: "["))
        literal("[")
        while rest.first == UInt8(ascii: "[") {
            try take(UInt8(ascii: "["))
            literal("{\"key\":")
            bytes.append(contentsOf: try takeString())
            try take(UInt8(ascii: ","))
            literal(",\"value\":")
            bytes.append(contentsOf: try takeString())
            try take(UInt8(ascii: "]"))
            literal("}")
            guard rest.first == UInt8(ascii: ",") else { break }
            try take(UInt8(ascii: ","))
            guard rest.first == UInt8(ascii: "[") else { throw failure }
            literal(",")
        }
        try take(UInt8(ascii: "]"))
        literal("]")
        guard rest.isEmpty else { throw failure }
    }
}

/// Where the columns of an entry come from: a row that was read, or values that are about to be written.
protocol EntryColumnSource {
    func isNull(_ column: EntryColumn) throws(JournalFailure) -> Bool
    /// Nil where it is NULL.
    func integer(_ column: EntryColumn) throws(JournalFailure) -> Int64?
    /// Appends a text as a JSON string; false where it is NULL.
    func appendString(_ column: EntryColumn, to bytes: inout [UInt8]) throws(JournalFailure) -> Bool
    /// Appends a text as it is; false where it is NULL.
    func appendRaw(_ column: EntryColumn, to bytes: inout [UInt8]) throws(JournalFailure) -> Bool
}

/// A row of a SELECT that names the columns of ``EntryColumns/names`` from `offset` on.
struct RowColumns: EntryColumnSource {
    var row: Row
    var offset: Int

    func isNull(_ column: EntryColumn) throws(JournalFailure) -> Bool {
        try reading { () throws(DatabaseError) in try row.isNull(offset + column.rawValue) }
    }

    func integer(_ column: EntryColumn) throws(JournalFailure) -> Int64? {
        try reading { () throws(DatabaseError) in try row.optionalInteger(offset + column.rawValue) }
    }

    func appendString(_ column: EntryColumn, to bytes: inout [UInt8]) throws(JournalFailure) -> Bool {
        try reading { () throws(DatabaseError) in
            try row.withText(offset + column.rawValue) { appendJSONString($0, to: &bytes) }
        }
    }

    func appendRaw(_ column: EntryColumn, to bytes: inout [UInt8]) throws(JournalFailure) -> Bool {
        try reading { () throws(DatabaseError) in
            try row.withText(offset + column.rawValue) { bytes.append(contentsOf: $0) }
        }
    }

    /// A column of another type is a changed entry; a failed read of the file is a failed read.
    private func reading<Value>(_ body: () throws(DatabaseError) -> Value) throws(JournalFailure) -> Value {
        do throws(DatabaseError) { return try body() } catch {
            throw error.code == .mismatch ? .unreadable(error.detail) : .database(error)
        }
    }
}

/// The values of ``EntryColumns/values(of:instance:cluster:build:)``.
struct ValueColumns: EntryColumnSource {
    var values: [SQLValue]

    func isNull(_ column: EntryColumn) -> Bool { if case .null = values[column.rawValue] { true } else { false } }

    func integer(_ column: EntryColumn) -> Int64? {
        if case .integer(let number) = values[column.rawValue] { number } else { nil }
    }

    func appendString(_ column: EntryColumn, to bytes: inout [UInt8]) -> Bool {
        guard case .text(var text) = values[column.rawValue] else { return false }
        text.withUTF8 { appendJSONString($0, to: &bytes) }
        return true
    }

    func appendRaw(_ column: EntryColumn, to bytes: inout [UInt8]) -> Bool {
        guard case .text(let text) = values[column.rawValue] else { return false }
        bytes.append(contentsOf: text.utf8)
        return true
    }
}

/// Whether bytes are one JSON value and nothing beside it, as far as brackets and quotes tell.
func isOneJSONValue(_ bytes: ArraySlice<UInt8>) -> Bool {
    bytes.withUnsafeBufferPointer { bytes in
        var depth = 0
        var index = 0
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\""):
                index += 1
                while index < bytes.count, bytes[index] != UInt8(ascii: "\"") {
                    index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1
                }
                guard index < bytes.count else { return false }
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                if depth == 0 { return index == bytes.count - 1 }
                if depth < 0 { return false }
            case UInt8(ascii: ","), UInt8(ascii: ":"): if depth == 0 { return false }
            default: break
            }
            index += 1
        }
        return depth == 0 && !bytes.isEmpty
    }
}

/// Where a JSON string ends that begins the bytes: behind its closing quote; nil where it has none.
private func endOfJSONString(_ bytes: ArraySlice<UInt8>) -> Int? {
    var index = bytes.startIndex + 1
    while index < bytes.endIndex {
        switch bytes[index] {
        case UInt8(ascii: "\""): return index + 1
        case UInt8(ascii: "\\"): index += 2
        default: index += 1
        }
    }
    return nil
}

extension EntryEncoding {
    /// Reads a canonical text back, as far as its number goes.
    ///
    /// - Returns: Nil where it has no member `sequence` that is a number as it is written.
    static func read(_ text: [UInt8]) -> (encoding: EntryEncoding, sequence: Int64)? {
        let key = Array("\"sequence\":".utf8)
        var depth = 0
        var index = 0
        while index < text.count {
            switch text[index] {
            case UInt8(ascii: "\""):
                if depth == 1, text[index...].starts(with: key) {
                    let start = index + key.count
                    let digits = text[start...].prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
                    let number = String(decoding: digits, as: UTF8.self)
                    guard let sequence = Int64(number), String(sequence) == number else { return nil }
                    var bytes = text
                    bytes.removeSubrange(digits.indices)
                    return (EntryEncoding(bytes: bytes, sequencePosition: start), sequence)
                }
                guard let end = endOfJSONString(text[index...]) else { return nil }
                index = end - 1
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            default: break
            }
            index += 1
        }
        return nil
    }
}
