package import Manifest

/// A document that changes an object of an earlier folder instead of declaring one: an RFC 7386 merge patch.
///
/// What it leads to can only be judged together with that object, so it keeps its places.
package struct PatchDeclaration: Sendable {
    /// The object that it changes.
    package var id: ObjectID
    package var origin: Origin
    package var position: SourcePosition
    package var selection: ClusterSelection?
    /// As written, without Bylaw's own annotations; nil where the patch itself has errors.
    package var tree: Tree?
    private let document: ParsedDocument
    private let base: FieldPath

    /// - Parameter base: Where in its document the patch stands: the root, or an item of a list.
    init(
        id: ObjectID, origin: Origin, position: SourcePosition, selection: ClusterSelection?, tree: Tree?,
        document: ParsedDocument, base: FieldPath
    ) {
        self.id = id
        self.origin = origin
        self.position = position
        self.selection = selection
        self.tree = tree
        self.document = document
        self.base = base
    }

    func position(of path: FieldPath) -> SourcePosition {
        document.marks.position(of: FieldPath(base.steps + path.steps), in: document.tree)
    }

    /// The places where the patch removes what `target` does not have.
    func emptyRemovals(from target: Tree) -> [FieldPath] {
        guard let tree, let shape = id.resource.flatMap(KindSchema.shape) else { return [] }
        return removals(tree, target, shape: .object(shape), at: .root)
    }

    private func removals(_ patch: Tree, _ target: Tree?, shape: Shape?, at path: FieldPath) -> [FieldPath] {
        (patch.members ?? Members()).flatMap { key, change -> [FieldPath] in
            let (path, inner) =
                switch shape {
                case .map(let element): (path.key(key), Optional(element))
                case .object(let object): (path.field(key), object.fields[key]?.shape)
                default: (path.field(key), nil)
                }
            if change.isNull { return target?[key] == nil ? [path] : [] }
            return removals(change, target?[key], shape: inner, at: path)
        }
    }
}

/// Reads a patch by the schema of the object that it changes, as far as that can be done without the object.
func evaluatePatch(_ source: Tree, as resource: Resource) -> (id: ObjectID?, problems: Problems) {
    var reader = ObjectReader(mode: .patch)
    if let shape = KindSchema.shape(of: resource) { _ = reader.read(source, as: .object(shape)) }
    var problems = reader.problems
    let path = ClusterAnnotations.patch
    if let value = source["metadata"]?["annotations"]?[path], value.string != "merge" {
        problems.unsupported(
            .metadata.field("annotations").key(path), value.string ?? "", supported: ["merge"],
            hint: "Write merge, or delete the annotation where the document declares a whole object.")
    }
    let metadata = source["metadata"]
    let name = metadata?["name"]?.string ?? ""
    let namespace = metadata?["namespace"]?.string ?? ""
    if name.isEmpty {
        problems.required(.metadata.field("name"), "a patch names the object that it changes", hint: "Write it.")
    }
    if resource.isNamespaced, namespace.isEmpty {
        problems.required(
            .metadata.field("namespace"), "a patch names the object that it changes, with its namespace",
            hint: "Write metadata.namespace.")
    }
    return (name.isEmpty ? nil : ObjectID(resource, namespace: namespace, name: name), problems)
}

/// How far a path leads in a value, and whether what stands there decides about it.
struct PathReach {
    /// How many steps can be taken.
    var depth: Int
    /// Whether the path leads to its end, or into a list or plain value, which a patch replaces whole.
    var isDecided: Bool

    init(of path: FieldPath, in tree: Tree) {
        var current = tree
        depth = 0
        isDecided = true
        for step in path.steps {
            switch (step, current) {
            case (.field(let name), .object(let members)), (.key(let name), .object(let members)):
                guard let next = members[name] else {
                    isDecided = false
                    return
                }
                current = next
            case (.index(let index), .array(let elements)) where elements.indices.contains(index):
                return
            default: return
            }
            depth += 1
        }
    }
}
