import Policy

/// What the policies of one state allow for a direction: for each element with which others, and on what ports.
struct DirectionFunctions: Sendable {
    /// Each once; the first is that of what nothing isolates.
    private(set) var functions: [PeerFunction] = [.unrestricted]
    /// Which of the functions each element of the universe has.
    private(set) var functionOfElement: [Int]

    /// - Parameter wanted: The elements that matter; the others get any function.
    init(
        _ evaluation: PolicyEvaluation, _ direction: TrafficDirection, universe: Universe, wanted: ElementSet,
        builder: inout PeerFunctionBuilder
    ) {
        functionOfElement = Array(repeating: 0, count: universe.count)
        let bundles = evaluation.bundles(direction)
        guard !bundles.isEmpty else { return }
        let podCount = universe.members.count
        var partition = Partition(count: podCount)
        for bundle in bundles { partition.refine(by: bundle.subjects) }
        // What names mean depends on the subject where it is the destination.
        if direction == .ingress, evaluation.portTables.count > 1 { partition.refine(by: evaluation.portTable) }
        let (classes, classCount) = partition.compact
        var representatives = [Int?](repeating: nil, count: classCount)
        for element in 0..<podCount where representatives[classes[element]] == nil && wanted.contains(element) {
            representatives[classes[element]] = element
        }
        var bundlesOfClass = [[Int]](repeating: [], count: classCount)
        for (place, bundle) in bundles.enumerated() {
            bundle.subjects.forEach { element in
                if representatives[classes[element]] == element { bundlesOfClass[classes[element]].append(place) }
            }
        }
        var entries = BundleEntries(evaluation, bundles, direction)
        // By hash, so that growing the table does not hash whole functions again.
        var numbers: [Int: [Int]] = [PeerFunction.unrestricted.hashValue: [0]]
        let functionOfClass = (0..<classCount).map { number -> Int in
            guard let representative = representatives[number], !bundlesOfClass[number].isEmpty else { return 0 }
            let table = direction == .ingress ? evaluation.portTable[representative] : 0
            let function = builder.function(
                of: bundlesOfClass[number].flatMap { entries.entries(of: $0, table: table, &builder) })
            let hash = function.hashValue
            if let known = numbers[hash]?.first(where: { functions[$0] == function }) { return known }
            numbers[hash, default: []].append(functions.count)
            functions.append(function)
            return functions.count - 1
        }
        for element in 0..<podCount { functionOfElement[element] = functionOfClass[classes[element]] }
    }
}

/// What the rules of bundles allow, each computed once.
private struct BundleEntries {
    private let evaluation: PolicyEvaluation
    private let bundles: [PolicyBundle]
    private let direction: TrafficDirection
    private var known: [PairOfNumbers: [PeerFunctionBuilder.Entry]] = [:]

    init(_ evaluation: PolicyEvaluation, _ bundles: [PolicyBundle], _ direction: TrafficDirection) {
        self.evaluation = evaluation
        self.bundles = bundles
        self.direction = direction
    }

    /// - Parameter table: The named ports of the subjects, for ingress.
    mutating func entries(
        of bundle: Int, table: Int, _ builder: inout PeerFunctionBuilder
    ) -> [PeerFunctionBuilder.Entry] {
        let key = PairOfNumbers(first: bundle, second: table)
        if let entries = known[key] { return entries }
        var entries: [PeerFunctionBuilder.Entry] = []
        for policy in bundles[bundle].policies.map({ evaluation.policies[$0] }) {
            for (rule, peers) in zip(policy.rules.effectiveRules(direction), policy.peers(direction)) {
                entries += self.entries(of: rule, peers, table: table, &builder.pool)
            }
        }
        if entries.count > 1 {
            // Many rules of one selector are mostly few different answers.
            let function = builder.function(of: entries)
            entries = [PeerFunctionBuilder.Entry(ports: function.base, elements: nil)]
            entries += function.blocks.map { PeerFunctionBuilder.Entry(ports: $0.value, elements: $0.elements) }
        }
        known[key] = entries
        return entries
    }

    private func entries(
        of rule: NetworkPolicyRules.Rule, _ peers: RulePeers, table: Int, _ pool: inout PortPool
    ) -> [PeerFunctionBuilder.Entry] {
        let elements = peers.isEveryone ? nil : peers.selected.union(peers.addressed)
        guard direction == .egress else {
            let ports = rule.ports.union(evaluation.portTables[table].resolve(rule.namedPorts))
            return [PeerFunctionBuilder.Entry(ports: pool.number(ports), elements: elements)]
        }
        var entries = [PeerFunctionBuilder.Entry(ports: pool.number(rule.ports), elements: elements)]
        guard !rule.namedPorts.isEmpty else { return entries }
        let named = peers.isEveryone ? evaluation.selectable : peers.selected
        for (table, members) in zip(evaluation.portTables, evaluation.elementsOfTable) {
            let ports = table.resolve(rule.namedPorts)
            guard !ports.isEmpty else { continue }
            entries.append(
                PeerFunctionBuilder.Entry(ports: pool.number(ports), elements: named.intersection(members)))
        }
        return entries
    }
}
