package import Manifest

/// What two states allow differently.
package struct ReachabilityComparison: Sendable {
    /// Traffic between ends that are in both states; no pair of ends is in two rows.
    package struct Row: Sendable {
        package var sources: ReachabilityEnds
        package var destinations: ReachabilityEnds
        /// Allowed only in the second state.
        package var gained: PortSet
        /// Allowed only in the first state.
        package var lost: PortSet
    }

    /// Ends that policies newly isolate or no longer isolate.
    package struct IsolationChange: Sendable {
        package var direction: TrafficDirection
        package var isLost: Bool
        /// Pods and templates that are alike, in order.
        package var pods: [ReachabilityEnd]
        /// What isolates them, in the state where they are isolated.
        package var policies: [ObjectID]
    }

    package var rows: [Row]
    package var isolation: [IsolationChange]
    /// Pods and templates that only one of the states has; no row is about them.
    package var onlyInBase: [ReachabilityEnd]
    package var onlyInHead: [ReachabilityEnd]
}

/// Compares what two states allow between the ends that both have, and whom they isolate.
///
/// Ends without a difference are never listed in pairs. Traffic that already flows may go on after a change: whether it
/// does is up to the network plugin. To compare states that list no workloads, make both models with the pods that
/// ``unknownPods(describedBy:)`` gives for the two.
///
/// - Parameter pods: Only rows that some of these take part in, or others that are alike, and only their isolation.
package func compareReachability(
    base: ReachabilityModel, head: ReachabilityModel, over pods: ReachabilityFilter = .everything
) -> ReachabilityComparison {
    let shared = SharedUniverse(base: base, head: head)
    let baseEnds = Set(base.pods)
    let headEnds = Set(head.pods)
    return ReachabilityComparison(
        rows: shared.rows(over: pods), isolation: shared.isolation(over: pods),
        onlyInBase: base.pods.filter { !headEnds.contains($0) && !shared.universe.has($0) },
        onlyInHead: head.pods.filter { !baseEnds.contains($0) && !shared.universe.has($0) })
}

/// Two states over the ends that both have, in elements that neither can tell apart.
private struct SharedUniverse {
    let universe: Universe
    private let base: PolicyEvaluation
    private let head: PolicyEvaluation
    private let owners: [ObjectID: ObjectID]

    init(base: ReachabilityModel, head: ReachabilityModel) {
        let vocabulary = PolicyVocabulary(base.reading.policies + head.reading.policies)
        let space = AddressSpace(vocabulary.addresses)
        // A pod that stands alone on one side has to stand alone on the other too, or nothing is compared with it.
        let apart = [base, head].map { WorkloadFolding($0.reading, vocabulary, space).loners }
        let common = apart[0].union(apart[1])
        let foldings = [base, head].map { WorkloadFolding($0.reading, vocabulary, space, apart: common) }
        universe = Universe(foldings, space: space)
        owners = foldings[0].owners.merging(foldings[1].owners) { $1 }
        self.base = PolicyEvaluation(base.reading, foldings[0], vocabulary, universe)
        self.head = PolicyEvaluation(head.reading, foldings[1], vocabulary, universe)
    }

    private func elements(of filter: ReachabilityFilter) -> ElementSet {
        guard case .workloads(let ids) = filter else { return universe.elements(of: filter) }
        let represented = ids.map { universe.has(.workload($0)) ? $0 : owners[$0] ?? $0 }
        return universe.elements(of: .workloads(Set(represented)))
    }

    func rows(over filter: ReachabilityFilter) -> [ReachabilityComparison.Row] {
        var builder = PeerFunctionBuilder(count: universe.count)
        var pairs = PairPool()
        let ingress = side(.ingress, &builder, &pairs)
        let egress = side(.egress, &builder, &pairs)
        let changed = pairs.pairs.map { $0.first != $0.second }
        let changedSources = ElementSet.union(
            zip(egress.functions, egress.members).lazy
                .filter { function, _ in changed[function.base] || function.blocks.contains { changed[$0.value] } }
                .map { $1 },
            count: universe.count)
        let ports = builder.pool
        var outcomes = PortChanges(ports)
        var join = ConnectionJoin(
            universe, ingress: ingress, egress: egress, sourcesOfInterest: { changed[$0] ? nil : changedSources })
        let combine: (Int, Int) -> Int? = { outcomes.number(of: pairs.pairs[$0], pairs.pairs[$1]) }
        let everything = universe.everything
        let wanted = elements(of: filter)
        var rows = join.join(from: wanted, to: everything, combine: combine)
        if filter != .everything {
            rows += join.join(from: everything.subtracting(wanted), to: wanted, combine: combine)
        }
        return rows.compactMap(universe.withoutItself).map { row in
            let change = outcomes.changes[row.outcome]
            return ReachabilityComparison.Row(
                sources: ReachabilityEnds(universe, row.sources, .everything),
                destinations: ReachabilityEnds(universe, row.destinations, .everything), gained: change.gained,
                lost: change.lost)
        }
    }

    /// The functions of both states as one, with pairs of ports as values.
    private func side(
        _ direction: TrafficDirection, _ builder: inout PeerFunctionBuilder, _ pairs: inout PairPool
    ) -> ConnectionJoin.Side {
        let sides = [base, head].map { evaluation in
            DirectionFunctions(
                evaluation, direction, universe: universe, wanted: universe.everything, builder: &builder)
        }
        var functions: [PeerFunction] = []
        var numbers: [PairOfNumbers: Int] = [:]
        let functionOfElement = zip(sides[0].functionOfElement, sides[1].functionOfElement).map { left, right in
            let pair = PairOfNumbers(first: left, second: right)
            if let number = numbers[pair] { return number }
            numbers[pair] = functions.count
            functions.append(builder.pair(sides[0].functions[left], sides[1].functions[right], &pairs))
            return functions.count - 1
        }
        return ConnectionJoin.Side(functions: functions, functionOfElement: functionOfElement)
    }

    func isolation(over filter: ReachabilityFilter) -> [ReachabilityComparison.IsolationChange] {
        let wanted = elements(of: filter)
        var changes: [ReachabilityComparison.IsolationChange] = []
        for direction in TrafficDirection.allCases {
            let isolated = [base, head].map { evaluation in
                ElementSet.union(evaluation.bundles(direction).lazy.map(\.subjects), count: universe.count)
            }
            for (isLost, evaluation, elements) in [
                (true, base, isolated[0].subtracting(isolated[1])),
                (false, head, isolated[1].subtracting(isolated[0])),
            ] {
                var alike: [[Int]: [Int]] = [:]
                for element in elements.intersection(wanted).elements {
                    alike[evaluation.policies(isolating: element, direction), default: []].append(element)
                }
                changes += alike.sorted { $0.value[0] < $1.value[0] }.map { policies, elements in
                    ReachabilityComparison.IsolationChange(
                        direction: direction, isLost: isLost,
                        pods: ReachabilityEnds(universe, ElementSet(ascending: elements), .everything).pods,
                        policies: policies.map { evaluation.policies[$0].rules.id })
                }
            }
        }
        return changes
    }
}

extension Universe {
    fileprivate func has(_ end: ReachabilityEnd) -> Bool { !elements(of: end).isEmpty }
}

/// What is gained and lost between pairs of port sets, by number.
private struct PortChanges {
    struct Change: Hashable {
        var gained: PortSet
        var lost: PortSet
    }

    private(set) var changes: [Change] = []
    private var numbers: [Change: Int] = [:]
    private let pool: PortPool

    init(_ pool: PortPool) { self.pool = pool }

    /// - Returns: Nil where nothing changes.
    mutating func number(of egress: PairOfNumbers, _ ingress: PairOfNumbers) -> Int? {
        if egress.first == egress.second, ingress.first == ingress.second { return nil }
        let before = pool[egress.first].intersection(pool[ingress.first])
        let after = pool[egress.second].intersection(pool[ingress.second])
        let change = Change(gained: after.subtracting(before), lost: before.subtracting(after))
        guard !change.gained.isEmpty || !change.lost.isEmpty else { return nil }
        if let number = numbers[change] { return number }
        numbers[change] = changes.count
        changes.append(change)
        return changes.count - 1
    }
}
