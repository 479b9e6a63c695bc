import Manifest
import Policy
import Testing

/// Documents that change an object of an earlier folder.
@Suite struct ClusterPatchTests {
    private let list = clusterList(
        ["name": "eu", "folders": ["base", "zone", "eu"]], ["name": "us", "folders": ["base", "zone", "us"]])

    /// A repository where other clusters get nothing that matters.
    private func files(_ verdicts: FileVerdict...) -> RepositoryAssembly {
        repository([list] + verdicts, otherFiles: ["base/.x", "zone/.x", "eu/.x", "us/.x"])
    }

    private func patched(_ object: Tree, by patches: Tree...) -> RepositoryAssembly {
        let names = ["zone", "eu"]
        let verdicts = patches.enumerated().map { evaluate($0.element.asPatch, file: "\(names[$0.offset])/p.yaml") }
        return repository(
            [list, evaluate(object, file: "base/a.yaml")] + verdicts,
            otherFiles: ["base/.x", "zone/.x", "eu/.x", "us/.x"])
    }

    @Test func mapsAreMergedAndNullRemoves() {
        let files = patched(
            .namespace("a", labels: ["x": "1", "y": "2"]),
            by: .namespace("a").setting(["metadata", "labels"], to: ["y": .null, "z": "3"]))
        #expect(files.messages(for: "eu").isEmpty)
        #expect(files.trees(for: "eu") == ["a": .namespace("a", labels: ["x": "1", "z": "3"])])
        let origin = files.state(for: "eu").state.objects.values.first?.origin
        #expect(origin == Origin(file: "zone/p.yaml", line: 1), "the document that decided last")
    }

    @Test func aWholeMapCanBeRemoved() {
        let files = patched(
            .namespace("a", labels: ["x": "1"]), by: .namespace("a").setting(["metadata", "labels"], to: .null))
        #expect(files.trees(for: "eu") == ["a": .namespace("a")])
        #expect(files.messages(for: "eu", .warning).isEmpty)
    }

    @Test func listsAreReplacedWhole() {
        let rule: Tree = ["apiGroups": [""], "resources": ["pods"], "verbs": ["get"]]
        let other: Tree = ["apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["list"]]
        let files = patched(
            .manifest(.role, ["rules": [rule, rule]]), by: .manifest(.role, ["rules": [other]]))
        #expect(files.trees(for: "eu") == ["example": .manifest(.role, ["rules": [other]])])
    }

    @Test func aPatchMayChangeWhatAPatchMade() {
        let files = patched(
            .namespace("a", labels: ["x": "1"]), by: .namespace("a", labels: ["x": "2", "y": "2"]),
            .namespace("a").setting(["metadata", "labels"], to: ["y": .null, "z": "3"]))
        #expect(files.trees(for: "eu") == ["a": .namespace("a", labels: ["x": "2", "z": "3"])])
        #expect(files.trees(for: "us") == ["a": .namespace("a", labels: ["x": "2", "y": "2"])])
    }

    /// What the server fills in may follow from what the patch says, so a patch changes the object as it was written.
    @Test func defaultsFollowFromThePatchedObject() {
        let egress: Tree = [["ports": [["port": 53, "protocol": "UDP"]]]]
        let files = patched(.networkPolicy(["podSelector": [:]]), by: .networkPolicy(["egress": egress]))
        #expect(
            files.trees(for: "eu") == [
                "example": .networkPolicy([
                    "podSelector": [:], "policyTypes": ["Ingress", "Egress"], "egress": egress,
                ])
            ])
        #expect(files.messages(for: "eu", .warning).isEmpty)
    }

    @Test func aPatchAppliesOnlyWhereItIsSelected() {
        let patch = Tree.namespace("a", labels: ["x": "2"]).asPatch.annotated("bylaw.dev/clusters", "eu")
        let files = files(
            evaluate(.namespace("a", labels: ["x": "1"]), file: "base/a.yaml"), evaluate(patch, file: "zone/p.yaml"))
        #expect(files.trees(for: "eu") == ["a": .namespace("a", labels: ["x": "2"])])
        #expect(files.trees(for: "us") == ["a": .namespace("a", labels: ["x": "1"])])
    }

    @Test func aReplacementForgetsThePatchesBefore() {
        let files = files(
            evaluate(.namespace("a", labels: ["x": "1"]), file: "base/a.yaml"),
            evaluate(.namespace("a", labels: ["y": "1"]).asPatch, file: "zone/p.yaml"),
            evaluate(.namespace("a", labels: ["z": "1"]), file: "eu/a.yaml"))
        #expect(files.trees(for: "eu") == ["a": .namespace("a", labels: ["z": "1"])])
        #expect(files.trees(for: "us") == ["a": .namespace("a", labels: ["x": "1", "y": "1"])])
    }

    // MARK: Mistakes

    @Test func aPatchNeedsAnEarlierObject() {
        let alone = files(evaluate(.namespace("a", labels: ["x": "1"]).asPatch, file: "zone/p.yaml"))
        #expect(alone.messages(for: "eu").first?.contains("no earlier folder declares Namespace a") == true)
        let elsewhere = files(
            evaluate(.namespace("a").annotated("bylaw.dev/clusters", "us"), file: "base/a.yaml"),
            evaluate(.namespace("a", labels: ["x": "1"]).asPatch, file: "zone/p.yaml"))
        #expect(elsewhere.messages(for: "eu").count == 1, "the object is not for this cluster")
        #expect(elsewhere.messages(for: "us").isEmpty)
    }

    @Test func oneFolderSaysOneThingAboutAnObject() {
        let beside = files(
            evaluate(.namespace("a"), file: "base/a.yaml"),
            evaluate(
                .namespace("a", labels: ["x": "1"]), .namespace("a", labels: ["y": "1"]).asPatch, file: "zone/p.yaml"))
        #expect(beside.messages(for: "eu").first?.contains("is declared in the same folder, at zone/p.yaml:1") == true)
        let twice = files(
            evaluate(.namespace("a"), file: "base/a.yaml"),
            evaluate(
                .namespace("a", labels: ["x": "1"]).asPatch, .namespace("a", labels: ["y": "1"]).asPatch,
                file: "zone/p.yaml"))
        #expect(twice.messages(for: "eu").first?.contains("is patched in the same folder") == true)
    }

    @Test(
        arguments: [
            .namespace("a"), .namespace("a", labels: ["x": "1"]),
            Tree.namespace("a").setting(["metadata", "annotations"], to: ["y": .null]),
        ] as [Tree])
    func aPatchThatChangesNothingIsAMistake(_ patch: Tree) {
        let files = patched(.namespace("a", labels: ["x": "1"]), by: patch)
        #expect(files.messages(for: "eu").count == 1)
        #expect(files.messages(for: "eu").first?.contains("changes nothing of Namespace a") == true)
    }

    @Test func removingWhatIsNotThereIsAWarning() {
        let files = patched(
            .networkPolicy(["podSelector": ["matchLabels": ["app": "web"]]]),
            by: .networkPolicy([
                "podSelector": ["matchLabels": ["ap": .null]], "policyTypes": ["Ingress", "Egress"], "egress": .null,
            ]))
        #expect(
            files.messages(for: "eu", .warning) == [
                "zone/p.yaml: spec.egress: there is nothing to remove here",
                "zone/p.yaml: spec.podSelector.matchLabels[ap]: there is nothing to remove here",
            ])
    }

    /// A null would hide a misspelt field from whoever judges only what comes out.
    @Test(
        arguments: [
            (.networkPolicy(["ingres": .null]), "spec.ingres"), (.networkPolicy(["ingress": 5]), "spec.ingress"),
            (.networkPolicy(["ingress": [.null]]), "spec.ingress[0]"),
            (Tree.networkPolicy([:]).setting(["metadata", "name"], to: .null), "metadata.name"),
            (Tree.networkPolicy([:]).setting(["metadata", "namespace"], to: nil), "metadata.namespace"),
            (
                Tree.networkPolicy([:]).annotated("bylaw.dev/patch", "strategic"),
                "metadata.annotations[bylaw.dev/patch]"
            ),
            (Tree.networkPolicy([:]).annotated("bylaw.dev/patch", .null), "metadata.annotations[bylaw.dev/patch]"),
        ] as [(Tree, String)])
    func aPatchIsReadByTheSchema(_ patch: Tree, _ path: String) {
        let isMarked = patch["metadata"]?["annotations"]?["bylaw.dev/patch"] != nil
        let verdict = evaluate(isMarked ? patch : patch.asPatch)
        #expect(verdict.errors.map(\.path.description) == [path], "\(verdict.findings)")
        #expect(verdict.declarations.isEmpty)
    }

    @Test func aMistakeIsReportedWhereThePatchMakesIt() {
        let base = evaluate(
            .manifest(.role, ["rules": [["apiGroups": [""], "resources": ["pods"], "verbs": ["get"]]]]),
            file: "base/a.yaml")
        let patch = evaluate(
            json: """
                {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
                 "metadata": {"name": "example", "namespace": "team-a", "annotations": {"bylaw.dev/patch": "merge"},
                  "labels": {"x": "not a value"}},
                 "rules": [
                  {"resources": ["pods"], "verbs": ["get"]}]}
                """, file: "zone/p.json")
        #expect(patch.findings == [])
        let found = files(base, patch).state(for: "eu").findings
        #expect(found.map(\.file) == ["zone/p.json", "zone/p.json"])
        #expect(found.map(\.position) == [.init(line: 3, column: 14), .init(line: 5, column: 3)])
        #expect(found.map(\.path.description) == ["metadata.labels", "rules[0].apiGroups"])
    }

    @Test func aMistakeOfTheObjectIsReportedThere() {
        let base = evaluate(
            .networkPolicy(["egress": [["ports": [["port": 53]]]], "policyTypes": ["Ingress", "Egress"]]),
            file: "base/a.yaml")
        let patch = evaluate(.networkPolicy(["policyTypes": ["Ingress"]]).asPatch, file: "zone/p.yaml")
        #expect(
            files(base, patch).messages(for: "eu", .warning) == [
                "base/a.yaml: spec.egress: has no effect: policyTypes does not name Egress (as patched at zone/p.yaml:1)"
            ])
    }

    @Test func whatIsSoWithoutThePatchIsSaidOnce() {
        let files = patched(
            .manifest(.clusterRole, name: "system:x"),
            by: Tree.manifest(.clusterRole, name: "system:x").setting(["metadata", "labels"], to: ["a": "b"])
                .setting(["metadata", "uid"], to: "1"))
        let warnings = files.messages(for: "eu", .warning)
        #expect(warnings.filter { $0.contains("metadata.uid") }.count == 1)
        #expect(warnings.filter { $0.hasPrefix("base/a.yaml") }.count == 1)
    }

    @Test func reservedNamesStayReserved() {
        let files = patched(
            .namespace("a"), by: .namespace("a", labels: ["bylaw.dev/instance": "x", "y": "1"]))
        #expect(files.messages(for: "eu").count == 1)
        #expect(files.trees(for: "eu").isEmpty)
    }

    @Test func aBrokenObjectIsReportedOnce() {
        let files = patched(
            .manifest(.role, ["rules": 5]), by: .manifest(.role, ["rules": []]))
        #expect(files.messages(for: "eu") == ["base/a.yaml: rules: must be a list, not a number"])
    }

    // MARK: What a patch starts from

    /// The written form stands for the source text: with its defaults it is the canonical form, and nothing of it is lost.
    @Test(arguments: CanonicalFormTests.examples)
    func theWrittenFormLeadsToTheCanonicalOne(_ example: CanonicalFormTests.Example) throws {
        let fields = Dictionary(uniqueKeysWithValues: (example.written.members ?? Members()).map { ($0.key, $0.value) })
        let declaration = try #require(evaluate(.manifest(example.resource, fields)).declarations.first)
        let canonical = try #require(declaration.tree)
        let again = try #require(evaluate(declaration.written ?? canonical).declarations.first)
        #expect(again.tree == canonical)
        #expect(again.written == declaration.written)
        #expect(evaluate(canonical).declarations.first?.tree == canonical)
    }
}
