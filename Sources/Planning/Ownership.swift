package import Manifest

/// How an object says which instance it belongs to.
///
/// A label names the instance, and an annotation holds a digest of instance, kind, namespace and name. A copied object
/// carries a digest that does not fit its new name, so a copy is told from the original. Both can be forged by anybody
/// who may write the object: a marker is a hint, and never by itself a reason to delete (rule H4).
package struct Ownership: Sendable {
    package static let instanceLabel = "bylaw.dev/instance"
    package static let identityAnnotation = "bylaw.dev/id"

    package var instance: String
    /// The digest of a text; given from outside because this module does no cryptography.
    private let digest: @Sendable (String) -> String

    package init(instance: String, digest: @escaping @Sendable (String) -> String) {
        self.instance = instance
        self.digest = digest
    }

    /// What the identity annotation of this object must hold.
    package func identity(of id: ObjectID) -> String {
        // Names hold no line feed, so the text is unambiguous.
        digest("\(instance)\n\(id.group)\n\(id.kind)\n\(id.namespace)\n\(id.name)")
    }

    /// The declared object with our marker: what is sent to the server and compared with it.
    package func marked(_ tree: Tree, id: ObjectID) -> Tree {
        var tree = tree
        tree.set(["metadata", "labels", Self.instanceLabel], to: .string(instance))
        tree.set(["metadata", "annotations", Self.identityAnnotation], to: .string(identity(of: id)))
        return tree
    }

    /// What an object's marker says.
    package enum Claim: Equatable, Sendable {
        case unmarked
        case ours
        /// Our label, but an identity that belongs to another object: a copy.
        case copied
        case another(instance: String)
    }

    package func claim(of live: LiveObject) -> Claim {
        guard let label = live.label(Self.instanceLabel) else { return .unmarked }
        guard label.hasSameBytes(as: instance) else { return .another(instance: label) }
        return live.annotation(Self.identityAnnotation) == identity(of: live.id) ? .ours : .copied
    }
}
