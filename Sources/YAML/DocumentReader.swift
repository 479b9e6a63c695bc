internal import CYAML
import Manifest

/// One document that is not as it should be.
struct YAMLFailure: Error {
    var problem: SourceProblem
    var isSyntax: Bool
}

/// How much stands in a value after its aliases are expanded.
struct Expansion {
    var nodes: Int
    /// Of keys and texts.
    var bytes: Int
}

/// Reads one part of a text, which must hold one document at most.
///
/// It is driven by libyaml's events, so that a limit stops it before anything is built. The parser's memory is owned by
/// this object and freed with it.
final class DocumentReader {
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let input: UnsafeMutableBufferPointer<UInt8>
    private let firstLine: Int
    private let limits: YAMLLimits
    private let singleLettersAreText: Bool
    private(set) var remaining: Expansion
    private var depth = 0
    private var anchors: [String: (node: Node, size: Expansion)] = [:]
    private var openAnchors: Set<String> = []
    /// A character of the input and where its bytes begin; moves forward with the events.
    private var sourceIndex = 0
    private var sourceOffset = 0

    /// A value, where it stood, and whether it may merge into a map (`<<` holds what a key needs).
    struct Node {
        var tree: Tree
        var marks: SourceMarks
        /// Written as a number with a fraction or an exponent, even where its value is whole.
        var isFloat = false
    }

    init(
        bytes: ArraySlice<UInt8>, firstLine: Int, limits: YAMLLimits, remaining: Expansion, singleLettersAreText: Bool
    ) {
        self.firstLine = firstLine
        self.singleLettersAreText = singleLettersAreText
        self.limits = limits
        self.remaining = remaining
        parser = .allocate(capacity: 1)
        parser.initialize(to: yaml_parser_t())
        // Kubernetes ends the last line of each part, which shows in block scalars.
        let ending: [UInt8] = bytes.last == 0x0a ? [] : [0x0a]
        input = .allocate(capacity: bytes.count + ending.count)
        _ = input.initialize(from: bytes + ending)
        yaml_parser_initialize(parser)
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(parser, input.baseAddress, input.count)
    }

    deinit {
        yaml_parser_delete(parser)
        parser.deallocate()
        input.deallocate()
    }

    func readOnlyDocument() throws(YAMLFailure) -> ParsedDocument? {
        _ = try next()  // The start of the stream.
        let first = try next()
        guard case .documentStart = first.kind else { return nil }
        let node = try readNode(try next())
        let end = try next()
        guard case .documentEnd = end.kind else {
            throw failure("the document does not end here", at: end.position)
        }
        let after: Event
        do { after = try next() } catch { throw droppedContent(at: error.problem.position) }
        guard case .streamEnd = after.kind else { throw droppedContent(at: after.position) }
        if node.tree.isNull { return nil }
        return ParsedDocument(tree: node.tree, marks: node.marks)
    }

    private func droppedContent(at position: SourcePosition) -> YAMLFailure {
        failure(
            "something follows the end of the document here, which Kubernetes would drop silently", at: position,
            hint: "Separate documents by a line that holds only ---, or remove what follows.")
    }

    // MARK: Events

    private struct Event {
        enum Kind {
            case documentStart, documentEnd, streamEnd, sequenceEnd, mappingEnd, other
            case alias(String)
            case scalar(value: String, tag: String?, isPlain: Bool)
            case sequenceStart
            case mappingStart
        }
        var kind: Kind
        var anchor: String?
        var position: SourcePosition
    }

    private func next() throws(YAMLFailure) -> Event {
        var event = yaml_event_t()
        guard yaml_parser_parse(parser, &event) == 1 else { throw syntaxFailure() }
        defer { yaml_event_delete(&event) }
        let position = position(event.start_mark)
        switch event.type {
        case YAML_DOCUMENT_START_EVENT: return Event(kind: .documentStart, anchor: nil, position: position)
        case YAML_DOCUMENT_END_EVENT: return Event(kind: .documentEnd, anchor: nil, position: position)
        case YAML_STREAM_END_EVENT: return Event(kind: .streamEnd, anchor: nil, position: position)
        case YAML_SEQUENCE_END_EVENT: return Event(kind: .sequenceEnd, anchor: nil, position: position)
        case YAML_MAPPING_END_EVENT: return Event(kind: .mappingEnd, anchor: nil, position: position)
        case YAML_ALIAS_EVENT:
            return Event(kind: .alias(text(event.data.alias.anchor) ?? ""), anchor: nil, position: position)
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            let value = UnsafeBufferPointer(start: scalar.value, count: scalar.length)
            if scalar.tag == nil, scalar.style == YAML_PLAIN_SCALAR_STYLE, hasBareTag(at: event.start_mark.index) {
                throw failure(
                    "the tag ! without a name has no settled meaning", at: position,
                    hint: "Remove it; write text that looks like something else in quotes.")
            }
            return Event(
                kind: .scalar(
                    value: String(decoding: value, as: UTF8.self), tag: text(scalar.tag),
                    isPlain: scalar.style == YAML_PLAIN_SCALAR_STYLE),
                anchor: text(scalar.anchor), position: position)
        case YAML_SEQUENCE_START_EVENT:
            return Event(kind: .sequenceStart, anchor: text(event.data.sequence_start.anchor), position: position)
        case YAML_MAPPING_START_EVENT:
            return Event(kind: .mappingStart, anchor: text(event.data.mapping_start.anchor), position: position)
        default: return Event(kind: .other, anchor: nil, position: position)
        }
    }

    /// Whether the plain scalar whose properties begin at a character has the tag `!`.
    ///
    /// The parser keeps silent about that tag, and then a number would come out where Kubernetes reads text.
    private func hasBareTag(at index: Int) -> Bool {
        while sourceIndex < index, sourceOffset < input.count {
            sourceOffset += 1
            while sourceOffset < input.count, input[sourceOffset] & 0xC0 == 0x80 { sourceOffset += 1 }
            sourceIndex += 1
        }
        guard sourceOffset < input.count else { return false }
        if input[sourceOffset] == UInt8(ascii: "!") { return true }
        guard input[sourceOffset] == UInt8(ascii: "&") else { return false }
        // An anchor: a plain scalar may stand behind it, but none begins with these two.
        var rest = input[sourceOffset...].drop { $0 > 0x20 }.drop { $0 <= 0x20 }
        while rest.first == UInt8(ascii: "#") { rest = rest.drop { $0 != 0x0a }.drop { $0 <= 0x20 } }
        return rest.first == UInt8(ascii: "!")
    }

    private func text(_ pointer: UnsafeMutablePointer<UInt8>?) -> String? {
        pointer.map { String(cString: $0) }
    }

    private func position(_ mark: yaml_mark_t) -> SourcePosition {
        SourcePosition(line: firstLine + mark.line, column: mark.column + 1)
    }

    // MARK: Nodes

    private func readNode(_ event: Event) throws(YAMLFailure) -> Node {
        let before = remaining
        let node: Node
        if let anchor = event.anchor { openAnchors.insert(anchor) }
        switch event.kind {
        case .alias(let name): return try expandAlias(name, at: event.position)
        case .scalar(let value, let tag, let isPlain):
            try count(Expansion(nodes: 1, bytes: value.utf8.count), at: event.position)
            node = try readScalar(value, tag: tag, isPlain: isPlain, at: event.position)
        case .sequenceStart, .mappingStart:
            try count(Expansion(nodes: 1, bytes: 0), at: event.position)
            if case .sequenceStart = event.kind {
                node = try readSequence(event)
            } else {
                node = try readMapping(event)
            }
        default: throw failure("a value is expected here", at: event.position)
        }
        if let anchor = event.anchor {
            openAnchors.remove(anchor)
            anchors[anchor] = (
                node, Expansion(nodes: before.nodes - remaining.nodes, bytes: before.bytes - remaining.bytes)
            )
        }
        return node
    }

    private func readScalar(
        _ value: String, tag: String?, isPlain: Bool, at position: SourcePosition
    ) throws(YAMLFailure) -> Node {
        do {
            let isLetter = singleLettersAreText && ["y", "Y", "n", "N"].contains(value)
            let resolved = try resolveScalar(value, tag: tag, isPlain: isPlain && !isLetter)
            let isFloat = if case .float = resolved { true } else { false }
            return Node(tree: resolved.tree, marks: SourceMarks(position: position), isFloat: isFloat)
        } catch {
            throw failure(error.message, at: position, hint: "Write the value in quotes if it is meant as text.")
        }
    }

    private func expandAlias(_ name: String, at position: SourcePosition) throws(YAMLFailure) -> Node {
        guard !openAnchors.contains(name) else {
            throw failure("the anchor \(name) contains itself", at: position, hint: "Write the value out.")
        }
        guard let (node, size) = anchors[name] else {
            throw failure(
                "no anchor \(name) stands before this alias", at: position,
                hint: "Define it above, or write the value out.")
        }
        try count(size, at: position)
        return node
    }

    private func count(_ size: Expansion, at position: SourcePosition) throws(YAMLFailure) {
        remaining.nodes -= size.nodes
        remaining.bytes -= size.bytes
        guard remaining.nodes >= 0 else {
            throw tooMuch("\(limits.maximumExpandedNodes) values", at: position)
        }
        guard remaining.bytes >= 0 else {
            throw tooMuch("\(limits.maximumExpandedBytes) bytes", at: position)
        }
    }

    private func tooMuch(_ what: String, at position: SourcePosition) -> YAMLFailure {
        failure(
            "the text has more than \(what) after its aliases are expanded", at: position,
            hint: "Write fewer aliases, or split the file.")
    }

    private func enter(at position: SourcePosition) throws(YAMLFailure) {
        depth += 1
        guard depth <= limits.maximumDepth else {
            throw failure("values are nested more than \(limits.maximumDepth) deep", at: position)
        }
    }

    private func readSequence(_ start: Event) throws(YAMLFailure) -> Node {
        try enter(at: start.position)
        var elements: [Tree] = []
        var marks = SourceMarks(position: start.position)
        while true {
            let event = try next()
            if case .sequenceEnd = event.kind { break }
            let node = try readNode(event)
            elements.append(node.tree)
            marks.children.append(node.marks)
        }
        depth -= 1
        return Node(tree: .array(elements), marks: marks)
    }

    private struct Entry {
        var key: String
        var position: SourcePosition
        var node: Node
        var isMerged: Bool
    }

    private func readMapping(_ start: Event) throws(YAMLFailure) -> Node {
        try enter(at: start.position)
        var entries: [Entry] = []
        var merges: [(Node, SourcePosition)] = []
        while true {
            let event = try next()
            if case .mappingEnd = event.kind { break }
            if case .scalar("<<", let tag, true) = event.kind, tag == nil || tag == "tag:yaml.org,2002:merge" {
                merges.append((try readNode(try next()), event.position))
                continue
            }
            let key = try keyText(try readNode(event), at: event.position)
            entries.append(Entry(key: key, position: event.position, node: try readNode(try next()), isMerged: false))
        }
        for (node, position) in merges { try merge(node, at: position, into: &entries) }
        depth -= 1
        return try assemble(entries, at: start.position)
    }

    private func merge(_ node: Node, at position: SourcePosition, into entries: inout [Entry]) throws(YAMLFailure) {
        switch node.tree {
        case .object(let members):
            for (index, member) in members.enumerated() {
                let marks =
                    index < node.marks.children.count ? node.marks.children[index] : SourceMarks(position: position)
                entries.append(
                    Entry(
                        key: member.key, position: position, node: Node(tree: member.value, marks: marks),
                        isMerged: true))
            }
        case .array(let elements):
            for (index, element) in elements.enumerated() {
                guard case .object = element else {
                    throw failure("a merge key takes maps only", at: position, hint: "Merge an alias of a map.")
                }
                let marks =
                    index < node.marks.children.count ? node.marks.children[index] : SourceMarks(position: position)
                try merge(Node(tree: element, marks: marks), at: position, into: &entries)
            }
        default:
            throw failure("a merge key takes a map, or a list of maps", at: position, hint: "Merge an alias of a map.")
        }
    }

    private func assemble(_ entries: [Entry], at position: SourcePosition) throws(YAMLFailure) -> Node {
        var seen: [String: SourcePosition] = [:]
        seen.reserveCapacity(entries.count)
        for entry in entries {
            if let earlier = seen[entry.key] {
                throw failure(
                    "duplicate key \"\(entry.key)\", first at line \(earlier.line)"
                        + (entry.isMerged ? " (a merge may not override it)" : ""),
                    at: entry.position, hint: "Keep one of the two.")
            }
            seen[entry.key] = entry.position
        }
        let sorted = entries.sorted { $0.key.precedesByBytes($1.key) }
        return Node(
            tree: .object(Members(sorted.map { ($0.key, $0.node.tree) })),
            marks: SourceMarks(
                position: position, children: sorted.map(\.node.marks), keyPositions: sorted.map(\.position)))
    }

    /// A key as JSON holds it, as `sigs.k8s.io/yaml` converts it.
    ///
    /// A key such as `1.10` is refused: Kubernetes rounds it to 32 bits and calls it `1.1`.
    private func keyText(_ node: Node, at position: SourcePosition) throws(YAMLFailure) -> String {
        switch node.tree {
        case _ where node.isFloat:
            throw failure("a number with a fraction cannot be a key", at: position, hint: "Write the key in quotes.")
        case .string(let text): return text
        case .bool(let value): return value ? "true" : "false"
        case .integer(let value): return String(value)
        case .unsigned, .double, .null, .array, .object:
            throw failure("\(node.tree.kindName) cannot be a key", at: position, hint: "Write the key in quotes.")
        }
    }

    // MARK: Failures

    private func failure(_ message: String, at position: SourcePosition, hint: String = "Correct the YAML there.")
        -> YAMLFailure
    {
        YAMLFailure(problem: SourceProblem(position: position, message: message, hint: hint), isSyntax: false)
    }

    private func syntaxFailure() -> YAMLFailure {
        let problem = parser.pointee.problem.map { String(cString: $0) } ?? "the text is not YAML"
        let context = parser.pointee.context.map { " \(String(cString: $0))" } ?? ""
        var place = position(parser.pointee.problem_mark)
        if parser.pointee.error == YAML_READER_ERROR {
            let offset = min(parser.pointee.problem_offset, input.count)
            place = SourcePosition(line: firstLine + input.prefix(offset).count { $0 == 0x0a }, column: 1)
        }
        var hint = "Correct the YAML there; indentation takes spaces, never tabs."
        if problem.contains("control characters") || problem.contains("UTF-8") {
            hint = "Save the file as plain UTF-8 text without control characters."
        }
        return YAMLFailure(
            problem: SourceProblem(position: place, message: "not YAML: \(problem)\(context)", hint: hint),
            isSyntax: true)
    }
}
