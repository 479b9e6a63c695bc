import Manifest
import Policy

/// How one subject becomes another, or why the last one is strong enough.
package struct EscalationStep: Sendable, Hashable {
    /// Who acts.
    package var subject: AccessSubject
    /// What it does, such as `runs a pod in namespace ci`.
    package var means: String
    /// Whom it becomes; nil at the end of a chain.
    package var becomes: AccessSubject?
}

/// Who can become whom, up to those who hold a critical right over the whole cluster.
///
/// Security semantics, section 2.2, "escalation paths". It knows the service accounts that are declared, named by a
/// binding or used by a workload, and looks only at what RBAC allows: Pod Security and admission may forbid a step.
package struct EscalationGraph: Sendable {
    /// The next step of everybody who is strong or can become so, on a shortest way.
    private var steps: [AccessSubject: EscalationStep] = [:]

    package init(_ model: AccessModel, state: SecurityState) {
        var waiting = Self.actors(model, state: state)
        var reached: [AccessSubject] = []
        for actor in waiting {
            guard let power = actor.power else { continue }
            steps[actor.subject] = EscalationStep(subject: actor.subject, means: power, becomes: nil)
            reached.append(actor.subject)
        }
        // Level by level, so that each way is a shortest one.
        while !reached.isEmpty {
            waiting.removeAll { steps[$0.subject] != nil }
            let targets = Targets(reached)
            reached = []
            for actor in waiting {
                guard let (target, means) = actor.wayInto(targets) else { continue }
                reached.append(actor.subject)
                steps[actor.subject] = EscalationStep(subject: actor.subject, means: means, becomes: target)
            }
        }
    }

    /// The chain from a subject to somebody with a critical right; nil where there is none.
    ///
    /// One step where the subject itself holds such a right.
    package func path(from subject: AccessSubject) -> [EscalationStep]? {
        guard var step = steps[subject] else { return nil }
        var path = [step]
        // Each step leads to an earlier level; the bound is for the reader's peace of mind.
        while let next = step.becomes.flatMap({ steps[$0] }), path.count <= steps.count {
            path.append(next)
            step = next
        }
        return path
    }

    /// Everybody who can become somebody stronger, in order.
    package var climbers: [AccessSubject] {
        steps.values.filter { $0.becomes != nil }.map(\.subject).sorted()
    }

    private static func actors(_ model: AccessModel, state: SecurityState) -> [Actor] {
        var subjects = Set(model.subjects.map(\.canonical))
        for account in state.objects.values where account.id.resource == .serviceAccount {
            subjects.insert(
                AccessSubject(kind: .serviceAccount, namespace: account.id.namespace, name: account.id.name))
        }
        // Every namespace has an account that pods without one run as.
        let places = model.bindings.map(\.scope) + model.subjects.map(\.namespace)
        let named = state.objects.keys.filter { $0.resource == .namespace }.map(\.name)
        let groups = model.subjects.compactMap(\.namespaceOfAccounts)
        for namespace in Set(places + named + groups) where !namespace.isEmpty {
            subjects.insert(AccessSubject(kind: .serviceAccount, namespace: namespace, name: "default"))
        }
        for workload in state.workloads {
            subjects.insert(
                AccessSubject(
                    kind: .serviceAccount, namespace: workload.namespace, name: workload.serviceAccountName))
        }
        // Nearly everybody holds the same few roles over the whole cluster, so each role is looked at once.
        var powers: [ObjectID: String?] = [:]
        for binding in model.bindings where binding.scope.isEmpty && powers[binding.role] == nil {
            powers[binding.role] = .some(model.roles[binding.role]?.rules.criticalPower)
        }
        // Most roles lead nowhere, and then nobody who holds them need be compared with everybody who was reached.
        let leading = Dictionary(
            uniqueKeysWithValues: Set(model.bindings.map(\.role)).map { role in
                (role, (model.roles[role]?.rules ?? []).filter(\.mayLeadSomewhere))
            })
        return subjects.sorted().map { Actor($0, model, powers: powers, leading: leading) }
    }
}

/// Those who were reached on the level before.
private struct Targets {
    var accounts: [String: [AccessSubject]] = [:]
    var others: [AccessSubject] = []
    var anyAccount: AccessSubject?

    init(_ subjects: [AccessSubject]) {
        for subject in subjects {
            if subject.kind == .serviceAccount {
                accounts[subject.namespace, default: []].append(subject)
                if anyAccount == nil { anyAccount = subject }
            } else {
                others.append(subject)
            }
        }
    }
}

/// A subject with its rules, by scope.
private struct Actor {
    let subject: AccessSubject
    /// The critical right that it holds over the whole cluster itself.
    let power: String?
    private let rules: [String: [PolicyRule]]

    /// - Parameters:
    ///   - powers: The critical right of each role that is bound over the whole cluster.
    ///   - leading: The rules of each role by which somebody may become somebody else.
    init(
        _ subject: AccessSubject, _ model: AccessModel, powers: [ObjectID: String?], leading: [ObjectID: [PolicyRule]]
    ) {
        self.subject = subject
        let identity = AccessIdentity(of: subject)
        var rules: [String: [PolicyRule]] = [:]
        var power: String?
        for binding in model.bindings(naming: identity) {
            if let own = leading[binding.role], !own.isEmpty { rules[binding.scope, default: []] += own }
            if binding.scope.isEmpty, power == nil { power = powers[binding.role] ?? nil }
        }
        self.rules = identity.isMaster ? ["": [.everything]] : rules
        self.power = identity.isMaster ? [PolicyRule.everything].criticalPower : power
    }

    /// Whom of the targets it can become, and how.
    func wayInto(_ targets: Targets) -> (AccessSubject, String)? {
        for (scope, rules) in rules.sorted(by: { $0.key.precedesByBytes($1.key) }) {
            let accounts = scope.isEmpty ? targets.accounts.values.flatMap { $0 } : targets.accounts[scope] ?? []
            for account in accounts.sorted() where account != subject {
                if let means = means(of: waysToBecome(account), rules, account) { return (account, means) }
            }
            guard scope.isEmpty else { continue }
            for other in targets.others where other != subject {
                let resource = other.kind == .user ? "users" : "groups"
                let probe = AccessRequest("impersonate", resource, name: other.name)
                if rules.contains(where: { $0.allows(probe) }) { return (other, "impersonates \(other)") }
            }
        }
        return nil
    }

    private func means(
        of ways: [(probe: AccessRequest, means: String)], _ rules: [PolicyRule], _ account: AccessSubject
    ) -> String? {
        if let way = ways.first(where: { way in rules.contains { $0.allows(way.probe) } }) { return way.means }
        // A workload whose name is listed runs what its writer wants all the same.
        let open = rules.filter { !$0.resourceNames.isEmpty }.map(\.withoutNames)
        if let way = ways.first(where: { way in way.probe.isOfWorkload && open.contains { $0.allows(way.probe) } }) {
            return way.means
        }
        return rules.giveAnyRight(in: account.namespace)
            ? "binds itself to any role in namespace \(account.namespace)" : nil
    }
}

/// By which requests somebody becomes a service account, the most direct first.
private func waysToBecome(_ account: AccessSubject) -> [(probe: AccessRequest, means: String)] {
    let place = "in namespace \(account.namespace)"
    func request(_ verb: String, _ resource: String, _ group: String = "", sub: String = "", name: String = "")
        -> AccessRequest
    {
        AccessRequest(
            verb, resource, group: group, subresource: sub, name: name, namespace: account.namespace)
    }
    var ways: [(AccessRequest, String)] = [
        (request("create", "serviceaccounts", sub: "token", name: account.name), "makes a token of it"),
        (request("impersonate", "serviceaccounts", name: account.name), "impersonates it"),
        (request("create", "pods"), "runs a pod \(place)"),
    ]
    for (group, resources) in [
        ("apps", ["deployments", "daemonsets", "statefulsets", "replicasets"]), ("batch", ["jobs", "cronjobs"]),
        ("", ["replicationcontrollers"]),
    ] {
        for resource in resources {
            for verb in ["create", "update", "patch"] {
                ways.append((request(verb, resource, group), "runs pods \(place) through \(resource)"))
            }
        }
    }
    for sub in ["exec", "attach"] {
        for verb in ["create", "get"] {
            ways.append((request(verb, "pods", sub: sub), "runs commands in its pods \(place)"))
        }
    }
    for verb in ["update", "patch"] {
        ways.append((request(verb, "pods", sub: "ephemeralcontainers"), "puts a container into its pods \(place)"))
    }
    for verb in ["get", "list", "watch"] {
        ways.append((request(verb, "secrets"), "reads tokens in the Secrets of namespace \(account.namespace)"))
    }
    return ways
}

extension [PolicyRule] {
    /// The gravest of the critical rights that rules give where they hold for the whole cluster, in words.
    fileprivate var criticalPower: String? {
        if contains(where: \.isClusterAdmin) { return "may do everything in the whole cluster" }
        let dangers = DangerousRight.all.filter { danger in
            danger.severity == .critical && danger.reason != .workloadCreationGranted && danger.isGiven(by: self)
        }
        guard let probe = dangers.first?.probes.first(where: { probe in contains { $0.allows(probe: probe) } }) else {
            return nil
        }
        return "may \(probe.description) in the whole cluster"
    }
}

extension [PolicyRule] {
    /// Whether their holder can give itself every right of a namespace: by a binding to a role that it need not hold, or by a
    /// role with more than it has.
    fileprivate func giveAnyRight(in namespace: String) -> Bool {
        func may(_ verbs: [String], _ resources: [String]) -> Bool {
            verbs.contains { verb in
                resources.contains { resource in
                    let probe = AccessRequest(
                        verb, resource, group: Resource.role.group, namespace: namespace)
                    return contains { $0.withoutNames.allows(probe) }
                }
            }
        }
        let write = ["create", "update", "patch"]
        return (may(write, ["rolebindings"]) && may(["bind"], ["roles", "clusterroles"]))
            || (may(write, ["roles"]) && may(["escalate"], ["roles"]))
    }
}

extension AccessRequest {
    fileprivate var isOfWorkload: Bool {
        guard case .resource(let group, let resource, let subresource, _, _) = target else { return false }
        return subresource.isEmpty && (["apps", "batch"].contains(group) || resource == "replicationcontrollers")
    }
}

extension AccessSubject {
    /// The namespace whose service accounts a group is made of; nil for every other subject.
    fileprivate var namespaceOfAccounts: String? {
        let prefix = "system:serviceaccounts:"
        return kind == .group && name.hasPrefix(prefix) ? String(name.dropFirst(prefix.count)) : nil
    }
}

/// What leads from somebody to somebody else, whoever they are.
private let leadingProbes: [AccessRequest] =
    waysToBecome(AccessSubject(kind: .serviceAccount, namespace: "n", name: "a")).map(\.probe)
    + ["users", "groups"].map { AccessRequest("impersonate", $0) }
    + ["create", "update", "patch"].flatMap { verb in
        ["roles", "rolebindings"].map { AccessRequest(verb, $0, group: Resource.role.group) }
    }
    + ["bind", "escalate"].flatMap { verb in
        ["roles", "clusterroles"].map { AccessRequest(verb, $0, group: Resource.role.group) }
    }

extension PolicyRule {
    /// Whether somebody may become somebody else by it, perhaps together with other rules.
    fileprivate var mayLeadSomewhere: Bool {
        let open = withoutNames
        return leadingProbes.contains { open.allows($0) }
    }

    fileprivate var withoutNames: PolicyRule {
        var open = self
        open.resourceNames = []
        return open
    }

    fileprivate static let everything = PolicyRule(verbs: ["*"], apiGroups: ["*"], resources: ["*"])
}

extension AccessRequest: CustomStringConvertible {
    /// As people ask it: `get secrets`, `create pods/exec`, `get /metrics`.
    package var description: String {
        switch target {
        case .path(let path): "\(verb) \(path)"
        case .resource(let group, let resource, let subresource, let name, _):
            "\(verb) \(resource)" + (group.isEmpty ? "" : ".\(group)") + (subresource.isEmpty ? "" : "/\(subresource)")
                + (name.isEmpty ? "" : " \(name)")
        }
    }
}
