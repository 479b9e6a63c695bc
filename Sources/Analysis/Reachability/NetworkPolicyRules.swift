package import Manifest
package import Policy

/// Which way traffic goes, seen from the pods that a policy selects.
package enum TrafficDirection: String, Sendable, CaseIterable {
    case ingress = "Ingress"
    case egress = "Egress"
}

/// What a NetworkPolicy says, with the server's defaults.
package struct NetworkPolicyRules: Sendable {
    /// Whom a rule lets in or out.
    package enum Peer: Hashable, Sendable {
        /// Pods of the namespaces that match; nil for the namespaces is the policy's own, nil for the pods is all.
        case pods(LabelSelector?, namespaces: LabelSelector?)
        case addresses(AddressPeer)
    }

    /// Addresses that are in a block and in none of its exceptions.
    package struct AddressPeer: Hashable, Sendable {
        package var block: AddressBlock
        package var exceptions: [AddressBlock]
    }

    package struct Rule: Hashable, Sendable {
        /// Any of them; empty is every peer inside and outside of the cluster.
        package var peers: [Peer]
        /// The ports that are given by number; every port where a rule lists none.
        package var ports: PortSet
        /// The ports that are given by the name of a port of the destination.
        package var namedPorts: [NamedPort]
    }

    package var id: ObjectID
    package var origin: Origin?
    /// Which pods of its namespace it is about.
    package var podSelector: LabelSelector
    /// Which directions it isolates.
    package var directions: Set<TrafficDirection>
    package var ingress: [Rule]
    package var egress: [Rule]

    package var namespace: String { id.namespace }

    /// The rules as they are written, also those of a direction that the policy types leave out.
    package func rules(_ direction: TrafficDirection) -> [Rule] { direction == .ingress ? ingress : egress }

    /// The rules that count: those of a direction that the policy does not isolate are as if they were not there.
    func effectiveRules(_ direction: TrafficDirection) -> [Rule] {
        directions.contains(direction) ? rules(direction) : []
    }
}

/// Why an object takes no part in the analysis.
package struct ReachabilityProblem: Sendable, Hashable {
    package var object: ObjectID
    package var origin: Origin?
    package var path: FieldPath
    /// What is wrong, without a full stop.
    package var message: String
}

extension NetworkPolicyRules {
    /// Reads a NetworkPolicy.
    ///
    /// What the API server would refuse is no policy: it gives nil and says why, because leaving out only the wrong
    /// part would make another policy of it.
    package init?(_ object: StateObject, problems: inout [ReachabilityProblem]) {
        var reader = NetworkPolicyReader()
        let rules = reader.read(object)
        problems += reader.problems.map { path, message in
            ReachabilityProblem(object: object.id, origin: object.origin, path: path, message: message)
        }
        guard reader.problems.isEmpty else { return nil }
        self = rules
    }
}
