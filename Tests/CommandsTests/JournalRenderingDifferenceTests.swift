import Commands
import JSON
import Journal
import Manifest
import Reconciler
import Testing

@Suite struct JournalRenderingDifferenceTests {
    struct Example: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var before: String?
        var after: String?
        var change: [String]
    }

    @Test(arguments: [
        Example(
            testDescription: "a value", before: #"{"a":{"b":1}}"#, after: #"{"a":{"b":2}}"#,
            change: ["Changed (- before, + after):", "  - a.b: 1", "  + a.b: 2"]),
        Example(
            testDescription: "a number is not its text", before: #"{"port":80}"#, after: #"{"port":"80"}"#,
            change: ["Changed (- before, + after):", "  - port: 80", "  + port: \"80\""]),
        Example(
            testDescription: "an empty map that opens everything", before: #"{"spec":{"egress":[{}]}}"#,
            after: #"{"spec":{}}"#, change: ["Changed (- before, + after):", "  - spec.egress: [{}]"]),
        Example(
            testDescription: "an element put in front", before: #"{"rules":["b","c"]}"#,
            after: #"{"rules":["a","b","c"]}"#, change: ["Changed (- before, + after):", "  + rules[0]: \"a\""]),
        Example(
            testDescription: "an element changed in place",
            before: #"{"subjects":[{"kind":"User","name":"ana"},{"kind":"Group","name":"dev"}]}"#,
            after: #"{"subjects":[{"kind":"User","name":"ana"},{"kind":"Group","name":"ops"}]}"#,
            change: [
                "Changed (- before, + after):", "  - subjects[1].name: \"dev\"", "  + subjects[1].name: \"ops\"",
            ]),
        Example(
            testDescription: "an element taken out of the middle", before: #"{"x":[1,2,3]}"#, after: #"{"x":[1,3]}"#,
            change: ["Changed (- before, + after):", "  - x[1]: 2"]),
        Example(
            testDescription: "another type", before: #"{"x":[1]}"#, after: #"{"x":{"y":1}}"#,
            change: ["Changed (- before, + after):", "  - x: [1]", "  + x: {\"y\":1}"]),
        Example(
            testDescription: "keys that are no words", before: #"{"labels":{"a/b":"1"}}"#,
            after: #"{"labels":{"c.d":"1"}}"#,
            change: ["Changed (- before, + after):", "  - labels[a/b]: \"1\"", "  + labels[c.d]: \"1\""]),
        Example(
            testDescription: "the server's counters alone",
            before: #"{"metadata":{"resourceVersion":"1","generation":1}}"#,
            after: #"{"metadata":{"resourceVersion":"2","generation":2}}"#, change: ["No change in content."]),
        Example(
            testDescription: "created", before: nil, after: #"{"kind":"Role","rules":[{"verbs":["get"]}]}"#,
            change: ["Created:", "  + kind: \"Role\"", "  + rules: [{\"verbs\":[\"get\"]}]"]),
        Example(
            testDescription: "deleted", before: #"{"kind":"Role"}"#, after: nil,
            change: ["Deleted:", "  - kind: \"Role\""]),
        Example(testDescription: "nothing kept", before: nil, after: nil, change: []),
    ])
    func theChangeIsShownPathByPath(_ example: Example) throws {
        var entry = JournalSample.sync
        (entry.before, entry.after) = (example.before, example.after)
        let text = try renderEntry(entry)
        let parts = text.split(separator: "\n\n", maxSplits: 1)
        let change = parts.count > 1 ? parts[1].split(separator: "\n").map(String.init) : []
        #expect(change == example.change)
    }

    @Test func aLongValueIsSplitIntoItsParts() throws {
        let rule = #"{"apiGroups":[""],"resources":["pods","services","configmaps"],"verbs":["get","list","watch"]}"#
        var entry = JournalSample.sync
        entry.after = #"{"rules":[\#(rule)]}"#
        #expect(
            try renderEntry(entry).hasSuffix(
                """

                Created:
                  + rules[0].apiGroups: [""]
                  + rules[0].resources: ["pods","services","configmaps"]
                  + rules[0].verbs: ["get","list","watch"]

                """))
    }

    @Test func longListsAreComparedInBoundedTime() throws {
        let before = Tree.array((0..<5_000).map { .integer($0) })
        let after = Tree.array((1..<5_001).map { .integer($0) })
        var entry = JournalSample.sync
        (entry.before, entry.after) = (
            Tree.object(Members([("x", before)])).jsonText(), Tree.object(Members([("x", after)])).jsonText()
        )
        #expect(try renderEntry(entry).contains("  + x[4999]: 5000\n"))
    }

    @Test func equalInputGivesEqualText() throws {
        #expect(try renderEntry(JournalSample.correction) == renderEntry(JournalSample.correction))
    }
}
