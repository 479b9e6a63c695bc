import Manifest

/// Evaluates the selectors and blocks of policies over a universe.
struct PeerSelection: Sendable {
    private let universe: Universe
    private let pods: LabelIndex
    private let namespaces: LabelIndex
    /// The pods of each namespace, in the order that ``namespaces`` numbers them in.
    private let podsOfNamespace: [ElementSet]
    private let namespaceNumbers: [String: Int]
    private let addressed: [NetworkPolicyRules.AddressPeer: ElementSet]
    /// The pods that selectors can select at all: none that is in the network of its node.
    let selectable: ElementSet

    init(
        _ reading: ClusterReading, _ traits: [EndpointTraits], _ vocabulary: PolicyVocabulary, _ universe: Universe
    ) {
        self.universe = universe
        pods = LabelIndex(vocabulary.podLabels, numbers: traits.map { $0.usesHostNetwork ? nil : $0.labels })
        selectable = pods.select(.everything)
        let names = reading.namespaces.keys.sorted { $0.precedesByBytes($1) }
        let numbers = Dictionary(zip(names, names.indices), uniquingKeysWith: { $1 })
        namespaces = LabelIndex(
            vocabulary.namespaceLabels,
            numbers: names.map { vocabulary.namespaceLabels.numbers(reading.namespaces[$0] ?? Labels()) })
        var elements = [[Int]](repeating: [], count: names.count)
        var podsAtClass: [Int: [Int]] = [:]
        for (element, traits) in traits.enumerated() {
            for number in traits.addresses { podsAtClass[number, default: []].append(element) }
            guard !traits.usesHostNetwork, let number = numbers[traits.namespace] else { continue }
            elements[number].append(element)
        }
        podsOfNamespace = elements.map { ElementSet(ascending: $0) }
        namespaceNumbers = numbers
        let classesOfPods = ElementSet(ascending: podsAtClass.keys.sorted())
        addressed = Dictionary(
            vocabulary.addresses.map { peer in
                let classes = universe.space.classes(of: peer)
                let pods = Set(classes.intersection(classesOfPods).elements.flatMap { podsAtClass[$0] ?? [] })
                return (peer, ElementSet(ascending: pods.sorted()).union(classes.shifted(by: traits.count)))
            }, uniquingKeysWith: { $1 })
    }

    func pods(_ selector: LabelSelector, in namespace: String) -> ElementSet {
        guard let number = namespaceNumbers[namespace] else { return .empty }
        let inside = podsOfNamespace[number]
        return selector.requirements.isEmpty ? inside : pods.select(selector).intersection(inside)
    }

    /// Evaluates the peers of a rule of a policy in a namespace.
    func peers(of rule: NetworkPolicyRules.Rule, in namespace: String) -> RulePeers {
        var selected: [ElementSet] = []
        var addressed: [ElementSet] = []
        for peer in rule.peers {
            switch peer {
            case .addresses(let peer): addressed.append(self.addressed[peer] ?? .empty)
            case .pods(let selector, nil): selected.append(pods(selector ?? .everything, in: namespace))
            case .pods(let selector, let namespaces?):
                let inside = pods(ofNamespaces: namespaces)
                selected.append(selector.map { pods.select($0).intersection(inside) } ?? inside)
            }
        }
        return RulePeers(
            isEveryone: rule.peers.isEmpty, selected: ElementSet.union(selected),
            addressed: ElementSet.union(addressed))
    }

    private func pods(ofNamespaces selector: LabelSelector) -> ElementSet {
        guard !selector.requirements.isEmpty else { return selectable }
        return ElementSet.union(namespaces.select(selector).elements.map { podsOfNamespace[$0] })
    }
}
