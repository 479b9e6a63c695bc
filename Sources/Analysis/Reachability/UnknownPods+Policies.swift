import Manifest

/// Pods that stand for what the policies of some states describe, whether or not anything lists such pods.
///
/// For each namespace any other pod, and for each different selector in it a pod that it just matches; for each
/// selector of namespaces one namespace that it just matches, and beside all of them any other namespace. Where a
/// selector names several values there is a pod for each, and one for each value that it rules out, up to a hundred of
/// them. So there are no more pods than the policies have words. Only a namespace whose labels differ between the
/// states gets all pods that a rule describes for it, up to a bound for all such namespaces together.
package func unknownPods(describedBy states: SecurityState...) -> Set<UnknownPods> {
    let readings = states.map { ClusterReading($0, unknownPods: []) }
    let policies = readings.flatMap(\.policies)
    guard !policies.isEmpty else { return [] }
    var found: Set<UnknownPods> = [UnknownPods(namespace: nil)]
    for name in Set(readings.flatMap(\.namespaces.keys)) { found.insert(UnknownPods(namespace: name)) }
    let described = descriptions(in: policies)
    for description in described { found.formUnion(description.examples) }
    found.formUnion(examples(in: relabelled(readings), of: described))
    return found
}

/// Whom the policies are about, each once, in the order in which they say it.
private func descriptions(in policies: [NetworkPolicyRules]) -> [PeerDescription] {
    var known: Set<PeerDescription> = []
    return policies.flatMap { policy in
        [PeerDescription(namespace: policy.namespace, pods: policy.podSelector, namespaces: nil)]
            + TrafficDirection.allCases.flatMap(policy.effectiveRules).flatMap(\.peers).compactMap { peer in
                guard case .pods(let pods, let namespaces) = peer else { return nil }
                return PeerDescription(
                    namespace: namespaces == nil ? policy.namespace : nil, pods: pods ?? .everything,
                    namespaces: namespaces)
            }
    }.filter { known.insert($0).inserted }
}

/// How many pods are made for namespaces whose labels differ.
private let relabelledLimit = 20_000

/// The namespaces that have other labels in one state than in another, with all the labels that they have.
private func relabelled(_ readings: [ClusterReading]) -> [(name: String, labels: [Labels])] {
    Set(readings.flatMap(\.namespaces.keys)).sorted { $0.precedesByBytes($1) }.compactMap { name in
        let labels = Set(readings.compactMap { $0.namespaces[name] })
        return labels.count > 1 ? (name, Array(labels)) : nil
    }
}

private func examples(
    in namespaces: [(name: String, labels: [Labels])], of described: [PeerDescription]
) -> Set<UnknownPods> {
    var found: Set<UnknownPods> = []
    for (name, labels) in namespaces {
        for description in described {
            guard let selector = description.namespaces, labels.contains(where: selector.matches) else { continue }
            for pods in description.pods.examples { found.insert(UnknownPods(namespace: name, labels: pods)) }
            if found.count >= relabelledLimit { return found }
        }
    }
    return found
}

/// The pods that a policy or one of its peers is about.
private struct PeerDescription: Hashable {
    /// Nil where namespaces are selected.
    var namespace: String?
    var pods: LabelSelector
    var namespaces: LabelSelector?

    /// Each example of a pod in the first namespace, and the first pod in each other one.
    var examples: [UnknownPods] {
        let pods = pods.examples
        guard let first = pods.first else { return [] }
        guard let namespaces else { return pods.map { UnknownPods(namespace: namespace, labels: $0) } }
        let places = namespaces.examples
        guard let place = places.first else { return [] }
        return pods.map { Self.pods(in: place, $0) } + places.dropFirst().map { Self.pods(in: $0, first) }
    }

    private static func pods(in namespace: Labels, _ labels: Labels) -> UnknownPods {
        if let name = namespace[ClusterReading.nameLabel], name != UnknownPods.anyValue {
            return UnknownPods(namespace: name, labels: labels)
        }
        return UnknownPods(namespace: nil, namespaceLabels: namespace, labels: labels)
    }
}

extension LabelSelector {
    /// How many examples there are at most of one selector; more than people write values.
    private static let exampleLimit = 100

    /// Labels that the selector just matches, then some that it matches by other values, then some that it just misses.
    ///
    /// Empty where no labels match.
    fileprivate var examples: [Labels] {
        let matching = matchingExample
        guard matches(matching) else { return [] }
        var others: [(key: String, value: String)] = []
        for requirement in requirements where others.count < Self.exampleLimit {
            switch requirement {
            case .isIn(let key, let values), .notIn(let key, let values):
                others += values.sorted { $0.precedesByBytes($1) }.map { (key, $0) }
            case .doesNotExist(let key): others.append((key, UnknownPods.anyValue))
            case .exists, .never: break
            }
        }
        return [matching]
            + others.filter { matching[$0.key] != $0.value }.prefix(Self.exampleLimit).map { key, value in
                var other = matching
                other[key] = value
                return other
            }
    }

    /// Labels with only the keys that the selector needs; it need not match them where it contradicts itself.
    private var matchingExample: Labels {
        var possible: [String: Set<String>] = [:]
        var excluded: [String: Set<String>] = [:]
        var labels = Labels()
        for requirement in requirements {
            switch requirement {
            case .isIn(let key, let values): possible[key] = possible[key]?.intersection(values) ?? values
            case .notIn(let key, let values): excluded[key, default: []].formUnion(values)
            case .exists(let key): labels[key] = UnknownPods.anyValue
            case .doesNotExist, .never: break
            }
        }
        for (key, values) in possible {
            labels[key] = values.subtracting(excluded[key] ?? []).min { $0.precedesByBytes($1) }
        }
        return labels
    }
}
