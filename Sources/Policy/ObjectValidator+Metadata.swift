import Manifest

extension ObjectValidator {
    /// The bytes of all annotation keys and values together.
    private static let maximumAnnotationBytes = 256 * 1024

    mutating func validateMetadata() {
        let metadata = tree["metadata"] ?? [:]
        validateName(metadata["name"]?.string ?? "")
        if resource.isNamespaced, let namespace = metadata["namespace"]?.string {
            let path = FieldPath.metadata.field("namespace")
            for detail in Names.labelProblems(namespace) {
                problems.invalid(path, namespace, detail, hint: Self.nameHint(namespace))
            }
        }
        validateLabels(metadata["labels"], at: .metadata.field("labels"))
        validateAnnotations(metadata["annotations"]?.members ?? Members())
        validateOwners(metadata["ownerReferences"])
        for (finalizer, path) in Self.elements(metadata["finalizers"], at: .metadata.field("finalizers")) {
            for detail in Names.qualifiedNameProblems(finalizer.string ?? "") {
                problems.invalid(
                    .metadata.field("finalizers"), finalizer.string ?? "", detail, hint: "Delete the finalizer.",
                    place: path)
            }
        }
    }

    private mutating func validateName(_ name: String) {
        let path = FieldPath.metadata.field("name")
        guard !name.isEmpty else {
            // A generated name is the repository's rule to refuse; the server takes it.
            guard (tree["metadata"]?["generateName"]?.string ?? "").isEmpty else { return }
            problems.required(path, "name or generateName is required", hint: "Give the object a name.")
            return
        }
        let details =
            switch resource.kind {
            case "Namespace": Names.labelProblems(name)
            case "Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding": Names.pathSegmentProblems(name)
            default: Names.subdomainProblems(name)
            }
        for detail in details { problems.invalid(path, name, detail, hint: Self.nameHint(name)) }
    }

    private static func nameHint(_ name: String) -> String {
        templateHint(for: name) ?? "Rename it to lower case letters, digits and hyphens."
    }

    /// Checks a map of labels, of an object or of a selector; the path is that of the map, as on the server.
    mutating func validateLabels(_ labels: Tree?, at path: FieldPath) {
        for (key, value) in labels?.members ?? Members() {
            validateLabelKey(key, at: path, place: path.key(key))
            validateLabelValue(value.string ?? "", at: path, place: path.key(key))
        }
    }

    mutating func validateLabelKey(_ key: String, at path: FieldPath, place: FieldPath? = nil) {
        for detail in Names.qualifiedNameProblems(key) {
            let hint = templateHint(for: key) ?? "Write the key as name or prefix/name, as in example.com/team."
            problems.invalid(path, key, detail, hint: hint, place: place)
        }
    }

    mutating func validateLabelValue(_ value: String, at path: FieldPath, place: FieldPath? = nil) {
        for detail in Names.labelValueProblems(value) {
            let hint =
                templateHint(for: value) ?? "Shorten or rewrite the value, or use an annotation, which takes any text."
            problems.invalid(path, value, detail, hint: hint, place: place)
        }
    }

    private mutating func validateAnnotations(_ annotations: Members) {
        let path = FieldPath.metadata.field("annotations")
        var bytes = 0
        for (key, value) in annotations {
            bytes += key.utf8.count + (value.string?.utf8.count ?? 0)
            for detail in Names.qualifiedNameProblems(key.lowercased()) {
                problems.invalid(
                    path, key, detail, hint: "Write the key as name or prefix/name, as in example.com/owner.",
                    place: path.key(key))
            }
        }
        guard bytes > Self.maximumAnnotationBytes else { return }
        problems.tooLong(
            path, maximumBytes: Self.maximumAnnotationBytes,
            hint: "Keep long texts in the repository, not in annotations.")
    }

    private mutating func validateOwners(_ owners: Tree?) {
        let path = FieldPath.metadata.field("ownerReferences")
        var controllers = 0
        for (owner, place) in Self.elements(owners, at: path) {
            let version = owner["apiVersion"]?.string ?? ""
            let wanted = [
                ("apiVersion", version.hasSuffix("/") ? "" : version, "version must not be empty"),
                ("kind", owner["kind"]?.string ?? "", "must not be empty"),
                ("name", owner["name"]?.string ?? "", "must not be empty"),
                ("uid", owner["uid"]?.string ?? "", "must not be empty"),
            ]
            for (name, value, detail) in wanted where value.isEmpty {
                problems.invalid(
                    path.field(name), value, detail, hint: "Delete the owner reference.", place: place.field(name))
            }
            if version == "v1", owner["kind"]?.string == "Event" {
                problems.invalid(
                    path, "v1 Event", "is disallowed from being an owner", hint: "Delete the owner reference.",
                    place: place)
            }
            if owner["controller"]?.bool == true { controllers += 1 }
        }
        guard controllers > 1 else { return }
        problems.invalid(
            path, "\(controllers) controllers", "Only one reference can have Controller set to true",
            hint: "Delete the owner references.")
    }
}

/// What to do about text that a template tool should have replaced, or nil where it is none.
func templateHint(for text: String) -> String? {
    // Nearly every text of a manifest ends here.
    guard text.utf8.contains(where: { $0 == UInt8(ascii: "{") || $0 == UInt8(ascii: "$") }) else { return nil }
    if text.contains("{{") {
        return "This is a Helm template: commit what helm template makes of it, or move it out of the policy path."
    }
    if let start = text.firstRange(of: "$("), text[start.upperBound...].contains(")") {
        return "This is a kustomize variable: commit what kustomize build makes of it."
    }
    if let start = text.firstRange(of: "${"), text[start.upperBound...].contains("}") {
        return "This is a variable that nothing fills in: write its value."
    }
    return nil
}
