import Manifest
import Policy
import Testing

@Suite struct DocumentKindTests {
    @Test(
        arguments: [
            (["apiVersion": "v1", "kind": "Pod"], "kind", "Move it out"),
            (["apiVersion": "apps/v1", "kind": "Deployment"], "kind", "Move it out"),
            (["apiVersion": "example.com/v1", "kind": "Namespace"], "kind", "Move it out"),
            (["apiVersion": "example.com/v1", "kind": "Widget"], "kind", "Move it out"),
            (["apiVersion": "v1", "kind": "Namspace"], "kind", "Did you mean Namespace?"),
            (["apiVersion": "v1", "kind": "networkpolicy"], "kind", "Did you mean NetworkPolicy?"),
            (["apiVersion": "v1", "kind": "Role"], "apiVersion", "apiVersion: rbac.authorization.k8s.io/v1."),
            (
                ["apiVersion": "rbac.authorization.k8s.io/v1beta1", "kind": "Role"], "apiVersion",
                "apiVersion: rbac.authorization.k8s.io/v1."
            ),
            (
                ["apiVersion": "extensions/v1beta1", "kind": "NetworkPolicy"], "apiVersion",
                "apiVersion: networking.k8s.io/v1."
            ),
            (["apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"], "kind", "kustomize build"),
            (["apiVersion": "bylaw.dev/v1", "kind": "Guardrails"], "kind", "kind Configuration"),
            (["kind": "Role"], "apiVersion", "rbac.authorization.k8s.io/v1"),
            (["apiVersion": "v1"], "kind", "no Kubernetes object"),
            (["apiVersion": "v1", "kind": 3], "kind", "string"),
            (["replicas": 3], "kind", "values of a chart"),
            ("text", "", "apiVersion, kind and metadata"),
            ([], "", "apiVersion, kind and metadata"),
        ] as [(Tree, String, String)])
    func refusesWhatIsNotManaged(_ document: Tree, _ path: String, _ hint: String) {
        let verdict = evaluate(document)
        #expect(verdict.errors.map(\.path.description) == [path])
        #expect(verdict.errors.first?.hint.contains(hint) == true, "\(verdict.findings)")
        #expect(verdict.declarations.isEmpty)
    }

    @Test func anEmptyDocumentDeclaresNothing() {
        let verdict = evaluate(.null)
        #expect(verdict.findings.isEmpty && verdict.declarations.isEmpty)
    }

    @Test func aListIsTakenApart() {
        let list: Tree = [
            "apiVersion": "v1", "kind": "List", "metadata": ["resourceVersion": ""],
            "items": [
                .manifest(.namespace, name: "a"),
                ["apiVersion": "v1", "kind": "List", "items": [.manifest(.role, name: "b")]],
            ],
        ]
        let verdict = evaluate(list)
        #expect(verdict.findings == [])
        #expect(verdict.declarations.map(\.id.description) == ["Namespace a", "Role team-a/b"])
    }

    @Test func aTypedListGivesItsItemsTheirKind() {
        let list: Tree = [
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleList",
            "items": [["metadata": ["name": "a", "namespace": "n"]], .manifest(.role, name: "b")],
        ]
        let verdict = evaluate(list)
        #expect(verdict.findings == [])
        #expect(verdict.declarations.map(\.id.description) == ["Role n/a", "Role team-a/b"])
        #expect(verdict.declarations.first?.tree?["kind"] == "Role")
    }

    @Test func aListIsCheckedItself() {
        let verdict = evaluate(
            ["apiVersion": "v1", "kind": "List", "itmes": []],
            ["apiVersion": "v1", "kind": "List", "items": ["a": 1]],
            ["apiVersion": "v1", "kind": "List", "items": [.manifest(.role, ["rules": 1]), .null]])
        #expect(verdict.errors.map(\.path.description).sorted() == ["", "items", "itmes", "rules"])
    }

    @Test func listsInListsAreBounded() {
        var tree = Tree.manifest(.namespace)
        for _ in 0..<50 { tree = ["apiVersion": "v1", "kind": "List", "items": [tree]] }
        #expect(evaluate(tree).errors.count == 1)
    }

    @Test func aFindingLeadsIntoTheItem() {
        let item = Tree.manifest(.role, ["rules": [["verbs": [true]]]])
        let list: Tree = ["apiVersion": "v1", "kind": "List", "items": [item]]
        let marks = marks(of: list)
        let verdict = evaluateDocuments(
            ParsedStream(documents: [ParsedDocument(tree: list, marks: marks.marks)]), file: "x.yaml")
        let expected = marks.marks.position(
            of: FieldPath([
                .field("items"), .index(0), .field("rules"), .index(0), .field("verbs"), .index(0),
            ]), in: list)
        #expect(
            verdict.errors.filter { $0.path.description == "rules[0].verbs[0]" }.map(\.position) == [expected])
        #expect(verdict.declarations.first?.position != SourcePosition(line: 1, column: 1))
    }

    /// Marks with a line of its own for each value.
    private func marks(of tree: Tree, line: Int = 1) -> (marks: SourceMarks, next: Int) {
        var next = line + 1
        var children: [SourceMarks] = []
        var keys: [SourcePosition] = []
        for child in tree.array ?? tree.members?.map(\.value) ?? [] {
            if tree.members != nil { keys.append(SourcePosition(line: next, column: 3)) }
            let result = marks(of: child, line: next)
            children.append(result.marks)
            next = result.next
        }
        return (
            SourceMarks(position: SourcePosition(line: line, column: 1), children: children, keyPositions: keys), next
        )
    }
}
