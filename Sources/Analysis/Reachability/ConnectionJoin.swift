/// Sources, destinations and the number of what holds between each of the former and each of the latter.
struct JoinedRow: Sendable {
    var sources: ElementSet
    var destinations: ElementSet
    var outcome: Int
}

/// Joins what sources may send with what destinations take in.
///
/// Goes from classes of destinations to the sources that each lets in, and never looks at single pairs of pods that
/// are alike. Between two addresses outside of the cluster it says nothing.
struct ConnectionJoin {
    /// Functions, and which of them each element has.
    struct Side {
        var functions: [PeerFunction]
        var functionOfElement: [Int]
        var members: [ElementSet]

        init(_ side: DirectionFunctions) {
            self.init(functions: side.functions, functionOfElement: side.functionOfElement)
        }

        init(functions: [PeerFunction], functionOfElement: [Int]) {
            self.functions = functions
            self.functionOfElement = functionOfElement
            var lists = [[Int]](repeating: [], count: functions.count)
            for (element, function) in functionOfElement.enumerated() { lists[function].append(element) }
            members = lists.map { ElementSet(ascending: $0) }
        }
    }

    private let universe: Universe
    private let ingress: Side
    private let egress: Side
    /// For values of the destination that are not interesting by themselves, the sources that are; nil elsewhere.
    private let sourcesOfInterest: (Int) -> ElementSet?

    private var outcomes = OutcomeTable()
    /// The destinations of rows, by what else they have; put together at once, because there may be very many rows.
    private var destinationsOfRow: [RowKey: ElementSet] = [:]

    init(
        _ universe: Universe, ingress: Side, egress: Side, sourcesOfInterest: @escaping (Int) -> ElementSet?
    ) {
        self.universe = universe
        self.ingress = ingress
        self.egress = egress
        self.sourcesOfInterest = sourcesOfInterest
    }

    /// The rows, those with equal sources or equal destinations put together, in a fixed order.
    ///
    /// - Parameter combine: What holds where the source allows the first value and the destination the second; nil
    ///   where nothing is to be told.
    mutating func join(
        from sources: ElementSet, to destinations: ElementSet, combine: (Int, Int) -> Int?
    ) -> [JoinedRow] {
        destinationsOfRow = [:]
        let pods = universe.pods
        var cuts = DestinationCuts(egress.functions)
        for (number, function) in ingress.functions.enumerated() {
            let members = ingress.members[number].intersection(destinations)
            cuts.begin(members.intersection(pods))
            join(from: sources, to: &cuts, function, combine)
            cuts.begin(members.intersection(universe.addresses))
            join(from: sources.intersection(pods), to: &cuts, function, combine)
        }
        return mergedRows()
    }

    private mutating func join(
        from sources: ElementSet, to cuts: inout DestinationCuts, _ function: PeerFunction,
        _ combine: (Int, Int) -> Int?
    ) {
        guard !cuts.parts[0].isEmpty, !sources.isEmpty else { return }
        var gathered = GatheredSources(count: universe.count)
        let exceptions = function.exceptions(count: universe.count)
        let blocks = [PeerFunction.Block(value: function.base, elements: universe.everything.subtracting(exceptions))]
        for block in blocks + function.blocks {
            var allowed = block.elements.intersection(sources)
            if let interesting = sourcesOfInterest(block.value) { allowed = allowed.intersection(interesting) }
            // Which sets a source with an egress function is added to, once that is known.
            var places = FunctionLists(count: allowed.isEmpty ? 0 : egress.functions.count)
            allowed.forEach { source in
                let number = egress.functionOfElement[source]
                if places[number] == nil {
                    places.begin(number)
                    for index in cuts.cut(by: number) {
                        let (part, value) = cuts.pairs[index]
                        guard let outcome = outcomes.outcome(value, block.value, combine) else { continue }
                        places.append(gathered.place(part, outcome), to: number)
                    }
                }
                for index in places[number] ?? 0..<0 { gathered.insert(source, at: places.values[index]) }
            }
        }
        for (part, outcome, sources) in gathered.all {
            destinationsOfRow[RowKey(set: sources, outcome: outcome), default: .empty].formUnion(cuts.parts[part])
        }
    }

    private struct RowKey: Hashable {
        var set: ElementSet
        var outcome: Int
    }

    /// The rows, those with equal destinations put together too.
    private func mergedRows() -> [JoinedRow] {
        var sourcesOfRow: [RowKey: [ElementSet]] = [:]
        for (key, destinations) in destinationsOfRow {
            sourcesOfRow[RowKey(set: destinations, outcome: key.outcome), default: []].append(key.set)
        }
        return sourcesOfRow.map { key, sets in
            JoinedRow(sources: ElementSet.union(sets), destinations: key.set, outcome: key.outcome)
        }.sorted { left, right in
            // No pair is in two rows, so no two of them begin alike on both sides.
            (left.sources.first ?? 0, left.destinations.first ?? 0)
                < (right.sources.first ?? 0, right.destinations.first ?? 0)
        }
    }
}
