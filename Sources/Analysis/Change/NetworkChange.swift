import Manifest
import Policy

/// Finds what opens and what closes between pods and to the outside.
///
/// Where no workloads are known, pods that the policies describe stand for those there may be.
struct NetworkChange {
    let change: StateChange
    private let base: ReachabilityModel
    private let head: ReachabilityModel
    private let comparison: ReachabilityComparison
    /// Pods that a finding about isolation already speaks of, by direction: what opens for them is not said again.
    private let released: [TrafficDirection: Set<ReachabilityEnd>]
    private let confined: [TrafficDirection: Set<ReachabilityEnd>]
    /// Of the declared namespaces.
    let namespaceLabels: [Labels]
    let podsByNamespace: [String: [ReachabilityEnd]]

    /// Nil where nothing that decides about reachability was edited.
    init?(_ change: StateChange) {
        guard change.edits.keys.contains(where: \.decidesReachability) else { return nil }
        self.change = change
        // Of a large repository most objects say nothing about the network, and each reading looks through all.
        let (before, after) = (change.base.forReachability, change.head.forReachability)
        // A namespace whose pods are known speaks for itself; a pod somewhere else says nothing about another one.
        let inhabited = before.inhabitedNamespaces.intersection(after.inhabitedNamespaces)
        let unknown = unknownPods(describedBy: before, after).filter { pods in
            pods.namespace.map { !inhabited.contains($0) } ?? true
        }
        base = ReachabilityModel(before, unknownPods: unknown)
        head = ReachabilityModel(after, unknownPods: unknown)
        let comparison = compareReachability(base: base, head: head)
        self.comparison = comparison
        namespaceLabels = (change.base.all(.namespace) + change.head.all(.namespace)).map { namespace in
            var labels = namespace.labels
            labels["kubernetes.io/metadata.name"] = namespace.id.name
            return labels
        }
        podsByNamespace = Dictionary(grouping: head.pods, by: \.namespace)
        func pods(_ isLost: Bool) -> [TrafficDirection: Set<ReachabilityEnd>] {
            Dictionary(
                comparison.isolation.filter { $0.isLost == isLost }.map { ($0.direction, Set($0.pods)) },
                uniquingKeysWith: { $0.union($1) })
        }
        released = pods(true)
        confined = pods(false)
    }

    func findings() -> [ChangeFinding] {
        isolationLost() + openings() + closings() + ineffectivePolicies()
    }

    // MARK: Isolation

    private func isolationLost() -> [ChangeFinding] {
        var pods: [NamespaceAndDirection: (pods: [ReachabilityEnd], policies: Set<ObjectID>)] = [:]
        for change in comparison.isolation where change.isLost {
            for pod in change.pods {
                let key = NamespaceAndDirection(namespace: pod.namespace, direction: change.direction)
                pods[key, default: ([], [])].pods.append(pod)
                pods[key]?.policies.formUnion(change.policies)
            }
        }
        return pods.sorted { $0.key < $1.key }.map { key, found in
            let isInward = key.direction == .ingress
            return ChangeFinding(
                reason: .isolationLost, severity: key.namespace == "kube-system" ? .critical : .high,
                direction: .loosens, subject: FindingSubject(kind: "Namespace", name: key.namespace),
                scope: scopeName(key.namespace),
                message: "\(count(found.pods)) of namespace \(key.namespace) can newly "
                    + (isInward ? "be reached from anywhere" : "reach anything")
                    + ": no policy isolates them for \(key.direction.rawValue) any more",
                before: found.policies.sorted().map { "isolated for \(key.direction.rawValue) by \($0)" },
                after: listed(found.pods.map(\.description)),
                causes: causes(in: [key.namespace], policies: found.policies), guardrail: .isolationRemoved)
        }
    }

    // MARK: What opens

    private func openings() -> [ChangeFinding] {
        var inward: [String: Flows] = [:]
        var outward: [String: Flows] = [:]
        var between: [NamespacePair: Flows] = [:]
        for row in comparison.rows where !row.gained.isEmpty {
            let (sources, destinations) = spoken(
                row.sources.pods.filter { !(released[.egress]?.contains($0) ?? false) },
                row.destinations.pods.filter { !(released[.ingress]?.contains($0) ?? false) }, in: base)
            let sourceBlocks = row.sources.blocks
            let destinationBlocks = row.destinations.blocks
            for destination in destinations where !sourceBlocks.isEmpty {
                inward[destination.namespace, default: Flows()].add(
                    blocks: sourceBlocks, pod: destination, row.gained)
            }
            for source in sources where !destinationBlocks.isEmpty {
                outward[source.namespace, default: Flows()].add(
                    blocks: destinationBlocks, pod: source, row.gained)
            }
            add(sources, destinations, row.gained, to: &between)
        }
        return inward.sorted { $0.key < $1.key }.map { opening(.externalIngressOpened, .critical, $0.key, $0.value) }
            + outward.sorted { $0.key < $1.key }.map { opening(.externalEgressOpened, .high, $0.key, $0.value) }
            + between.sorted { $0.key < $1.key }.map { widening($0.key, $0.value) }
    }

    private func opening(
        _ reason: ChangeReason, _ severity: Severity, _ namespace: String, _ flows: Flows
    ) -> ChangeFinding {
        let isInward = reason == .externalIngressOpened
        let blocks = flows.blocks.sorted { ReachabilityEnd.external($0) < ReachabilityEnd.external($1) }
        let shown =
            blocks.prefix(3).map(\.description).joined(separator: ", ")
            + (blocks.count > 3 ? " and \(blocks.count - 3) more blocks" : "")
        let metadata = AddressBlock("169.254.169.254/32")
        let reachesMetadata =
            !isInward
            && blocks.contains { block in metadata.map { $0 == block || block.strictlyContains($0) } ?? false }
        return ChangeFinding(
            reason: reason, severity: severity, direction: .loosens,
            subject: FindingSubject(kind: "Namespace", name: namespace), scope: scopeName(namespace),
            message: isInward
                ? "\(shown) can newly reach \(count(flows.pods)) of namespace \(namespace) on \(flows.ports)"
                : "\(count(flows.pods)) of namespace \(namespace) can newly reach \(shown) on \(flows.ports)"
                    + (reachesMetadata ? ", the cloud's metadata address among it" : ""),
            after: listed(flows.lines), causes: openers(in: [namespace]), guardrail: .externalAccess)
    }

    private func widening(_ pair: NamespacePair, _ flows: Flows) -> ChangeFinding {
        let isNew = !flows.wasOpen(in: base)
        return ChangeFinding(
            reason: .reachabilityWidened, severity: isNew && pair.from != pair.to ? .high : .medium,
            direction: .loosens, subject: FindingSubject(kind: "Namespace", name: pair.to),
            scope: scopeName(pair.to),
            message: "\(pair.sourceName) can newly reach \(pair.destinationName) on \(flows.ports)",
            after: listed(flows.lines), causes: openers(in: [pair.from, pair.to]),
            guardrail: isNew && pair.from != pair.to ? .isolationRemoved : nil)
    }

    // MARK: What closes

    private func closings() -> [ChangeFinding] {
        var lost: [NamespacePair: Flows] = [:]
        for row in comparison.rows where !row.lost.isEmpty {
            // What a new isolation shuts off is what it is there for.
            let (sources, destinations) = spoken(
                row.sources.pods.filter { !(confined[.egress]?.contains($0) ?? false) },
                row.destinations.pods.filter { !(confined[.ingress]?.contains($0) ?? false) }, in: head)
            add(sources, destinations, row.lost, to: &lost)
        }
        return lost.sorted { $0.key < $1.key }.map { closing($0.key, $0.value, .high, .breaks) }
            + confinement()
    }

    private func closing(
        _ pair: NamespacePair, _ flows: Flows, _ severity: Severity, _ direction: ChangeDirection
    ) -> ChangeFinding {
        ChangeFinding(
            reason: .reachabilityLost, severity: severity, direction: direction,
            subject: FindingSubject(kind: "Namespace", name: pair.to), scope: scopeName(pair.to),
            message: "\(pair.sourceName) can no longer reach \(pair.destinationName) on \(flows.ports)",
            before: listed(flows.lines), causes: causes(in: [pair.from, pair.to]))
    }

    private func confinement() -> [ChangeFinding] {
        var pods: [NamespaceAndDirection: Set<ReachabilityEnd>] = [:]
        for change in comparison.isolation where !change.isLost {
            for pod in change.pods {
                pods[NamespaceAndDirection(namespace: pod.namespace, direction: change.direction), default: []]
                    .insert(pod)
            }
        }
        return pods.sorted { $0.key < $1.key }.map { key, pods in
            ChangeFinding(
                reason: .reachabilityLost, severity: .info, direction: .tightens,
                subject: FindingSubject(kind: "Namespace", name: key.namespace), scope: scopeName(key.namespace),
                message: "\(count(pods)) of namespace \(key.namespace) "
                    + (pods.count == 1 ? "is" : "are") + " newly isolated for \(key.direction.rawValue)",
                after: listed(pods.sorted().map(\.description)), causes: causes(in: [key.namespace]))
        }
    }

    // MARK: Policies that do nothing

    private func ineffectivePolicies() -> [ChangeFinding] {
        let before = Set(base.lints().map(LintKey.init))
        return head.lints().compactMap { lint in
            guard !before.contains(LintKey(lint)), case let causes = causes(in: [lint.policy.namespace]),
                !causes.isEmpty
            else { return nil }
            return ChangeFinding(
                reason: .networkPolicyIneffective, severity: .low, direction: .misleads,
                subject: FindingSubject(lint.policy), scope: scopeName(lint.policy.namespace),
                message: "\(lint.policy): \(lint.words)", causes: causes)
        }
    }

    // MARK: Parts

    private func add(
        _ sources: [ReachabilityEnd], _ destinations: [ReachabilityEnd], _ ports: PortSet,
        to flows: inout [NamespacePair: Flows]
    ) {
        let from = Dictionary(grouping: sources, by: PlaceOfPods.init)
        let to = Dictionary(grouping: destinations, by: PlaceOfPods.init)
        for (source, sources) in from {
            for (destination, destinations) in to {
                flows[NamespacePair(from: source, to: destination), default: Flows()].add(
                    sources, destinations, ports)
            }
        }
    }

    /// What may have opened something in some namespaces; everything that was edited there, where nothing of it could.
    private func openers(in namespaces: [String]) -> [FindingCause] {
        let all = causes(in: namespaces)
        let openers = all.filter(mayOpen)
        return openers.isEmpty ? all : openers
    }

    /// Whether an edit could let more through while the pods stay isolated.
    ///
    /// A policy without a rule allows nothing, one that goes takes away what it allowed, and of a namespace only labels that
    /// selectors read count.
    private func mayOpen(_ cause: FindingCause) -> Bool {
        let (before, after) = (change.base[cause.object]?.tree, change.head[cause.object]?.tree)
        switch cause.object.kind {
        case "NetworkPolicy":
            guard let after, cause.edit != .removed else { return false }
            return ["ingress", "egress"].contains { after["spec"]?[$0]?.array?.isEmpty == false }
                || (cause.edit == .changed && before?["spec"]?["podSelector"] != after["spec"]?["podSelector"])
        case "Namespace":
            func labels(_ tree: Tree?) -> [String: String] {
                Labels(tree?["metadata"]?["labels"]).values.filter { !$0.key.hasPrefix("pod-security.kubernetes.io/") }
            }
            return cause.edit != .changed || labels(before) != labels(after)
        default: return true
        }
    }

    private func causes(in namespaces: [String], policies: Set<ObjectID> = []) -> [FindingCause] {
        let near = change.edits.keys.filter { id in
            id.decidesReachability && (namespaces.contains(id.scopeNamespace) || policies.contains(id))
        }
        let exact = change.causes(among: near.filter { policies.contains($0) })
        if !exact.isEmpty { return exact }
        let causes = change.causes(among: near)
        // Pods of a namespace that only its labels name: any edited policy or namespace may be it.
        return causes.isEmpty
            ? change.causes(among: change.edited(.networkPolicy) + change.edited(.namespace)) : causes
    }

    /// One is named, several are counted.
    private func count(_ pods: some Collection<ReachabilityEnd>) -> String {
        let areKnown = pods.allSatisfy { if case .workload = $0 { true } else { false } }
        guard pods.count == 1, let pod = pods.first else {
            return "\(pods.count) \(areKnown ? "workloads" : "groups of pods")"
        }
        guard case .unknownPods(let unknown) = pod else { return "\(pod)" }
        return unknown.labels.values.isEmpty ? "every other pod" : "the pods with \(unknown.selector)"
    }

    private func listed(_ lines: [String]) -> [String] {
        lines.count > 20 ? lines.prefix(20) + ["and \(lines.count - 20) more"] : lines
    }
}

private struct NamespaceAndDirection: Hashable, Comparable {
    var namespace: String
    var direction: TrafficDirection

    static func < (left: Self, right: Self) -> Bool {
        left.namespace == right.namespace
            ? left.direction.rawValue < right.direction.rawValue : left.namespace.precedesByBytes(right.namespace)
    }
}

/// Which finding a lint would be, whatever number its rule has.
private struct LintKey: Hashable {
    let kind: ReachabilityLint.Kind
    let policy: ObjectID
    let direction: TrafficDirection?

    init(_ lint: ReachabilityLint) {
        kind = lint.kind
        policy = lint.policy
        direction = lint.direction
    }
}

extension ReachabilityLint {
    fileprivate var words: String {
        let place = direction.map { " \($0.rawValue) rule \((rule ?? 0) + 1)" } ?? ""
        return switch kind {
        case .selectsNoPod: "it selects no pod"
        case .ruleMatchesNothing: "its\(place) matches nothing"
        case .namedPortUnmatched(let port): "no pod that its\(place) is about has the port \(port.name)"
        case .rulesIgnored: "its \(direction?.rawValue ?? "") rules have no effect: policyTypes leaves them out"
        case .covered(let other): "\(other) already allows all that it allows"
        }
    }
}

extension ObjectID {
    /// Whether an object of its kind says who may reach whom.
    fileprivate var decidesReachability: Bool {
        (kind == "NetworkPolicy" && group == Resource.networkPolicy.group) || (kind == "Namespace" && group.isEmpty)
            || Resource.workloads.contains { $0.kind == kind && $0.group == group }
    }
}

extension SecurityState {
    fileprivate var forReachability: SecurityState {
        SecurityState(objects.values.lazy.filter { $0.id.decidesReachability })
    }

    fileprivate var inhabitedNamespaces: Set<String> { Set(objects.values.compactMap { Workload($0)?.namespace }) }
}
