package import Manifest

/// What becomes of objects in a scope that no revision declares.
package enum ScopeMode: String, Sendable, CaseIterable, Comparable {
    /// Only what is declared is looked at.
    case declared
    /// What is not declared is an incident.
    case report
    /// What is not declared is removed.
    case enforce

    package static func < (left: ScopeMode, right: ScopeMode) -> Bool { left.rank < right.rank }

    private var rank: Int {
        switch self {
        case .declared: 0
        case .report: 1
        case .enforce: 2
        }
    }
}

/// One rule about what is not declared.
package struct ScopeRule: Sendable, Hashable {
    package enum Target: Sendable, Hashable {
        case clusterWide
        /// Namespaces of these names, or with these labels; both must fit where both are given.
        case namespaces(names: [NamePattern]?, labels: LabelSelector?)
    }

    package var target: Target
    package var kinds: Set<Resource>
    package var mode: ScopeMode

    package init(target: Target, kinds: Set<Resource>, mode: ScopeMode) {
        self.target = target
        self.kinds = kinds
        self.mode = mode
    }
}

/// A namespace, as far as scopes look at it.
package struct ScopedNamespace: Sendable {
    package var name: String
    /// As they are declared, where it is; nil where they are not known.
    package var labels: Labels?
    /// Whether a revision declares it: labels that only the cluster holds may be anybody's.
    package var isDeclared: Bool

    package init(name: String, labels: Labels?, isDeclared: Bool) {
        self.name = name
        self.labels = labels
        self.isDeclared = isDeclared
    }
}

/// Which scopes are authoritative, in the order in which they are asked: the first rule that fits counts.
package struct ScopeRules: Sendable, Hashable {
    /// Where no rule fits.
    package var standardMode: ScopeMode
    package var rules: [ScopeRule]
    /// What nobody asks about, beside what Kubernetes makes by itself.
    package var exclusions: [ObjectPattern]
    /// Other instances of Bylaw that declare objects in these scopes; theirs are told, and never removed.
    ///
    /// The marker of any other instance protects nothing, since everybody could write it.
    package var otherInstances: Set<String>

    package init(
        standardMode: ScopeMode = .declared, rules: [ScopeRule] = [], exclusions: [ObjectPattern] = [],
        otherInstances: Set<String> = []
    ) {
        self.standardMode = standardMode
        self.rules = rules
        self.exclusions = exclusions
        self.otherInstances = otherInstances
    }

    /// The kinds that a scope may close: what grants, allows or limits, but never a namespace.
    package static let closableKinds: Set<Resource> = [
        .serviceAccount, .resourceQuota, .limitRange, .networkPolicy, .role, .clusterRole, .roleBinding,
        .clusterRoleBinding,
    ]

    /// The mode of a kind in one scope.
    ///
    /// Labels decide what is removed only as Git declares them. Where they are not known, or only the cluster holds them,
    /// what hangs on them is told: nobody has a namespace emptied, or kept out of a scope, by labelling it.
    ///
    /// - Parameter namespace: Nil for objects of the whole cluster.
    package func mode(of resource: Resource, in namespace: ScopedNamespace?) -> ScopeMode {
        guard Self.closableKinds.contains(resource) else { return .declared }
        return mode(of: resource, in: namespace, by: rules[...])
    }

    private func mode(
        of resource: Resource, in namespace: ScopedNamespace?, by rules: ArraySlice<ScopeRule>
    ) -> ScopeMode {
        for (index, rule) in zip(rules.indices, rules) where rule.kinds.contains(resource) {
            switch (rule.target, namespace) {
            case (.clusterWide, nil): return rule.mode
            case (.namespaces(let names, let selector), let namespace?):
                if let names, !names.contains(where: { $0.matches(namespace.name) }) { continue }
                guard let selector, !selector.requirements.isEmpty else { return rule.mode }
                if let labels = namespace.labels, !selector.matches(labels) { continue }
                guard namespace.labels == nil || !namespace.isDeclared else { return rule.mode }
                let otherwise = mode(of: resource, in: namespace, by: rules[(index + 1)...])
                return rule.mode == otherwise ? otherwise : min(max(rule.mode, otherwise), .report)
            default: continue
            }
        }
        return standardMode
    }

    /// The label keys by which namespaces come into a scope.
    package var namespaceLabelKeys: Set<String> {
        Set(
            rules.flatMap { rule -> [String] in
                guard case .namespaces(_, let selector?) = rule.target else { return [] }
                return selector.requirements.compactMap(\.key)
            })
    }

    /// Whether any scope is looked at beyond what is declared.
    package var isOpen: Bool { standardMode == .declared && rules.allSatisfy { $0.mode == .declared } }

    /// The same with nothing removed: what was to be is reported.
    package var reportingOnly: ScopeRules {
        var copy = self
        copy.standardMode = min(standardMode, .report)
        for index in copy.rules.indices { copy.rules[index].mode = min(copy.rules[index].mode, .report) }
        return copy
    }
}
