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

/// Which scopes are authoritative, in the order in which they are asked: the first rule that fits counts.
package struct ScopeRules: Sendable, Hashable {
    /// Where no rule fits.
    package var standardMode: ScopeMode
    package var rules: [ScopeRule]
    /// What nobody asks about, beside what Kubernetes makes by itself.
    package var exclusions: [ObjectPattern]

    package init(standardMode: ScopeMode = .declared, rules: [ScopeRule] = [], exclusions: [ObjectPattern] = []) {
        self.standardMode = standardMode
        self.rules = rules
        self.exclusions = exclusions
    }

    /// The kinds that a scope may close: what grants, allows or limits, but never a namespace.
    package static let closableKinds: Set<Resource> = [
        .serviceAccount, .resourceQuota, .limitRange, .networkPolicy, .role, .clusterRole, .roleBinding,
        .clusterRoleBinding,
    ]

    /// The mode of a kind in one scope.
    ///
    /// - Parameter namespace: Nil for objects of the whole cluster; with its labels where they are known.
    package func mode(of resource: Resource, in namespace: (name: String, labels: Labels?)?) -> ScopeMode {
        guard Self.closableKinds.contains(resource) else { return .declared }
        for rule in rules where rule.kinds.contains(resource) {
            switch (rule.target, namespace) {
            case (.clusterWide, nil): return rule.mode
            case (.namespaces(let names, let selector), let namespace?):
                if let names, !names.contains(where: { $0.matches(namespace.name) }) { continue }
                if let selector {
                    // A namespace whose labels are not known might be meant: nothing is removed there, and nothing passed over.
                    guard let labels = namespace.labels else { return min(rule.mode, .report) }
                    guard selector.matches(labels) else { continue }
                }
                return rule.mode
            default: continue
            }
        }
        return standardMode
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
