import Manifest

/// Reads an object against the schema of its kind and gives it back in canonical spelling.
///
/// Nulls, empty values that the server does not store, and the server's own fields are left out; quantities and whole
/// numbers get the server's spelling. The strict reader reports what does not fit and leaves it out; the lenient one,
/// which is for live objects, keeps it as it is and reports nothing. That for patches is strict, and takes a null for what
/// a merge patch means by it.
struct ObjectReader {
    enum Mode { case strict, lenient, patch }

    let mode: Mode
    private(set) var problems = Problems()
    /// Where the reader stands; one list for the whole walk, because most steps never meet a problem.
    private var steps: [FieldPath.Step] = []

    init(mode: Mode) { self.mode = mode }

    private var path: FieldPath { FieldPath(steps) }

    /// - Returns: The canonical value, or nil where there is nothing left to keep.
    mutating func read(_ tree: Tree, as shape: Shape) -> Tree? {
        switch (shape, tree) {
        case (.anything, _), (.string, .string), (.bool, .bool): return tree
        case (.object(let object), .object(let members)): return .object(read(members, as: object))
        case (.map(let element), .object(let members)): return .object(readMap(members, of: element))
        case (.list(let element), .array(let elements)): return .array(readList(elements, of: element))
        case (.integer(let bits), _): return readInteger(tree, bits: bits)
        case (.integerOrString, .string): return tree
        case (.integerOrString, _): return readInteger(tree, bits: 32)
        case (.quantity, _): return readQuantity(tree)
        default: return misfit(tree, expected: shape)
        }
    }

    private mutating func read(_ members: Members, as shape: ObjectShape) -> Members {
        var kept: [(String, Tree)] = []
        kept.reserveCapacity(members.count)
        for (key, value) in members {
            steps.append(.field(key))
            defer { steps.removeLast() }
            guard let field = shape.fields[key], field.name.hasSameBytes(as: key) else {
                if mode == .lenient { kept.append((key, value)) } else { reportUnknown(key, among: shape) }
                continue
            }
            guard !value.isNull else { continue }
            let read = read(value, as: field.shape)
            if field.owner == .server {
                reportServerOwned(value)
            } else if let read, field.emptiness == .kept || !read.isEmpty {
                kept.append((key, read))
            }
        }
        return Members(kept)
    }

    private mutating func readMap(_ members: Members, of element: Shape) -> Members {
        var kept: [(String, Tree)] = []
        kept.reserveCapacity(members.count)
        for (key, value) in members {
            steps.append(.key(key))
            defer { steps.removeLast() }
            if value.isNull, mode == .patch { continue }
            if value.isNull, mode == .strict {
                if let meaning = readNull(as: element) { kept.append((key, meaning)) }
            } else if let read = read(value, as: element) {
                kept.append((key, read))
            }
        }
        return Members(kept)
    }

    /// What a key without a value means (rule D12).
    ///
    /// In a selector or a quota leaving it out would widen what is allowed, so there it gets the value that the server
    /// reads.
    private mutating func readNull(as element: Shape) -> Tree? {
        if case .field("metadata") = steps.first {
            problems.warn(
                path, "has no value and is left out", hint: "Delete the key, or write \"\" for an empty value.")
            return nil
        }
        let meaning: Tree
        if case .quantity = element { meaning = "0" } else { meaning = "" }
        problems.warn(
            path, "has no value, which Kubernetes reads as \(quoted(meaning.string ?? ""))",
            hint: "Write the value that is meant.")
        return meaning
    }

    private mutating func readList(_ elements: [Tree], of element: Shape) -> [Tree] {
        var kept: [Tree] = []
        kept.reserveCapacity(elements.count)
        for (index, value) in elements.enumerated() {
            steps.append(.index(index))
            defer { steps.removeLast() }
            if value.isNull, mode != .lenient {
                problems.unreadable(
                    path, "is empty", hint: "Delete the entry, or write {} where an empty map is meant.")
                // Its place is kept, or the paths of those behind it would be wrong.
                kept.append(element.emptyValue)
            } else {
                kept.append(read(value, as: element) ?? element.emptyValue)
            }
        }
        return kept
    }

    private mutating func readInteger(_ tree: Tree, bits: Int) -> Tree? {
        var value: Int64?
        switch tree {
        case .integer(let number): value = number
        case .double(let number) where number.rounded() == number: value = Int64(exactly: number)
        case .unsigned: break
        default: return misfit(tree, expected: .integer(bits: bits))
        }
        if let value, bits == 64 || Int32(exactly: value) != nil { return .integer(value) }
        if mode == .lenient { return tree }
        problems.unreadable(
            path, "must be a whole number of \(bits) bits", hint: "Write a whole number, without a fraction.")
        return nil
    }

    private mutating func readQuantity(_ tree: Tree) -> Tree? {
        let text: String
        switch tree {
        case .string(let value): text = value.trimmingSpaces
        case .integer(let value): text = String(value)
        case .unsigned(let value): text = String(value)
        case .double(let value): text = String(value)
        default: return misfit(tree, expected: .quantity)
        }
        if let quantity = Quantity(text) { return .string(quantity.roundedToThousandths.description) }
        if mode == .lenient { return tree }
        problems.unreadable(
            path, "Invalid value: \(quoted(text)): not a quantity",
            hint: "Write a number with one of the suffixes m, k, M, G, T, P, E, Ki, Mi, Gi, Ti, Pi, Ei, as in 500m.")
        return nil
    }
}

extension ObjectReader {
    private mutating func misfit(_ tree: Tree, expected shape: Shape) -> Tree? {
        guard mode != .lenient else { return tree }
        let hint: String
        switch (shape, tree) {
        case (.string, .bool(let value)):
            hint = "Put it in quotes, as in \"\(value)\"; YAML reads y, yes, n, no, on and off as booleans too."
        case (.string, .integer), (.string, .double), (.string, .unsigned): hint = "Put the number in quotes."
        case (.list, .object): hint = "Begin each entry with a dash."
        case (.list, _): hint = "Write a list, with a dash before each entry."
        case (.object, .array), (.map, .array): hint = "Write one map here, without dashes."
        case (.integer, .string): hint = "Write the number without quotes."
        default: hint = "Write \(shape.kindName) here."
        }
        problems.unreadable(path, "must be \(shape.kindName), not \(tree.kindName)", hint: hint)
        return nil
    }

    private mutating func reportUnknown(_ name: String, among shape: ObjectShape) {
        problems.unreadable(
            path, "unknown field \(quoted(name))", hint: unknownFieldHint(name, among: shape.names))
    }

    /// Exported objects carry these; declaring them would claim what the server writes (rule D25).
    private mutating func reportServerOwned(_ value: Tree) {
        guard mode != .lenient, !value.isEmpty else { return }
        problems.warn(path, "is written by the API server and is left out", hint: "Delete it from the manifest.")
    }
}

private func unknownFieldHint(_ name: String, among known: [String]) -> String {
    if name == "$patch" || name == "$retainKeys" || name.hasPrefix("$setElementOrder") {
        return "This is a kustomize patch: commit what kustomize build makes of it, or move it out of the policy path."
    }
    if let near = nearest(to: name, among: known) { return "Did you mean \(near)?" }
    return "Delete it; known here: \(known.joined(separator: ", "))."
}

extension Shape {
    /// What the server reads where nothing stands.
    fileprivate var emptyValue: Tree {
        switch self {
        case .string, .quantity, .integerOrString: ""
        case .bool: false
        case .integer: 0
        case .anything: .null
        case .list: []
        case .map, .object: [:]
        }
    }

    /// The word a message uses for what is expected.
    fileprivate var kindName: String {
        switch self {
        case .string: "a string"
        case .bool: "a boolean"
        case .integer: "a whole number"
        case .quantity: "a quantity"
        case .integerOrString: "a whole number or a string"
        case .anything: "a value"
        case .list: "a list"
        case .map, .object: "a map"
        }
    }
}

extension Tree {
    /// Whether nothing is in it: null, `""`, `[]` or `{}`.
    var isEmpty: Bool {
        switch self {
        case .null: true
        case .string(let value): value.isEmpty
        case .array(let elements): elements.isEmpty
        case .object(let members): members.isEmpty
        case .bool, .integer, .unsigned, .double: false
        }
    }

    /// The strings of a list; what is no string is left out.
    var strings: [String] { (array ?? []).compactMap(\.string) }
}

extension String {
    /// Without spaces, tabs and line ends at both ends.
    var trimmingSpaces: String {
        let isSpace: (UInt8) -> Bool = { $0 == 0x20 || (0x09...0x0D).contains($0) }
        guard let first = utf8.firstIndex(where: { !isSpace($0) }), let last = utf8.lastIndex(where: { !isSpace($0) })
        else { return "" }
        return String(self[first...last])
    }
}
