import Manifest
import Policy

/// What the server fills in and refuses for its kinds, by the project's own model of it.
enum Admission {
    /// Fills in the server's defaults, outside the metadata and the status (rule E7).
    static func defaulted(_ tree: Tree, _ resource: Resource) -> Tree {
        // Admission policies are taken as they come: ours are sent with the server's defaults.
        guard Resource.managed.contains(resource) else { return tree }
        let canonical = canonicalLive(tree, of: resource)
        var result = tree
        for (key, value) in canonical.members ?? Members()
        where !["metadata", "status", "apiVersion", "kind"].contains(key) {
            result.set([key], to: value)
        }
        for list in ["ingress", "egress"] where canonical["spec"]?[list] == nil && resource == .networkPolicy {
            result.set(["spec", list], to: nil)
        }
        // What is empty is not stored.
        for field in ["labels", "annotations", "finalizers", "ownerReferences"] {
            let value = result["metadata"]?[field]
            if value?.members?.isEmpty == true || value?.array?.isEmpty == true {
                result.set(["metadata", field], to: nil)
            }
        }
        if resource == .namespace {
            result.set(["spec", "finalizers"], to: ["kubernetes"])
            if result["status"] == nil { result.set(["status"], to: ["phase": "Active"]) }
            if let name = result["metadata"]?["name"] {
                result.set(["metadata", "labels", "kubernetes.io/metadata.name"], to: name)
            }
        }
        return result
    }

    /// Refuses what the server would refuse.
    ///
    /// - Parameter isApply: An unknown field or wrong type in an apply is answered with 500 and no reason (rule D20).
    static func validate(_ tree: Tree, _ resource: Resource, isApply: Bool) throws(Refusal) {
        if resource == .lease { try validateLease(tree) }
        guard Resource.managed.contains(resource) else { return }
        var tree = tree
        // The repository's own rules speak of these; the server does not.
        for label in tree["metadata"]?["labels"]?.members?.keys ?? []
        where label.hasPrefix("bylaw.dev/") || label == "kubernetes.io/metadata.name" {
            tree.set(["metadata", "labels", label], to: nil)
        }
        for key in tree["metadata"]?["annotations"]?.members?.keys ?? [] where key.hasPrefix("bylaw.dev/") {
            tree.set(["metadata", "annotations", key], to: nil)
        }
        for field in ["managedFields", "ownerReferences", "finalizers", "resourceVersion", "uid"] {
            tree.set(["metadata", field], to: nil)
        }
        if tree["aggregationRule"] != nil { tree.set(["rules"], to: nil) }
        let marks = SourceMarks(position: SourcePosition(line: 1, column: 1))
        let verdict = evaluateDocuments(
            ParsedStream(documents: [ParsedDocument(tree: tree, marks: marks)]), file: "request.yaml")
        let errors = verdict.findings.filter { $0.severity == .error }
        guard !errors.isEmpty else { return }
        let name = tree["metadata"]?["name"]?.string ?? ""
        if isApply,
            let first = errors.first(where: {
                $0.message.lowercased().contains("unknown field") || $0.message.contains("must be")
                    || $0.message.contains("not a quantity")
            })
        {
            throw Refusal(
                500, reason: "",
                "failed to create typed patch object: .\(first.path): \(first.message): field not declared in schema",
                hasDetails: false)
        }
        throw Refusal.invalid(resource, name, errors.map { ("FieldValueInvalid", $0.message, $0.path.description) })
    }

    /// Fields that cannot be changed (rules F1 and F5).
    static func validateUpdate(from old: Tree, to new: Tree, _ resource: Resource) throws(Refusal) {
        let name = new["metadata"]?["name"]?.string ?? ""
        if resource == .roleBinding || resource == .clusterRoleBinding, old["roleRef"] != new["roleRef"] {
            throw Refusal.invalid(
                resource, name, [("FieldValueInvalid", "Invalid value: cannot change roleRef", "roleRef")])
        }
        if resource == .resourceQuota, old["spec"]?["scopes"] != new["spec"]?["scopes"] {
            throw Refusal.invalid(
                resource, name, [("FieldValueInvalid", "Invalid value: field is immutable", "spec.scopes")])
        }
    }
}
