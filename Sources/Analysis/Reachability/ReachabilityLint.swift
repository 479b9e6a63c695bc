package import Manifest
package import Policy

/// A policy that does not do what it seems to say.
package struct ReachabilityLint: Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        case selectsNoPod
        /// No peer of the rule matches anything.
        case ruleMatchesNothing
        /// No pod that the rule is about has the port.
        case namedPortUnmatched(NamedPort)
        /// A rule for a direction that the policy types leave out.
        case rulesIgnored
        /// Another policy for the same pods has all of its rules.
        case covered(by: ObjectID)
    }

    package var kind: Kind
    package var policy: ObjectID
    package var origin: Origin?
    /// Which rules it is about; nil where it is about the policy as a whole.
    package var direction: TrafficDirection?
    /// Its place in the policy's list for the direction.
    package var rule: Int?
}

extension ReachabilityModel {
    /// Finds policies that do nothing, or less than they seem to.
    ///
    /// What depends on which pods there are is left out where the state has no workloads at all.
    package func lints() -> [ReachabilityLint] {
        var lints: [ReachabilityLint] = []
        for policy in evaluation.policies {
            if !reading.workloads.isEmpty { lints += selectionLints(policy) }
            for direction in TrafficDirection.allCases
            where !policy.rules.directions.contains(direction) && !policy.rules.rules(direction).isEmpty {
                lints.append(lint(.rulesIgnored, policy, direction))
            }
        }
        return lints + coverageLints()
    }

    private func lint(
        _ kind: ReachabilityLint.Kind, _ policy: EvaluatedPolicy, _ direction: TrafficDirection? = nil,
        rule: Int? = nil
    ) -> ReachabilityLint {
        ReachabilityLint(
            kind: kind, policy: policy.rules.id, origin: policy.rules.origin, direction: direction, rule: rule)
    }

    private func selectionLints(_ policy: EvaluatedPolicy) -> [ReachabilityLint] {
        var lints = policy.subjects.isEmpty ? [lint(.selectsNoPod, policy)] : []
        for direction in TrafficDirection.allCases {
            let rules = zip(policy.rules.effectiveRules(direction), policy.peers(direction))
            for (index, (rule, peers)) in rules.enumerated() {
                if !peers.isEveryone, peers.selected.isEmpty, peers.addressed.isEmpty {
                    lints.append(lint(.ruleMatchesNothing, policy, direction, rule: index))
                    continue
                }
                // Of no destination nothing can be said that the other lints do not say.
                let destinations =
                    direction == .ingress
                    ? policy.subjects : peers.isEveryone ? evaluation.selectable : peers.selected
                if direction == .ingress, destinations.isEmpty { continue }
                for name in rule.namedPorts where !has(name, destinations) {
                    lints.append(lint(.namedPortUnmatched(name), policy, direction, rule: index))
                }
            }
        }
        return lints
    }

    private func has(_ name: NamedPort, _ destinations: ElementSet) -> Bool {
        zip(evaluation.portTables, evaluation.elementsOfTable).contains { table, elements in
            !table[name].isEmpty && !elements.isDisjoint(with: destinations)
        }
    }

    /// Only policies for the same pods are compared, rule by rule as they are written, and each only with a few.
    private func coverageLints() -> [ReachabilityLint] {
        struct RuleKey: Hashable {
            var namespace: String
            var selector: LabelSelector
            var direction: TrafficDirection
            var rule: NetworkPolicyRules.Rule
        }
        let candidateLimit = 8
        let written = policies.map { policy in
            TrafficDirection.allCases.flatMap { direction in
                policy.effectiveRules(direction).map {
                    RuleKey(namespace: policy.namespace, selector: policy.podSelector, direction: direction, rule: $0)
                }
            }
        }
        let keys = written.map { Set($0) }
        var holders: [RuleKey: [Int]] = [:]
        for (index, keys) in keys.enumerated() {
            for key in keys where holders[key, default: []].count < candidateLimit {
                holders[key, default: []].append(index)
            }
        }
        return policies.indices.compactMap { index in
            guard let key = written[index].first else { return nil }
            let cover = holders[key]?.first { other in
                guard other != index, policies[index].directions.isSubset(of: policies[other].directions),
                    keys[index].isSubset(of: keys[other])
                else { return false }
                // Of two that say the same, the later one is to go.
                return other < index || keys[other] != keys[index]
                    || policies[index].directions != policies[other].directions
            }
            return cover.map { lint(.covered(by: policies[$0].id), evaluation.policies[index]) }
        }
    }
}
