import Manifest
import Testing

@Suite struct FieldPathTests {
    @Test(arguments: [
        (FieldPath.root, ""),
        (FieldPath.root.field("spec"), "spec"),
        (
            FieldPath.root.field("spec").field("ingress").index(0).field("from").index(1).field("ipBlock").field(
                "cidr"),
            "spec.ingress[0].from[1].ipBlock.cidr"
        ),
        (FieldPath.root.field("metadata").field("labels").key("a.b/c"), "metadata.labels[a.b/c]"),
        (FieldPath.root.index(2).field("name"), "[2].name"),
        (FieldPath.root.key("x"), "[x]"),
    ])
    func readsAsTheServerWritesIt(_ path: FieldPath, _ text: String) {
        #expect(path.description == text)
    }

    @Test func extendingAPathLeavesItAsItWas() {
        let spec = FieldPath.root.field("spec")
        #expect(spec.field("a") != spec.field("b"))
        #expect(spec == FieldPath([.field("spec")]))
        #expect(spec.field("a").steps.dropLast() == spec.steps[...])
    }

    @Test func aFieldIsNoKey() {
        #expect(FieldPath.root.field("a") != FieldPath.root.key("a"))
    }

    /// `{"items": [1, 2]}`, each part on a line of its own.
    private let tree: Tree = ["items": [1, 2], "name": "x"]
    private let marks = SourceMarks(
        position: SourcePosition(line: 1, column: 1),
        children: [
            SourceMarks(
                position: SourcePosition(line: 2, column: 10),
                children: [3, 4].map { SourceMarks(position: SourcePosition(line: $0, column: 5)) }),
            SourceMarks(position: SourcePosition(line: 6, column: 10)),
        ],
        keyPositions: [SourcePosition(line: 2, column: 3), SourcePosition(line: 6, column: 3)])

    @Test(arguments: [
        (FieldPath.root, "1:1"), (FieldPath.root.field("items"), "2:3"),
        (FieldPath.root.field("items").index(1), "4:5"),
        (FieldPath.root.key("name"), "6:3"),
        // What is not there is where its nearest ancestor is.
        (FieldPath.root.field("absent").field("x"), "1:1"), (FieldPath.root.field("items").index(2), "2:3"),
        (FieldPath.root.field("items").index(-1), "2:3"), (FieldPath.root.field("items").index(0).field("x"), "3:5"),
        (FieldPath.root.index(0), "1:1"), (FieldPath.root.field("name").index(0), "6:3"),
    ])
    func leadsToAPlaceInTheSource(_ path: FieldPath, _ position: String) {
        #expect(marks.position(of: path, in: tree).description == position)
    }
}
