import Manifest
import Policy
import Testing

/// Which files a cluster gets.
@Suite struct ClusterFoldersTests {
    @Test func foldersAloneMakeARepositoryForMany() {
        let files = repository([
            evaluate(.namespace("all"), file: "base/all.yaml"), evaluate(.namespace("eu"), file: "clusters/eu/a.yaml"),
            evaluate(.namespace("us"), file: "clusters/us/deep/a.yaml"),
        ])
        #expect(files.layout.authority == .folders)
        #expect(files.layout.clusters.map(\.name) == ["eu", "us"])
        #expect(files.trees(for: "eu").keys.sorted() == ["all", "eu"])
        #expect(files.trees(for: "us").keys.sorted() == ["all", "us"])
        #expect(files.state(for: "eu").state.cluster == "eu")
        #expect(assembleDeclaredState([evaluate(.namespace("all"))]).state.cluster == nil)
    }

    @Test(
        arguments: [
            ["base/a.yaml"], ["clusters/eu/a.yaml"], ["base/a.yaml", "clusters/a.yaml"],
            ["base/a.yaml", "clusters/.eu/a.yaml"], ["x/base/a.yaml", "x/clusters/eu/a.yaml"],
        ])
    func otherFoldersDoNot(_ paths: [String]) {
        let layout = RepositoryLayout(configuration: nil, paths: paths)
        #expect(!layout.isForManyClusters && layout.authority == .nobody)
    }

    @Test func aFolderWithoutManifestsIsACluster() {
        let files = repository(
            [evaluate(.namespace("all"), file: "base/all.yaml")], otherFiles: ["clusters/eu/.gitkeep"])
        #expect(files.trees(for: "eu").keys.sorted() == ["all"])
    }

    @Test func aListNamesClustersAndTheirFolders() {
        let files = repository([
            clusterList(["name": "eu", "folders": ["common", "zones/eu"]], ["name": "us", "folders": ["common"]]),
            evaluate(.namespace("all"), file: "common/all.yaml"),
            evaluate(.namespace("eu"), file: "zones/eu/a.yaml"),
        ])
        #expect(files.layout.authority == .configuration)
        #expect(files.trees(for: "eu").keys.sorted() == ["all", "eu"])
        #expect(files.trees(for: "us").keys.sorted() == ["all"])
    }

    @Test func pathsBeginAtTheRepositorysRoot() {
        let verdicts = [
            evaluate(.namespace("all"), file: "policy/base/all.yaml"),
            evaluate(.namespace("eu"), file: "policy/clusters/eu/a.yaml"),
        ]
        let layout = RepositoryLayout(configuration: nil, paths: verdicts.map(\.file), folder: "policy")
        #expect(RepositoryAssembly(verdicts, in: layout).trees(for: "eu").keys.sorted() == ["all", "eu"])
        #expect(layout.needs("policy/clusters/eu/x.yaml", for: "eu"))
        #expect(!layout.needs("policy/clusters/us/x.yaml", for: "us"))
        #expect(layout.needs("policy/bylaw.yaml", for: nil))
        #expect(layout.needs("policy/nobodys.yaml", for: "eu"))
    }

    @Test func aFileThatNoClusterGetsRefusesTheRevisionForAll() {
        let files = repository([
            evaluate(.namespace("all"), file: "base/all.yaml"), evaluate(.namespace("eu"), file: "clusters/eu/a.yaml"),
            evaluate(.namespace("lost"), file: "shared/lost.yaml"),
        ])
        #expect(files.messages(for: "eu") == ["shared/lost.yaml: : no cluster gets this file"])
        #expect(files.trees(for: "eu").isEmpty)
    }

    @Test func objectsBesideTheConfigurationAreNotLostInSilence() {
        let configuration = evaluate(
            [
                "apiVersion": "bylaw.dev/v1", "kind": "Configuration",
                "clusters": [["name": "eu", "folders": ["base"]]],
            ], .namespace("a"), file: "bylaw.yaml")
        let files = repository([configuration, evaluate(.namespace("all"), file: "base/all.yaml")])
        #expect(files.messages(for: "eu").contains { $0.contains("beside the configuration") })
    }

    @Test func aListedFolderThatIsGoneRefusesTheRevisionForItsCluster() {
        let files = repository([
            clusterList(["name": "eu"], ["name": "us", "folders": ["base"]]),
            evaluate(.namespace("all"), file: "base/all.yaml"),
        ])
        #expect(files.messages(for: "eu") == ["bylaw.yaml: clusters[0].folders: there is no folder clusters/eu"])
        #expect(files.trees(for: "eu").isEmpty)
        #expect(files.trees(for: "us").count == 1)
    }

    @Test func aClusterHasToBeNamedAndKnown() {
        let files = repository([
            evaluate(.namespace("all"), file: "base/all.yaml"), evaluate(.namespace("eu"), file: "clusters/eu/a.yaml"),
            evaluate(.namespace("us"), file: "clusters/us/a.yaml"),
        ])
        let unnamed = files.state(for: nil)
        #expect(unnamed.state.objects.isEmpty)
        #expect(unnamed.findings.map(\.hint) == ["Name one with --cluster: eu, us."])
        let unknown = files.state(for: "asia")
        #expect(unknown.state.objects.isEmpty)
        #expect(unknown.findings.first?.message.contains("there is no folder clusters/asia") == true)
        #expect(unknown.findings.first?.hint == "This repository is for eu, us.")
    }

    /// Without `base` the folders would else be read as one cluster's, with the objects of all.
    @Test func aVanishedBaseDoesNotGiveAClusterThoseOfOthers() {
        let verdicts = [
            evaluate(.namespace("eu"), file: "clusters/eu/a.yaml"),
            evaluate(.namespace("us"), file: "clusters/us/a.yaml"),
        ]
        #expect(repository(verdicts).messages(for: "eu").first?.contains("there is no folder base") == true)
        #expect(repository(verdicts).trees(for: "eu").isEmpty)
        #expect(repository(verdicts).trees(for: "journals-name").count == 2, "folders as anybody may call them")
    }

    @Test func aMistakeHoldsForTheClustersThatGetTheFile() {
        let files = repository([
            evaluate(.namespace("all"), file: "base/all.yaml"),
            evaluate(.manifest(.role, ["rules": 5]), file: "clusters/eu/a.yaml"),
            evaluate(.namespace("us"), file: "clusters/us/a.yaml"),
        ])
        #expect(files.messages(for: "eu").count == 1)
        #expect(files.messages(for: "us").isEmpty)
        #expect(files.trees(for: "us").count == 2)
    }

    @Test func theNameOfAFolderIsThatOfACluster() {
        let files = repository([
            evaluate(.namespace("all"), file: "base/a.yaml"),
            evaluate(.namespace("eu"), file: "clusters/EU West/a.yaml"),
        ])
        #expect(files.messages(for: "EU West").first?.contains("is no name of a cluster") == true)
    }

    @Test(arguments: [["a", "a"], ["a", "a/b"], ["a/b", "a"]])
    func foldersOfOneClusterDoNotStandInEachOther(_ folders: [String]) {
        let verdict = clusterList(["name": "eu", "folders": .array(folders.map { .string($0) })])
        #expect(verdict.errors.map(\.path.description) == ["clusters[0].folders[1]"])
        #expect(clusterList(["name": "eu", "folders": ["a", "ab", "b/a"]]).errors.isEmpty)
    }

    // MARK: One over the other

    @Test func aLaterFolderReplacesAnObjectWhole() {
        let files = repository([
            evaluate(.namespace("a", labels: ["x": "1", "y": "2"]), file: "base/a.yaml"),
            evaluate(.namespace("a", labels: ["x": "3"]), file: "clusters/eu/z.yaml"),
            evaluate(.namespace("b"), file: "clusters/us/a.yaml"),
        ])
        #expect(files.trees(for: "eu") == ["a": .namespace("a", labels: ["x": "3"])])
        #expect(files.trees(for: "us")["a"] == .namespace("a", labels: ["x": "1", "y": "2"]))
        let origin = files.state(for: "eu").state.objects.values.first?.origin
        #expect(origin == Origin(file: "clusters/eu/z.yaml", line: 1))
    }

    @Test func twiceInOneFolderStaysAMistake() {
        let files = repository([
            evaluate(.namespace("a"), file: "base/a.yaml"), evaluate(.namespace("a"), file: "base/b.yaml"),
            evaluate(.namespace("b"), file: "clusters/eu/a.yaml"),
        ])
        #expect(
            files.messages(for: "eu") == [
                "base/b.yaml: metadata.name: Namespace a is declared twice, first at base/a.yaml:1"
            ])
    }

    // MARK: All clusters at once

    @Test func findingsOfAllClustersAreToldOnce() {
        let files = repository([
            clusterList(
                ["name": "a", "folders": ["base", "x"]], ["name": "b", "folders": ["base", "x"]],
                ["name": "c", "folders": ["base"]]),
            evaluate(.manifest(.role, ["rules": 5]), .namespace("n"), file: "base/a.yaml"),
            evaluate(.manifest(.clusterRole, name: "system:x"), file: "x/a.yaml"),
            evaluate(.namespace("n", labels: ["x": "1"]).asPatch, file: "x/b.yaml"),
        ])
        let outcomes = ["a", "b", "c"].map {
            ClusterOutcome(name: $0, objectCount: 0, findings: files.state(for: $0).findings)
        }
        #expect(
            files.merged(outcomes).map { "\($0.file): \($0.message)" } == [
                "base/a.yaml: must be a list, not a number",
                "x/a.yaml: ClusterRole \"system:x\" belongs to Kubernetes, which rewrites it at each start",
            ])
        let partly =
            Array(outcomes.prefix(1))
            + outcomes.dropFirst().map { outcome in
                ClusterOutcome(name: outcome.name, objectCount: 0, findings: [])
            }
        #expect(files.merged(partly).first?.message == "must be a list, not a number (for the cluster a)")
    }
}
