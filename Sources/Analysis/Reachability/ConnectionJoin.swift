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

    private var outcomes: [Int: [Int: Int?]] = [:]
    private var rows: [JoinedRow] = []

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
    /// - Parameter combine: What holds where the source allows the first value and the destination the second; nil where
    ///   nothing is to be told.
    mutating func join(
        from sources: ElementSet, to destinations: ElementSet, combine: (Int, Int) -> Int?
    ) -> [JoinedRow] {
        rows = []
        let pods = universe.pods
        for (number, function) in ingress.functions.enumerated() {
            let members = ingress.members[number].intersection(destinations)
            join(from: sources, to: members.intersection(pods), function, combine)
            join(from: sources.intersection(pods), to: members.intersection(universe.addresses), function, combine)
        }
        return Self.merge(rows)
    }

    private mutating func join(
        from sources: ElementSet, to destinations: ElementSet, _ function: PeerFunction, _ combine: (Int, Int) -> Int?
    ) {
        guard !destinations.isEmpty, !sources.isEmpty else { return }
        var cuts = DestinationCuts(destinations, egress.functions)
        var found: [PairOfNumbers: Int] = [:]
        var gathered: [(key: PairOfNumbers, bits: [UInt64])] = []
        let exceptions = function.exceptions(count: universe.count)
        let blocks = [PeerFunction.Block(value: function.base, elements: universe.everything.subtracting(exceptions))]
        for block in blocks + function.blocks {
            var allowed = block.elements.intersection(sources)
            if let interesting = sourcesOfInterest(block.value) { allowed = allowed.intersection(interesting) }
            // Which lists a source of an egress function is added to, once it is known.
            var lists = [[Int]?](repeating: nil, count: allowed.isEmpty ? 0 : egress.functions.count)
            for source in allowed.elements {
                let number = egress.functionOfElement[source]
                if lists[number] == nil {
                    var places: [Int] = []
                    for (part, value) in cuts.cut(by: number) {
                        guard let outcome = outcome(value, block.value, combine) else { continue }
                        let key = PairOfNumbers(first: part, second: outcome)
                        if found[key] == nil {
                            found[key] = gathered.count
                            gathered.append((key, [UInt64](repeating: 0, count: universe.count >> 6 + 1)))
                        }
                        if let place = found[key] { places.append(place) }
                    }
                    lists[number] = places
                }
                for place in lists[number] ?? [] { gathered[place].bits[source >> 6] |= 1 << UInt64(source & 63) }
            }
        }
        for (key, bits) in gathered {
            rows.append(
                JoinedRow(
                    sources: ElementSet(trimming: bits), destinations: cuts.parts[key.first], outcome: key.second))
        }
    }

    private mutating func outcome(_ egress: Int, _ ingress: Int, _ combine: (Int, Int) -> Int?) -> Int? {
        if let known = outcomes[egress]?[ingress] { return known }
        let outcome = combine(egress, ingress)
        outcomes[egress, default: [:]][ingress] = .some(outcome)
        return outcome
    }

    private static func merge(_ rows: [JoinedRow]) -> [JoinedRow] {
        struct Key: Hashable {
            var set: ElementSet
            var outcome: Int
        }
        var bySources: [Key: [ElementSet]] = [:]
        for row in rows { bySources[Key(set: row.sources, outcome: row.outcome), default: []].append(row.destinations) }
        var byDestinations: [Key: [ElementSet]] = [:]
        for (key, sets) in bySources {
            let destinations = sets.reduce(ElementSet.empty) { $0.union($1) }
            byDestinations[Key(set: destinations, outcome: key.outcome), default: []].append(key.set)
        }
        return byDestinations.map { key, sets in
            JoinedRow(
                sources: sets.reduce(.empty) { $0.union($1) }, destinations: key.set, outcome: key.outcome)
        }.sorted { left, right in
            // Rows never overlap, so two of them that begin alike on both sides cannot be.
            (left.sources.first ?? 0, left.destinations.first ?? 0)
                < (right.sources.first ?? 0, right.destinations.first ?? 0)
        }
    }
}

/// How egress functions divide some destinations.
private struct DestinationCuts {
    /// Different sets of destinations; the first is all of them.
    private(set) var parts: [ElementSet]
    private var places: [ElementSet: Int]
    private let functions: [PeerFunction]
    private var known: [[(part: Int, value: Int)]?]

    init(_ destinations: ElementSet, _ functions: [PeerFunction]) {
        parts = [destinations]
        places = [destinations: 0]
        self.functions = functions
        known = Array(repeating: nil, count: functions.count)
    }

    mutating func cut(by number: Int) -> [(part: Int, value: Int)] {
        if let cut = known[number] { return cut }
        let cut = newCut(by: functions[number])
        known[number] = cut
        return cut
    }

    private mutating func newCut(by function: PeerFunction) -> [(part: Int, value: Int)] {
        var cut: [(part: Int, value: Int)] = []
        var rest = parts[0]
        for block in function.blocks where !rest.isDisjoint(with: block.elements) {
            if rest.isSubset(of: block.elements) { return cut + [(place(of: rest), block.value)] }
            cut.append((place(of: rest.intersection(block.elements)), block.value))
            rest = rest.subtracting(block.elements)
        }
        return cut + [(place(of: rest), function.base)]
    }

    private mutating func place(of part: ElementSet) -> Int {
        if let place = places[part] { return place }
        places[part] = parts.count
        parts.append(part)
        return parts.count - 1
    }
}
