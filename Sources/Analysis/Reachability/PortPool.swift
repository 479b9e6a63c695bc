/// Port sets by number, so that equal ones are combined once and compared as numbers.
struct PortPool: Sendable {
    private(set) var sets: [PortSet] = [.none, .all]
    private var numbers: [PortSet: Int] = [.none: Self.none, .all: Self.all]
    private var unions: [PairOfNumbers: Int] = [:]

    static let none = 0
    static let all = 1

    subscript(number: Int) -> PortSet { sets[number] }

    mutating func number(_ set: PortSet) -> Int {
        if let number = numbers[set] { return number }
        numbers[set] = sets.count
        sets.append(set)
        return sets.count - 1
    }

    mutating func union(_ left: Int, _ right: Int) -> Int {
        if left == right || right == Self.none || left == Self.all { return left }
        if left == Self.none || right == Self.all { return right }
        let pair = PairOfNumbers(first: left, second: right)
        if let known = unions[pair] { return known }
        let union = number(sets[left].union(sets[right]))
        unions[pair] = union
        return union
    }
}

struct PairOfNumbers: Hashable, Sendable {
    var first: Int
    var second: Int
}

/// Pairs by number.
struct PairPool: Sendable {
    private(set) var pairs: [PairOfNumbers] = []
    private var numbers: [PairOfNumbers: Int] = [:]

    mutating func number(_ pair: PairOfNumbers) -> Int {
        if let number = numbers[pair] { return number }
        numbers[pair] = pairs.count
        pairs.append(pair)
        return pairs.count - 1
    }
}
