import Manifest
import Policy

/// What a file with these documents amounts to; all of them stand at line 1.
func evaluate(_ documents: Tree..., file: String = "policy.yaml") -> FileVerdict {
    let marks = SourceMarks(position: SourcePosition(line: 1, column: 1))
    return evaluateDocuments(
        ParsedStream(documents: documents.map { ParsedDocument(tree: $0, marks: marks) }), file: file)
}

extension FileVerdict {
    var errors: [Finding] { findings.filter { $0.severity == .error } }
    var warnings: [Finding] { findings.filter { $0.severity == .warning } }

    /// The errors as `path: message`, as the API server prints them.
    var errorTexts: [String] { errors.map { "\($0.path): \($0.message)" } }

    /// The canonical form of the only object.
    var onlyTree: Tree? { declarations.count == 1 ? declarations[0].tree : nil }
}

extension Tree {
    /// A manifest of a managed kind with a name, a namespace where it needs one, and further fields.
    static func manifest(
        _ resource: Resource, name: String = "example", namespace: String = "team-a", _ fields: [String: Tree] = [:]
    ) -> Tree {
        var metadata: Tree = ["name": .string(name)]
        if resource.isNamespaced { metadata.set(["namespace"], to: .string(namespace)) }
        var tree: Tree = [
            "apiVersion": .string(resource.apiVersion), "kind": .string(resource.kind), "metadata": metadata,
        ]
        for (key, value) in fields { tree.set([key], to: value) }
        return tree
    }

    static func networkPolicy(_ spec: Tree) -> Tree { manifest(.networkPolicy, ["spec": spec]) }

    func setting(_ keys: [String], to value: Tree?) -> Tree {
        var tree = self
        tree.set(keys, to: value)
        return tree
    }
}
