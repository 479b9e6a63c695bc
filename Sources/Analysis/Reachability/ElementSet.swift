/// A set of small numbers: elements of a ``Universe``, or places in some other list.
///
/// Bits, kept from the first to the last word that has any, because what policies select lies close together.
/// Canonical: equal sets have equal words.
struct ElementSet: Hashable, Sendable {
    /// Which word of the whole line comes first.
    private var offset: Int
    private var words: [UInt64]

    static let empty = ElementSet(offset: 0, words: [])

    private init(offset: Int, words: [UInt64]) {
        self.offset = offset
        self.words = words
    }

    /// Drops the empty words at both ends.
    init(trimming words: [UInt64], offset: Int = 0) {
        guard let first = words.firstIndex(where: { $0 != 0 }), let last = words.lastIndex(where: { $0 != 0 }) else {
            self = .empty
            return
        }
        self.offset = offset + first
        self.words = first == 0 && last == words.count - 1 ? words : Array(words[first...last])
    }

    /// - Parameter elements: In ascending order.
    init(ascending elements: [Int]) {
        guard let first = elements.first, let last = elements.last else {
            self = .empty
            return
        }
        offset = first >> 6
        words = Array(repeating: 0, count: last >> 6 - first >> 6 + 1)
        for element in elements { words[element >> 6 - offset] |= 1 << UInt64(element & 63) }
    }

    init(_ range: Range<Int>) { self.init(ascending: Array(range)) }

    var isEmpty: Bool { words.isEmpty }
    var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }
    var first: Int? { words.first.map { (offset << 6) + $0.trailingZeroBitCount } }
    /// Which words have to be looked at.
    private var span: Range<Int> { offset..<offset + words.count }

    func contains(_ element: Int) -> Bool {
        let index = element >> 6 - offset
        return words.indices.contains(index) && words[index] >> UInt64(element & 63) & 1 == 1
    }

    /// Calls with each element, in ascending order.
    @inline(__always)
    func forEach(_ body: (Int) -> Void) {
        for (index, word) in words.enumerated() {
            var rest = word
            while rest != 0 {
                body((offset + index) << 6 + rest.trailingZeroBitCount)
                rest &= rest - 1
            }
        }
    }

    var elements: [Int] {
        var elements: [Int] = []
        forEach { elements.append($0) }
        return elements
    }
}

extension ElementSet {
    func intersection(_ other: ElementSet) -> ElementSet {
        let common = span.clamped(to: other.span)
        guard !common.isEmpty else { return .empty }
        return ElementSet(
            trimming: common.map { words[$0 - offset] & other.words[$0 - other.offset] }, offset: common.lowerBound)
    }

    func union(_ other: ElementSet) -> ElementSet {
        if isEmpty { return other }
        if other.isEmpty { return self }
        let lower = min(offset, other.offset)
        let upper = max(span.upperBound, other.span.upperBound)
        var union = [UInt64](repeating: 0, count: upper - lower)
        for (index, word) in words.enumerated() { union[offset - lower + index] = word }
        for (index, word) in other.words.enumerated() { union[other.offset - lower + index] |= word }
        return ElementSet(offset: lower, words: union)
    }

    mutating func formUnion(_ other: ElementSet) {
        guard !other.isEmpty, offset <= other.offset, other.span.upperBound <= span.upperBound else {
            self = union(other)
            return
        }
        for (index, word) in other.words.enumerated() { words[other.offset - offset + index] |= word }
    }

    func subtracting(_ other: ElementSet) -> ElementSet {
        let common = span.clamped(to: other.span)
        guard !common.isEmpty else { return self }
        var rest = words
        for index in common { rest[index - offset] &= ~other.words[index - other.offset] }
        return ElementSet(trimming: rest, offset: offset)
    }

    func isDisjoint(with other: ElementSet) -> Bool {
        for index in span.clamped(to: other.span) where words[index - offset] & other.words[index - other.offset] != 0 {
            return false
        }
        return true
    }

    func isSubset(of other: ElementSet) -> Bool {
        guard !isEmpty else { return true }
        guard span.lowerBound >= other.span.lowerBound, span.upperBound <= other.span.upperBound else { return false }
        for index in span where words[index - offset] & ~other.words[index - other.offset] != 0 { return false }
        return true
    }

    /// Adds its elements to bits that start at element 0 and are long enough.
    func add(to bits: inout [UInt64]) {
        for (index, word) in words.enumerated() { bits[offset + index] |= word }
    }

    static func union(_ sets: some Sequence<ElementSet>, count: Int) -> ElementSet {
        var bits = [UInt64](repeating: 0, count: count >> 6 + 1)
        for set in sets { set.add(to: &bits) }
        return ElementSet(trimming: bits)
    }

    static func union(_ sets: [ElementSet]) -> ElementSet {
        guard sets.count > 2 else { return sets.reduce(.empty) { $0.union($1) } }
        return union(sets, count: (sets.map(\.span.upperBound).max() ?? 0) << 6)
    }

    /// The set with all elements made larger by a number that is not negative.
    func shifted(by distance: Int) -> ElementSet {
        let bits = UInt64(distance & 63)
        guard bits != 0 else { return ElementSet(offset: isEmpty ? 0 : offset + distance >> 6, words: words) }
        var shifted = [UInt64](repeating: 0, count: words.count + 1)
        for (index, word) in words.enumerated() {
            shifted[index] |= word << bits
            shifted[index + 1] = word >> (64 - bits)
        }
        return ElementSet(trimming: shifted, offset: offset + distance >> 6)
    }
}
