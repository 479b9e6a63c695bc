import Manifest
import Policy

/// What a state says about reachability, read but not yet evaluated.
struct ClusterReading: Sendable {
    /// Every namespace that is declared or that something lives in, with the labels that it has.
    private(set) var namespaces: [String: Labels] = [:]
    /// In the order of their ids.
    private(set) var policies: [NetworkPolicyRules] = []
    private(set) var problems: [ReachabilityProblem] = []
    /// All that have traffic, as they stand in the state.
    private(set) var workloads: [ObjectID: Workload] = [:]
    var unknownPods: Set<UnknownPods>

    static let nameLabel = "kubernetes.io/metadata.name"

    init(_ state: SecurityState, unknownPods: Set<UnknownPods>) {
        self.unknownPods = unknownPods
        for object in state.objects.values {
            if object.id.group == Resource.namespace.group, object.id.kind == Resource.namespace.kind {
                addNamespace(object.id.name, object.labels)
            } else if let workload = Workload(object), !workload.isFinished {
                workloads[object.id] = workload
            }
        }
        for object in state.all(.networkPolicy) {
            if let policy = NetworkPolicyRules(object, problems: &problems) { policies.append(policy) }
        }
        for namespace in Set(policies.map(\.namespace) + workloads.keys.map(\.namespace))
        where namespaces[namespace] == nil {
            addNamespace(namespace, Labels())
        }
        for pods in unknownPods where namespaces[pods.namespaceKey] == nil {
            if let name = pods.namespace {
                addNamespace(name, Labels())
            } else {
                namespaces[pods.namespaceKey] = pods.namespaceLabels
            }
        }
    }

    /// The server gives every namespace the label with its name and lets nobody change it.
    private mutating func addNamespace(_ name: String, _ labels: Labels) {
        namespaces[name] = labels
        namespaces[name]?[Self.nameLabel] = name
    }
}
