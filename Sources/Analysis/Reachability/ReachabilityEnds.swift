package import Manifest
package import Policy

/// Which ends an answer is about.
package enum ReachabilityFilter: Sendable, Hashable {
    case everything
    case workloads(Set<ObjectID>)
    /// Pods and templates, listed or not, but no addresses.
    case pods
    /// Addresses outside of the cluster.
    case external
    /// Those among the addresses outside of the cluster that are in a block.
    case addresses(AddressBlock)
}

/// Some ends that an answer treats alike; they are only listed when somebody asks.
package struct ReachabilityEnds: Sendable {
    private let universe: Universe
    let elements: ElementSet
    private let filter: ReachabilityFilter

    init(_ universe: Universe, _ elements: ElementSet, _ filter: ReachabilityFilter) {
        self.universe = universe
        self.elements = elements
        self.filter = filter
    }

    /// Pods and templates, in order.
    package var pods: [ReachabilityEnd] {
        var positions: [Int] = []
        elements.forEach { element in
            if element < universe.members.count { positions += universe.members[element] }
        }
        let ends = positions.sorted().map { universe.ends[$0] }
        guard case .workloads(let wanted) = filter else { return ends }
        return ends.filter { end in if case .workload(let id) = end { wanted.contains(id) } else { false } }
    }

    /// The addresses among them, as the fewest blocks.
    package var blocks: [AddressBlock] {
        var bounds: AddressRange?
        if case .addresses(let block) = filter { bounds = block.range }
        let classes = elements.intersection(universe.addresses).elements.map { $0 - universe.members.count }
        return universe.space.blocks(of: classes, within: bounds)
    }

    /// Pods before addresses.
    package var all: [ReachabilityEnd] { pods + blocks.map { .external($0) } }

    package var hasPods: Bool { !elements.isDisjoint(with: universe.pods) }
    package var hasAddresses: Bool { !elements.isDisjoint(with: universe.addresses) }
}

extension Universe {
    /// The elements that have something of what a filter lets through.
    func elements(of filter: ReachabilityFilter) -> ElementSet {
        switch filter {
        case .everything: everything
        case .pods: pods
        case .external: addresses
        case .addresses(let block): ElementSet(ascending: elements(of: .external(block)))
        case .workloads(let ids):
            ElementSet(ascending: Set(ids.flatMap { elements(of: .workload($0)) }).sorted())
        }
    }

    /// A row without the traffic of a running pod to itself, as far as that is all the traffic of one of its sides.
    ///
    /// - Returns: Nil where nothing remains.
    func withoutItself(_ row: JoinedRow) -> JoinedRow? {
        var row = row
        if isLonePod(row.destinations) { row.sources = row.sources.subtracting(row.destinations) }
        if isLonePod(row.sources) { row.destinations = row.destinations.subtracting(row.sources) }
        return row.sources.isEmpty || row.destinations.isEmpty ? nil : row
    }

    /// Whether it is one running pod and nothing else.
    private func isLonePod(_ elements: ElementSet) -> Bool {
        guard elements.count == 1, let element = elements.first, members.indices.contains(element),
            members[element].count == 1, case .workload(let id) = ends[members[element][0]]
        else { return false }
        return id.kind == Resource.pod.kind
    }
}
