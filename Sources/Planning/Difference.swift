package import Manifest

/// One place where a live object is not what is declared.
package struct Difference: Sendable, Equatable {
    package enum Kind: String, Sendable, Equatable {
        /// Declared, and not there.
        case missing
        /// Declared, and something else there.
        case changed
        /// There, and not declared, in a place where everything must be declared.
        case undeclared
    }

    package var kind: Kind
    /// The chain of members that leads there.
    ///
    /// Lists are compared and repaired as a whole, so no index occurs.
    package var path: [String]
    package var declared: Tree?
    package var live: Tree?

    package init(kind: Kind, path: [String], declared: Tree?, live: Tree?) {
        self.kind = kind
        self.path = path
        self.declared = declared
        self.live = live
    }

    /// `spec.egress`, with keys that hold dots in brackets, as messages show it.
    package var pathDescription: String {
        var path = FieldPath.root
        for (index, step) in self.path.enumerated() {
            let isMapKey = index == 2 && self.path[0] == "metadata" || step.contains(".") || step.contains("/")
            path = isMapKey ? path.key(step) : path.field(step)
        }
        return path.description
    }
}

/// Which label keys are part of the policy itself on an object, so that an undeclared one is drift (rules E3, E14, E15).
///
/// A namespace joins a NetworkPolicy's peer, and a ClusterRole joins an aggregated role, by a label alone.
package struct ClosedLabels: Sendable, Equatable {
    /// Keys that a declared namespaceSelector, or the repository's scopes, read.
    package var namespaceKeys: Set<String> = []
    /// Keys that a declared aggregationRule reads.
    package var clusterRoleKeys: Set<String> = []

    package static let podSecurityPrefix = "pod-security.kubernetes.io/"
    package static let aggregationPrefix = "rbac.authorization.k8s.io/aggregate-to-"
    /// A namespace's own name, set by newer servers on each; old ones take any value (rule E11).
    static let namespaceNameKey = "kubernetes.io/metadata.name"

    package init() {}

    /// Collects the keys that the selectors of a declared state read.
    ///
    /// - Parameter scopeKeys: Label keys of namespaces that the repository's scopes read.
    package init(readBy objects: some Sequence<Tree>, scopeKeys: Set<String> = []) {
        namespaceKeys = scopeKeys
        for tree in objects {
            switch tree["kind"]?.string {
            case Resource.networkPolicy.kind?: collectNamespaceKeys(tree["spec"])
            case Resource.clusterRole.kind?:
                for selector in tree["aggregationRule"]?["clusterRoleSelectors"]?.array ?? [] {
                    clusterRoleKeys.formUnion(Self.keys(of: selector))
                }
            default: break
            }
        }
        // It is looked at on every namespace, whoever reads it.
        namespaceKeys.remove(Self.namespaceNameKey)
    }

    private mutating func collectNamespaceKeys(_ spec: Tree?) {
        for (rules, peers) in [("ingress", "from"), ("egress", "to")] {
            for rule in spec?[rules]?.array ?? [] {
                for peer in rule[peers]?.array ?? [] {
                    guard let selector = peer["namespaceSelector"] else { continue }
                    namespaceKeys.formUnion(Self.keys(of: selector))
                }
            }
        }
    }

    private static func keys(of selector: Tree) -> [String] {
        (selector["matchLabels"]?.members?.keys ?? [])
            + (selector["matchExpressions"]?.array ?? []).compactMap { $0["key"]?.string }
    }

    /// The keys that a declared state closes on objects of a kind, in order; the prefixes are closed always.
    package func keys(of resource: Resource) -> [String] {
        switch resource {
        case .namespace: namespaceKeys.sorted()
        case .clusterRole: clusterRoleKeys.sorted()
        default: []
        }
    }

    /// Whether an undeclared label of this key is drift on an object of this kind.
    package func contains(_ key: String, of resource: Resource) -> Bool {
        switch resource {
        case .namespace: key.hasPrefix(Self.podSecurityPrefix) || namespaceKeys.contains(key)
        case .clusterRole: key.hasPrefix(Self.aggregationPrefix) || clusterRoleKeys.contains(key)
        default: false
        }
    }
}
