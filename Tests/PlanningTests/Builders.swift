import Manifest
import Planning
import Policy
import Testing

/// Objects for the tests of this module, as the server would hold them and as a repository would declare them.
enum Build {
    static let ownership = Ownership(instance: "test") {
        "digest of \($0.split(separator: "\n").joined(separator: "/"))"
    }
    static var context: DecisionContext { DecisionContext(ownership: ownership, fieldManager: "bylaw-test") }

    static func id(of tree: Tree) throws -> ObjectID {
        let apiVersion = try #require(tree["apiVersion"]?.string)
        let group = apiVersion.contains("/") ? String(apiVersion.prefix { $0 != "/" }) : ""
        let resource = try #require(Resource.managed(group: group, kind: tree["kind"]?.string ?? ""))
        return ObjectID(
            resource, namespace: tree["metadata"]?["namespace"]?.string ?? "",
            name: try #require(tree["metadata"]?["name"]?.string))
    }

    static func declared(_ tree: Tree) throws -> DeclaredObject {
        let id = try id(of: tree)
        let resource = try #require(id.resource)
        return DeclaredObject(id: id, tree: canonicalLive(tree, of: resource), origin: Origin(file: "x.yaml", line: 1))
    }

    /// The object as the server would hold it after our own apply.
    static func applied(_ tree: Tree, uid: String = "uid-1", version: String = "10") throws -> LiveObject {
        let declared = try declared(tree)
        return try live(ownership.marked(declared.tree, id: declared.id), uid: uid, version: version)
    }

    static func live(_ tree: Tree, uid: String = "uid-1", version: String = "10") throws -> LiveObject {
        var tree = tree
        tree.set(["metadata", "uid"], to: .string(uid))
        tree.set(["metadata", "resourceVersion"], to: .string(version))
        let resource = try #require(try id(of: tree).resource)
        return try #require(LiveObject(tree, of: resource))
    }

    static func decide(
        _ declared: Tree?, _ live: LiveObject?, record: String? = "uid-1", context: DecisionContext? = nil
    )
        throws -> Decision
    {
        let object = try declared.map(Build.declared)
        let id = try #require(object?.id ?? live?.id)
        return Planning.decide(
            id: id, declared: object, live: live, record: record.map { OwnershipRecord(uid: $0) },
            in: context ?? Build.context)
    }

    static let denyAll: Tree = [
        "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
        "metadata": ["name": "default-deny", "namespace": "a"],
        "spec": ["podSelector": [:], "policyTypes": ["Ingress", "Egress"]],
    ]
    static let role: Tree = [
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
        "metadata": ["name": "reader", "namespace": "a"],
        "rules": [["apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]]],
    ]
    static let binding: Tree = [
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
        "metadata": ["name": "readers", "namespace": "a"],
        "roleRef": ["apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"],
        "subjects": [["apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "team-a"]],
    ]
    static let namespace: Tree = [
        "apiVersion": "v1", "kind": "Namespace",
        "metadata": ["name": "a", "labels": ["pod-security.kubernetes.io/enforce": "restricted"]],
    ]
}

extension Decision {
    var action: Action? { if case .act(let action) = self { action } else { nil } }
    var hold: Hold? { if case .hold(let hold) = self { hold } else { nil } }
    var isLeave: Bool { if case .leave = self { true } else { false } }
}
