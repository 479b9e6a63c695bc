import Manifest
package import Policy

extension PreventionSettings {
    /// What a repository asks for; nil where it asks for nothing.
    ///
    /// What is refused is what would be removed if it were there, and no more: objects that Kubernetes makes, or that are
    /// never written, are let through, also where they are reported.
    ///
    /// - Parameter bylawUser: See ``bylawUser``.
    package init?(_ configuration: RepositoryConfiguration, instance: String, bylawUser: String) {
        guard let request = configuration.prevention else { return nil }
        let kinds = ScopeRules.closableKinds.intersection(configuration.managedKinds)
        let namespaced = kinds.filter(\.isNamespaced)
        var system = [NamePattern("kube-*")]
        // What is there belongs to whoever runs Bylaw, and is never removed.
        let account = UserIdentity(name: bylawUser, groups: []).serviceAccount
        if let account { system.append(NamePattern(account.namespace)) }
        var selections = [NamespaceSelection(names: system, kinds: namespaced, isEnforced: false)]
        for rule in configuration.scopes.rules {
            guard case .namespaces(let names, let labels) = rule.target else { continue }
            selections.append(
                NamespaceSelection(
                    names: names, labels: labels, kinds: rule.kinds.intersection(namespaced),
                    isEnforced: rule.mode == .enforce))
        }
        selections.append(
            NamespaceSelection(kinds: namespaced, isEnforced: configuration.scopes.standardMode == .enforce))
        self.init(
            instance: instance, bylawUser: bylawUser, breakGlassGroup: request.breakGlassGroup,
            enforcedClusterKinds: kinds.filter {
                !$0.isNamespaced && configuration.scopes.mode(of: $0, in: nil) == .enforce
            },
            enforcedNamespaces: selections,
            exclusions: configuration.scopes.exclusions + configuration.protected + Self.neverRemoved,
            exemptUsers: request.exemptUsers, exemptGroups: request.exemptGroups)
    }

    /// What Kubernetes makes by itself, or what is never written, by name.
    private static let neverRemoved: [ObjectPattern] = [
        ObjectPattern(kinds: [.serviceAccount], names: [NamePattern("default")]),
        ObjectPattern(
            kinds: [.role, .roleBinding, .clusterRole, .clusterRoleBinding], names: [NamePattern("system:*")]),
        ObjectPattern(kinds: [.clusterRoleBinding], names: [NamePattern("cluster-admin")]),
        ObjectPattern(
            kinds: [.clusterRole],
            names: (KubernetesOwnObjects.clusterRoles.union(KubernetesOwnObjects.userRoles)).sorted()
                .filter { !$0.hasPrefix("system:") }.map { NamePattern($0) }),
    ]
}
