import Manifest

/// A second evaluator of NetworkPolicies: slow, literal, straight from the rules, and sharing no code with the first.
///
/// Every policy, rule, peer and port is looked at for each pair of ends (security semantics, section 2.1).
struct LiteralReachability {
    struct Pod {
        var namespace: String
        var name: String
        var tree: Tree
        var labels: Tree
        var usesHostNetwork: Bool
        var address: UInt32?

        init(namespace: String, name: String, tree: Tree) {
            self.namespace = namespace
            self.name = name
            self.tree = tree
            labels = tree["metadata"]?["labels"] ?? [:]
            usesHostNetwork = tree["spec"]?["hostNetwork"]?.bool == true
            address = tree["status"]?["podIP"]?.string.flatMap(LiteralReachability.address)
        }
    }

    struct Probe {
        var transport: String
        var port: Int64
    }

    enum End {
        case pod(Pod)
        case address(UInt32)
    }

    var namespaces: [String: Tree]
    var policies: [Tree]

    /// What of some probes is allowed between two ends.
    func allowed(_ probes: [Probe], _ source: End, _ destination: End) -> [Bool] {
        let egress = allowances("Egress", source, peer: destination)
        let ingress = allowances("Ingress", destination, peer: source)
        return probes.map { probe in
            [egress, ingress].allSatisfy { side in
                side.map { $0.contains { covers($0.ports, destination, probe, byName: $0.byName) } } ?? true
            }
        }
    }

    /// The port lists of all rules for a peer, or nil where nothing isolates the subject.
    private func allowances(_ direction: String, _ subject: End, peer: End) -> [(ports: [Tree], byName: Bool)]? {
        guard case .pod(let pod) = subject, !pod.usesHostNetwork else { return nil }
        var isIsolated = false
        var allowances: [(ports: [Tree], byName: Bool)] = []
        for policy in policies where policy["metadata"]?["namespace"]?.string == pod.namespace {
            let spec = policy["spec"] ?? [:]
            guard directions(spec).contains(direction), matches(spec["podSelector"] ?? [:], pod.labels) else {
                continue
            }
            isIsolated = true
            for rule in spec[direction == "Ingress" ? "ingress" : "egress"]?.array ?? [] {
                let peers = rule[direction == "Ingress" ? "from" : "to"]?.array ?? []
                let ports = rule["ports"]?.array ?? []
                if peers.isEmpty { allowances.append((ports, true)) }
                for item in peers where covers(item, peer, pod.namespace) {
                    // A name towards a block of addresses has nothing to resolve against.
                    allowances.append((ports, direction == "Ingress" || item["ipBlock"] == nil))
                }
            }
        }
        return isIsolated ? allowances : nil
    }

    private func directions(_ spec: Tree) -> Set<String> {
        let written = (spec["policyTypes"]?.array ?? []).compactMap(\.string)
        if !written.isEmpty { return Set(written) }
        return (spec["egress"]?.array ?? []).isEmpty ? ["Ingress"] : ["Ingress", "Egress"]
    }

    private func covers(_ peer: Tree, _ end: End, _ namespace: String) -> Bool {
        if let block = peer["ipBlock"] {
            let address: UInt32?
            switch end {
            case .pod(let pod): address = pod.address
            case .address(let number): address = number
            }
            guard let address, isInside(address, block["cidr"]) else { return false }
            return !(block["except"]?.array ?? []).contains { isInside(address, $0) }
        }
        guard case .pod(let pod) = end, !pod.usesHostNetwork else { return false }
        if let selector = peer["namespaceSelector"] {
            var labels = namespaces[pod.namespace] ?? [:]
            labels.set(["kubernetes.io/metadata.name"], to: .string(pod.namespace))
            guard matches(selector, labels) else { return false }
        } else if pod.namespace != namespace {
            return false
        }
        return peer["podSelector"].map { matches($0, pod.labels) } ?? true
    }

    private func covers(_ ports: [Tree], _ destination: End, _ probe: Probe, byName: Bool) -> Bool {
        if ports.isEmpty { return true }
        return ports.contains { item in
            guard (item["protocol"]?.string ?? "TCP") == probe.transport else { return false }
            switch item["port"] {
            case nil: return true
            case .integer(let first)?: return first <= probe.port && probe.port <= item["endPort"]?.integer ?? first
            case .string(let name)?:
                guard byName, case .pod(let pod) = destination, !pod.usesHostNetwork else { return false }
                return namedPorts(pod).contains {
                    $0["name"]?.string == name && ($0["protocol"]?.string ?? "TCP") == probe.transport
                        && $0["containerPort"]?.integer == probe.port
                }
            default: return false
            }
        }
    }

    private func namedPorts(_ pod: Pod) -> [Tree] {
        let containers = pod.tree["spec"]?["containers"]?.array ?? []
        let sidecars = (pod.tree["spec"]?["initContainers"]?.array ?? [])
            .filter { $0["restartPolicy"]?.string == "Always" }
        return (containers + sidecars).flatMap { $0["ports"]?.array ?? [] }
    }

    private func matches(_ selector: Tree, _ labels: Tree) -> Bool {
        for (key, value) in selector["matchLabels"]?.members ?? Members() where labels[key] != value { return false }
        for expression in selector["matchExpressions"]?.array ?? [] {
            let label = expression["key"]?.string.flatMap { labels[$0] }
            let isListed = label.map { (expression["values"]?.array ?? []).contains($0) } ?? false
            switch expression["operator"]?.string {
            case "In": if !isListed { return false }
            case "NotIn": if isListed { return false }
            case "Exists": if label == nil { return false }
            default: if label != nil { return false }
            }
        }
        return true
    }

    private func isInside(_ address: UInt32, _ block: Tree?) -> Bool {
        let parts = (block?.string ?? "").split(separator: "/")
        guard parts.count == 2, let base = Self.address(String(parts[0])), let length = UInt32(parts[1]) else {
            return false
        }
        return length == 0 || (address ^ base) >> (32 - length) == 0
    }

    static func address(_ text: String) -> UInt32? {
        let numbers = text.split(separator: ".").compactMap { UInt32($0) }
        return numbers.count == 4 ? numbers.reduce(0) { $0 << 8 | $1 } : nil
    }
}
