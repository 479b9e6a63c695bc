import Manifest
import Policy

/// Reads a NetworkPolicy and keeps what the API server would refuse in it.
///
/// Security semantics, section 2.1, points 3 to 9.
struct NetworkPolicyReader {
    private(set) var problems: [(path: FieldPath, message: String)] = []
    /// Enough to understand what is wrong with a policy.
    private static let problemLimit = 20

    mutating func read(_ object: StateObject) -> NetworkPolicyRules {
        let path = FieldPath.root.field("spec")
        let spec = map("spec", of: object.tree, at: .root) ?? [:]
        let ingress = rules("ingress", peers: "from", of: spec, at: path)
        let egress = rules("egress", peers: "to", of: spec, at: path)
        return NetworkPolicyRules(
            id: object.id, origin: object.origin,
            podSelector: selector("podSelector", of: spec, at: path) ?? .everything,
            directions: directions(of: spec, hasEgressRules: !egress.isEmpty, at: path), ingress: ingress,
            egress: egress)
    }

    /// Without a list, ingress always and egress where it has a rule.
    private mutating func directions(
        of spec: Tree, hasEgressRules: Bool, at path: FieldPath
    ) -> Set<TrafficDirection> {
        let types = list("policyTypes", of: spec, at: path)
        guard !types.isEmpty else { return hasEgressRules ? [.ingress, .egress] : [.ingress] }
        if types.count > 2 { note(path.field("policyTypes"), "may not specify more than two policyTypes") }
        var directions: Set<TrafficDirection> = []
        for (index, type) in types.enumerated() {
            if let direction = type.string.flatMap({ TrafficDirection(rawValue: $0) }) {
                directions.insert(direction)
            } else {
                note(path.field("policyTypes").index(index), "must be Ingress or Egress")
            }
        }
        return directions
    }

    private mutating func rules(
        _ direction: String, peers: String, of spec: Tree, at path: FieldPath
    ) -> [NetworkPolicyRules.Rule] {
        var rules: [NetworkPolicyRules.Rule] = []
        for (rule, path) in maps(direction, of: spec, at: path) {
            let peerList = maps(peers, of: rule, at: path).compactMap { peer, path in self.peer(peer, at: path) }
            let portList = maps("ports", of: rule, at: path)
            var ports = portList.isEmpty ? [PortSet.all] : []
            var names: [NamedPort] = []
            for (port, path) in portList { read(port, at: path, into: &ports, &names) }
            rules.append(NetworkPolicyRules.Rule(peers: peerList, ports: PortSet.union(ports), namedPorts: names))
        }
        return rules
    }
}

extension NetworkPolicyReader {
    private mutating func read(
        _ port: Tree, at path: FieldPath, into ports: inout [PortSet], _ names: inout [NamedPort]
    ) {
        guard let transport = transport(of: port, at: path) else { return }
        let end = port["endPort"].flatMap { $0.isNull ? nil : $0 }
        switch port["port"] ?? .null {
        case .null:
            if end != nil { note(path.field("endPort"), "may not be specified when port is not specified") }
            ports.append(PortSet(transport))
        case .string(let name):
            if end != nil { note(path.field("endPort"), "may not be specified when port is a name") }
            guard isPortName(name) else { return note(path.field("port"), "is no name of a port") }
            names.append(NamedPort(transport, name))
        case let number:
            guard let first = portNumber(number) else { return note(path.field("port"), "is no port number") }
            let last = end.map(portNumber) ?? first
            guard let last, last >= first else {
                return note(path.field("endPort"), "is no port number that is at least port")
            }
            ports.append(PortSet(transport, first...last))
        }
    }

    private mutating func transport(of port: Tree, at path: FieldPath) -> TransportProtocol? {
        guard let value = port["protocol"], !value.isNull, value.string != "" else { return .tcp }
        guard let transport = value.string.flatMap({ TransportProtocol(rawValue: $0) }) else {
            note(path.field("protocol"), "must be TCP, UDP or SCTP")
            return nil
        }
        return transport
    }

    private mutating func peer(_ peer: Tree, at path: FieldPath) -> NetworkPolicyRules.Peer? {
        let pods = selector("podSelector", of: peer, at: path)
        let namespaces = selector("namespaceSelector", of: peer, at: path)
        guard let block = map("ipBlock", of: peer, at: path) else {
            if pods == nil, namespaces == nil { note(path, "must specify a peer") }
            return .pods(pods, namespaces: namespaces)
        }
        if pods != nil || namespaces != nil { note(path, "may not specify both ipBlock and another peer") }
        let blockPath = path.field("ipBlock")
        guard let outer = block["cidr"]?.string.flatMap({ AddressBlock($0) }) else {
            note(blockPath.field("cidr"), "is no block of addresses")
            return nil
        }
        var exceptions: [AddressBlock] = []
        for (index, exception) in list("except", of: block, at: blockPath).enumerated() {
            if let inner = exception.string.flatMap({ AddressBlock($0) }), outer.strictlyContains(inner) {
                exceptions.append(inner)
            } else {
                note(blockPath.field("except").index(index), "is no block of addresses within cidr")
            }
        }
        return .addresses(NetworkPolicyRules.AddressPeer(block: outer, exceptions: exceptions))
    }

    private mutating func selector(_ key: String, of tree: Tree, at path: FieldPath) -> LabelSelector? {
        guard let selector = map(key, of: tree, at: path) else { return nil }
        let path = path.field(key)
        var requirements: [LabelSelector.Requirement] = []
        for (key, value) in map("matchLabels", of: selector, at: path)?.members ?? Members() {
            // A label without a value is one with an empty value.
            if let text = value.isNull ? "" : value.string {
                requirements.append(.isIn(key: key, values: [text]))
            } else {
                note(path.field("matchLabels").key(key), "must be a string, not \(value.kindName)")
            }
        }
        for (expression, path) in maps("matchExpressions", of: selector, at: path) {
            if let requirement = requirement(expression, at: path) { requirements.append(requirement) }
        }
        return LabelSelector(requirements: requirements)
    }

    private mutating func requirement(_ expression: Tree, at path: FieldPath) -> LabelSelector.Requirement? {
        let list = list("values", of: expression, at: path)
        let values = Set(list.compactMap { $0.isNull ? "" : $0.string })
        guard let key = expression["key"]?.string, !key.isEmpty else {
            note(path.field("key"), "must be the key of a label")
            return nil
        }
        switch (expression["operator"]?.string, values.isEmpty, list.allSatisfy { $0.isNull || $0.string != nil }) {
        case ("In", false, true): return .isIn(key: key, values: values)
        case ("NotIn", false, true): return .notIn(key: key, values: values)
        case ("Exists", true, true): return .exists(key: key)
        case ("DoesNotExist", true, true): return .doesNotExist(key: key)
        default:
            note(path, "must be In or NotIn with values, or Exists or DoesNotExist without any")
            return nil
        }
    }
}

extension NetworkPolicyReader {
    private mutating func note(_ path: FieldPath, _ message: String) {
        if problems.count < Self.problemLimit { problems.append((path, message)) }
    }

    /// A map that is there; null is as if it were not.
    private mutating func map(_ key: String, of tree: Tree, at path: FieldPath) -> Tree? {
        guard let value = tree[key], !value.isNull else { return nil }
        if value.members == nil { note(path.field(key), "must be a map, not \(value.kindName)") }
        return value
    }

    private mutating func list(_ key: String, of tree: Tree, at path: FieldPath) -> [Tree] {
        guard let value = tree[key], !value.isNull else { return [] }
        if value.array == nil { note(path.field(key), "must be a list, not \(value.kindName)") }
        return value.array ?? []
    }

    /// The elements of a list of maps; a null among them is an empty map.
    private mutating func maps(_ key: String, of tree: Tree, at path: FieldPath) -> [(Tree, FieldPath)] {
        list(key, of: tree, at: path).enumerated().map { index, element in
            let path = path.field(key).index(index)
            if element.members == nil, !element.isNull { note(path, "must be a map, not \(element.kindName)") }
            return (element, path)
        }
    }
}

/// A whole number from 1 to 65535.
func portNumber(_ tree: Tree) -> Int? {
    let number: Int?
    switch tree {
    case .integer(let value): number = Int(exactly: value)
    case .double(let value): number = Int(exactly: value)
    default: number = nil
    }
    return number.flatMap { (1...65_535).contains($0) ? $0 : nil }
}

/// At most 15 small letters, digits and single hyphens inside, with at least one letter.
private func isPortName(_ name: String) -> Bool {
    let bytes = Array(name.utf8)
    let hyphen = UInt8(ascii: "-")
    let isLetter: (UInt8) -> Bool = { (0x61...0x7A).contains($0) }
    return bytes.count <= 15 && bytes.contains(where: isLetter) && bytes.first != hyphen && bytes.last != hyphen
        && bytes.allSatisfy { isLetter($0) || (0x30...0x39).contains($0) || $0 == hyphen }
        && !zip(bytes, bytes.dropFirst()).contains { $0 == hyphen && $1 == hyphen }
}
