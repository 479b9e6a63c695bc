import Manifest
import Testing

@Suite struct MergePatchTests {
    /// The examples of RFC 7386, appendix A, but for those whose target or patch is no map.
    @Test(
        arguments: [
            (["a": "b"], ["a": "c"], ["a": "c"]), (["a": "b"], ["b": "c"], ["a": "b", "b": "c"]),
            (["a": "b"], ["a": .null], [:]), (["a": "b", "b": "c"], ["a": .null], ["b": "c"]),
            (["a": ["b"]], ["a": "c"], ["a": "c"]), (["a": "c"], ["a": ["b"]], ["a": ["b"]]),
            (["a": ["b": "c"]], ["a": ["b": "d", "c": .null]], ["a": ["b": "d"]]),
            (["a": [["b": "c"]]], ["a": [1]], ["a": [1]]), (["e": .null], ["a": 1], ["e": .null, "a": 1]),
            ([:], ["a": ["bb": ["ccc": .null]]], ["a": ["bb": [:]]]), ([1, 2], ["a": "b", "c": .null], ["a": "b"]),
            (["a": "foo"], "bar", "bar"), (["a": "b"], ["c"], ["c"]), (["a": "b"], .null, .null),
        ] as [(Tree, Tree, Tree)])
    func doesWhatTheStandardSays(_ target: Tree, _ patch: Tree, _ result: Tree) {
        #expect(target.mergePatched(with: patch) == result)
    }

    @Test func takesListsAsTheyAre() {
        let target: Tree = ["rules": [["verbs": ["get"]], ["verbs": ["list"]]]]
        #expect(target.mergePatched(with: ["rules": [["a": .null]]]) == ["rules": [["a": .null]]])
    }
}
