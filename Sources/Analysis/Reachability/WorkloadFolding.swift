import Manifest

/// An endpoint reduced to what the policies in play can tell apart.
struct EndpointTraits: Hashable, Sendable {
    var namespace: String
    /// See ``LabelVocabulary/numbers(_:)``.
    var labels: [Int]
    var usesHostNetwork: Bool
    /// Only the names that a policy asks for.
    var ports: ContainerPorts
    /// The classes of its addresses in ascending order.
    var addresses: [Int]

    init(_ endpoint: Endpoint, _ vocabulary: PolicyVocabulary, _ space: AddressSpace) {
        namespace = endpoint.namespace
        labels = vocabulary.podLabels.numbers(endpoint.labels)
        usesHostNetwork = endpoint.usesHostNetwork
        // To policies the ports of a pod in the network of its node are the node's, and have no names.
        ports = usesHostNetwork ? .none : endpoint.ports.restricted(to: vocabulary.namedPorts)
        addresses = Set(endpoint.addresses.flatMap { space.classes(in: $0) }).sorted()
    }
}

/// Pods and the objects that make them, put together as long as policies cannot tell them apart.
///
/// What is made by a workload of the state is represented by the topmost one. A pod stands alone where it differs from
/// its owner's template in what policies look at, such as a label of its own. An owner has the addresses of its pods;
/// where policies tell those apart, all of them stand alone.
struct WorkloadFolding: Sendable {
    private(set) var endpoints: [ReachabilityEnd: Endpoint] = [:]
    private(set) var traits: [ReachabilityEnd: EndpointTraits] = [:]
    /// Who represents what has been folded away.
    private(set) var owners: [ObjectID: ObjectID] = [:]
    /// The pods with an owner that stand alone all the same.
    private(set) var loners: Set<ObjectID> = []

    /// How many owners are looked for above each other; Kubernetes' own kinds need two.
    private static let maximumDepth = 8

    /// - Parameter apart: Pods that must stand alone, because they do so in the state that this one is compared with.
    init(
        _ reading: ClusterReading, _ vocabulary: PolicyVocabulary, _ space: AddressSpace, apart: Set<ObjectID> = []
    ) {
        for endpoint in reading.unknownPods.map({ Endpoint($0) }) { add(endpoint, vocabulary, space) }
        var pods: [ObjectID: [ObjectID]] = [:]
        for workload in reading.workloads.values {
            let owner = Self.owner(of: workload, in: reading.workloads)
            if owner == workload.id {
                add(Endpoint(workload), vocabulary, space)
            } else if workload.id.kind == Resource.pod.kind {
                pods[owner, default: []].append(workload.id)
            } else {
                owners[workload.id] = owner
            }
        }
        for (owner, pods) in pods {
            let endpoints = pods.compactMap { reading.workloads[$0] }.map { Endpoint($0) }
            fold(endpoints, into: owner, vocabulary, space, apart)
        }
    }

    private mutating func add(_ endpoint: Endpoint, _ vocabulary: PolicyVocabulary, _ space: AddressSpace) {
        endpoints[endpoint.end] = endpoint
        traits[endpoint.end] = EndpointTraits(endpoint, vocabulary, space)
    }

    private static func owner(of workload: Workload, in workloads: [ObjectID: Workload]) -> ObjectID {
        var current = workload
        for _ in 0..<maximumDepth {
            guard let controller = current.controller, let next = workloads[controller] else { break }
            current = next
        }
        return current.id
    }

    private mutating func fold(
        _ pods: [Endpoint], into owner: ObjectID, _ vocabulary: PolicyVocabulary, _ space: AddressSpace,
        _ apart: Set<ObjectID>
    ) {
        let end = ReachabilityEnd.workload(owner)
        var alike: [Endpoint] = []
        for pod in pods {
            guard case .workload(let id) = pod.end else { continue }
            var traits = EndpointTraits(pod, vocabulary, space)
            traits.addresses = self.traits[end]?.addresses ?? []
            if !apart.contains(id), traits == self.traits[end] {
                alike.append(pod)
            } else {
                loners.insert(id)
                add(pod, vocabulary, space)
            }
        }
        let placed = alike.filter { !$0.addresses.isEmpty }
        let places = Set(placed.map { EndpointTraits($0, vocabulary, space).addresses })
        for pod in alike {
            guard case .workload(let id) = pod.end else { continue }
            if places.count > 1, !pod.addresses.isEmpty {
                loners.insert(id)
                add(pod, vocabulary, space)
            } else {
                owners[id] = owner
            }
        }
        if places.count == 1, let place = places.first { traits[end]?.addresses = place }
    }
}
