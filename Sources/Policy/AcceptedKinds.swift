import Manifest

/// Which kinds of objects some files may hold.
package enum AcceptedKinds: Sendable, Hashable {
    /// Only those that Bylaw manages, by the rules of a policy repository.
    case managed
    /// Every kind, as manifests of applications and dumps of clusters hold them.
    ///
    /// Objects of the managed kinds are still judged as the API server would; of all others only the name is looked at.
    /// A namespaced object without a namespace gets the default one, as `kubectl` gives it.
    case any(defaultNamespace: String)

    func identify(_ tree: Tree, listed: Resource?) -> DocumentKind {
        let kind = identifyKind(of: tree, listed: listed)
        guard case .any(let defaultNamespace) = self, case .none = kind, let kindName = tree["kind"]?.string,
            let version = tree["apiVersion"]?.string, !kindName.isEmpty, !version.isEmpty
        else { return kind }
        if kindName.hasSuffix("List") || kindName == "ClusterSnapshot", tree["items"]?.array != nil {
            return .list(of: nil)
        }
        return .other(evaluateOther(tree, kind: kindName, version: version, defaultNamespace: defaultNamespace))
    }

    func evaluate(_ tree: Tree, as resource: Resource) -> EvaluatedObject {
        guard case .any(let defaultNamespace) = self else { return evaluateObject(tree, as: resource) }
        var tree = tree
        if resource.isNamespaced, tree["metadata"]?["namespace"]?.string ?? "" == "", tree["metadata"]?.members != nil {
            tree.set(["metadata", "namespace"], to: .string(defaultNamespace))
        }
        return evaluateObject(tree, as: resource, isDeclared: false)
    }
}

/// Kinds that live in a namespace and that an analysis looks at; of other kinds only a written namespace tells.
private let namespacedKinds: Set<String> = [
    "Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job", "CronJob", "Service",
]

private func evaluateOther(_ tree: Tree, kind: String, version: String, defaultNamespace: String) -> EvaluatedObject {
    var problems = Problems()
    let metadata = tree["metadata"]
    requireText(metadata?["name"], at: .metadata.field("name"), &problems)
    // A pod or job that is made from it gets a name of its own; the prefix stands for all of them.
    let name = [metadata?["name"], metadata?["generateName"]].lazy.compactMap { $0?.string }.first { !$0.isEmpty }
    guard let name else {
        problems.required(
            .metadata.field("name"), "an object needs a name",
            hint: "Name it, or leave the file out: it may be no Kubernetes object.")
        return EvaluatedObject(id: nil, tree: tree, problems: problems)
    }
    requireText(metadata?["namespace"], at: .metadata.field("namespace"), &problems)
    requireLabels(metadata?["labels"], at: .metadata.field("labels"), &problems)
    for path in [
        ["spec", "template", "metadata", "labels"], ["spec", "jobTemplate", "spec", "template", "metadata", "labels"],
    ] {
        requireLabels(tree[path], at: FieldPath(path.map { .field($0) }), &problems)
    }
    var namespace = metadata?["namespace"]?.string ?? ""
    if namespace.isEmpty, namespacedKinds.contains(kind) { namespace = defaultNamespace }
    let group = version.contains("/") ? String(version.prefix { $0 != "/" }) : ""
    return EvaluatedObject(
        id: ObjectID(group: group, kind: kind, namespace: namespace, name: name), tree: tree, problems: problems)
}

/// Whatever is missed here, such as a namespace that YAML reads as a boolean, would be looked for in the wrong place.
private func requireText(_ value: Tree?, at path: FieldPath, _ problems: inout Problems) {
    guard let value, !value.isNull, value.string == nil else { return }
    problems.unreadable(path, "must be a string, not \(value.kindName)", hint: "Put it in quotation marks.")
}

private func requireLabels(_ labels: Tree?, at path: FieldPath, _ problems: inout Problems) {
    for (key, value) in labels?.members ?? Members() { requireText(value, at: path.key(key), &problems) }
}
