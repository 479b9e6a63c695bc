import Policy

/// All addresses, in the fewest classes by which policies can tell them apart.
struct AddressSpace: Sendable {
    /// All addresses in order, version 4 before version 6, cut wherever a block begins or ends.
    let intervals: [AddressRange]
    /// The class of each interval.
    private let classes: [Int]
    /// The intervals of each class, in ascending order.
    private let intervalsOfClass: [[Int]]
    private let classesOfPeer: [NetworkPolicyRules.AddressPeer: ElementSet]

    var classCount: Int { intervalsOfClass.count }

    /// - Parameter peers: Each once.
    init(_ peers: [NetworkPolicyRules.AddressPeer]) {
        let ranges = peers.map { peer in peer.block.range.subtracting(peer.exceptions.map(\.range)) }
        let intervals = Self.cut(ranges.joined())
        var partition = Partition(count: intervals.count)
        let spans = ranges.map { $0.map { Self.span(of: $0, in: intervals) } }
        for span in spans { partition.refine(by: span) }
        let (classes, count) = partition.compact
        var intervalsOfClass = [[Int]](repeating: [], count: count)
        for (interval, number) in classes.enumerated() { intervalsOfClass[number].append(interval) }
        self.intervals = intervals
        self.classes = classes
        self.intervalsOfClass = intervalsOfClass
        classesOfPeer = Dictionary(
            zip(peers, spans.map { Self.classes(of: $0, classes, count) }), uniquingKeysWith: { $1 })
    }

    private static func classes(of spans: [Range<Int>], _ classes: [Int], _ count: Int) -> ElementSet {
        var bits = [UInt64](repeating: 0, count: count >> 6 + 1)
        for number in spans.joined().lazy.map({ classes[$0] }) { bits[number >> 6] |= 1 << UInt64(number & 63) }
        return ElementSet(trimming: bits)
    }

    private static func cut(_ ranges: some Sequence<AddressRange>) -> [AddressRange] {
        [AddressRange.everyVersion4, .everyVersion6].flatMap { whole in
            var starts: Set<UInt128> = [0]
            for range in ranges where range.isVersion6 == whole.isVersion6 {
                starts.insert(range.lower)
                if range.upper < whole.upper { starts.insert(range.upper + 1) }
            }
            let ordered = starts.sorted()
            return zip(ordered, ordered.dropFirst().map { $0 - 1 } + [whole.upper]).map { lower, upper in
                AddressRange(isVersion6: whole.isVersion6, lower: lower, upper: upper)
            }
        }
    }

    /// The intervals that have an address in common with a range.
    private static func span(of range: AddressRange, in intervals: [AddressRange]) -> Range<Int> {
        func firstInterval(where isBeyond: (AddressRange) -> Bool) -> Int {
            var (low, high) = (0, intervals.count)
            while low < high {
                let middle = (low + high) / 2
                if isBeyond(intervals[middle]) { high = middle } else { low = middle + 1 }
            }
            return low
        }
        let start = firstInterval {
            $0.isVersion6 == range.isVersion6 ? $0.upper >= range.lower : $0.isVersion6
        }
        let end = firstInterval { $0.isVersion6 == range.isVersion6 ? $0.lower > range.upper : $0.isVersion6 }
        return start..<max(start, end)
    }

    /// The classes of a peer that was among those given.
    func classes(of peer: NetworkPolicyRules.AddressPeer) -> ElementSet { classesOfPeer[peer] ?? .empty }

    /// The classes that have an address in a range, in ascending order.
    func classes(in range: AddressRange) -> [Int] {
        Set(Self.span(of: range, in: intervals).map { classes[$0] }).sorted()
    }

    /// The addresses of some classes as the fewest blocks.
    ///
    /// - Parameter bounds: Nothing outside of it is given.
    func blocks(of classes: some Sequence<Int>, within bounds: AddressRange?) -> [AddressBlock] {
        let ranges = classes.flatMap { intervalsOfClass[$0] }.map { intervals[$0] }
        return AddressRange.blocks(bounds.map { bounds in ranges.compactMap { $0.intersection(bounds) } } ?? ranges)
    }
}
