import Manifest

/// The labels that some selectors can tell apart, with a number for each.
///
/// Values that no selector names are one value.
struct LabelVocabulary: Sendable {
    struct Key: Sendable {
        var values: [String: Int]
        /// Of every value that no selector names.
        var other: Int
    }

    private(set) var keys: [String: Key] = [:]
    private(set) var count = 0

    init(_ selectors: some Sequence<LabelSelector>) {
        for requirement in selectors.lazy.flatMap(\.requirements) {
            guard let key = requirement.key else { continue }
            if keys[key] == nil {
                keys[key] = Key(values: [:], other: count)
                count += 1
            }
            switch requirement {
            case .isIn(_, let values), .notIn(_, let values):
                for value in values where keys[key]?.values[value] == nil {
                    keys[key]?.values[value] = count
                    count += 1
                }
            case .exists, .doesNotExist, .never: break
            }
        }
    }

    /// The numbers of labels, in ascending order; labels with equal numbers are selected alike.
    func numbers(_ labels: Labels) -> [Int] {
        labels.values.compactMap { key, value in keys[key].map { $0.values[value] ?? $0.other } }.sorted()
    }
}

/// Everything in policies that can tell one end from another.
struct PolicyVocabulary: Sendable {
    var podLabels: LabelVocabulary
    var namespaceLabels: LabelVocabulary
    var namedPorts: Set<NamedPort>
    /// Each once, in the order in which the policies name them.
    var addresses: [NetworkPolicyRules.AddressPeer]

    init(_ policies: [NetworkPolicyRules]) {
        var podSelectors = Set(policies.map(\.podSelector))
        var namespaceSelectors: Set<LabelSelector> = []
        var known: Set<NetworkPolicyRules.AddressPeer> = []
        namedPorts = []
        addresses = []
        for rule in policies.lazy.flatMap({ TrafficDirection.allCases.flatMap($0.effectiveRules) }) {
            namedPorts.formUnion(rule.namedPorts)
            for peer in rule.peers {
                switch peer {
                case .pods(let pods, let namespaces):
                    if let pods { podSelectors.insert(pods) }
                    if let namespaces { namespaceSelectors.insert(namespaces) }
                case .addresses(let peer): if known.insert(peer).inserted { addresses.append(peer) }
                }
            }
        }
        podLabels = LabelVocabulary(podSelectors)
        namespaceLabels = LabelVocabulary(namespaceSelectors)
    }
}

/// Finds what a selector selects among many label sets without looking at each of them.
struct LabelIndex: Sendable {
    private let vocabulary: LabelVocabulary
    /// Whom a selector can select at all.
    private let everything: ElementSet
    /// The elements that have a label, by its number in the vocabulary.
    private let elements: [ElementSet]
    /// The elements that have a key, whatever its value.
    private let bearers: [String: ElementSet]

    /// - Parameter numbers: Of each element, as ``LabelVocabulary/numbers(_:)`` gives them; nil for what no selector
    ///   selects.
    init(_ vocabulary: LabelVocabulary, numbers: [[Int]?]) {
        self.vocabulary = vocabulary
        everything = ElementSet(ascending: numbers.indices.filter { numbers[$0] != nil })
        var lists = [[Int]](repeating: [], count: vocabulary.count)
        for (element, numbers) in numbers.enumerated() {
            for number in numbers ?? [] { lists[number].append(element) }
        }
        let sets = lists.map { ElementSet(ascending: $0) }
        elements = sets
        let size = numbers.count
        bearers = vocabulary.keys.mapValues { key in
            ElementSet.union(key.values.values.map { sets[$0] } + [sets[key.other]], count: size)
        }
    }

    func select(_ selector: LabelSelector) -> ElementSet {
        var selected = everything
        for requirement in selector.requirements where !selected.isEmpty {
            switch requirement {
            case .isIn(let key, let values): selected = selected.intersection(holders(of: key, values))
            case .notIn(let key, let values): selected = selected.subtracting(holders(of: key, values))
            case .exists(let key): selected = selected.intersection(bearers[key] ?? .empty)
            case .doesNotExist(let key): selected = selected.subtracting(bearers[key] ?? .empty)
            case .never: selected = .empty
            }
        }
        return selected
    }

    private func holders(of key: String, _ values: Set<String>) -> ElementSet {
        let numbers = vocabulary.keys[key]?.values ?? [:]
        return ElementSet.union(values.compactMap { numbers[$0] }.map { elements[$0] })
    }
}
