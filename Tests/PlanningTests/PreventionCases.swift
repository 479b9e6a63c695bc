import Manifest
import Testing

/// One request to a server that has the policies of ``settings``, and what must become of it.
struct PreventionCase {
    enum Verdict {
        case passes
        /// By a message that holds this text.
        case isRefused(String)
    }

    var name: String
    var request: Tree
    var verdict: Verdict
}

/// Who asks.
struct Requester {
    var name: String
    var groups: [String]?

    init(_ name: String, _ groups: [String]? = ["system:authenticated"]) {
        self.name = name
        self.groups = groups
    }

    static let bylaw = Requester("system:serviceaccount:bylaw-system:bylaw")
    static let dev = Requester("dev", ["developers", "system:authenticated"])
    static let admin = Requester("kubernetes-admin", ["system:masters", "system:authenticated"])
    static let nobody = Requester("", nil)
    static let oncall = Requester("oncall", ["sre-oncall", "system:authenticated"])
    static let velero = Requester("system:serviceaccount:velero:velero")
    static let addons = Requester("addons", ["eks:addons"])
    static let server = Requester("system:apiserver", ["system:masters"])
    static let manager = Requester("system:kube-controller-manager")
    static func controller(_ name: String) -> Requester {
        Requester(
            "system:serviceaccount:kube-system:\(name)",
            ["system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated"])
    }
}

extension Tree {
    /// A copy with one place set, or removed.
    func with(_ path: String..., to value: Tree?) -> Tree {
        var copy = self
        copy.set(path, to: value)
        return copy
    }
    func label(_ key: String, _ value: String?) -> Tree {
        with("metadata", "labels", key, to: value.map(Tree.string) ?? nil)
    }
    func annotation(_ key: String, _ value: String?) -> Tree {
        with("metadata", "annotations", key, to: value.map(Tree.string) ?? nil)
    }
    func until(_ moment: String?) -> Tree { annotation("bylaw.dev/break-glass-until", moment) }
    /// With the marker of the instance that the tests prevent for.
    var managed: Tree { label("bylaw.dev/instance", "prod").annotation("bylaw.dev/id", "0123") }
}

/// Objects as the server hands them to an expression: without empty maps.
enum Sample {
    static func object(_ resource: Resource, _ name: String, namespace: String? = "shop") -> Tree {
        var tree: Tree = [
            "apiVersion": .string(resource.apiVersion), "kind": .string(resource.kind),
            "metadata": ["name": .string(name), "uid": "u", "resourceVersion": "1"],
        ]
        if resource.isNamespaced { tree.set(["metadata", "namespace"], to: namespace.map(Tree.string)) }
        return tree
    }

    static let role = object(.role, "reader").with(
        "rules", to: [["apiGroups": [""], "resources": ["pods"], "verbs": ["get"]]])
    static let wider = role.with("rules", to: [["apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]]])
    static let binding = object(.roleBinding, "readers").with(
        "roleRef", to: ["apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"])
    static let policy = object(.networkPolicy, "deny").with(
        "spec", to: ["podSelector": [:], "policyTypes": ["Ingress"]])
    static let quota = object(.resourceQuota, "quota").with("spec", "hard", "pods", to: "5")
    static let limits = object(.limitRange, "limits").with("spec", "limits", to: [["type": "Pod"]])
    static let account = object(.serviceAccount, "builder")
    static let clusterRole = object(.clusterRole, "ops").with("rules", to: .null)
    static let aggregated = object(.clusterRole, "all").with(
        "aggregationRule", "clusterRoleSelectors", to: [["matchLabels": ["a": "b"]]]
    ).with("rules", to: .null)
    static let clusterBinding = object(.clusterRoleBinding, "ops")
    static let namespace = object(.namespace, "shop").label("kubernetes.io/metadata.name", "shop").label(
        "pod-security.kubernetes.io/enforce", "restricted")
    static let owner: Tree = ["apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "y"]
    static let rules: Tree = [["apiGroups": [""], "resources": ["pods"], "verbs": ["get"]]]
}

func create(
    _ who: Requester, _ object: Tree, in labels: [String: String]? = nil, _ verdict: PreventionCase.Verdict,
    _ name: String
) -> PreventionCase { write("CREATE", who, nil, object, labels, verdict, name) }

func update(
    _ who: Requester, _ old: Tree, to new: Tree, in labels: [String: String]? = nil, _ verdict: PreventionCase.Verdict,
    _ name: String
) -> PreventionCase { write("UPDATE", who, old, new, labels, verdict, name) }

func delete(
    _ who: Requester, _ old: Tree, in labels: [String: String]? = nil, _ verdict: PreventionCase.Verdict, _ name: String
) -> PreventionCase { write("DELETE", who, old, nil, labels, verdict, name) }

/// An update through a subresource: the server hands over the whole object, and keeps its metadata.
func update(
    _ subresource: String, of who: Requester, _ old: Tree, to new: Tree, _ verdict: PreventionCase.Verdict,
    _ name: String
) -> PreventionCase {
    var item = write("UPDATE", who, old, new, nil, verdict, name)
    item.request.set(["request", "subResource"], to: .string(subresource))
    return item
}

/// The request as an AdmissionRequest has it: absent where empty, and a Namespace in itself.
private func write(
    _ operation: String, _ who: Requester, _ old: Tree?, _ new: Tree?, _ labels: [String: String]?,
    _ verdict: PreventionCase.Verdict, _ name: String
) -> PreventionCase {
    let subject = new ?? old ?? .null
    let group = subject["apiVersion"]?.string?.split(separator: "/").dropLast().first.map(String.init) ?? ""
    let resource = Resource.managed(group: group, kind: subject["kind"]?.string ?? "") ?? .namespace
    let namespace = resource == .namespace ? subject["metadata"]?["name"] : subject["metadata"]?["namespace"]
    var user = Members()
    if !who.name.isEmpty { user["username"] = .string(who.name) }
    if let groups = who.groups { user["groups"] = .array(groups.map(Tree.string)) }
    var request: Tree = [
        "operation": .string(operation), "userInfo": .object(user),
        "kind": ["group": .string(group), "version": "v1", "kind": .string(resource.kind)],
        "resource": ["group": .string(group), "version": "v1", "resource": .string(resource.plural)],
    ]
    request.set(["namespace"], to: namespace)
    var tree: Tree = ["request": request]
    tree.set(["object"], to: new)
    tree.set(["oldObject"], to: old)
    if resource.isNamespaced {
        var found: Tree = ["metadata": ["name": namespace ?? ""]]
        if let labels {
            found.set(["metadata", "labels"], to: .object(Members(labels.map { ($0.key, .string($0.value)) })))
        }
        tree.set(["namespaceObject"], to: found)
    }
    return PreventionCase(name: name, request: tree, verdict: verdict)
}
