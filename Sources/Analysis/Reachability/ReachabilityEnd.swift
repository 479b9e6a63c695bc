package import Manifest
package import Policy

/// Where traffic comes from or goes to.
package enum ReachabilityEnd: Hashable, Sendable {
    /// A pod, or all pods that a workload makes.
    case workload(ObjectID)
    /// Addresses by which the policies can tell nothing else apart, outside of the cluster as far as anybody knows.
    case external(AddressBlock)
    /// Pods that nobody has listed, as far as a policy describes them.
    case unknownPods(UnknownPods)

    /// The namespace, or empty for addresses and for pods of a namespace whose name is not known.
    package var namespace: String {
        switch self {
        case .workload(let id): id.namespace
        case .external: ""
        case .unknownPods(let pods): pods.namespace ?? ""
        }
    }
}

extension ReachabilityEnd: CustomStringConvertible {
    package var description: String {
        switch self {
        case .workload(let id): id.description
        case .external(let block): block.description
        case .unknownPods(let pods): pods.description
        }
    }
}

extension ReachabilityEnd: Comparable {
    /// Workloads by namespace, kind and name, then unknown pods, then addresses by number.
    package static func < (left: ReachabilityEnd, right: ReachabilityEnd) -> Bool {
        switch (left, right) {
        case (.workload(let left), .workload(let right)):
            left.namespace.hasSameBytes(as: right.namespace)
                ? left < right : left.namespace.precedesByBytes(right.namespace)
        case (.unknownPods(let left), .unknownPods(let right)):
            left.description.precedesByBytes(right.description)
        case (.external(let left), .external(let right)):
            (left.isVersion6 ? 1 : 0, left.base, left.prefixLength)
                < (right.isVersion6 ? 1 : 0, right.base, right.prefixLength)
        default: left.rank < right.rank
        }
    }

    private var rank: Int {
        switch self {
        case .workload: 0
        case .unknownPods: 1
        case .external: 2
        }
    }
}

/// Pods that are not in the state but that a policy may be about: they stand for whatever has these labels.
package struct UnknownPods: Hashable, Sendable {
    /// Nil where only labels of the namespace are known.
    package var namespace: String?
    /// The labels of a namespace without a name; empty for any namespace that nothing else describes.
    package var namespaceLabels: Labels
    /// The labels that they have; empty for any pod that nothing else describes.
    package var labels: Labels

    package init(namespace: String?, namespaceLabels: Labels = Labels(), labels: Labels = Labels()) {
        self.namespace = namespace
        self.namespaceLabels = namespaceLabels
        self.labels = labels
    }

    /// What a label has whose value does not matter; no selector can name it, because it is no valid value.
    static let anyValue = "*"

    /// The labels as a selector: `app=web,debug`, or `<any other>` where there are none.
    package var selector: String { Self.describe(labels) }

    /// What stands for the namespace in a table of namespaces; not a valid name where the name is not known.
    package var namespaceKey: String { namespace ?? "<\(Self.describe(namespaceLabels))>" }

    package var description: String { "pods \(namespaceKey)/\(selector)" }

    private static func describe(_ labels: Labels) -> String {
        guard !labels.values.isEmpty else { return "<any other>" }
        return labels.values.sorted { $0.key.precedesByBytes($1.key) }
            .map { key, value in value == anyValue ? key : "\(key)=\(value)" }.joined(separator: ",")
    }
}
