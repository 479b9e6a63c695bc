/// What one side allows with each element of a universe, as numbers of some pool.
struct PeerFunction: Hashable, Sendable {
    struct Block: Hashable, Sendable {
        var value: Int
        var elements: ElementSet
    }

    /// For every element that is in no block.
    var base: Int
    /// Without overlap, each with a value of its own that is not ``base``, in the order of the values.
    var blocks: [Block]

    static let unrestricted = PeerFunction(base: PortPool.all, blocks: [])

    func exceptions(count: Int) -> ElementSet { ElementSet.union(blocks.lazy.map(\.elements), count: count) }
}

/// Makes functions of rules.
///
/// Works on one value for each element and touches only the elements that a rule names, so the work is as large as what
/// the rules select.
struct PeerFunctionBuilder {
    /// Ports, by number, for some elements, or for every element where there is no set.
    struct Entry: Hashable {
        var ports: Int
        var elements: ElementSet?
    }

    var pool = PortPool()
    private let count: Int
    private var scratch: [Int]
    private static let untouched = -1

    init(count: Int) {
        self.count = count
        scratch = Array(repeating: Self.untouched, count: count)
    }

    /// What all entries together allow.
    mutating func function(of entries: [Entry]) -> PeerFunction {
        var base = PortPool.none
        var touched = [UInt64](repeating: 0, count: count >> 6 + 1)
        for entry in entries {
            if let elements = entry.elements {
                elements.add(to: &touched)
            } else {
                base = pool.union(base, entry.ports)
            }
        }
        for entry in entries {
            guard let elements = entry.elements else { continue }
            // Neighbours mostly have the same value: the last union is remembered.
            var (lastOld, lastNew) = (Self.untouched, pool.union(base, entry.ports))
            elements.forEach { element in
                let old = scratch[element]
                if old != lastOld {
                    (lastOld, lastNew) = (old, pool.union(old == Self.untouched ? base : old, entry.ports))
                }
                scratch[element] = lastNew
            }
        }
        return collect(ElementSet(trimming: touched), base: base)
    }

    /// Both functions at once, as numbers of pairs.
    mutating func pair(_ left: PeerFunction, _ right: PeerFunction, _ pairs: inout PairPool) -> PeerFunction {
        let base = pairs.number(PairOfNumbers(first: left.base, second: right.base))
        for block in left.blocks {
            let number = pairs.number(PairOfNumbers(first: block.value, second: right.base))
            block.elements.forEach { scratch[$0] = number }
        }
        for block in right.blocks {
            block.elements.forEach { element in
                let old = scratch[element]
                let first = old == Self.untouched ? left.base : pairs.pairs[old].first
                scratch[element] = pairs.number(PairOfNumbers(first: first, second: block.value))
            }
        }
        return collect(left.exceptions(count: count).union(right.exceptions(count: count)), base: base)
    }

    /// Gathers the values of the touched elements, and forgets them.
    private mutating func collect(_ touched: ElementSet, base: Int) -> PeerFunction {
        var lists: [[Int]] = []
        var values: [Int] = []
        var places: [Int: Int] = [:]
        var (lastValue, place) = (Self.untouched, 0)
        touched.forEach { element in
            let value = scratch[element]
            scratch[element] = Self.untouched
            guard value != base, value != Self.untouched else { return }
            if value != lastValue {
                lastValue = value
                place = places[value] ?? lists.count
                if place == lists.count {
                    places[value] = place
                    lists.append([])
                    values.append(value)
                }
            }
            lists[place].append(element)
        }
        let blocks = zip(values, lists).map { PeerFunction.Block(value: $0, elements: ElementSet(ascending: $1)) }
        return PeerFunction(base: base, blocks: blocks.sorted { $0.value < $1.value })
    }
}
