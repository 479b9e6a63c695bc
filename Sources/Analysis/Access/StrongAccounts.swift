import Manifest

/// The namespaces with service accounts that hold a critical right over the whole cluster.
struct StrongNamespaces {
    /// Whether every service account holds one.
    private(set) var areAll = false
    private(set) var names: Set<String> = []

    func contains(_ namespace: String) -> Bool { areAll || names.contains(namespace) }

    fileprivate mutating func insert(_ subject: AccessSubject) {
        let prefix = "system:serviceaccounts:"
        switch subject.canonical.kind {
        case .serviceAccount: names.insert(subject.canonical.namespace)
        case .group where subject.isEverybody: areAll = true
        case .group where subject.name.hasPrefix(prefix): names.insert(String(subject.name.dropFirst(prefix.count)))
        default: break
        }
    }
}

extension AccessModel {
    /// Whoever may run a pod there may become such an account (security semantics, sections 2.2 and 4).
    var strongNamespaces: StrongNamespaces {
        var isStrong: [ObjectID: Bool] = [:]
        var namespaces = StrongNamespaces()
        for binding in bindings where binding.scope.isEmpty {
            guard let role = roles[binding.role] else { continue }
            let strong = isStrong[role.id] ?? role.rules.contains(where: \.isCriticalForCluster)
            isStrong[role.id] = strong
            if strong { binding.subjects.forEach { namespaces.insert($0) } }
        }
        return namespaces
    }
}

extension PolicyRule {
    /// Whether it gives a right that is critical when it holds for the whole cluster.
    var isCriticalForCluster: Bool {
        isClusterAdmin
            || DangerousRight.all.contains { danger in
                danger.severity == .critical && danger.isGiven(by: [self])
            }
    }
}
