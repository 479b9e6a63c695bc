import KubeProtocol
import Manifest
import JSON

/// The body of an object: its identity, and the rest as given.
func manifest(_ id: ObjectID, _ rest: Tree = [:]) -> Tree {
    var tree = rest
    tree.set(["apiVersion"], to: .string(id.resource?.apiVersion ?? ""))
    tree.set(["kind"], to: .string(id.kind))
    tree.set(["metadata", "name"], to: .string(id.name))
    if !id.namespace.isEmpty { tree.set(["metadata", "namespace"], to: .string(id.namespace)) }
    return tree
}

/// A network policy that lets nothing in, in the form that the server stores (rule D19).
func denyIngress(_ id: ObjectID, labels: Tree? = nil) -> Tree {
    var tree = manifest(id, ["spec": ["podSelector": [:], "policyTypes": ["Ingress"]]])
    if let labels { tree.set(["metadata", "labels"], to: labels) }
    return tree
}

/// A network policy that lets nothing in or out and names no list of rules (rule D9).
func denyAll(_ id: ObjectID) -> Tree {
    manifest(id, ["spec": ["podSelector": [:], "policyTypes": ["Ingress", "Egress"]]])
}

/// A role with one rule.
func role(_ id: ObjectID, verbs: Tree, resources: Tree = ["configmaps"]) -> Tree {
    manifest(id, ["rules": [["apiGroups": [""], "resources": resources, "verbs": verbs]]])
}

/// A binding of a role to some subjects.
func binding(_ id: ObjectID, to role: ObjectID, subjects: Tree = [user(named: "contract-nobody")]) -> Tree {
    manifest(id, ["roleRef": reference(to: role), "subjects": subjects])
}

func reference(to role: ObjectID) -> Tree {
    ["apiGroup": .string(role.group), "kind": .string(role.kind), "name": .string(role.name)]
}

func user(named name: String) -> Tree {
    ["apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": .string(name)]
}

extension APIRequest {
    /// Server-side apply in all its forms, also those that Bylaw never sends.
    static func apply(
        _ body: Tree, to id: ObjectID, manager: String? = ServerUnderTest.owner, isForced: Bool = false,
        isDryRun: Bool = false
    ) -> APIRequest {
        var query: [(String, String)] = []
        if let manager { query.append(("fieldManager", manager)) }
        if isForced { query.append(("force", "true")) }
        if isDryRun { query.append(("dryRun", "All")) }
        return APIRequest(
            method: .patch, path: id.resource?.path(of: id) ?? "", query: query, contentType: applyContentType,
            body: body.jsonBytes())
    }

    /// A create through the collection, by a manager that is not ours.
    static func post(_ body: Tree, as id: ObjectID, manager: String = ServerUnderTest.intruder) -> APIRequest {
        APIRequest(
            method: .post, path: id.resource?.collectionPath(namespace: id.namespace) ?? "",
            query: [("fieldManager", manager)], contentType: "application/json", body: body.jsonBytes())
    }

    /// A merge patch on whatever version there is.
    static func merge(_ patch: Tree, into id: ObjectID, manager: String = ServerUnderTest.intruder) -> APIRequest {
        APIRequest(
            method: .patch, path: id.resource?.path(of: id) ?? "", query: [("fieldManager", manager)],
            contentType: "application/merge-patch+json", body: patch.jsonBytes())
    }

    /// A delete with options.
    static func delete(_ id: ObjectID, options: Tree = [:]) -> APIRequest {
        var body = options
        body.set(["apiVersion"], to: "v1")
        body.set(["kind"], to: "DeleteOptions")
        return APIRequest(
            method: .delete, path: id.resource?.path(of: id) ?? "", contentType: "application/json",
            body: body.jsonBytes())
    }

    /// The request with one more parameter.
    func asking(_ name: String, _ value: String) -> APIRequest {
        APIRequest(
            method: method, path: path, query: query.map { ($0.name, $0.value) } + [(name, value)],
            contentType: contentType, body: body)
    }

    static func get(_ path: String, query: [(String, String)] = []) -> APIRequest {
        APIRequest(method: .get, path: path, query: query)
    }
}

/// The rights of `Deploy/base/rbac.yaml`, and to grant what the suites declare, for the user `bylaw`.
let rightsOfBylaw: [(ObjectID, Tree)] = {
    let role = ObjectID(.clusterRole, name: "bylaw")
    let grant = ObjectID(.clusterRoleBinding, name: "bylaw")
    let verbs: Tree = ["get", "list", "watch", "create", "patch", "delete"]
    let rules: Tree = [
        [
            "apiGroups": [""], "resources": ["namespaces", "serviceaccounts", "resourcequotas", "limitranges"],
            "verbs": verbs,
        ],
        ["apiGroups": ["networking.k8s.io"], "resources": ["networkpolicies"], "verbs": verbs],
        [
            "apiGroups": ["rbac.authorization.k8s.io"],
            "resources": ["roles", "rolebindings", "clusterroles", "clusterrolebindings"], "verbs": verbs,
        ],
        ["apiGroups": [""], "resources": ["configmaps", "pods"], "verbs": ["get", "list", "watch"]],
    ]
    return [
        (role, manifest(role, ["rules": rules])),
        (grant, binding(grant, to: role, subjects: [user(named: "bylaw")])),
    ]
}()
