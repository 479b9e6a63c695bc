import Manifest

/// A pod or template behind a Service.
package struct ServiceBackend: Sendable, Hashable {
    /// Where traffic to a port of the Service arrives at the pod.
    package struct Port: Sendable, Hashable {
        package var transport: TransportProtocol
        package var servicePort: Int
        package var targetPort: Int
    }

    package var end: ReachabilityEnd
    /// In the order of the Service's ports; without those that the pod has no port for.
    package var ports: [Port]
}

extension ReachabilityModel {
    /// The pods that a Service sends traffic to, in order.
    ///
    /// NetworkPolicies are about them and not about the Service. A Service without a selector has none that a state
    /// could tell.
    package func backends(of service: StateObject) -> [ServiceBackend] {
        let spec = service.tree["spec"] ?? [:]
        let selector = LabelSelector(["matchLabels": spec["selector"] ?? [:]])
        guard !selector.requirements.isEmpty, spec["type"]?.string != "ExternalName" else { return [] }
        let ports = spec["ports"]?.array ?? []
        return pods.compactMap { end in
            guard case .workload(let id) = end, id.namespace.hasSameBytes(as: service.id.namespace),
                let endpoint = endpoint(end), selector.matches(endpoint.labels)
            else { return nil }
            return ServiceBackend(end: end, ports: ports.flatMap { Self.resolve($0, at: endpoint.ports) })
        }
    }

    private static func resolve(_ port: Tree, at pod: ContainerPorts) -> [ServiceBackend.Port] {
        guard let number = port["port"].flatMap(portNumber), let transport = transport(of: port) else { return [] }
        let targets: [Int]
        switch port["targetPort"] ?? .null {
        case .null: targets = [number]
        case .string(let name) where name.isEmpty: targets = [number]
        case .string(let name):
            targets = pod[NamedPort(transport, name)].entries.compactMap { entry in
                if case .range(_, let ports) = entry { ports.lowerBound } else { nil }
            }
        case .integer(0): targets = [number]
        case let target: targets = portNumber(target).map { [$0] } ?? []
        }
        return targets.map { ServiceBackend.Port(transport: transport, servicePort: number, targetPort: $0) }
    }
}
