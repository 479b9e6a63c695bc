import Manifest
import TestSupport
import Testing

@Suite struct MembersTests {
    private func members(_ pairs: [(String, Tree)]) -> Members { Members(pairs) }

    @Test func keepsKeysInTheOrderOfTheirBytes() {
        let sorted = members([("z", 1), (composed, 2), ("Z", 3), (decomposed, 4), ("", 5), ("a", 6), ("aa", 7)])
        let expected = ["", "Z", "a", "aa", decomposed, "z", composed]
        #expect(sorted.keys.map { Array($0.utf8) } == expected.map { Array($0.utf8) })
    }

    @Test func theLastOfSeveralWithOneKeyStays() {
        let unsorted = members([("b", 1), ("a", 1), ("b", 2), ("a", 2), ("b", 3)])
        #expect(unsorted == members([("a", 2), ("b", 3)]))
        #expect(members([("a", 1), ("a", 2)]) == members([("a", 2)]))
    }

    @Test func keysAreTheSameByTheirBytesAlone() {
        var changed = members([(composed, 1)])
        #expect(changed[decomposed] == nil)
        changed[decomposed] = 2
        #expect(changed.count == 2)
        #expect(changed[composed] == 1)
        #expect(changed[decomposed] == 2)
        #expect(members([(composed, 1)]) != members([(decomposed, 1)]))
    }

    @Test func removesWhatIsSetToNilAndIgnoresWhatIsAbsent() {
        var changed = members([("a", 1), ("b", .null)])
        changed["c"] = nil
        #expect(changed.count == 2)
        #expect(changed["b"] == .null)
        changed["b"] = nil
        #expect(changed == members([("a", 1)]))
    }

    @Test(arguments: 1...8)
    func agreesWithADictionaryOverRandomChanges(_ seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var members = Members()
        var model: [String: Tree] = [:]
        for step in 0..<2000 {
            let key = String(Int.random(in: 0..<300, using: &random), radix: 36)
            let value: Tree? = Int.random(in: 0..<4, using: &random) == 0 ? nil : .integer(Int64(step))
            members[key] = value
            model[key] = value
        }
        #expect(members.keys == model.keys.sorted { $0.precedesByBytes($1) })
        #expect(members.allSatisfy { model[$0.key] == $0.value })
        let shuffled = Members(model.map { ($0.key, $0.value) }.shuffled(using: &random))
        #expect(shuffled == members)
        #expect(shuffled.hashValue == members.hashValue)
    }
}
