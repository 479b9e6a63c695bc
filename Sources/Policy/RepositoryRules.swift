import Manifest

/// What Bylaw asks of a manifest beyond what the API server asks.
struct RepositoryRules {
    let resource: Resource
    /// As written.
    let source: Tree
    /// In canonical form.
    let tree: Tree
    var problems: Problems

    mutating func apply() {
        checkName()
        checkScope()
        checkOwnership()
        // What no server could store is not looked at word by word: aliases make it larger than any file.
        guard checkSize() else { return }
        switch resource.kind {
        case "Namespace": checkNamespace()
        case "ClusterRole": checkAggregation()
        case "NetworkPolicy": checkDirections()
        case "ServiceAccount": checkSecrets()
        default: break
        }
        checkBootstrapName()
        checkUnexpandedText(tree["metadata"]?["name"], at: .metadata.field("name"))
        for part in ["roleRef", "subjects", "rules", "spec"] {
            checkUnexpandedText(tree[part], at: .root.field(part))
        }
    }

    private mutating func checkName() {
        guard let prefix = source["metadata"]?["generateName"]?.string, !prefix.isEmpty else { return }
        let path = FieldPath.metadata.field("generateName")
        if tree["metadata"]?["name"] == nil {
            problems.refuse(
                path, "a declared object needs a fixed name, so that the next commit means the same object",
                hint: "Write metadata.name instead.")
        } else {
            problems.warn(path, "has no effect beside name and is left out", hint: "Delete it.")
        }
    }

    private mutating func checkScope() {
        let path = FieldPath.metadata.field("namespace")
        let written = source["metadata"]?["namespace"] ?? .null
        // What is no text has been reported already.
        guard written.isNull || written.string != nil else { return }
        let namespace = written.string ?? ""
        if resource.isNamespaced {
            guard namespace.isEmpty else { return }
            problems.refuse(
                path, "Required value: a \(resource.kind) lives in a namespace",
                hint: "Write metadata.namespace; where kustomize sets it, commit what kustomize build makes of it.")
        } else if !namespace.isEmpty {
            problems.warn(
                path,
                "a \(resource.kind) lives in no namespace, so the server drops this (it covers the whole cluster)",
                hint: "Delete it.")
        }
    }

    private mutating func checkOwnership() {
        let metadata = source["metadata"]
        if metadata?["ownerReferences"]?.isEmpty == false {
            problems.refuse(
                .metadata.field("ownerReferences"),
                "an object with an owner is deleted with that owner, so it cannot be declared",
                hint: "Delete ownerReferences.")
        }
        if metadata?["finalizers"]?.isEmpty == false {
            problems.refuse(
                .metadata.field("finalizers"), "a finalizer would keep the object from being deleted again",
                hint: "Delete finalizers.")
        }
        for map in ["labels", "annotations"] {
            for (key, _) in metadata?[map]?.members ?? Members() where Self.isReserved(key, in: map) {
                problems.refuse(
                    .metadata.field(map).key(key),
                    "\(quoted(key)) is written by Bylaw itself, as its mark of ownership",
                    hint: nearest(to: key, among: ClusterAnnotations.all).map {
                        "Delete it, or write the annotation \($0)."
                    }
                        ?? "Delete it.")
            }
        }
        let applied = CanonicalMetadata.lastApplied
        if metadata?["annotations"]?[applied] != nil {
            problems.warn(
                .metadata.field("annotations").key(applied), "is written by kubectl and is left out",
                hint: "Delete it from the manifest.")
        }
    }

    private static func isReserved(_ key: String, in map: String) -> Bool {
        key.hasPrefix("bylaw.dev/") && !(map == "annotations" && ClusterAnnotations.all.contains(key))
    }

    /// The server writes this label itself, and policies trust it (rule E11).
    private mutating func checkNamespace() {
        let key = "kubernetes.io/metadata.name"
        guard let value = tree["metadata"]?["labels"]?[key]?.string, let name = tree["metadata"]?["name"]?.string,
            !value.hasSameBytes(as: name)
        else { return }
        problems.refuse(
            .metadata.field("labels").key(key),
            "must be the namespace's own name \(quoted(name)), not \(quoted(value))",
            hint: "Delete the label: the server writes it.")
    }

    /// Sent together they empty the role until the controller has filled it again (rule E12).
    private mutating func checkAggregation() {
        guard tree["aggregationRule"] != nil, source["rules"]?.isEmpty == false else { return }
        problems.refuse(
            .root.field("rules"), "the rules of a role with aggregationRule are written by the cluster",
            hint: "Delete rules, or delete aggregationRule; rules of its own belong into a role with one of its labels."
        )
    }

    /// The server takes them, but its apply knows secrets apart by their names only.
    private mutating func checkSecrets() {
        var seen: Set<String> = []
        for (secret, path) in ObjectValidator.elements(tree["secrets"], at: .root.field("secrets")) {
            let name = secret["name"]?.string ?? ""
            if name.isEmpty {
                problems.required(path.field("name"), hint: "Name the secret.")
            } else if !seen.insert(name).inserted {
                problems.duplicate(path.field("name"), name, hint: "Name each secret once.")
            }
        }
    }

    private mutating func checkSize() -> Bool {
        guard tree.leastBytes > ManifestLimits.objectBytes else { return true }
        problems.tooLong(
            .root, maximumBytes: ManifestLimits.objectBytes, hint: "Split it into several objects.")
        return false
    }

    /// A direction that is written but not limited (rule E6).
    private mutating func checkDirections() {
        let types = tree["spec"]?["policyTypes"]?.strings ?? []
        for (name, type) in [("ingress", "Ingress"), ("egress", "Egress")] where !types.contains(type) {
            guard let rules = source["spec"]?[name]?.array else { continue }
            let path = FieldPath.spec.field(name)
            if rules.isEmpty {
                problems.warn(
                    path, "denies no \(name): policyTypes does not name \(type)",
                    hint: "Add \(type) to policyTypes to deny it, or delete the empty list.")
            } else {
                problems.warn(
                    path, "has no effect: policyTypes does not name \(type)",
                    hint: "Add \(type) to policyTypes, or delete the rules.")
            }
        }
    }

    /// The API server puts missing rules of its own roles back at each start (rule E13).
    private mutating func checkBootstrapName() {
        let name = tree["metadata"]?["name"]?.string ?? ""
        let isRole = ["Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"].contains(resource.kind)
        let isUserFacing = ["admin", "edit", "view", "cluster-admin"].contains(name) && resource.kind == "ClusterRole"
        let isBinding = name == "cluster-admin" && resource.kind == "ClusterRoleBinding"
        guard isRole, name.hasPrefix("system:") || isUserFacing || isBinding else { return }
        problems.warn(
            .metadata.field("name"),
            "\(resource.kind) \(quoted(name)) belongs to Kubernetes, which rewrites it at each start",
            hint: "Declare a role of your own under another name.")
    }

    private mutating func checkUnexpandedText(_ tree: Tree?, at path: FieldPath) {
        switch tree {
        case .string(let text):
            guard let hint = templateHint(for: text) else { return }
            problems.warn(path, "\(quoted(text)) looks like text that a template tool should have replaced", hint: hint)
        case .array(let elements):
            for (index, element) in elements.enumerated() { checkUnexpandedText(element, at: path.index(index)) }
        case .object(let members):
            for (key, value) in members { checkUnexpandedText(value, at: path.field(key)) }
        default: break
        }
    }
}

extension Tree {
    /// No more than the bytes of its JSON.
    fileprivate var leastBytes: Int {
        switch self {
        case .null, .bool: 4
        case .integer, .unsigned, .double: 1
        case .string(let text): text.utf8.count + 2
        case .array(let elements): elements.reduce(2) { $0 + $1.leastBytes + 1 }
        case .object(let members): members.reduce(2) { $0 + $1.key.utf8.count + $1.value.leastBytes + 4 }
        }
    }
}
