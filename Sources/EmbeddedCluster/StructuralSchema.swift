package import Manifest

/// A schema as a CustomResourceDefinition has one, as far as the project's own uses it.
///
/// What it does not imitate it refuses to be made of (``unknownKeywords``), so that nothing passes unseen.
package struct StructuralSchema: Sendable {
    package struct Problem: Equatable, Sendable {
        package var path: String
        package var message: String
    }

    private let tree: Tree

    package init(_ tree: Tree) { self.tree = tree }

    private static let keywords: Set<String> = [
        "description", "type", "format", "properties", "items", "required", "enum", "maxLength", "minLength", "pattern",
        "minimum", "maxItems", "x-kubernetes-list-type", "x-kubernetes-list-map-keys",
    ]
    /// Members that every object has, whatever its schema says.
    private static let ofEveryObject = ["apiVersion", "kind", "metadata"]

    /// What stands in it and is not imitated.
    package var unknownKeywords: [String] {
        guard let members = tree.members else { return ["(a schema that is no map)"] }
        return members.keys.filter { !Self.keywords.contains($0) } + children.flatMap(\.unknownKeywords)
    }

    private var children: [StructuralSchema] {
        (tree["properties"]?.members ?? Members()).map { StructuralSchema($0.value) }
            + (tree["items"].map { [StructuralSchema($0)] } ?? [])
    }

    // MARK: Pruning

    /// An object without what the schema does not know.
    package func pruned(object: Tree) -> Tree {
        var result = pruned(object)
        for member in Self.ofEveryObject { result.set([member], to: object[member]) }
        return result
    }

    private func pruned(_ value: Tree) -> Tree {
        switch value {
        case .object(let members):
            var kept = Members()
            for (key, child) in members {
                guard let schema = tree["properties"]?[key] else { continue }
                kept[key] = StructuralSchema(schema).pruned(child)
            }
            return .object(kept)
        case .array(let elements):
            guard let items = tree["items"] else { return value }
            return .array(elements.map { StructuralSchema(items).pruned($0) })
        default: return value
        }
    }

    // MARK: Validation

    /// What the server would refuse of an object.
    package func problems(of value: Tree, at path: String = "") -> [Problem] {
        guard hasType(of: value) else {
            return [Problem(path: path, message: "must be of type \(tree["type"]?.string ?? "")")]
        }
        switch value {
        case .object(let members):
            let missing = (tree["required"]?.array ?? []).compactMap(\.string).filter { members[$0] == nil }
            return missing.map { Problem(path: joined(path, $0), message: "Required value") }
                + members.flatMap { key, child in
                    tree["properties"]?[key].map {
                        StructuralSchema($0).problems(of: child, at: joined(path, key))
                    } ?? []
                }
        case .array(let elements): return problems(of: elements, at: path)
        case .string(let text): return problems(of: text, at: path)
        default:
            guard let minimum = tree["minimum"]?.integer, let number = value.integer, number < minimum else {
                return []
            }
            return [Problem(path: path, message: "should be greater than or equal to \(minimum)")]
        }
    }

    private func hasType(of value: Tree) -> Bool {
        switch tree["type"]?.string {
        case "object": value.members != nil
        case "array": value.array != nil
        case "string": value.string != nil
        case "integer": value.integer != nil
        case "boolean": value.bool != nil
        default: false
        }
    }

    private func problems(of elements: [Tree], at path: String) -> [Problem] {
        var problems: [Problem] = []
        if let limit = tree["maxItems"]?.integer, elements.count > limit {
            problems.append(Problem(path: path, message: "must have at most \(limit) items"))
        }
        if tree["x-kubernetes-list-type"] == "map" {
            let keys = (tree["x-kubernetes-list-map-keys"]?.array ?? []).compactMap(\.string)
            let identities = elements.map { element in keys.map { element[$0] ?? .null } }
            if Set(identities).count < elements.count {
                problems.append(Problem(path: path, message: "Duplicate value"))
            }
        }
        guard let items = tree["items"] else { return problems }
        return problems
            + elements.enumerated().flatMap { index, element in
                StructuralSchema(items).problems(of: element, at: "\(path)[\(index)]")
            }
    }

    private func problems(of text: String, at path: String) -> [Problem] {
        var problems: [Problem] = []
        func refuse(_ message: String) { problems.append(Problem(path: path, message: message)) }
        let length = text.unicodeScalars.count
        if let limit = tree["maxLength"]?.integer, length > limit {
            refuse("Too long: may not be longer than \(limit)")
        }
        if let limit = tree["minLength"]?.integer, length < limit { refuse("should be at least \(limit) chars long") }
        if let allowed = tree["enum"]?.array, !allowed.contains(.string(text)) {
            refuse("Unsupported value: \"\(text)\"")
        }
        if tree["format"] == "date-time", Timestamp(text) == nil { refuse("must be of type date-time: \"\(text)\"") }
        if let pattern = tree["pattern"]?.string, !matches(text, pattern) { refuse("should match '\(pattern)'") }
        return problems
    }

    /// A pattern that cannot be read lets nothing through.
    private func matches(_ text: String, _ pattern: String) -> Bool {
        guard let regex = try? Regex(pattern) else { return false }
        return text.firstMatch(of: regex) != nil
    }

    private func joined(_ path: String, _ member: String) -> String { path.isEmpty ? member : "\(path).\(member)" }
}
