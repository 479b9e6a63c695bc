package import Manifest
import Policy

/// Who may reach whom as far as the NetworkPolicies of a state say.
///
/// Security semantics, section 2.1. It says what is allowed by policy, not what works: whether anything enforces
/// policies, what a Service or node port translates, and that a node may always reach its own pods is not in it.
/// Whether an `ipBlock` is about the addresses of pods depends on the network plugin; here it is, by the addresses that
/// are known. A pod or template without a known address is in no block.
package struct ReachabilityModel: Sendable {
    let reading: ClusterReading
    let vocabulary: PolicyVocabulary
    let universe: Universe
    let evaluation: PolicyEvaluation
    private let folding: WorkloadFolding

    /// - Parameter unknownPods: Pods that nobody has listed and that the answers shall tell about too.
    package init(_ state: SecurityState, unknownPods: some Sequence<UnknownPods> = []) {
        reading = ClusterReading(state, unknownPods: Set(unknownPods))
        vocabulary = PolicyVocabulary(reading.policies)
        let space = AddressSpace(vocabulary.addresses)
        folding = WorkloadFolding(reading, vocabulary, space)
        universe = Universe([folding], space: space)
        evaluation = PolicyEvaluation(reading, folding, vocabulary, universe)
    }

    /// The policies that the server would refuse; they are not in the model.
    package var problems: [ReachabilityProblem] { reading.problems }

    /// The policies in the order of their ids.
    package var policies: [NetworkPolicyRules] { reading.policies }

    /// Every pod and template that the answers tell about, in order.
    package var pods: [ReachabilityEnd] { universe.ends }

    /// What represents a pod or workload: itself, or its topmost owner where policies cannot tell the two apart.
    ///
    /// - Returns: Nil where it is not in the state, or is a pod that has run to its end.
    package func end(of id: ObjectID) -> ReachabilityEnd? {
        let end = ReachabilityEnd.workload(folding.owners[id] ?? id)
        return folding.endpoints[end] == nil ? nil : end
    }

    /// Whether it is in the network of its node: no policy isolates it, and as a peer it is its node's addresses.
    package func usesHostNetwork(_ end: ReachabilityEnd) -> Bool {
        folding.endpoints[represented(end)]?.usesHostNetwork ?? false
    }

    /// The ports on which traffic is allowed.
    ///
    /// Between a block and a pod, those that every address of the block may use. A pod and itself are treated as two.
    ///
    /// - Returns: Nil where one of the ends is not in the model, or both are addresses.
    package func ports(from source: ReachabilityEnd, to destination: ReachabilityEnd) -> PortSet? {
        let sources = universe.elements(of: represented(source))
        let destinations = universe.elements(of: represented(destination))
        if case .external = source, case .external = destination { return nil }
        var ports: PortSet?
        for source in sources {
            for destination in destinations {
                let egress = evaluation.ports(.egress, from: source, to: destination)
                let allowed =
                    egress.isEmpty
                    ? egress : egress.intersection(evaluation.ports(.ingress, from: source, to: destination))
                ports = ports?.intersection(allowed) ?? allowed
            }
        }
        return ports
    }

    /// What represents an end that may have been folded away.
    func represented(_ end: ReachabilityEnd) -> ReachabilityEnd {
        if case .workload(let id) = end { self.end(of: id) ?? end } else { end }
    }

    /// A filter with those in it that represent the ones meant.
    func represented(_ filter: ReachabilityFilter) -> ReachabilityFilter {
        guard case .workloads(let ids) = filter else { return filter }
        return .workloads(Set(ids.map { folding.owners[$0] ?? $0 }))
    }

    /// The pods and templates as they are, each once, with its labels and ports.
    func endpoint(_ end: ReachabilityEnd) -> Endpoint? { folding.endpoints[represented(end)] }
}

extension ReachabilityModel {
    /// The policies that isolate an end for a direction, in the order of their ids; empty where it is not isolated.
    package func policies(isolating end: ReachabilityEnd, _ direction: TrafficDirection) -> [NetworkPolicyRules] {
        guard let element = universe.elements(of: represented(end)).first else { return [] }
        return evaluation.policies(isolating: element, direction).map { evaluation.policies[$0].rules }
    }

    package func isIsolated(_ end: ReachabilityEnd, _ direction: TrafficDirection) -> Bool {
        guard let element = universe.elements(of: represented(end)).first else { return false }
        return !evaluation.policies(isolating: element, direction).isEmpty
    }
}
