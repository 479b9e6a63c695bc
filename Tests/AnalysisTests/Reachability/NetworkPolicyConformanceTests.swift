import Analysis
import JSON
import Manifest
import TestSupport
import Testing

/// Clusters and answers that Kubernetes' own tests, a simulator and a well-known tutorial give.
@Suite(.enabled(if: Conformance.isPresent, Comment(rawValue: Conformance.absence)))
struct NetworkPolicyConformanceTests {
    @Test func agreesWithTheEndToEndTestsOfKubernetes() async throws {
        var pairs = 0
        var disagreements: [String] = []
        let steps = try Conformance.lines("netpol-k8s-e2e/expected.jsonl").map { try parseJSON($0) }
        for step in steps {
            await Task.yield()
            let file = try #require(step["file"]?.string)
            let model = ReachabilityModel(cluster(Self.quoteNames(try Conformance.read("netpol-k8s-e2e/\(file)"))))
            #expect(model.problems == [])
            let transport = try #require(TransportProtocol(rawValue: step["protocol"]?.string ?? ""))
            let port = Int(try #require(step["toPort"]?.integer))
            let names = (step["pods"]?.array ?? []).compactMap(\.string)
            for source in names {
                let reachable = Set((step["reachable"]?[source]?.array ?? []).compactMap(\.string))
                for destination in names where destination != source {
                    let ports = try #require(model.ports(from: end(source), to: end(destination)))
                    pairs += 1
                    if ports.contains(transport, port) != reachable.contains(destination) {
                        disagreements.append("\(file): \(source) to \(destination): \(ports)")
                    }
                }
            }
        }
        print("netpol-k8s-e2e: \(pairs - disagreements.count) of \(pairs) pairs in \(steps.count) steps agree")
        #expect(steps.count == 65)
        #expect(pairs == 506)
        #expect(disagreements == [])
    }

    @Test func agreesWithTheTruthTablesOfCyclonus() async throws {
        var cells = 0
        var disagreements: [String] = []
        let topology = try parseJSON(Conformance.read("netpol-cyclonus/topology.json"))
        let steps = try Conformance.lines("netpol-cyclonus/cases.jsonl").map { try parseJSON($0) }
        for step in steps {
            await Task.yield()
            let model = ReachabilityModel(try Self.state(of: step, topology))
            #expect(model.problems == [])
            let columns = (step["order"]?.array ?? []).compactMap(\.string)
            // Equal cells of the six tables are asked for once.
            var known: [String: PortSet] = [:]
            for (probe, table) in step["expected"]?.members ?? Members() {
                let parts = probe.split(separator: "/")
                let transport = try #require(parts.first.flatMap { TransportProtocol(rawValue: String($0)) })
                let port = try #require(parts.last.flatMap { Int($0) })
                for (source, row) in table.members ?? Members() {
                    for (destination, cell) in zip(columns, row.string ?? "") {
                        let pair = "\(source) to \(destination)"
                        let ports = try known[pair] ?? #require(model.ports(from: end(source), to: end(destination)))
                        known[pair] = ports
                        cells += 1
                        if ports.contains(transport, port) != (cell == ".") {
                            disagreements.append("\(step["id"]?.string ?? "") \(probe): \(pair): \(ports)")
                        }
                    }
                }
            }
        }
        print("netpol-cyclonus: \(cells - disagreements.count) of \(cells) cells in \(steps.count) steps agree")
        #expect(steps.count == 256)
        #expect(cells == 123_669)
        #expect(disagreements.prefix(20) == [])
    }

    @Test func agreesWithTheRecipes() throws {
        var disagreements: [String] = []
        let probes = try Conformance.lines("netpol-recipes/expected.jsonl").map { try parseJSON($0) }
        for probe in probes {
            let file = try #require(probe["file"]?.string)
            var state = cluster(yaml: try Conformance.read("netpol-recipes/\(file)"))
            let source = try Self.add(probe["from"], as: "source", to: &state)
            let destination = try Self.add(probe["to"], as: "destination", to: &state)
            let ports = try #require(ReachabilityModel(state).ports(from: source, to: destination))
            let transport = try #require(TransportProtocol(rawValue: probe["protocol"]?.string ?? ""))
            let port = Int(try #require(probe["port"]?.integer))
            if ports.contains(transport, port) != probe["allowed"]?.bool {
                disagreements.append("\(file): \(source) to \(destination): \(ports)")
            }
        }
        print("netpol-recipes: \(probes.count - disagreements.count) of \(probes.count) probes agree")
        #expect(probes.count == 43)
        #expect(disagreements == [])
    }

    /// The tests have a namespace `y`, which their files do not quote and YAML 1.1 reads as true.
    private static func quoteNames(_ bytes: [UInt8]) -> String {
        String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.hasSuffix(": y") || $0.hasSuffix("- y") ? $0.dropLast() + "\"y\"" : $0 }
            .joined(separator: "\n")
    }

    /// The pod that the data calls `x/a`.
    private func end(_ name: String) -> ReachabilityEnd {
        let parts = name.split(separator: "/").map(String.init)
        return pod(parts.first ?? "", parts.last ?? "")
    }

    private static func state(of step: Tree, _ topology: Tree) throws -> SecurityState {
        var trees = step["policies"]?.array ?? []
        for (name, labels) in (step["namespaces"] ?? topology["namespaces"])?.members ?? Members() {
            trees.append(namespaceTree(name, labels: labels))
        }
        for pod in (step["pods"] ?? topology["pods"])?.array ?? [] {
            trees.append(
                podTree(
                    try #require(pod["namespace"]?.string), try #require(pod["name"]?.string),
                    labels: pod["labels"] ?? [:], address: pod["ip"]?.string, ports: pod["ports"] ?? []))
        }
        return cluster(trees)
    }

    private static func add(
        _ end: Tree?, as name: String, to state: inout SecurityState
    ) throws -> ReachabilityEnd {
        if let address = end?["external"]?.string { return try external(address) }
        let namespace = try #require(end?["namespace"]?.string)
        var trees = [podTree(namespace, name, labels: end?["labels"] ?? [:])]
        if let labels = end?["namespaceLabels"] { trees.append(namespaceTree(namespace, labels: labels)) }
        for object in cluster(trees).objects.values { state[object.id] = object }
        return pod(namespace, name)
    }
}
