import Manifest
import Policy

/// What policies may look at in a pod, a template or unknown pods.
struct Endpoint: Sendable {
    var end: ReachabilityEnd
    /// The name, or what stands for it, see ``UnknownPods/namespaceKey``.
    var namespace: String
    var labels: Labels
    /// On the network of its node: no selector selects it, and no policy isolates it.
    var usesHostNetwork = false
    var ports: ContainerPorts
    var addresses: [AddressRange] = []

    init(_ workload: Workload) {
        end = .workload(workload.id)
        namespace = workload.namespace
        labels = workload.labels
        usesHostNetwork = workload.usesHostNetwork
        ports = ContainerPorts(spec: workload.spec)
        addresses = workload.addresses.compactMap { AddressBlock(address: $0)?.range }
    }

    init(_ pods: UnknownPods) {
        end = .unknownPods(pods)
        namespace = pods.namespaceKey
        labels = pods.labels
        ports = .unknown
    }
}

/// Which numbers the names of a pod's ports stand for.
struct ContainerPorts: Hashable, Sendable {
    private var numbers: [NamedPort: PortSet]
    /// Whether any name may stand for any number.
    private var isUnknown: Bool

    static let none = ContainerPorts(numbers: [:], isUnknown: false)
    static let unknown = ContainerPorts(numbers: [:], isUnknown: true)

    private init(numbers: [NamedPort: PortSet], isUnknown: Bool) {
        self.numbers = numbers
        self.isUnknown = isUnknown
    }

    /// Reads the ports of containers and of init containers that keep running; a name may be there more than once.
    init(spec: Tree) {
        var numbers: [NamedPort: PortSet] = [:]
        let sidecars = (spec["initContainers"]?.array ?? []).filter { $0["restartPolicy"]?.string == "Always" }
        for port in ((spec["containers"]?.array ?? []) + sidecars).lazy.flatMap({ $0["ports"]?.array ?? [] }) {
            guard let name = port["name"]?.string, !name.isEmpty,
                let number = port["containerPort"].flatMap(portNumber),
                let transport = transport(of: port)
            else { continue }
            numbers[NamedPort(transport, name), default: .none].formUnion(PortSet(transport, number...number))
        }
        self.init(numbers: numbers, isUnknown: false)
    }

    subscript(name: NamedPort) -> PortSet { isUnknown ? PortSet(name) : numbers[name] ?? .none }

    func resolve(_ names: [NamedPort]) -> PortSet { names.isEmpty ? .none : PortSet.union(names.map { self[$0] }) }

    /// Without the names that nobody asks for.
    func restricted(to names: Set<NamedPort>) -> ContainerPorts {
        ContainerPorts(numbers: numbers.filter { names.contains($0.key) }, isUnknown: isUnknown)
    }
}

/// TCP where nothing is written; nil for a protocol that a policy cannot name.
func transport(of port: Tree) -> TransportProtocol? {
    let name = port["protocol"]?.string ?? ""
    return name.isEmpty ? .tcp : TransportProtocol(rawValue: name)
}
