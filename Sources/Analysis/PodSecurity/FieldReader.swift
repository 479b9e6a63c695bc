import Manifest

/// A field that holds something else than Kubernetes' type for it.
struct UnreadableField: Sendable {
    var path: FieldPath
    /// As in `is a string, not a boolean`.
    var problem: String
}

/// Reads fields with the types that Kubernetes gives them, and keeps what it cannot read.
///
/// As Go's decoder: null is the same as an absent field, and a null in a list is an empty element. A path is made only
/// where it is needed.
struct FieldReader {
    private(set) var unreadable: [UnreadableField] = []

    mutating func bool(_ key: String, of tree: Tree, at path: FieldPath) -> Bool? {
        read(key, of: tree, at: path, as: "a boolean", \.bool)
    }

    mutating func integer(_ key: String, of tree: Tree, at path: FieldPath) -> Int64? {
        read(key, of: tree, at: path, as: "a whole number") { value in
            if case .double(let number) = value { Int64(exactly: number) } else { value.integer }
        }
    }

    mutating func string(_ key: String, of tree: Tree, at path: FieldPath) -> String? {
        read(key, of: tree, at: path, as: "a string", \.string)
    }

    /// Gives the map itself, so that a missing one and an empty one differ.
    mutating func map(_ key: String, of tree: Tree, at path: FieldPath) -> Tree? {
        read(key, of: tree, at: path, as: "a map") { $0.members == nil ? nil : $0 }
    }

    /// The elements that are maps, with their places; a null counts as an empty map.
    mutating func maps(_ key: String, of tree: Tree, at path: FieldPath) -> [(index: Int, tree: Tree)] {
        var maps: [(index: Int, tree: Tree)] = []
        for (index, element) in list(key, of: tree, at: path).enumerated() {
            if element.members != nil || element.isNull {
                maps.append((index, element))
            } else {
                note(element, isNot: "a map", at: path.field(key).index(index))
            }
        }
        return maps
    }

    mutating func strings(_ key: String, of tree: Tree, at path: FieldPath) -> [String] {
        var strings: [String] = []
        for (index, element) in list(key, of: tree, at: path).enumerated() {
            if let text = element.isNull ? "" : element.string {
                strings.append(text)
            } else {
                note(element, isNot: "a string", at: path.field(key).index(index))
            }
        }
        return strings
    }

    private mutating func list(_ key: String, of tree: Tree, at path: FieldPath) -> [Tree] {
        read(key, of: tree, at: path, as: "a list", \.array) ?? []
    }

    private mutating func read<Value>(
        _ key: String, of tree: Tree, at path: FieldPath, as expected: String, _ convert: (Tree) -> Value?
    ) -> Value? {
        guard let found = tree[key], !found.isNull else { return nil }
        if let value = convert(found) { return value }
        note(found, isNot: expected, at: path.field(key))
        return nil
    }

    mutating func note(_ found: Tree, isNot expected: String, at path: FieldPath) {
        unreadable.append(UnreadableField(path: path, problem: "is \(found.kindName), not \(expected)"))
    }
}
