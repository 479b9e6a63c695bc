import Manifest
import Policy
import Testing

/// For which clusters a document is.
@Suite struct ClusterSelectionTests {
    private let clusters = clusterList(
        ["name": "eu-1", "labels": ["region": "eu"], "folders": ["base"]],
        ["name": "eu-2", "labels": ["region": "eu", "edge": "yes"], "folders": ["base"]],
        ["name": "us", "labels": ["region": "us"], "folders": ["base"]])

    private func holders(_ document: Tree) -> [String] {
        let files = repository([clusters, evaluate(.namespace("everywhere"), document, file: "base/a.yaml")])
        return ["eu-1", "eu-2", "us"].filter { files.trees(for: $0).count == 2 }
    }

    @Test(
        arguments: [
            ("eu-1", ["eu-1"]), ("eu-*", ["eu-1", "eu-2"]), ("us,eu-2", ["eu-2", "us"]),
            (" us , eu-1 ", ["eu-1", "us"]),
            ("*", ["eu-1", "eu-2", "us"]), ("*-2", ["eu-2"]), ("asia-*", []),
        ])
    func byName(_ names: String, _ expected: [String]) {
        #expect(holders(.namespace("a").annotated("bylaw.dev/clusters", .string(names))) == expected)
    }

    @Test(
        arguments: [
            ("region=eu", ["eu-1", "eu-2"]), ("region!=eu", ["us"]), ("!edge", ["eu-1", "us"]), ("edge", ["eu-2"]),
            ("region in (eu,us),!edge", ["eu-1", "us"]), ("tier!=dev", ["eu-1", "eu-2", "us"]), ("tier=dev", []),
        ])
    func byLabel(_ selector: String, _ expected: [String]) {
        #expect(holders(.namespace("a").annotated("bylaw.dev/cluster-selector", .string(selector))) == expected)
    }

    @Test func bothMustFit() {
        let both = Tree.namespace("a").annotated("bylaw.dev/clusters", "eu-*")
            .annotated("bylaw.dev/cluster-selector", "!edge")
        #expect(holders(both) == ["eu-1"])
    }

    @Test func theAnnotationsReachNoCluster() {
        let files = repository([
            clusters,
            evaluate(
                .namespace("a").annotated("bylaw.dev/clusters", "us"),
                .namespace("b").annotated("bylaw.dev/clusters", "us").annotated("note", "x"), file: "base/a.yaml"),
        ])
        #expect(files.trees(for: "us") == ["a": .namespace("a"), "b": .namespace("b").annotated("note", "x")])
    }

    @Test func variantsOfOneObjectMayStandInOneFolder() {
        func variant(_ region: String, _ value: String) -> Tree {
            .namespace("a", labels: ["x": value]).annotated("bylaw.dev/cluster-selector", .string(region))
        }
        let files = repository([
            clusters, evaluate(variant("region=eu", "1"), variant("region!=eu", "2"), file: "base/a.yaml"),
        ])
        #expect(files.trees(for: "eu-1") == ["a": .namespace("a", labels: ["x": "1"])])
        #expect(files.trees(for: "us") == ["a": .namespace("a", labels: ["x": "2"])])
        let both = repository([
            clusters, evaluate(variant("region=eu", "1"), variant("!edge", "2"), file: "base/a.yaml"),
        ])
        #expect(both.messages(for: "eu-1").first?.contains("declared twice") == true)
        #expect(both.messages(for: "eu-2").isEmpty)
    }

    /// What is not for a cluster is not there for it: neither does it take another's place.
    @Test func theSelectionOfTheDocumentThatCountsDecides() {
        let list = clusterList(
            ["name": "eu", "folders": ["base", "zone"]], ["name": "us", "folders": ["base", "zone"]])
        let files = repository([
            list,
            evaluate(
                .namespace("a", labels: ["x": "base"]).annotated("bylaw.dev/clusters", "us"),
                .namespace("b", labels: ["x": "base"]), file: "base/a.yaml"),
            evaluate(
                .namespace("a", labels: ["x": "zone"]),
                .namespace("b", labels: ["x": "zone"]).annotated("bylaw.dev/clusters", "eu"), file: "zone/a.yaml"),
        ])
        #expect(
            files.trees(for: "eu").mapValues { $0["metadata"]?["labels"]?["x"]?.string } == ["a": "zone", "b": "zone"])
        #expect(
            files.trees(for: "us").mapValues { $0["metadata"]?["labels"]?["x"]?.string } == ["a": "zone", "b": "base"])
    }

    // MARK: Mistakes

    @Test(
        arguments: [
            ("bylaw.dev/clusters", ""), ("bylaw.dev/clusters", " "), ("bylaw.dev/clusters", .null),
            ("bylaw.dev/clusters", "eu-1,"), ("bylaw.dev/clusters", "EU"), ("bylaw.dev/clusters", "eu-1 us"),
            ("bylaw.dev/clusters", 5), ("bylaw.dev/cluster-selector", ""), ("bylaw.dev/cluster-selector", "a=b=c"),
            ("bylaw.dev/cluster-selector", .null), ("bylaw.dev/cluster", "us"), ("bylaw.dev/id", "x"),
        ] as [(String, Tree)])
    func whatCannotBeReadRefusesTheFile(_ name: String, _ value: Tree) {
        let verdict = evaluate(.namespace("a").annotated(name, value))
        #expect(verdict.errors.map(\.path.description) == ["metadata.annotations[\(name)]"], "\(verdict.findings)")
    }

    @Test func theyAreNoLabels() {
        #expect(evaluate(.namespace("a", labels: ["bylaw.dev/clusters": "us"])).errors.count == 1)
    }

    @Test func aNameThatNoClusterHasIsAnError() {
        let files = repository([
            clusters, evaluate(.namespace("a").annotated("bylaw.dev/clusters", "eu-3,us"), file: "base/a.yaml"),
        ])
        #expect(files.messages(for: "us").first?.hasSuffix("no cluster is called \"eu-3\"") == true)
        #expect(files.state(for: "us").findings.first?.hint == "Did you mean eu-1?")
    }

    @Test(arguments: [("bylaw.dev/clusters", "asia-*"), ("bylaw.dev/cluster-selector", "region=asia")])
    func selectingNobodyIsAWarning(_ name: String, _ value: String) {
        let files = repository([
            clusters, evaluate(.namespace("a").annotated(name, .string(value)), .namespace("b"), file: "base/a.yaml"),
        ])
        #expect(files.messages(for: "us", .warning).first?.contains("selects none of the clusters") == true)
        #expect(files.trees(for: "us").keys.sorted() == ["b"])
    }

    @Test func onlyAListGivesLabels() {
        let files = repository([
            evaluate(.namespace("a").annotated("bylaw.dev/cluster-selector", "!edge"), file: "base/a.yaml"),
            evaluate(.namespace("b"), file: "clusters/eu/a.yaml"),
        ])
        #expect(files.messages(for: "eu").first?.contains("the clusters have no labels") == true)
    }

    @Test func aRepositoryForOneClusterHasNothingToSelect() {
        let selected = evaluate(.namespace("a").annotated("bylaw.dev/clusters", "us"), file: "a.yaml")
        #expect(assembleDeclaredState([selected]).findings.first?.message.contains("for one cluster") == true)
        #expect(assembleDeclaredState([selected]).state.objects.isEmpty)
        let patch = evaluate(.namespace("a", labels: ["x": "1"]).asPatch, file: "a.yaml")
        #expect(assembleDeclaredState([patch]).findings.first?.message.contains("for one cluster") == true)
    }

    @Test func aListOfObjectsSelectsNothingForThem() {
        let list: Tree = [
            "apiVersion": "v1", "kind": "List", "metadata": ["annotations": ["bylaw.dev/clusters": "us"]],
            "items": [.namespace("a")],
        ]
        #expect(evaluate(list).errors.map(\.path.description) == ["metadata.annotations[bylaw.dev/clusters]"])
    }
}
