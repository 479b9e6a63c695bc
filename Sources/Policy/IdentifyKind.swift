import Manifest

/// What kind of thing a document is.
enum DocumentKind {
    case object(Resource)
    /// A list of objects; of one kind where its name says so.
    case list(of: Resource?)
    /// An object of a kind that Bylaw does not manage, where such kinds are accepted.
    case other(EvaluatedObject)
    case none(Problem)
}

/// - Parameter listed: The kind of the list that the tree is an item of: the items of a typed list need not repeat it.
func identifyKind(of tree: Tree, listed: Resource?) -> DocumentKind {
    guard let members = tree.members else {
        return .none(
            Problem(
                path: .root, message: "must be a Kubernetes object, not \(tree.kindName)",
                hint: "Write apiVersion, kind and metadata, or move the file out of the policy path."))
    }
    if let listed, members["apiVersion"] == nil, members["kind"] == nil { return .object(listed) }
    guard let kind = members["kind"]?.string, !kind.isEmpty else { return .none(missing("kind", in: members)) }
    guard let version = members["apiVersion"]?.string, !version.isEmpty else {
        return .none(missing("apiVersion", in: members, kind: kind))
    }
    if kind == "List", version == "v1" { return .list(of: nil) }
    if let resource = Resource.managed.first(where: { $0.kind == kind && $0.apiVersion == version }) {
        return .object(resource)
    }
    if let items = Resource.managed.first(where: { "\($0.kind)List" == kind && $0.apiVersion == version }) {
        return .list(of: items)
    }
    return .none(unmanaged(kind: kind, version: version))
}

private func missing(_ field: String, in members: Members, kind: String = "") -> Problem {
    let path = FieldPath.root.field(field)
    if let value = members[field], !value.isNull, value.string == nil {
        return Problem(path: path, message: "must be a string, not \(value.kindName)", hint: "Write it as a string.")
    }
    let hint: String
    if let resource = Resource.managed.first(where: { $0.kind == kind }) {
        hint = "Write apiVersion: \(resource.apiVersion)."
    } else if let near = nearest(to: field, among: members.keys) {
        hint = "Did you mean \(field) instead of \(near)?"
    } else {
        hint = "Write it, or move what is no Kubernetes object (such as values of a chart) out of the policy path."
    }
    return Problem(path: path, message: "Required value: an object needs \(field)", hint: hint)
}

private func unmanaged(kind: String, version: String) -> Problem {
    let kinds = Resource.managed.map(\.kind)
    let named = Resource.managed.first { $0.kind == kind }
    let group = version.split(separator: "/").count == 2 ? String(version.prefix { $0 != "/" }) : ""
    if let named, named.group == group || legacyGroups.contains(group) || version == "v1" {
        return Problem(
            path: .root.field("apiVersion"), message: "no kind \(kind) in \(quoted(version))",
            hint: "Write apiVersion: \(named.apiVersion).")
    }
    let hint: String
    if version.hasPrefix("bylaw.dev/") {
        hint = "Bylaw reads apiVersion bylaw.dev/v1 and kind Configuration, in bylaw.yaml."
    } else if version.hasPrefix("kustomize.config.k8s.io/") {
        hint = "Bylaw does not run kustomize: commit what kustomize build makes of it."
    } else if named == nil, let near = nearest(to: kind, among: kinds + kinds.map { "\($0)List" } + ["List"]) {
        hint = "Did you mean \(near)?"
    } else {
        hint = "Move it out of the policy path; Bylaw manages \(kinds.joined(separator: ", "))."
    }
    return Problem(
        path: .root.field("kind"),
        message: "\(kind) in \(quoted(version)) is not a kind that Bylaw manages", hint: hint)
}

/// Groups that once served what another group serves now.
private let legacyGroups: Set<String> = ["extensions"]
