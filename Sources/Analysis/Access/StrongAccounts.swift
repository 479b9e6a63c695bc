import Manifest

extension AccessModel {
    /// The namespaces of the service accounts that hold a critical right over the whole cluster.
    ///
    /// Whoever may run a pod there may become such an account (security semantics, sections 2.2 and 4).
    var namespacesOfStrongAccounts: Set<String> {
        var isStrong: [ObjectID: Bool] = [:]
        var namespaces: Set<String> = []
        for binding in bindings where binding.scope.isEmpty {
            let accounts = binding.subjects.filter { $0.kind == .serviceAccount }
            guard !accounts.isEmpty, let role = roles[binding.role] else { continue }
            let strong = isStrong[role.id] ?? role.rules.contains(where: \.isCriticalForCluster)
            isStrong[role.id] = strong
            if strong { namespaces.formUnion(accounts.map(\.namespace)) }
        }
        return namespaces
    }
}

extension PolicyRule {
    /// Whether it gives a right that is critical when it holds for the whole cluster.
    var isCriticalForCluster: Bool {
        isClusterAdmin
            || DangerousRight.all.contains { danger in
                danger.severity == .critical && danger.probes.contains { allows(probe: $0) }
            }
    }
}
