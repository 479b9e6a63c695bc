package import Manifest
package import Policy

/// Why traffic is allowed or not.
package struct ReachabilityExplanation: Sendable, Hashable {
    /// A rule that allows it.
    package struct Allowance: Sendable, Hashable {
        package var policy: ObjectID
        package var origin: Origin?
        /// Its place in the policy's list for the direction.
        package var rule: Int
        /// Never empty.
        package var ports: PortSet
        /// Whether only a block of addresses covers a pod here: then it depends on the network plugin.
        package var isPluginDependent: Bool
    }

    /// What the policies of one of the two ends say.
    package struct Side: Sendable, Hashable {
        /// The policies that isolate the end, in order; empty where nothing does, and then everything is allowed.
        package var isolating: [ObjectID]
        package var allowances: [Allowance]
        package var ports: PortSet
    }

    /// Of the source.
    package var egress: Side
    /// Of the destination.
    package var ingress: Side
    /// What both allow.
    package var ports: PortSet { egress.ports.intersection(ingress.ports) }
}

extension ReachabilityModel {
    /// Names the policies and rules that decide on traffic from one end to another.
    ///
    /// - Returns: Nil where one of the ends is not in the model, both are addresses, or a policy tells the addresses of
    ///   a block apart.
    package func explain(
        from source: ReachabilityEnd, to destination: ReachabilityEnd
    ) -> ReachabilityExplanation? {
        let sources = universe.elements(of: represented(source))
        let destinations = universe.elements(of: represented(destination))
        if case .external = source, case .external = destination { return nil }
        guard sources.count == 1, destinations.count == 1 else { return nil }
        return ReachabilityExplanation(
            egress: side(.egress, from: sources[0], to: destinations[0]),
            ingress: side(.ingress, from: sources[0], to: destinations[0]))
    }

    private func side(
        _ direction: TrafficDirection, from source: Int, to destination: Int
    ) -> ReachabilityExplanation.Side {
        let (subject, peer) = direction == .ingress ? (destination, source) : (source, destination)
        let isolating = evaluation.policies(isolating: subject, direction).map { evaluation.policies[$0] }
        var allowances: [ReachabilityExplanation.Allowance] = []
        for policy in isolating {
            let rules = zip(policy.rules.effectiveRules(direction), policy.peers(direction))
            for (index, (rule, peers)) in rules.enumerated() where peers.contains(peer) {
                let ports = evaluation.ports(
                    of: rule, at: destination, egressTo: direction == .egress ? peers : nil)
                guard !ports.isEmpty else { continue }
                allowances.append(
                    ReachabilityExplanation.Allowance(
                        policy: policy.rules.id, origin: policy.rules.origin, rule: index, ports: ports,
                        isPluginDependent: universe.pods.contains(peer) && !peers.isEveryone
                            && !peers.selected.contains(peer)))
            }
        }
        return ReachabilityExplanation.Side(
            isolating: isolating.map(\.rules.id), allowances: allowances,
            ports: isolating.isEmpty ? .all : PortSet.union(allowances.map(\.ports)))
    }
}
