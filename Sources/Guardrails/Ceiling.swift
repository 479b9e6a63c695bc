package import Analysis
package import Manifest
import Planning
package import Policy

/// What Bylaw may grant: the least that a repository's roles and bindings take (rules I1, I3 and I4).
///
/// The API server lets a writer put into a role what it holds itself, and bind a role of which it holds every rule. So for
/// rules that do no harm in Bylaw's own hands the ceiling holds the rules, where the role or binding is and nowhere else.
/// Whoever has Bylaw's token can then grant these rules, and not one more.
///
/// The alternative is the verb `escalate` on the role's name, which lets any rule be written under that name: in a
/// namespace that is worth the namespace, in a ClusterRole the cluster. It is therefore the last resort, taken in namespaces
/// only unless asked for, and only for rules that Bylaw should not hold. ClusterRoles with such rules, with wildcards or
/// with an aggregation stay with an administrator: Bylaw binds them by name, keeps watch over them, and cannot write them.
package struct Ceiling: Sendable {
    /// For which roles `escalate` is given where their rules are better not held.
    package enum Escalation: String, Sendable, CaseIterable {
        case none, namespaces, all
    }

    /// An object that needs something, and where it is declared.
    package struct Need: Sendable, Hashable {
        package var id: ObjectID
        package var origin: Origin
    }

    /// One rule of the ceiling.
    package struct Grant: Sendable {
        package var rule: PolicyRule
        /// In the order of their objects.
        package var needs: [Need]
    }

    /// An object that the ceiling does not reach.
    package struct Exception: Sendable {
        package var need: Need
        /// One clause without a full stop.
        package var why: String
    }

    /// The rules by namespace, those for the whole cluster under the empty name.
    package private(set) var grants: [String: [Grant]] = [:]
    /// Roles that an administrator has to write.
    package private(set) var administered: [Exception] = []
    /// What is never given: rights over the roles of Kubernetes and of Bylaw itself.
    package private(set) var refused: [Exception] = []

    /// - Parameters:
    ///   - account: Bylaw's service account.
    ///   - isForNewNamespaces: Holds what Roles grant for the whole cluster where that does no harm either, so that roles of
    ///     the same content in a new namespace take no new ceiling.
    package init(
        for state: DeclaredState, account: ObjectID, escalation: Escalation = .namespaces,
        isForNewNamespaces: Bool = false
    ) {
        var builder = CeilingBuilder(
            work: workRules(for: state.configuration), account: account, escalation: escalation,
            isForNewNamespaces: isForNewNamespaces)
        let protection = Protection(patterns: state.configuration.protected, ownNamespace: account.namespace)
        let objects = state.objects.values.filter { protection.reason(for: $0.id) == nil }.sorted { $0.id < $1.id }
        let model = AccessModel(objects: objects.map { StateObject(id: $0.id, tree: $0.tree, origin: $0.origin) })
        // ClusterRoles first: what they hold everywhere needs no second place in a namespace.
        for resource in [Resource.clusterRole, .role] {
            for object in objects where object.id.resource == resource { builder.take(role: object) }
        }
        for binding in model.bindings {
            guard let origin = binding.origin else { continue }
            builder.take(binding: binding, from: origin)
        }
        grants = builder.grants()
        administered = builder.administered
        refused = builder.refused
    }

    /// All rules that hold in a namespace, those for the whole cluster among them.
    package func rules(in namespace: String) -> [PolicyRule] {
        let everywhere = grants[""] ?? []
        return (namespace.isEmpty ? everywhere : everywhere + (grants[namespace] ?? [])).map(\.rule)
    }

    /// The same as questions to an authorizer, wherever they are asked.
    package var requests: [AccessRequest] {
        var seen: Set<AccessRequest> = []
        return grants.sorted { $0.key < $1.key }.flatMap(\.value).flatMap(\.rule.requests).filter {
            seen.insert($0).inserted
        }
    }
}

private struct CeilingBuilder {
    let work: [PolicyRule]
    let account: ObjectID
    let escalation: Ceiling.Escalation
    let isForNewNamespaces: Bool
    private(set) var administered: [Ceiling.Exception] = []
    private(set) var refused: [Ceiling.Exception] = []
    /// By namespace, each part of a rule that is held with who needs it.
    private var held: [String: [PolicyRule: [Ceiling.Need]]] = [:]
    /// What is given on single names.
    private var named: [NamedRole: (verbs: Set<String>, needs: [Ceiling.Need])] = [:]
    /// Roles all of whose rules are held where they are.
    private var holdable: Set<ObjectID> = []

    /// ClusterRoles with a wildcard.
    private var openEnded: Set<ObjectID> = []

    private var knownDangers: [DangerQuestion: [ChangeReason]] = [:]

    private struct DangerQuestion: Hashable {
        var parts: Set<PolicyRule>
        var scope: String
    }

    private struct NamedRole: Hashable {
        var namespace: String
        var resource: Resource
        var name: String
    }

    init(work: [PolicyRule], account: ObjectID, escalation: Ceiling.Escalation, isForNewNamespaces: Bool) {
        self.work = work
        self.account = account
        self.escalation = escalation
        self.isForNewNamespaces = isForNewNamespaces
    }

    mutating func take(role: DeclaredObject) {
        let id = role.id
        let need = Ceiling.Need(id: id, origin: role.origin)
        guard !refuse(id, for: need) else { return }
        let rights = uncoveredRights(of: (role.tree["rules"]?.array ?? []).map { PolicyRule($0) }, by: work)
        let isAggregated = role.tree["aggregationRule"] != nil
        if (rights.parts + rights.wholeRules).contains(where: \.isOpenEnded) { openEnded.insert(id) }
        guard let why = reasonNotToHold(rights, isAggregated: isAggregated, in: id.namespace) else {
            holdable.insert(id)
            let scope = isForNewNamespaces && dangers(of: rights.parts, in: "").isEmpty ? "" : id.namespace
            for part in rights.parts {
                let isHeldEverywhere = held[""]?[part] != nil
                held[isHeldEverywhere ? "" : scope, default: [:]][part, default: []].append(need)
            }
            return
        }
        if escalation == .all || escalation == .namespaces && id.resource == .role {
            give("escalate", on: id, in: id.namespace, to: need)
        } else {
            administered.append(Ceiling.Exception(need: need, why: why))
        }
    }

    mutating func take(binding: AccessBinding, from origin: Origin) {
        let need = Ceiling.Need(id: binding.id, origin: origin)
        guard !refuse(binding.role, for: need), !holdable.contains(binding.role) else { return }
        if escalation != .all, let why = reasonNotToBind(binding.role, in: binding.scope) {
            administered.append(Ceiling.Exception(need: need, why: why))
            return
        }
        give("bind", on: binding.role, in: binding.scope, to: need)
    }

    func grants() -> [String: [Ceiling.Grant]] {
        var grants: [String: [Ceiling.Grant]] = [:]
        for (namespace, needs) in held {
            let parts = Array(needs.keys)
            grants[namespace] = minimalRules(parts).map { rule in
                let others = Set(uncoveredRights(of: parts, by: [rule]).parts)
                return Ceiling.Grant(
                    rule: rule, needs: ordered(parts.filter { !others.contains($0) }.flatMap { needs[$0] ?? [] }))
            }
        }
        let byRule = Dictionary(grouping: named) { entry in
            [entry.key.namespace, entry.key.resource.plural] + entry.value.verbs.sorted()
        }
        for (_, entries) in byRule.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            guard let first = entries.first else { continue }
            let rule = PolicyRule(
                verbs: first.value.verbs.sorted(), apiGroups: [first.key.resource.group],
                resources: [first.key.resource.plural],
                resourceNames: entries.map(\.key.name).sorted { $0.precedesByBytes($1) })
            grants[first.key.namespace, default: []].append(
                Ceiling.Grant(rule: rule, needs: ordered(entries.flatMap(\.value.needs))))
        }
        return grants
    }

    /// Why a role's rules must not be held; nil where they may be.
    private mutating func reasonNotToHold(
        _ rights: UncoveredRights, isAggregated: Bool, in namespace: String
    ) -> String? {
        if isAggregated { return "its rules are those of other roles, by an aggregation" }
        if (rights.parts + rights.wholeRules).contains(where: \.isOpenEnded) { return "it has a wildcard" }
        if !rights.wholeRules.isEmpty { return "a rule of it names too many combinations" }
        let dangers = dangers(of: rights.parts, in: namespace)
        guard let first = dangers.first else { return nil }
        let rest = dangers.count > 1 ? " and \(dangers.count - 1) more" : ""
        return "Bylaw should not hold what it grants (\(first.rawValue)\(rest))"
    }

    /// Those that some rights have by themselves, or, as approving certificates, together with what is held for others.
    private mutating func dangers(of parts: [PolicyRule], in namespace: String) -> [ChangeReason] {
        let there = Array((held[namespace] ?? [:]).keys) + (namespace.isEmpty ? [] : Array((held[""] ?? [:]).keys))
        let together = parts + there.filter { $0.apiGroups == ["certificates.k8s.io"] }
        // Thousands of roles have the same few contents.
        let question = DangerQuestion(parts: Set(together), scope: isOfSystem(namespace) ? namespace : "-")
        if let known = knownDangers[question] { return known }
        let dangers = rightsBetterNotHeld(together, in: namespace)
        knownDangers[question] = dangers
        return dangers
    }

    /// Why the right to bind a role is too much; nil where it is not.
    private func reasonNotToBind(_ role: ObjectID, in namespace: String) -> String? {
        if role.resource == .clusterRole, role.name == "cluster-admin" {
            return "whoever may bind cluster-admin may do everything there"
        }
        guard namespace.isEmpty, openEnded.contains(role) else { return nil }
        return "whoever may bind \(role), which has a wildcard, for the whole cluster may do all of that"
    }

    private func isOfSystem(_ namespace: String) -> Bool { namespace.isEmpty || namespace.hasPrefix("kube-") }

    private mutating func give(_ verb: String, on role: ObjectID, in namespace: String, to need: Ceiling.Need) {
        guard let resource = role.resource else { return }
        let key = NamedRole(namespace: namespace, resource: resource, name: role.name)
        named[key, default: ([], [])].verbs.insert(verb)
        named[key, default: ([], [])].needs.append(need)
    }

    /// Whether a role is Kubernetes' or Bylaw's own, so that nothing is given on its name.
    private mutating func refuse(_ role: ObjectID, for need: Ceiling.Need) -> Bool {
        let isOwn = role.name == account.name || role.name.hasPrefix(account.name + "-")
        guard isOwn || role.name.hasPrefix("system:") else { return false }
        let whose = isOwn ? "like one of Bylaw's own" : "like one of Kubernetes' own"
        refused.append(Ceiling.Exception(need: need, why: "\(role) is named \(whose)"))
        return true
    }

    private func ordered(_ needs: [Ceiling.Need]) -> [Ceiling.Need] { Set(needs).sorted { $0.id < $1.id } }
}

extension PolicyRule {
    /// What it allows, as questions for the whole cluster.
    fileprivate var requests: [AccessRequest] {
        let names = resourceNames.isEmpty ? [""] : resourceNames
        let ofResources = apiGroups.flatMap { group in
            resources.flatMap { resource in
                let parts = resource.split(separator: "/", maxSplits: 1).map(String.init)
                return verbs.flatMap { verb in
                    names.map {
                        AccessRequest(
                            verb, parts.first ?? "", group: group, subresource: parts.count > 1 ? parts[1] : "",
                            name: $0)
                    }
                }
            }
        }
        return ofResources + nonResourceURLs.flatMap { url in verbs.map { AccessRequest($0, path: url) } }
    }
}
