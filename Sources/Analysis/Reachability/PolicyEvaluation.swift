import Manifest
import Policy

/// Whom a rule lets in or out, as elements of a universe.
struct RulePeers: Sendable {
    /// Whether there is no list: every peer in and outside of the cluster.
    var isEveryone: Bool
    /// What a selector selects.
    var selected: ElementSet
    /// Everything whose address is in a block, pods too.
    var addressed: ElementSet

    func contains(_ element: Int) -> Bool {
        isEveryone || selected.contains(element) || addressed.contains(element)
    }
}

/// A policy with what it selects.
struct EvaluatedPolicy: Sendable {
    var rules: NetworkPolicyRules
    var subjects: ElementSet
    var ingress: [RulePeers]
    var egress: [RulePeers]

    func peers(_ direction: TrafficDirection) -> [RulePeers] { direction == .ingress ? ingress : egress }
}

/// The policies that select the same pods for a direction.
struct PolicyBundle: Sendable {
    var subjects: ElementSet
    /// Places in ``PolicyEvaluation/policies``, in order.
    var policies: [Int]
}

/// The policies of one state over a universe.
struct PolicyEvaluation: Sendable {
    let policies: [EvaluatedPolicy]
    private let bundles: [TrafficDirection: [PolicyBundle]]
    /// The places of a namespace's bundles.
    private let bundlesOfNamespace: [TrafficDirection: [String: [Int]]]
    /// The traits of each element of pods.
    let traits: [EndpointTraits]
    /// The different tables of named ports, and which of them each element of pods has.
    let portTables: [ContainerPorts]
    let portTable: [Int]
    let elementsOfTable: [ElementSet]
    /// The pods that selectors can select at all.
    let selectable: ElementSet

    init(_ reading: ClusterReading, _ folding: WorkloadFolding, _ vocabulary: PolicyVocabulary, _ universe: Universe) {
        let traits = universe.members.indices.compactMap { element in
            universe.representative(of: element).flatMap { folding.traits[$0] }
        }
        let selection = PeerSelection(reading, traits, vocabulary, universe)
        let policies = reading.policies.map { policy in
            EvaluatedPolicy(
                rules: policy, subjects: selection.pods(policy.podSelector, in: policy.namespace),
                ingress: policy.effectiveRules(.ingress).map { selection.peers(of: $0, in: policy.namespace) },
                egress: policy.effectiveRules(.egress).map { selection.peers(of: $0, in: policy.namespace) })
        }
        var bundles: [TrafficDirection: [PolicyBundle]] = [:]
        var ofNamespace: [TrafficDirection: [String: [Int]]] = [:]
        for direction in TrafficDirection.allCases {
            var places: [BundleKey: Int] = [:]
            for (index, policy) in policies.enumerated() where policy.rules.directions.contains(direction) {
                let key = BundleKey(namespace: policy.rules.namespace, selector: policy.rules.podSelector)
                let place = places[key] ?? bundles[direction, default: []].count
                if places[key] == nil {
                    places[key] = place
                    bundles[direction, default: []].append(PolicyBundle(subjects: policy.subjects, policies: []))
                    ofNamespace[direction, default: [:]][key.namespace, default: []].append(place)
                }
                bundles[direction]?[place].policies.append(index)
            }
        }
        self.policies = policies
        self.bundles = bundles
        bundlesOfNamespace = ofNamespace
        self.traits = traits
        (portTables, portTable) = Self.number(traits.map(\.ports))
        var elements = [[Int]](repeating: [], count: portTables.count)
        for (element, table) in portTable.enumerated() { elements[table].append(element) }
        elementsOfTable = elements.map { ElementSet(ascending: $0) }
        selectable = selection.selectable
    }

    private struct BundleKey: Hashable {
        var namespace: String
        var selector: LabelSelector
    }

    private static func number(_ tables: [ContainerPorts]) -> ([ContainerPorts], [Int]) {
        var numbers: [ContainerPorts: Int] = [:]
        var distinct: [ContainerPorts] = []
        let numbered = tables.map { table in
            if let number = numbers[table] { return number }
            numbers[table] = distinct.count
            distinct.append(table)
            return distinct.count - 1
        }
        return (distinct, numbered)
    }

    func bundles(_ direction: TrafficDirection) -> [PolicyBundle] { bundles[direction] ?? [] }

    /// The policies that isolate an element for a direction, as places in ``policies``, in order.
    func policies(isolating element: Int, _ direction: TrafficDirection) -> [Int] {
        guard traits.indices.contains(element) else { return [] }
        let places = bundlesOfNamespace[direction]?[traits[element].namespace] ?? []
        let all = bundles(direction)
        return places.filter { all[$0].subjects.contains(element) }.flatMap { all[$0].policies }.sorted()
    }

    /// Which of a rule's ports a destination has; none where it has none of the names.
    ///
    /// - Parameter peers: Of an egress rule; a name has nothing to resolve against where only an address leads there.
    func ports(of rule: NetworkPolicyRules.Rule, at destination: Int, egressTo peers: RulePeers? = nil) -> PortSet {
        guard !rule.namedPorts.isEmpty, portTable.indices.contains(destination) else { return rule.ports }
        if let peers, !peers.isEveryone, !peers.selected.contains(destination) { return rule.ports }
        return rule.ports.union(portTables[portTable[destination]].resolve(rule.namedPorts))
    }

    /// What goes from one element to another as far as the policies of one of them say.
    func ports(_ direction: TrafficDirection, from source: Int, to destination: Int) -> PortSet {
        let (subject, peer) = direction == .ingress ? (destination, source) : (source, destination)
        let isolating = policies(isolating: subject, direction)
        guard !isolating.isEmpty else { return .all }
        return PortSet.union(
            isolating.map { policies[$0] }.flatMap { policy in
                zip(policy.rules.effectiveRules(direction), policy.peers(direction)).compactMap { rule, peers in
                    guard peers.contains(peer) else { return nil }
                    return ports(of: rule, at: destination, egressTo: direction == .egress ? peers : nil)
                }
            })
    }
}
