/// An object as the API server holds it.
package struct LiveObject: Sendable, Equatable {
    package let id: ObjectID
    package let uid: String
    /// Empty where any is meant: see ``inAnyVersion``.
    package private(set) var resourceVersion: String
    /// The whole object, with `apiVersion` and `kind` filled in even where it came from a typed list (rule B8).
    package let tree: Tree

    /// Reads the identity out of an object, or nil where it has no name, uid or resource version.
    ///
    /// - Parameter resource: Where it was read, which counts for more than the object's own `kind` (rule B8).
    package init?(_ tree: Tree, of resource: Resource) {
        guard let metadata = tree["metadata"], let name = metadata["name"]?.string,
            let uid = metadata["uid"]?.string, let version = metadata["resourceVersion"]?.string
        else { return nil }
        var tree = tree
        tree.set(["apiVersion"], to: .string(resource.apiVersion))
        tree.set(["kind"], to: .string(resource.kind))
        self.id = ObjectID(resource, namespace: metadata["namespace"]?.string ?? "", name: name)
        self.uid = uid
        self.resourceVersion = version
        self.tree = tree
    }

    /// The same object, for a write that is to land on it whatever has become of it meanwhile.
    package var inAnyVersion: LiveObject {
        var object = self
        object.resourceVersion = ""
        return object
    }

    package var metadata: Tree { tree["metadata"] ?? .object(Members()) }
    package func label(_ key: String) -> String? { metadata["labels"]?[key]?.string }
    package func annotation(_ key: String) -> String? { metadata["annotations"]?[key]?.string }
    /// Whether somebody asked for its deletion: it may go any moment, or hang on a finalizer.
    package var isTerminating: Bool { metadata["deletionTimestamp"]?.string != nil }
    /// What holds it until whoever set it lets go; a namespace has its own ones beside those of every object.
    package var finalizers: [String] {
        let own = id.resource == .namespace ? tree["spec"]?["finalizers"]?.array ?? [] : []
        return ((metadata["finalizers"]?.array ?? []) + own).compactMap(\.string)
    }

    /// The object without what only the server's bookkeeping needs: what the journal keeps and people compare.
    package var content: Tree {
        var content = tree
        content.set(["metadata", "managedFields"], to: nil)
        return content
    }
}
