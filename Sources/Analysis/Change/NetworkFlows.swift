import Manifest
import Policy

/// How a finding calls some pods: by their namespace, or by what is known of it.
struct PlaceOfPods: Hashable, Comparable {
    /// Empty where only labels of the namespace are known.
    let namespace: String
    let description: String

    init(_ end: ReachabilityEnd) {
        namespace = end.namespace
        if case .unknownPods(let pods) = end, pods.namespace == nil {
            let labels = pods.namespaceLabels.values.sorted { $0.key.precedesByBytes($1.key) }
            description =
                labels.isEmpty
                ? "any other namespace"
                : "namespaces with " + labels.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
        } else {
            description = "namespace \(end.namespace)"
        }
    }

    static func == (left: Self, right: Self) -> Bool { left.description == right.description }
    func hash(into hasher: inout Hasher) { hasher.combine(description) }
    static func < (left: Self, right: Self) -> Bool { left.description.precedesByBytes(right.description) }
}

/// From where to where some traffic goes.
struct NamespacePair: Hashable, Comparable {
    private let source: PlaceOfPods
    private let destination: PlaceOfPods

    init(from source: PlaceOfPods, to destination: PlaceOfPods) {
        self.source = source
        self.destination = destination
    }

    var from: String { source.namespace }
    var to: String { destination.namespace.isEmpty ? destination.description : destination.namespace }
    var sourceName: String { "pods of \(source.description)" }
    var destinationName: String { "pods of \(destination.description)" }

    static func < (left: Self, right: Self) -> Bool {
        left.destination == right.destination ? left.source < right.source : left.destination < right.destination
    }
}

/// The traffic of one finding, in few words.
struct Flows {
    private(set) var pods: Set<ReachabilityEnd> = []
    private(set) var blocks: Set<AddressBlock> = []
    private(set) var ports = PortSet.none
    private(set) var lines: [String] = []
    /// A few of the pairs, to look up what was allowed between them before.
    private var samples: [(ReachabilityEnd, ReachabilityEnd)] = []
    private static let sampleLimit = 64

    mutating func add(blocks: [AddressBlock], pod: ReachabilityEnd, _ ports: PortSet) {
        pods.insert(pod)
        self.blocks.formUnion(blocks)
        self.ports.formUnion(ports)
        let line = "\(pod) \(ports)"
        if lines.last != line { lines.append(line) }
    }

    mutating func add(_ sources: [ReachabilityEnd], _ destinations: [ReachabilityEnd], _ ports: PortSet) {
        guard let firstSource = sources.first, let firstDestination = destinations.first else { return }
        pods.formUnion(destinations)
        self.ports.formUnion(ports)
        let from = sources.count == 1 ? "\(firstSource)" : "\(firstSource) and \(sources.count - 1) more"
        let to =
            destinations.count == 1 ? "\(firstDestination)" : "\(firstDestination) and \(destinations.count - 1) more"
        lines.append("\(from) -> \(to): \(ports)")
        for source in sources.prefix(4) {
            for destination in destinations.prefix(4) where samples.count < Self.sampleLimit {
                samples.append((source, destination))
            }
        }
    }

    /// Whether anything was allowed between the pods before; looked up for a few of them.
    func wasOpen(in base: ReachabilityModel) -> Bool {
        samples.contains { source, destination in
            base.ports(from: source, to: destination).map { !$0.isEmpty } ?? false
        }
    }
}
