import Manifest
import TestSupport

/// A small cluster with policies that use every feature, from few words so that they often meet.
struct RandomCluster {
    private(set) var namespaces: [String: Tree] = [:]
    private(set) var pods: [LiteralReachability.Pod] = []
    private(set) var policies: [Tree] = []
    private var random: SplitMix64

    init(seed: UInt64) {
        random = SplitMix64(seed: seed)
        let names = ["x", "y", "z"].prefix(Int.random(in: 1...3, using: &random))
        for name in names { namespaces[name] = labels() }
        for index in 0..<Int.random(in: 2...6, using: &random) {
            let namespace = names.randomElement(using: &random) ?? "x"
            pods.append(LiteralReachability.Pod(namespace: namespace, name: "p\(index)", tree: pod(namespace, index)))
        }
        for index in 0..<Int.random(in: 0...5, using: &random) {
            policies.append(
                [
                    "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
                    "metadata": [
                        "name": .string("n\(index)"), "namespace": .string(names.randomElement(using: &random) ?? "x"),
                    ],
                    "spec": policySpec(),
                ])
        }
    }

    /// Some of the namespaces are not declared.
    var trees: [Tree] {
        pods.map(\.tree) + policies
            + namespaces.filter { $0.value != [:] }.map { namespaceTree($0.key, labels: $0.value) }
    }

    private mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

    private mutating func pick<Value>(_ values: [Value], else other: Value) -> Value {
        values.randomElement(using: &random) ?? other
    }

    private mutating func labels() -> Tree {
        var labels: Tree = [:]
        for key in ["a", "b"] where chance(60) { labels.set([key], to: .string(pick(["1", "2", "3"], else: "1"))) }
        return labels
    }

    private mutating func pod(_ namespace: String, _ index: Int) -> Tree {
        var ports: [Tree] = []
        for name in ["web", "dns"] where chance(60) {
            ports.append(
                [
                    "name": .string(name), "containerPort": .integer(pick([80, 81, 53], else: 80)),
                    "protocol": .string(pick(["TCP", "TCP", "UDP", "SCTP"], else: "TCP")),
                ])
        }
        var tree = podTree(
            namespace, "p\(index)", labels: labels(),
            address: chance(80) ? "10.0.\(Int.random(in: 0...1, using: &random)).\(index)" : nil, ports: .array(ports),
            hostNetwork: chance(10))
        if chance(20) {
            let name = pick(["web", "dns"], else: "web")
            var sidecar: Tree = ["name": "side", "ports": [["name": .string(name), "containerPort": 82]]]
            if chance(50) { sidecar.set(["restartPolicy"], to: "Always") }
            tree.set(["spec", "initContainers"], to: [sidecar])
        }
        return tree
    }

    private mutating func policySpec() -> Tree {
        var spec: Tree = ["podSelector": selector()]
        let types: [Tree?] = [
            nil, [], ["Ingress"], ["Egress"], ["Ingress", "Egress"], ["Egress", "Ingress"], ["Egress"],
        ]
        spec.set(["policyTypes"], to: pick(types, else: nil))
        for (direction, peers) in [("ingress", "from"), ("egress", "to")] where chance(75) {
            let rules = (0..<Int.random(in: 0...2, using: &random)).map { _ in rule(peers) }
            spec.set([direction], to: .array(rules))
        }
        return spec
    }

    private mutating func rule(_ peers: String) -> Tree {
        var rule: Tree = [:]
        if chance(80) {
            rule.set([peers], to: .array((0..<Int.random(in: 0...3, using: &random)).map { _ in peer() }))
        }
        if chance(70) {
            rule.set(["ports"], to: .array((0..<Int.random(in: 0...2, using: &random)).map { _ in port() }))
        }
        return rule
    }

    private mutating func peer() -> Tree {
        switch Int.random(in: 0..<5, using: &random) {
        case 0: return ["podSelector": selector()]
        case 1: return ["namespaceSelector": namespaceSelector()]
        case 2: return ["namespaceSelector": namespaceSelector(), "podSelector": selector()]
        default:
            let (block, exceptions) = pick(
                [
                    ("0.0.0.0/0", ["10.0.0.0/24", "10.0.1.4/32", "192.0.2.0/25", "128.0.0.0/1"]),
                    ("10.0.0.0/16", ["10.0.0.0/24", "10.0.1.0/24", "10.0.1.2/31"]), ("10.0.1.0/24", ["10.0.1.0/29"]),
                    ("10.0.0.3/32", []), ("192.0.2.0/24", ["192.0.2.128/25"]), ("::/0", []),
                ], else: ("0.0.0.0/0", []))
            var tree: Tree = ["cidr": .string(block)]
            let chosen = exceptions.filter { _ in chance(40) }.map { Tree.string($0) }
            if !chosen.isEmpty { tree.set(["except"], to: .array(chosen)) }
            return ["ipBlock": tree]
        }
    }

    private mutating func port() -> Tree {
        var port: Tree = [:]
        if chance(70) { port.set(["protocol"], to: .string(pick(["TCP", "TCP", "UDP", "SCTP"], else: "TCP"))) }
        switch Int.random(in: 0..<4, using: &random) {
        case 0: port.set(["port"], to: .string(pick(["web", "dns"], else: "web")))
        case 1: port.set(["port"], to: .integer(pick([80, 81, 53], else: 80)))
        case 2:
            port.set(["port"], to: .integer(pick([1, 53, 80], else: 80)))
            port.set(["endPort"], to: .integer(pick([80, 81, 65_535], else: 81)))
        default: break
        }
        return port
    }

    private mutating func namespaceSelector() -> Tree {
        guard chance(25) else { return selector() }
        return ["matchLabels": ["kubernetes.io/metadata.name": .string(pick(["x", "y"], else: "x"))]]
    }

    private mutating func selector() -> Tree {
        var selector: Tree = [:]
        if chance(40) {
            selector.set(
                ["matchLabels", pick(["a", "b"], else: "a")], to: .string(pick(["1", "2", "3"], else: "1")))
        }
        guard chance(40) else { return selector }
        let expressions = (0..<Int.random(in: 1...2, using: &random)).map { _ -> Tree in
            let name = pick(["In", "NotIn", "Exists", "DoesNotExist"], else: "In")
            var expression: Tree = ["key": .string(pick(["a", "b", "c"], else: "a")), "operator": .string(name)]
            if name == "In" || name == "NotIn" {
                let values = ["1", "2", "4"].filter { _ in chance(50) }
                expression.set(["values"], to: .array((values.isEmpty ? ["1"] : values).map { .string($0) }))
            }
            return expression
        }
        selector.set(["matchExpressions"], to: .array(expressions))
        return selector
    }
}
