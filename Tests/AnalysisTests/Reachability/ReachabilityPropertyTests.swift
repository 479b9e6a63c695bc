import Analysis
import Manifest
import Policy
import Testing

/// Random clusters, compared with the literal evaluator.
@Suite struct ReachabilityPropertyTests {
    private static let addresses = ["10.0.0.3", "10.0.1.4", "10.0.1.77", "192.0.2.200", "203.0.113.9"]
    private static let probes: [(TransportProtocol, Int)] = [
        (.tcp, 80), (.tcp, 82), (.tcp, 443), (.udp, 53), (.sctp, 80),
    ]
    private static let literalProbes = probes.map {
        LiteralReachability.Probe(transport: $0.0.rawValue, port: Int64($0.1))
    }

    /// Of each cluster a third of the pairs, and in some also that the rows hold each allowed pair exactly once.
    @Test(arguments: 0..<4 as Range<UInt64>) func agreesWithTheLiteralEvaluator(about part: UInt64) async throws {
        let seeds = part * 2_500..<(part + 1) * 2_500
        var count = 0
        var allowed = 0
        var disagreements: [String] = []
        for seed in seeds {
            await Task.yield()
            let random = RandomCluster(seed: seed)
            let model = ReachabilityModel(cluster(random.trees))
            #expect(model.problems == [])
            let literal = LiteralReachability(namespaces: random.namespaces, policies: random.policies)
            let ends = try Self.ends(of: random, seed: seed)
            let rows = seed % 10 == 0 ? RowTable(model.connections()) : nil
            for (place, (source, literalSource)) in ends.enumerated() {
                for (otherPlace, (destination, literalDestination)) in ends.enumerated()
                where (UInt64(place + otherPlace) + seed) % 3 == 0 {
                    guard let ports = model.ports(from: source, to: destination) else { continue }
                    let answers = literal.allowed(Self.literalProbes, literalSource, literalDestination)
                    for ((transport, port), expected) in zip(Self.probes, answers) {
                        count += 1
                        if expected { allowed += 1 }
                        if ports.contains(transport, port) != expected {
                            disagreements.append("\(seed): \(source) to \(destination): \(ports), \(transport) \(port)")
                        }
                    }
                    if let rows, source != destination, rows.ports(source, destination) != ports {
                        disagreements.append("\(seed): \(source) to \(destination): \(ports) is not what rows say")
                    }
                }
            }
        }
        let clusters = "random clusters \(seeds.lowerBound) to \(seeds.upperBound - 1)"
        print("\(clusters): \(count) probes, \(allowed) allowed, \(disagreements.count) disagreements")
        #expect(count > 90_000)
        #expect(disagreements.prefix(10) == [])
    }

    /// What changes between two clusters is exactly what differs between their answers.
    @Test func comparesTwoClustersAsTheirModelsDo() async {
        var pairs = 0
        var differing = 0
        var disagreements: [String] = []
        for seed in 0..<200 as Range<UInt64> {
            await Task.yield()
            let random = RandomCluster(seed: seed)
            let other = RandomCluster(seed: seed + 100_000)
            let base = ReachabilityModel(cluster(random.trees))
            // The pods stay where they are; labels of namespaces and policies are the other cluster's.
            let changed = other.policies + other.namespaces.map { namespaceTree($0.key, labels: $0.value) }
            let head = ReachabilityModel(cluster(random.pods.map(\.tree) + changed))
            let rows = compareReachability(base: base, head: head).rows
            for source in base.pods {
                for destination in base.pods where source != destination {
                    guard let before = base.ports(from: source, to: destination),
                        let after = head.ports(from: source, to: destination)
                    else { continue }
                    let found = rows.filter {
                        $0.sources.pods.contains(source) && $0.destinations.pods.contains(destination)
                    }
                    pairs += 1
                    if before != after { differing += 1 }
                    let gained = found.reduce(PortSet.none) { $0.union($1.gained) }
                    let lost = found.reduce(PortSet.none) { $0.union($1.lost) }
                    if gained != after.subtracting(before) || lost != before.subtracting(after) || found.count > 1 {
                        disagreements.append("\(seed): \(source) to \(destination)")
                    }
                }
            }
        }
        print("random comparisons: \(pairs) pairs, \(differing) differ, \(disagreements.count) disagreements")
        #expect(differing > 1_000)
        #expect(disagreements.prefix(10) == [])
    }

    /// All pods, and one address outside.
    private static func ends(
        of random: RandomCluster, seed: UInt64
    ) throws -> [(ReachabilityEnd, LiteralReachability.End)] {
        let pods = random.pods.map { (pod($0.namespace, $0.name), LiteralReachability.End.pod($0)) }
        let address = addresses[Int(seed % UInt64(addresses.count))]
        return try pods + [(external(address), .address(#require(LiteralReachability.address(address))))]
    }
}

/// The rows of a model, laid out so that pairs can be looked up.
private struct RowTable {
    private struct Side {
        var pods: Set<ReachabilityEnd>
        var blocks: [AddressBlock]

        func contains(_ end: ReachabilityEnd) -> Bool {
            if case .external(let block) = end { blocks.contains { $0.contains(block) } } else { pods.contains(end) }
        }
    }

    private let rows: [(sources: Side, destinations: Side, ports: PortSet)]

    init(_ rows: [ReachabilityRow]) {
        self.rows = rows.map { row in
            (
                Side(pods: Set(row.sources.pods), blocks: row.sources.blocks),
                Side(pods: Set(row.destinations.pods), blocks: row.destinations.blocks), row.ports
            )
        }
    }

    /// Nil where two rows speak of one pair.
    func ports(_ source: ReachabilityEnd, _ destination: ReachabilityEnd) -> PortSet? {
        let found = rows.filter { $0.sources.contains(source) && $0.destinations.contains(destination) }
        return found.count > 1 ? nil : found.first?.ports ?? PortSet.none
    }
}
