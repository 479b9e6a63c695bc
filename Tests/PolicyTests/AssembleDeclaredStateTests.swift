import Manifest
import Policy
import Testing

@Suite struct AssembleDeclaredStateTests {
    @Test func putsTheFilesTogether() {
        let result = assembleDeclaredState([
            evaluate(.manifest(.namespace, name: "b"), file: "b.yaml"),
            evaluate(.manifest(.namespace, name: "a"), file: "a.yaml"),
        ])
        #expect(result.findings == [])
        #expect(result.state.objects.keys.sorted().map(\.description) == ["Namespace a", "Namespace b"])
        #expect(result.state.objects[ObjectID(.namespace, name: "a")]?.origin == Origin(file: "a.yaml", line: 1))
    }

    @Test func anObjectIsDeclaredOnce() {
        let result = assembleDeclaredState([
            evaluate(.manifest(.role), file: "z.yaml"), evaluate(.manifest(.role), file: "a.yaml"),
        ])
        #expect(result.state.objects.isEmpty)
        #expect(result.findings.map(\.file) == ["z.yaml"])
        #expect(result.findings.first?.message == "Role team-a/example is declared twice, first at a.yaml:1")
    }

    @Test func aDuplicateOfABrokenObjectIsReportedToo() {
        let broken = Tree.manifest(.role, ["rules": 5])
        let result = assembleDeclaredState([evaluate(broken, broken)])
        #expect(result.findings.filter { $0.message.contains("declared twice") }.count == 1)
    }

    @Test func theSameNameInAnotherKindOrNamespaceIsAnotherObject() {
        let result = assembleDeclaredState([
            evaluate(.manifest(.role), .manifest(.role, namespace: "team-b"), .manifest(.serviceAccount))
        ])
        #expect(result.state.objects.count == 3)
    }

    @Test func oneErrorEmptiesTheState() {
        let result = assembleDeclaredState([
            evaluate(.manifest(.namespace)), evaluate(.manifest(.role, ["rules": 5]), file: "b.yaml"),
        ])
        #expect(result.state.objects.isEmpty)
    }

    @Test func aWarningDoesNot() {
        let result = assembleDeclaredState([evaluate(.manifest(.clusterRole, name: "system:x"))])
        #expect(result.findings.map(\.severity) == [.warning])
        #expect(result.state.objects.count == 1)
    }

    @Test func findingsAreCappedWithAnExactCount() {
        let rules = Tree.array(Array(repeating: ["verbs": ["get"]], count: 500))
        let verdict = evaluate(.manifest(.role, ["rules": rules]))
        #expect(verdict.findings.count == ManifestLimits.findingsPerFile + 1)
        #expect(verdict.findings.last?.message == "800 more findings in this file are not shown")
        #expect(verdict.hasErrors)
    }

    @Test func errorsAreKeptBeforeWarnings() {
        var objects = (0..<300).map { Tree.manifest(.clusterRole, name: "system:\($0)") }
        objects.append(.manifest(.role, ["rules": 5]))
        let list: Tree = ["apiVersion": "v1", "kind": "List", "items": .array(objects)]
        #expect(evaluate(list).errors.count == 1)
    }
}
