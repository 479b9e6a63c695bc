import Manifest
import Testing

@Suite struct TreeTests {
    @Test func valuesOfDifferentKindsAreNeverEqual() {
        let apart: [Tree] = [
            .null, true, false, 0, 1, .double(0), .double(1), "", "0", "1", "true", "null", .array([]), [:],
            .integer(.max), .unsigned(UInt64(Int64.max) + 1), .double(0x1p63), 80, "80", [80], ["80"], ["a": 1],
            ["a": true],
        ]
        for (row, left) in apart.enumerated() {
            for (column, right) in apart.enumerated() {
                #expect((left == right) == (row == column), "\(left) and \(right)")
            }
        }
    }

    @Test func stringsAreEqualByTheirBytesAlone() {
        #expect(composed == decomposed)
        #expect(Tree.string(composed) != .string(decomposed))
        #expect(Tree.array([.string(composed)]) != .array([.string(decomposed)]))
        #expect(!composed.hasSameBytes(as: decomposed))
        #expect(composed.hasSameBytes(as: composed))
        #expect(decomposed.precedesByBytes("z"))
        #expect("z".precedesByBytes(composed))
    }

    @Test func theOrderOfMembersHasNoMeaningAndThatOfElementsHas() {
        let left: Tree = ["a": 1, "b": [1, 2]]
        #expect(left == ["b": [1, 2], "a": 1])
        #expect(left.hashValue == Tree.object(Members([("b", [1, 2] as Tree), ("a", 1 as Tree)])).hashValue)
        #expect(left != ["a": 1, "b": [2, 1]])
    }

    @Test func readsOnlyTheKindThatIsThere() {
        #expect(Tree.bool(true).integer == nil)
        #expect(Tree.integer(1).bool == nil)
        #expect(Tree.string("80").integer == nil)
        #expect(Tree.double(80).integer == nil)
        #expect(Tree.integer(80).string == nil)
        #expect(Tree.null.string == nil && Tree.null.isNull && !Tree.string("").isNull)
        #expect(Tree.array([]).members == nil && Tree.object(Members()).array == nil)
    }

    @Test func followsAChainOfMembers() {
        let tree: Tree = ["metadata": ["labels": ["team": "a"]], "items": ["x"]]
        #expect(tree[["metadata", "labels", "team"]] == "a")
        #expect(tree[[String]()] == tree)
        #expect(tree[["metadata", "annotations", "team"]] == nil)
        #expect(tree[["items", "0"]] == nil)
    }

    @Test(arguments: [true, false])
    func aConditionalNilIsAnAbsenceAndNotANull(_ isKept: Bool) {
        var tree: Tree = ["a": 1]
        tree.set(["a"], to: isKept ? 2 : nil)
        #expect(tree == (isKept ? ["a": 2] : [:]))
        tree.set(["a"], to: .null)
        #expect(tree == ["a": .null])
    }

    struct Change: CustomTestStringConvertible {
        var testDescription: String
        var before: Tree
        var path: [String]
        var value: Tree?
        var after: Tree
    }

    @Test(arguments: [
        Change(
            testDescription: "makes the maps on the way", before: [:], path: ["a", "b", "c"], value: 1,
            after: ["a": ["b": ["c": 1]]]),
        Change(
            testDescription: "keeps what stands beside", before: ["a": ["b": 1], "x": 0], path: ["a", "c"], value: 2,
            after: ["a": ["b": 1, "c": 2], "x": 0]),
        Change(
            testDescription: "replaces what is no map", before: ["a": "text"], path: ["a", "b"], value: 1,
            after: ["a": ["b": 1]]),
        Change(
            testDescription: "removes one member", before: ["a": ["b": 1, "c": 2]], path: ["a", "b"], value: nil,
            after: ["a": ["c": 2]]),
        Change(
            testDescription: "makes nothing in order to remove it", before: ["x": 0], path: ["a", "b"], value: nil,
            after: ["x": 0]),
        Change(testDescription: "sets the whole", before: ["x": 0], path: [], value: "new", after: "new"),
        Change(testDescription: "never removes the whole", before: ["x": 0], path: [], value: nil, after: ["x": 0]),
    ])
    func setsWhatStandsAtTheEndOfAPath(_ change: Change) {
        var tree = change.before
        tree.set(change.path, to: change.value)
        #expect(tree == change.after)
    }

    @Test(arguments: [
        (Tree.null, "null"), (true, "a boolean"), (1, "a number"), (.double(1.5), "a number"),
        (.unsigned(.max), "a number"), ("", "a string"), (.array([]), "a list"), (.object(Members()), "a map"),
    ])
    func namesItsKindForPeople(_ tree: Tree, _ name: String) {
        #expect(tree.kindName == name)
    }
}
