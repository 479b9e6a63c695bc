import Analysis
import JSON
import Manifest
import Policy
import TestSupport
import Testing
import YAML

/// The state that some YAML documents declare; what names no namespace lives in `default`.
func cluster(_ text: String) -> SecurityState { cluster(yaml: Array(text.utf8)) }

func cluster(yaml bytes: [UInt8]) -> SecurityState {
    cluster(parseYAML(bytes).documents.map(\.tree))
}

func cluster(_ trees: [Tree]) -> SecurityState {
    SecurityState(
        trees.map { tree in
            let version = tree["apiVersion"]?.string ?? ""
            let kind = tree["kind"]?.string ?? ""
            let namespace = kind == "Namespace" ? "" : tree["metadata"]?["namespace"]?.string ?? "default"
            return StateObject(
                id: ObjectID(
                    group: version.contains("/") ? String(version.prefix { $0 != "/" }) : "", kind: kind,
                    namespace: namespace, name: tree["metadata"]?["name"]?.string ?? ""),
                tree: tree, origin: Origin(file: "\(kind).yaml", line: 1))
        })
}

func namespaceTree(_ name: String, labels: Tree = [:]) -> Tree {
    ["apiVersion": "v1", "kind": "Namespace", "metadata": ["name": .string(name), "labels": labels]]
}

func podTree(
    _ namespace: String, _ name: String, labels: Tree = [:], address: String? = nil, ports: Tree = [],
    hostNetwork: Bool = false
) -> Tree {
    var tree: Tree = [
        "apiVersion": "v1", "kind": "Pod",
        "metadata": ["name": .string(name), "namespace": .string(namespace), "labels": labels],
        "spec": ["hostNetwork": .bool(hostNetwork), "containers": [["name": "main", "ports": ports]]],
    ]
    if let address { tree.set(["status"], to: ["phase": "Running", "podIP": .string(address)]) }
    return tree
}

func pod(_ namespace: String, _ name: String) -> ReachabilityEnd {
    .workload(ObjectID(.pod, namespace: namespace, name: name))
}

func deployment(_ namespace: String, _ name: String) -> ReachabilityEnd {
    .workload(ObjectID(.deployment, namespace: namespace, name: name))
}

func external(_ text: String) throws -> ReachabilityEnd {
    .external(try #require(AddressBlock(text) ?? AddressBlock(address: text)))
}

func policyID(_ namespace: String, _ name: String) -> ObjectID {
    ObjectID(.networkPolicy, namespace: namespace, name: name)
}

extension SecurityState {
    /// With other objects beside its own, or in their place.
    func adding(_ text: String) -> SecurityState {
        var state = self
        for object in cluster(text).objects.values { state[object.id] = object }
        return state
    }
}

extension ReachabilityRow {
    /// One line: `pod a/x -> pod a/y: TCP 80`.
    var text: String { "\(sources.text) -> \(destinations.text): \(ports)" }
}

extension ReachabilityEnds {
    var text: String { all.map(\.description).joined(separator: " ") }
}
