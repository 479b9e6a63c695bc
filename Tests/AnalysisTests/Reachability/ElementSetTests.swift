@testable import Analysis
import TestSupport
import Testing

@Suite struct ElementSetTests {
    /// Against Swift's own sets.
    @Test func agreesWithPlainSets() {
        var random = SplitMix64(seed: 11)
        for _ in 0..<2_000 {
            let left = Self.randomSet(&random)
            let right = Self.randomSet(&random)
            let (leftSet, rightSet) = (ElementSet(ascending: left.sorted()), ElementSet(ascending: right.sorted()))
            #expect(leftSet.elements == left.sorted())
            #expect(leftSet.count == left.count)
            #expect(leftSet.first == left.min())
            #expect(leftSet.union(rightSet) == ElementSet(ascending: left.union(right).sorted()))
            #expect(leftSet.intersection(rightSet) == ElementSet(ascending: left.intersection(right).sorted()))
            #expect(leftSet.subtracting(rightSet) == ElementSet(ascending: left.subtracting(right).sorted()))
            #expect(leftSet.isDisjoint(with: rightSet) == left.isDisjoint(with: right))
            #expect(leftSet.isSubset(of: rightSet) == left.isSubset(of: right))
            #expect(ElementSet.union([leftSet, rightSet, leftSet]) == leftSet.union(rightSet))
            let distance = Int.random(in: 0...200, using: &random)
            #expect(leftSet.shifted(by: distance) == ElementSet(ascending: left.map { $0 + distance }.sorted()))
            #expect(left.allSatisfy(leftSet.contains) && !leftSet.contains(1_000))
        }
    }

    private static func randomSet(_ random: inout SplitMix64) -> Set<Int> {
        let start = Int.random(in: 0...300, using: &random)
        let count = Int.random(in: 0...6, using: &random)
        return Set((0..<count).map { _ in start + Int.random(in: 0...130, using: &random) })
    }
}
