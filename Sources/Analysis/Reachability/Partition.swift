/// Elements in classes, which are split until nothing that was looked at can tell two elements of one class apart.
struct Partition: Sendable {
    /// The class of each element; some numbers may have become empty.
    private(set) var classes: [Int]
    private var classCount = 1
    /// Where the elements of a class go that are in the set at hand, if ``round`` says that it is of this set.
    private var targets = [0]
    private var rounds = [0]
    private var round = 0

    init(count: Int) { classes = Array(repeating: 0, count: count) }

    /// Parts the elements of some ranges from the others of their classes.
    mutating func refine(by ranges: some Sequence<Range<Int>>) {
        round += 1
        for range in ranges {
            for element in range { move(element) }
        }
    }

    mutating func refine(by set: ElementSet) {
        round += 1
        for element in set.elements { move(element) }
    }

    /// Parts elements with different keys.
    mutating func refine(by keys: [Int]) {
        var known: [[Int]: Int] = [:]
        for element in classes.indices {
            let pair = [classes[element], keys[element]]
            classes[element] = known[pair] ?? known.count
            known[pair] = classes[element]
        }
        classCount = max(1, known.count)
        targets = Array(repeating: 0, count: classCount)
        rounds = Array(repeating: 0, count: classCount)
        round = 0
    }

    private mutating func move(_ element: Int) {
        let old = classes[element]
        if rounds[old] != round {
            rounds[old] = round
            targets[old] = classCount
            // What has just been moved must not move again within the round.
            targets.append(classCount)
            rounds.append(round)
            classCount += 1
        }
        classes[element] = targets[old]
    }

    /// The classes numbered anew without gaps, in the order of their first elements.
    var compact: (classes: [Int], count: Int) {
        var numbers = [Int](repeating: -1, count: classCount)
        var count = 0
        let compacted = classes.map { old in
            if numbers[old] < 0 {
                numbers[old] = count
                count += 1
            }
            return numbers[old]
        }
        return (compacted, count)
    }
}
