import Manifest

/// Fills in what the API server fills in (rule E7), in an object that an ``ObjectReader`` has read.
///
/// Never fails: what does not look as it should is left as it is.
func fillDefaults(_ tree: inout Tree, of resource: Resource) {
    switch resource.kind {
    case "NetworkPolicy": fillNetworkPolicy(&tree)
    case "Role": tree.setIfAbsent("rules", to: [])
    case "ClusterRole": fillClusterRole(&tree)
    case "RoleBinding", "ClusterRoleBinding": fillBinding(&tree)
    case "ResourceQuota": tree.setIfAbsent("spec", to: [:])
    case "LimitRange": fillLimitRange(&tree)
    case "Namespace":
        // Nothing in it is the author's: its finalizers belong to the server.
        if tree["spec"]?.isEmpty == true { tree.set(["spec"], to: nil) }
    default: break
    }
}

private func fillNetworkPolicy(_ tree: inout Tree) {
    tree.setIfAbsent("spec", to: [:])
    tree.change("spec") { spec in
        spec.setIfAbsent("podSelector", to: [:])
        for direction in ["ingress", "egress"] {
            spec.changeElements(direction) { rule in
                rule.changeElements("ports") { $0.setIfAbsent("protocol", to: "TCP") }
            }
        }
        guard spec["policyTypes"] == nil else { return }
        let limitsEgress = spec["egress"]?.array?.isEmpty == false
        spec.setIfAbsent("policyTypes", to: limitsEgress ? ["Ingress", "Egress"] : ["Ingress"])
    }
}

/// The controller writes the rules of an aggregated role, so they are nobody's declaration (rule E12).
private func fillClusterRole(_ tree: inout Tree) {
    if tree["aggregationRule"] == nil {
        tree.setIfAbsent("rules", to: [])
    } else {
        tree.set(["rules"], to: nil)
    }
}

private let rbacGroup: Tree = "rbac.authorization.k8s.io"

/// A ServiceAccount's missing namespace stays missing: the server does not fill it in (rule I9).
private func fillBinding(_ tree: inout Tree) {
    tree.setIfAbsent("subjects", to: [])
    tree.change("roleRef") { $0.setIfAbsent("apiGroup", to: rbacGroup) }
    tree.changeElements("subjects") { subject in
        let kind = subject["kind"]?.string
        if kind == "User" || kind == "Group" { subject.setIfAbsent("apiGroup", to: rbacGroup) }
    }
}

private func fillLimitRange(_ tree: inout Tree) {
    tree.setIfAbsent("spec", to: [:])
    tree.change("spec") { spec in
        spec.setIfAbsent("limits", to: [])
        spec.changeElements("limits") { limit in
            guard limit["type"]?.string == "Container" else { return }
            limit.fill("default", from: "max")
            limit.fill("defaultRequest", from: "default")
            limit.fill("defaultRequest", from: "min")
        }
    }
}

extension Tree {
    fileprivate mutating func setIfAbsent(_ key: String, to value: Tree) {
        guard case .object(var members) = self, members[key] == nil || members[key]?.isNull == true else { return }
        members[key] = value
        self = .object(members)
    }

    fileprivate mutating func change(_ key: String, _ body: (inout Tree) -> Void) {
        guard case .object(var members) = self, var value = members[key] else { return }
        body(&value)
        members[key] = value
        self = .object(members)
    }

    fileprivate mutating func changeElements(_ key: String, _ body: (inout Tree) -> Void) {
        change(key) { list in
            guard case .array(var elements) = list else { return }
            for index in elements.indices { body(&elements[index]) }
            list = .array(elements)
        }
    }

    /// Copies the members of one map that another one does not have.
    fileprivate mutating func fill(_ target: String, from source: String) {
        guard let given = self[source]?.members, !given.isEmpty else { return }
        var members = self[target]?.members ?? Members()
        for (key, value) in given where members[key] == nil { members[key] = value }
        set([target], to: .object(members))
    }
}
