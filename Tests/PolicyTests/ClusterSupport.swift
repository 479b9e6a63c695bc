import JSON
import Manifest
import Policy
import Testing

/// What the files of a repository amount to; its configuration is the one in `bylaw.yaml`.
func repository(_ verdicts: [FileVerdict], otherFiles: [String] = []) -> RepositoryAssembly {
    let configuration = verdicts.first { $0.file == "bylaw.yaml" }?.configuration
    let layout = RepositoryLayout(configuration: configuration, paths: verdicts.map(\.file) + otherFiles)
    return RepositoryAssembly(verdicts, in: layout)
}

/// The configuration of a repository for some clusters.
func clusterList(_ clusters: Tree...) -> FileVerdict {
    evaluate(
        ["apiVersion": "bylaw.dev/v1", "kind": "Configuration", "clusters": .array(clusters)], file: "bylaw.yaml")
}

/// What a file with this JSON amounts to, with the places of its values.
func evaluate(json: String, file: String) -> FileVerdict {
    evaluateDocuments(parseJSONDocument(Array(json.utf8)), file: file)
}

extension RepositoryAssembly {
    /// What a cluster gets of one kind of object, by name.
    func trees(for cluster: String?) -> [String: Tree] {
        Dictionary(uniqueKeysWithValues: state(for: cluster).state.objects.map { ($0.key.name, $0.value.tree) })
    }

    func messages(for cluster: String?, _ severity: Finding.Severity = .error) -> [String] {
        state(for: cluster).findings.filter { $0.severity == severity }.map { "\($0.file): \($0.path): \($0.message)" }
    }
}

extension Tree {
    /// The same with an annotation.
    func annotated(_ name: String, _ value: Tree) -> Tree { setting(["metadata", "annotations", name], to: value) }

    /// The same as a merge patch.
    var asPatch: Tree { annotated("bylaw.dev/patch", "merge") }

    static func namespace(_ name: String, labels: [String: String] = [:]) -> Tree {
        let tree = Tree.manifest(.namespace, name: name)
        guard !labels.isEmpty else { return tree }
        return tree.setting(["metadata", "labels"], to: .object(Members(labels.map { ($0, .string($1)) })))
    }
}
