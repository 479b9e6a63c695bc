import Manifest
import Policy
import TestSupport
import Testing

/// Random repositories, put together cluster by cluster, against a few lines that say what that means.
@Suite struct ClusterReferenceTests {
    private struct Cluster {
        var name: String
        var region: String
        var folders: [String]
    }

    private struct Document {
        var folder: String
        var name: String
        /// A label without a value is removed, by a patch.
        var labels: [String: String?]
        var isPatch = false
        var names: Set<String>?
        var region: String?

        func isFor(_ cluster: Cluster) -> Bool {
            names?.contains(cluster.name) ?? true && region.map { $0 == cluster.region } ?? true
        }

        var tree: Tree {
            var tree = Tree.manifest(.namespace, name: name)
            if !labels.isEmpty {
                let members = labels.map { ($0.key, $0.value.map(Tree.string) ?? .null) }
                tree.set(["metadata", "labels"], to: .object(Members(members)))
            }
            if isPatch { tree = tree.asPatch }
            if let names {
                tree = tree.annotated("bylaw.dev/clusters", .string(names.sorted().joined(separator: ", ")))
            }
            if let region { tree = tree.annotated("bylaw.dev/cluster-selector", .string("region=\(region)")) }
            return tree
        }
    }

    /// The labels of each object, or nil where the documents do not fit together.
    private func reference(_ documents: [Document], for cluster: Cluster) -> [String: [String: String]]? {
        var objects: [String: [String: String]] = [:]
        for folder in cluster.folders {
            let meant = documents.filter { $0.folder == folder && $0.isFor(cluster) }
            guard Set(meant.map(\.name)).count == meant.count else { return nil }
            for document in meant {
                var labels = document.isPatch ? objects[document.name] : [:]
                for (key, value) in document.labels { labels?[key] = value }
                guard let labels, !document.isPatch || labels != objects[document.name] else { return nil }
                objects[document.name] = labels
            }
        }
        return objects
    }

    private func randomDocuments(_ random: inout SplitMix64, for clusters: [Cluster]) -> [Document] {
        var documents: [Document] = []
        for folder in Set(clusters.flatMap(\.folders)).sorted() {
            for name in ["a", "b", "c", "d"] {
                let isBase = folder == "base"
                guard Int.random(in: 0..<10, using: &random) < (isBase ? 8 : 4) else { continue }
                var document = Document(folder: folder, name: name, labels: [:])
                document.isPatch = Int.random(in: 0..<20, using: &random) < (isBase ? 0 : 14)
                for key in ["k", "l", "m"] where Bool.random(using: &random) {
                    let value = ["1", "2"].randomElement(using: &random)
                    document.labels[key] =
                        document.isPatch && Int.random(in: 0..<3, using: &random) == 0 ? .some(nil) : value
                }
                if Int.random(in: 0..<6, using: &random) == 0 {
                    document.names = Set(clusters.map(\.name).filter { _ in Bool.random(using: &random) }).union(["one"]
                    )
                }
                if Int.random(in: 0..<6, using: &random) == 0 { document.region = "eu" }
                documents.append(document)
                guard Int.random(in: 0..<12, using: &random) == 0 else { continue }
                document.names = ["two"]
                documents.append(document)
            }
        }
        return documents.shuffled(using: &random)
    }

    @Test func eachClusterGetsWhatTheDocumentsSay() {
        var random = SplitMix64(seed: 11)
        let clusters = [
            Cluster(name: "one", region: "eu", folders: ["base", "zone", "one"]),
            Cluster(name: "two", region: "us", folders: ["base", "zone", "two"]),
            Cluster(name: "three", region: "eu", folders: ["base", "three"]),
            Cluster(name: "four", region: "us", folders: ["zone", "base"]),
        ]
        let list = clusterList(
            ["name": "one", "labels": ["region": "eu"], "folders": ["base", "zone", "one"]],
            ["name": "two", "labels": ["region": "us"], "folders": ["base", "zone", "two"]],
            ["name": "three", "labels": ["region": "eu"], "folders": ["base", "three"]],
            ["name": "four", "labels": ["region": "us"], "folders": ["zone", "base"]])
        var (good, bad) = (0, 0)
        for _ in 0..<1500 {
            let documents = randomDocuments(&random, for: clusters)
            let verdicts = documents.enumerated().map { number, document in
                evaluate(document.tree, file: "\(document.folder)/\(number % 7)/\(number).yaml")
            }
            let files = repository(
                [list] + verdicts, otherFiles: ["base/.x", "zone/.x", "one/.x", "two/.x", "three/.x"])
            for cluster in clusters {
                let (state, findings) = files.state(for: cluster.name)
                let hasErrors = findings.contains { $0.severity == .error }
                guard let expected = reference(documents, for: cluster) else {
                    bad += 1
                    #expect(hasErrors && state.objects.isEmpty, "\(cluster.name): \(documents)")
                    continue
                }
                good += 1
                #expect(!hasErrors, "\(cluster.name): \(findings)")
                let trees = files.trees(for: cluster.name)
                #expect(trees == Dictionary(uniqueKeysWithValues: expected.map { ($0, .namespace($0, labels: $1)) }))
            }
        }
        #expect(good > 500 && bad > 500, "\(good) good ones, \(bad) bad ones")
    }
}
