package import Manifest
package import Policy

/// What becomes of live objects that no revision declares.
package struct ClosedWorld: Sendable {
    private let scopes: ScopeRules
    private let namespace: @Sendable (String) -> ScopedNamespace

    /// Only what is declared is looked at.
    package static let open = ClosedWorld(ScopeRules()) { name in
        ScopedNamespace(name: name, labels: nil, isDeclared: false)
    }

    /// - Parameter namespace: What is known of a namespace.
    package init(_ scopes: ScopeRules, namespace: @escaping @Sendable (String) -> ScopedNamespace) {
        self.scopes = scopes
        self.namespace = namespace
    }

    /// What becomes of an object that is not declared and not ours.
    package func mode(of live: LiveObject) -> ScopeMode {
        guard !scopes.isOpen, let resource = live.id.resource else { return .declared }
        let mode = scopes.mode(of: resource, in: resource.isNamespaced ? namespace(live.id.namespace) : nil)
        guard mode > .declared, !isMadeByKubernetes(live),
            !scopes.exclusions.contains(where: { $0.matches(live) })
        else { return .declared }
        // Its owner would make it again. Where Git is to be the whole truth it is told nevertheless, since whoever makes an
        // object can name an owner.
        if isOwned(live) { return mode == .enforce ? .report : .declared }
        // What is never written is told, and left alone.
        return isNeverWritten(live.id) ? .report : mode
    }

    /// Whether an object that is not declared and not ours would be removed.
    package func removes(_ live: LiveObject) -> Bool {
        guard mode(of: live) == .enforce else { return false }
        return live.label(Ownership.instanceLabel).map { !isOtherInstance($0) } ?? true
    }

    /// Whether another instance of Bylaw may declare objects beside this one.
    func isOtherInstance(_ name: String) -> Bool { scopes.otherInstances.contains { $0.hasSameBytes(as: name) } }
}

/// Whether Kubernetes made an object by itself, so that it is nobody's declaration.
///
/// Told by what it is, not by labels, which whoever makes an object can choose.
func isMadeByKubernetes(_ live: LiveObject) -> Bool {
    switch live.id.resource {
    case .serviceAccount:
        // The account of pods that name none, and those of the control plane's own controllers.
        return live.id.name == "default" || isOfSystem(live.id.namespace)
    case .clusterRole: return isClusterRoleAsMade(live)
    case .role: return isOfSystem(live.id.namespace) && isRoleAsMade(live)
    case .clusterRoleBinding:
        return KubernetesOwnObjects.clusterRoleBindings.contains(live.id.name) && isBoundAsMade(live)
    case .roleBinding:
        return isOfSystem(live.id.namespace)
            && KubernetesOwnObjects.roleBindings.contains(KubernetesOwnObjects.withoutRelease(live.id.name))
            && isBoundAsMade(live)
    default: return false
    }
}

/// Whether a binding of a known name is as Kubernetes makes it.
///
/// It names the role that goes with the name, and nobody but parts of Kubernetes: whoever may bind could take such a name.
private func isBoundAsMade(_ live: LiveObject) -> Bool {
    let role = live.tree["roleRef"]?["name"]?.string ?? ""
    let subjects = live.tree["subjects"]?.array ?? []
    guard role == KubernetesOwnObjects.roleBound[live.id.name] ?? live.id.name else { return false }
    return subjects.allSatisfy { subject in
        let name = subject["name"]?.string ?? ""
        switch subject["kind"]?.string {
        // Whoever may make namespaces can call one kube-something.
        case "ServiceAccount":
            return subject["namespace"]?.string == "kube-system" && isAccount(name, of: live.id.name)
        case "Group" where role == "cluster-admin": return name == KubernetesOwnObjects.administrators[live.id.name]
        case "Group" where ["system:unauthenticated", "system:authenticated", "system:serviceaccounts"].contains(name):
            return KubernetesOwnObjects.rolesForEverybody.contains(role)
        // A service account can be named as a user, and all of a namespace as a group.
        // Whoever joins a cluster reads about it before having a name in it.
        case "User" where name == "system:anonymous":
            return live.id.namespace == "kube-public" && live.tree["roleRef"]?["kind"] == "Role"
                && role == KubernetesOwnObjects.roleForJoining
        case "Group", "User":
            return role != "cluster-admin" && name.hasPrefix("system:") && !name.hasPrefix("system:serviceaccount")
        default: return false
        }
    }
}

/// A controller's binding names the account of that controller.
private func isAccount(_ name: String, of binding: String) -> Bool {
    let prefix = "system:controller:"
    return !binding.hasPrefix(prefix) || binding.dropFirst(prefix.count) == name
}

/// Whether a ClusterRole of a known name gives no more than Kubernetes lets it give, as far as that is known.
///
/// The server adds what is missing at its start, and leaves what somebody added (rule E13).
private func isClusterRoleAsMade(_ live: LiveObject) -> Bool {
    let name = live.id.name
    guard KubernetesOwnObjects.clusterRoles.contains(name) else { return false }
    let rules = live.tree["rules"]?.array ?? []
    if name == "kubeadm:get-nodes" { return rules.allSatisfy { gives($0, "get", on: ["nodes"], of: [""]) } }
    if KubernetesOwnObjects.rolesForEverybody.contains(name) { return rules.allSatisfy(isForEverybody) }
    return KubernetesOwnObjects.unlimitedRoles.contains(name) || !rules.contains { isUnlimited($0) }
}

/// Whether a Role of a known name, in a namespace of the control plane, is about what it is for.
private func isRoleAsMade(_ live: LiveObject) -> Bool {
    let resources = KubernetesOwnObjects.roleResources[KubernetesOwnObjects.withoutRelease(live.id.name)]
    guard let resources else { return false }
    return (live.tree["rules"]?.array ?? []).allSatisfy { rule in
        let verbs = live.id.name == KubernetesOwnObjects.roleForJoining ? "get" : nil
        return gives(rule, verbs, on: resources, of: ["", "coordination.k8s.io", "events.k8s.io"])
    }
}

/// Whether a rule is about some resources and verbs and nothing else.
private func gives(_ rule: Tree, _ verbs: String?, on resources: Set<String>, of groups: Set<String>) -> Bool {
    let words = { (key: String) in Set((rule[key]?.array ?? []).map { $0.string ?? "*" }) }
    let allowed = Set((verbs ?? "get list watch create update patch delete").split(separator: " ").map(String.init))
    return words("verbs").isSubset(of: allowed) && words("resources").isSubset(of: resources)
        && words("apiGroups").isSubset(of: groups) && words("nonResourceURLs").isEmpty
}

/// Whether a rule is one that everybody may have: to ask about oneself, and how to talk with the server.
private func isForEverybody(_ rule: Tree) -> Bool {
    let paths = (rule["nonResourceURLs"]?.array ?? []).map { $0.string ?? "*" }
    if !paths.isEmpty {
        return rule["verbs"] == ["get"]
            && paths.allSatisfy { path in KubernetesOwnObjects.pathsForEverybody.contains { path.hasPrefix($0) } }
    }
    return gives(
        rule, "create", on: ["selfsubjectaccessreviews", "selfsubjectrulesreviews"], of: ["authorization.k8s.io"])
        || gives(rule, "create", on: ["selfsubjectreviews"], of: ["authentication.k8s.io"])
        || gives(rule, "get list watch", on: ["clustertrustbundles"], of: ["certificates.k8s.io"])
}

/// Whether a rule is about every resource there is, whatever may be done with it.
private func isUnlimited(_ rule: Tree) -> Bool {
    ["resources", "apiGroups"].allSatisfy { (rule[$0]?.array ?? []).contains("*") }
}

/// Whether a controller keeps it: an object of a namespace with an owner that says so.
///
/// Objects of the whole cluster have no owner in practice, and one made up would be a way to hide.
func isOwned(_ live: LiveObject) -> Bool {
    guard !live.id.namespace.isEmpty else { return false }
    return (live.metadata["ownerReferences"]?.array ?? []).contains { $0["controller"]?.bool == true }
}
