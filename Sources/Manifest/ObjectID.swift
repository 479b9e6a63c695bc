/// Which object is meant: group, kind, namespace and name, never the version (rule B4).
package struct ObjectID: Hashable, Sendable {
    package var group: String
    package var kind: String
    /// Empty for an object of the whole cluster.
    package var namespace: String
    package var name: String

    package init(group: String, kind: String, namespace: String, name: String) {
        self.group = group
        self.kind = kind
        self.namespace = namespace
        self.name = name
    }

    /// Drops a namespace that was given for an object of the whole cluster, as the API server does (rule G7).
    package init(_ resource: Resource, namespace: String = "", name: String) {
        self.init(
            group: resource.group, kind: resource.kind, namespace: resource.isNamespaced ? namespace : "", name: name)
    }

    /// The managed kind of this object, or nil where Bylaw does not manage its kind.
    package var resource: Resource? { Resource.managed(group: group, kind: kind) }

    /// By bytes, as the API server tells names apart: RBAC names may hold any character, and two spellings of one are
    /// two objects.
    package static func == (left: ObjectID, right: ObjectID) -> Bool {
        left.name.hasSameBytes(as: right.name) && left.namespace.hasSameBytes(as: right.namespace)
            && left.kind.hasSameBytes(as: right.kind) && left.group.hasSameBytes(as: right.group)
    }

    /// The namespace that this object lives in or is, or empty for the other objects of the whole cluster.
    package var scopeNamespace: String { group.isEmpty && kind == "Namespace" ? name : namespace }
}

extension ObjectID: Comparable {
    package static func < (left: ObjectID, right: ObjectID) -> Bool {
        for (left, right) in [
            (left.group, right.group), (left.kind, right.kind), (left.namespace, right.namespace),
            (left.name, right.name),
        ] where !left.hasSameBytes(as: right) {
            return left.precedesByBytes(right)
        }
        return false
    }
}

extension ObjectID: CustomStringConvertible {
    /// `Role team-a/reader` or `ClusterRole auditor`, as messages and tables show it.
    package var description: String { namespace.isEmpty ? "\(kind) \(name)" : "\(kind) \(namespace)/\(name)" }
}
