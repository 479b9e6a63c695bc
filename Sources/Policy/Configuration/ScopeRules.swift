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

    /// The label by which a server gives each namespace its own name, whatever is declared (rule E11).
    package static let nameLabel = "kubernetes.io/metadata.name"

    package init(name: String, labels: Labels?, isDeclared: Bool) {
        self.name = name
        self.labels = labels
        self.labels?[Self.nameLabel] = name
        self.isDeclared = isDeclared
    }

    /// What is declared counts, whatever its labels are in the cluster.
    package init(name: String, declared: DeclaredObject?, live: LiveObject?) {
        let tree = declared?.tree ?? live?.tree
        self.init(
            name: name, labels: tree.map { Labels($0["metadata"]?["labels"]) }, isDeclared: declared != nil)
    }

    /// Whether a selector fits; nil where that cannot be told.
    fileprivate func fits(_ selector: LabelSelector) -> Bool? { labels.map(selector.matches) }

    /// Whether what a selector reads is what Git, or the namespace's own name, says.
    fileprivate func vouches(for selector: LabelSelector) -> Bool {
        labels != nil && (isDeclared || selector.requirements.allSatisfy { $0.key == Self.nameLabel })
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

    /// How many rules a repository may have.
    package static let maximumRules = 1000

    /// The mode of a kind in one scope.
    ///
    /// Labels decide what is removed only as Git declares them. Where they are not known, or only the cluster holds them,
    /// what hangs on them is told and no more: nobody has a namespace emptied, or a namespace that is named kept out of a
    /// scope, by labelling it.
    ///
    /// - Parameter namespace: Nil for objects of the whole cluster.
    package func mode(of resource: Resource, in namespace: ScopedNamespace?) -> ScopeMode {
        guard Self.closableKinds.contains(resource) else { return .declared }
        /// What rules that hang on labels of the cluster would say, whether or not they fit.
        var doubtful: [ScopeMode] = []
        /// What the first of them says that fits, or may fit.
        var labelled: ScopeMode?
        var certain = standardMode
        for rule in rules where rule.kinds.contains(resource) {
            guard let selector = selector(of: rule, for: namespace) else { continue }
            guard let namespace, !selector.requirements.isEmpty, !namespace.vouches(for: selector) else {
                if namespace?.fits(selector) == false { continue }
                certain = rule.mode
                break
            }
            doubtful.append(rule.mode)
            if namespace.fits(selector) != false { labelled = labelled ?? rule.mode }
        }
        guard doubtful.contains(where: { $0 != certain }) else { return certain }
        return min(max(labelled ?? certain, certain), .report)
    }

    /// What a rule asks of the labels of a namespace that it is about; nil where it is about another one, or about none.
    private func selector(of rule: ScopeRule, for namespace: ScopedNamespace?) -> LabelSelector? {
        switch (rule.target, namespace) {
        case (.clusterWide, nil): return .everything
        case (.namespaces(let names, let selector), let namespace?):
            if let names, !names.contains(where: { $0.matches(namespace.name) }) { return nil }
            return selector ?? .everything
        default: return nil
        }
    }

    /// The label keys by which namespaces come into a scope.
    package var namespaceLabelKeys: Set<String> {
        Set(
            rules.flatMap { rule -> [String] in
                guard case .namespaces(_, let selector?) = rule.target else { return [] }
                return selector.requirements.compactMap(\.key).filter { $0 != ScopedNamespace.nameLabel }
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
