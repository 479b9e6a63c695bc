/// What comes of two values, each pair worked out once.
struct OutcomeTable {
    /// By egress value, then by ingress value.
    private var rows: [[Int32]] = []
    private static let unknown: Int32 = -2
    private static let nothing: Int32 = -1

    mutating func outcome(_ egress: Int, _ ingress: Int, _ combine: (Int, Int) -> Int?) -> Int? {
        while rows.count <= egress { rows.append([]) }
        if rows[egress].count <= ingress {
            rows[egress] += Array(repeating: Self.unknown, count: ingress + 1 - rows[egress].count)
        }
        if rows[egress][ingress] == Self.unknown {
            rows[egress][ingress] = combine(egress, ingress).map { Int32($0) } ?? Self.nothing
        }
        let outcome = rows[egress][ingress]
        return outcome == Self.nothing ? nil : Int(outcome)
    }
}

/// A list of numbers for each of some functions, made one after the other, all in one array.
struct FunctionLists {
    private(set) var values: [Int] = []
    private var starts: [Int32]
    private var ends: [Int32]

    init(count: Int) {
        starts = Array(repeating: -1, count: count)
        ends = starts
    }

    /// Where the list of a function lies in ``values``; nil where it has not been begun.
    subscript(number: Int) -> Range<Int>? {
        starts[number] < 0 ? nil : Int(starts[number])..<Int(ends[number])
    }

    mutating func begin(_ number: Int) {
        starts[number] = Int32(values.count)
        ends[number] = Int32(values.count)
    }

    /// Only for the list that was begun last.
    mutating func append(_ value: Int, to number: Int) {
        values.append(value)
        ends[number] += 1
    }
}

/// Sources, gathered by the part of the destinations and the outcome that they have in common.
struct GatheredSources {
    private let wordCount: Int
    private var keys: [PairOfNumbers] = []
    private var bits: [[UInt64]] = []
    private var places: [PairOfNumbers: Int] = [:]
    /// The last one that was asked for: most sources in a row have it in common.
    private var last: (key: PairOfNumbers, place: Int)?

    init(count: Int) { wordCount = count >> 6 + 1 }

    mutating func place(_ part: Int, _ outcome: Int) -> Int {
        let key = PairOfNumbers(first: part, second: outcome)
        if let last, last.key == key { return last.place }
        let place = places[key] ?? keys.count
        if place == keys.count {
            places[key] = place
            keys.append(key)
            bits.append([UInt64](repeating: 0, count: wordCount))
        }
        last = (key, place)
        return place
    }

    mutating func insert(_ source: Int, at place: Int) { bits[place][source >> 6] |= 1 << UInt64(source & 63) }

    var all: [(part: Int, outcome: Int, sources: ElementSet)] {
        zip(keys, bits).map { ($0.first, $0.second, ElementSet(trimming: $1)) }
    }
}

/// How egress functions divide some destinations.
struct DestinationCuts {
    /// Different sets of destinations; the first is all of them.
    private(set) var parts: [ElementSet] = [.empty]
    /// A part, and what a function allows with it.
    private(set) var pairs: [(part: Int, value: Int)] = []
    private var places: [ElementSet: Int] = [:]
    private let functions: [PeerFunction]
    private var ranges: [Range<Int>]
    /// For which destinations each of the ranges was found.
    private var rounds: [Int]
    private var round = 0

    init(_ functions: [PeerFunction]) {
        self.functions = functions
        ranges = Array(repeating: 0..<0, count: functions.count)
        rounds = Array(repeating: 0, count: functions.count)
    }

    /// Forgets what was said of other destinations.
    mutating func begin(_ destinations: ElementSet) {
        round += 1
        parts = [destinations]
        places = [:]
        pairs.removeAll(keepingCapacity: true)
    }

    /// Where in ``pairs`` the parts by a function are.
    mutating func cut(by number: Int) -> Range<Int> {
        if rounds[number] == round { return ranges[number] }
        let start = pairs.count
        divide(by: functions[number])
        rounds[number] = round
        ranges[number] = start..<pairs.count
        return ranges[number]
    }

    private mutating func divide(by function: PeerFunction) {
        var rest = parts[0]
        var isWhole = true
        for block in function.blocks where !rest.isDisjoint(with: block.elements) {
            if rest.isSubset(of: block.elements) {
                pairs.append((isWhole ? 0 : place(of: rest), block.value))
                return
            }
            pairs.append((place(of: rest.intersection(block.elements)), block.value))
            rest = rest.subtracting(block.elements)
            isWhole = false
        }
        pairs.append((isWhole ? 0 : place(of: rest), function.base))
    }

    private mutating func place(of part: ElementSet) -> Int {
        if let place = places[part] { return place }
        places[part] = parts.count
        parts.append(part)
        return parts.count - 1
    }
}
