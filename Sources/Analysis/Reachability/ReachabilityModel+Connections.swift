import Manifest

/// What is allowed from each of some sources to each of some destinations.
package struct ReachabilityRow: Sendable {
    package var sources: ReachabilityEnds
    package var destinations: ReachabilityEnds
    /// Never empty.
    package var ports: PortSet
}

extension ReachabilityModel {
    /// What is allowed, in rows of ends that are alike; what is not allowed is in no row, and no pair is in two.
    ///
    /// Not between two addresses outside of the cluster. Where a running pod is on both sides of a row beside others,
    /// the row says nothing about its traffic to itself.
    package func connections(
        from sources: ReachabilityFilter = .everything, to destinations: ReachabilityFilter = .everything
    ) -> [ReachabilityRow] {
        let (sources, destinations) = (represented(sources), represented(destinations))
        let (from, to) = (universe.elements(of: sources), universe.elements(of: destinations))
        var builder = PeerFunctionBuilder(count: universe.count)
        let egress = DirectionFunctions(evaluation, .egress, universe: universe, wanted: from, builder: &builder)
        let ingress = DirectionFunctions(evaluation, .ingress, universe: universe, wanted: to, builder: &builder)
        var outcomes = PortPool()
        let ports = builder.pool
        var join = ConnectionJoin(
            universe, ingress: ConnectionJoin.Side(ingress), egress: ConnectionJoin.Side(egress),
            sourcesOfInterest: { $0 == PortPool.none ? .empty : nil })
        let rows = join.join(from: from, to: to) { egress, ingress in
            if egress == PortPool.none || ingress == PortPool.none { return nil }
            let both = outcomes.number(ports[egress].intersection(ports[ingress]))
            return both == PortPool.none ? nil : both
        }
        return rows.compactMap(universe.withoutItself).map { row in
            ReachabilityRow(
                sources: ReachabilityEnds(universe, row.sources, sources),
                destinations: ReachabilityEnds(universe, row.destinations, destinations),
                ports: outcomes[row.outcome])
        }
    }

    /// Calls with each pair of ends between which something is allowed, in a fixed order, without listing them first.
    ///
    /// A running pod and itself are left out; a workload and itself are two of its pods.
    package func forEachConnection<Failure: Error>(
        from sources: ReachabilityFilter = .everything, to destinations: ReachabilityFilter = .everything,
        _ body: (ReachabilityEnd, ReachabilityEnd, PortSet) throws(Failure) -> Void
    ) throws(Failure) {
        for row in connections(from: sources, to: destinations) {
            let destinations = row.destinations.all
            for source in row.sources.all {
                for destination in destinations {
                    if case .external = source, case .external = destination { continue }
                    if source == destination, case .workload(let id) = source, id.kind == Resource.pod.kind { continue }
                    try body(source, destination, row.ports)
                }
            }
        }
    }
}
