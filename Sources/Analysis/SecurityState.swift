package import Manifest
package import Policy

/// One object that an analysis looks at.
package struct StateObject: Sendable {
    package var id: ObjectID
    /// As it was written or as the server holds it; what the server would fill in may be missing.
    package var tree: Tree
    /// Where it is declared; nil where it comes from a cluster.
    package var origin: Origin?

    package init(id: ObjectID, tree: Tree, origin: Origin? = nil) {
        self.id = id
        self.tree = tree
        self.origin = origin
    }

    /// The labels of the object itself.
    package var labels: Labels { Labels(tree["metadata"]?["labels"]) }
}

/// The objects whose meaning is analysed together: what a revision declares, what a cluster holds, or both.
///
/// Kinds that no analysis knows may be there and change nothing.
package struct SecurityState: Sendable {
    package private(set) var objects: [ObjectID: StateObject]

    package init(_ objects: some Sequence<StateObject> = []) {
        self.objects = [:]
        for object in objects { self.objects[object.id] = object }
    }

    /// What a revision declares.
    package init(_ declared: DeclaredState) {
        objects = declared.objects.mapValues { StateObject(id: $0.id, tree: $0.tree, origin: $0.origin) }
    }

    /// What a cluster holds.
    package init(live: [ObjectID: LiveObject]) {
        objects = live.mapValues { StateObject(id: $0.id, tree: $0.tree) }
    }

    package subscript(id: ObjectID) -> StateObject? {
        get { objects[id] }
        set { objects[id] = newValue }
    }

    /// All objects of a kind, in the byte order of namespace and name.
    package func all(_ resource: Resource) -> [StateObject] {
        objects.values.filter { $0.id.kind == resource.kind && $0.id.group == resource.group }
            .sorted { $0.id < $1.id }
    }
}
