package import Manifest

extension PortSet {
    /// As a NetworkPolicy would list it, `[{protocol, port?, endPort?}]`; nil where all ports are in it.
    package var tree: Tree? {
        guard self != .all else { return nil }
        return .array(
            entries.map { entry in
                switch entry {
                case .every(let transport): ["protocol": .string(transport.rawValue)]
                case .range(let transport, let ports) where ports.count == 1:
                    ["protocol": .string(transport.rawValue), "port": .integer(Int64(ports.lowerBound))]
                case .range(let transport, let ports):
                    [
                        "protocol": .string(transport.rawValue), "port": .integer(Int64(ports.lowerBound)),
                        "endPort": .integer(Int64(ports.upperBound)),
                    ]
                case .named(let name): ["protocol": .string(name.transport.rawValue), "port": .string(name.name)]
                }
            })
    }
}

extension PortSet: CustomStringConvertible {
    /// As people write ports: `TCP 80,8000-8080, UDP`; `all ports` and `no port` for the two ends.
    package var description: String {
        if isEmpty { return "no port" }
        if self == .all { return "all ports" }
        let listed = TransportProtocol.allCases.compactMap { transport -> String? in
            let parts = entries.compactMap { entry -> String? in
                switch entry {
                case .every(transport): ""
                case .range(transport, let ports):
                    ports.count == 1 ? "\(ports.lowerBound)" : "\(ports.lowerBound)-\(ports.upperBound)"
                case .named(let name) where name.transport == transport: name.name
                default: nil
                }
            }
            guard !parts.isEmpty else { return nil }
            let text = parts.joined(separator: ",")
            return text.isEmpty ? transport.rawValue : "\(transport.rawValue) \(text)"
        }
        return listed.joined(separator: ", ")
    }
}
