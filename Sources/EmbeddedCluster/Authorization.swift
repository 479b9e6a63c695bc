import Manifest

extension UserIdentity {
    /// Members skip every check (rule I5).
    var isMaster: Bool { groups.contains("system:masters") }
}

/// Evaluates the stored roles and bindings as the API server does (security semantics, section 2.2).
struct Authorizer {
    let store: ObjectStore

    /// Whether a user may do something to a resource.
    func allows(
        _ user: UserIdentity, _ verb: String, _ resource: Resource, namespace: String, name: String
    ) -> Bool {
        if user.isMaster { return true }
        return rules(of: user, namespace: namespace).contains {
            covers($0, verb: verb, group: resource.group, resource: resource.plural, name: name)
        }
    }

    /// The rules that hold for a user in a namespace, or for the whole cluster with an empty one.
    func rules(of user: UserIdentity, namespace: String) -> [Tree] {
        var result: [Tree] = []
        for binding in store.list(.clusterRoleBinding, namespace: "") where user.isNamed(by: binding, in: "") {
            result += rules(of: binding["roleRef"], namespace: "")
        }
        if !namespace.isEmpty {
            for binding in store.list(.roleBinding, namespace: namespace)
            where user.isNamed(by: binding, in: namespace) {
                result += rules(of: binding["roleRef"], namespace: namespace)
            }
        }
        return result
    }

    /// The rules of a referenced role; nothing where it does not exist.
    func rules(of reference: Tree?, namespace: String) -> [Tree] {
        guard let name = reference?["name"]?.string else { return [] }
        let role =
            reference?["kind"]?.string == "ClusterRole"
            ? store.object(.clusterRole, .init(namespace: "", name: name))
            : store.object(.role, .init(namespace: namespace, name: name))
        return role?["rules"]?.array ?? []
    }

    /// Whether the rights of a role exceed those of its writer (rules I1 and I3).
    func exceeds(_ rules: [Tree], _ user: UserIdentity, namespace: String) -> [Tree] {
        if user.isMaster { return [] }
        let held = self.rules(of: user, namespace: namespace)
        return rules.filter { rule in
            let names = strings(rule, "resourceNames")
            return !strings(rule, "verbs").allSatisfy { verb in
                strings(rule, "apiGroups").allSatisfy { group in
                    strings(rule, "resources").allSatisfy { resource in
                        (names.isEmpty ? [""] : names).allSatisfy { name in
                            held.contains { covers($0, verb: verb, group: group, resource: resource, name: name) }
                        }
                    }
                }
            }
        }
    }

    private func covers(_ rule: Tree, verb: String, group: String, resource: String, name: String) -> Bool {
        let verbs = strings(rule, "verbs")
        let groups = strings(rule, "apiGroups")
        let resources = strings(rule, "resources")
        let names = strings(rule, "resourceNames")
        return (verbs.contains("*") || verbs.contains(verb)) && (groups.contains("*") || groups.contains(group))
            && (resources.contains("*") || resources.contains(resource)) && (names.isEmpty || names.contains(name))
    }

    private func strings(_ rule: Tree, _ field: String) -> [String] { (rule[field]?.array ?? []).compactMap(\.string) }
}
