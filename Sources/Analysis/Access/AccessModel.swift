package import Manifest
package import Policy

/// A Role or ClusterRole with the rules that hold, after aggregation.
package struct AccessRole: Sendable {
    package var id: ObjectID
    package var origin: Origin?
    package var rules: [PolicyRule]
    /// The ClusterRole that each rule comes from, in the order of the rules; the role itself where it is not aggregated.
    package var sources: [ObjectID]
}

/// A RoleBinding or ClusterRoleBinding.
package struct AccessBinding: Sendable {
    package var id: ObjectID
    package var origin: Origin?
    package var subjects: [AccessSubject]
    package var role: ObjectID

    /// Where it gives its role's rights: a namespace, or empty for the whole cluster.
    package var scope: String { id.namespace }
}

/// One rule that holds for somebody, and what makes it hold.
package struct AccessGrant: Sendable {
    package var rule: PolicyRule
    /// Its place among the rules of the role.
    package var ruleIndex: Int
    package var binding: AccessBinding
    package var role: AccessRole
    /// The subject of the binding that names the bearer.
    package var subject: AccessSubject

    /// The ClusterRole that an aggregated role has the rule from; nil where the rule is the role's own.
    package var gatheredFrom: ObjectID? {
        guard role.sources.indices.contains(ruleIndex), role.sources[ruleIndex] != role.id else { return nil }
        return role.sources[ruleIndex]
    }

    /// As the API server explains an allowed request.
    package var reason: String {
        let place = binding.scope.isEmpty ? binding.id.name : "\(binding.id.name)/\(binding.scope)"
        let whom =
            subject.kind == .serviceAccount
            ? "ServiceAccount \"\(subject.name)/\(subject.namespace)\"" : "\(subject.kind.rawValue) \"\(subject.name)\""
        return
            "RBAC: allowed by \(binding.id.kind) \"\(place)\" of \(role.id.kind) \"\(role.id.name)\" to \(whom)"
    }
}

/// The rights that the roles and bindings of a state give, with the semantics of the API server's RBAC authorizer.
///
/// Security semantics, section 2.2. What other authorizers allow (the node authorizer, webhooks) is not in it.
package struct AccessModel: Sendable {
    package private(set) var roles: [ObjectID: AccessRole] = [:]
    /// In the byte order of namespace and name, those of the whole cluster first.
    package private(set) var bindings: [AccessBinding] = []
    private var bindingsBySubject: [AccessSubject: [Int]] = [:]
    private var bindingsByID: [ObjectID: Int] = [:]

    package init(_ state: SecurityState) {
        self.init(objects: Array(state.objects.values))
    }

    /// - Parameter objects: Those of other kinds are passed over.
    package init(objects: [StateObject]) {
        let clusterRoles = objects.filter { $0.id.resource == .clusterRole }
        for role in aggregate(clusterRoles) { roles[role.id] = role }
        for object in objects where object.id.resource == .role {
            let rules = readRules(object)
            roles[object.id] = AccessRole(
                id: object.id, origin: object.origin, rules: rules, sources: rules.map { _ in object.id })
        }
        bindings =
            objects.filter { $0.id.resource == .clusterRoleBinding || $0.id.resource == .roleBinding }
            .sorted { $0.id < $1.id }.compactMap(AccessBinding.init)
        for (index, binding) in bindings.enumerated() {
            bindingsByID[binding.id] = index
            for subject in Set(binding.subjects) { bindingsBySubject[subject, default: []].append(index) }
        }
    }

    /// A binding by its name.
    func binding(_ id: ObjectID) -> AccessBinding? { bindingsByID[id].map { bindings[$0] } }

    /// Every subject that some binding names, in order.
    package var subjects: [AccessSubject] { bindingsBySubject.keys.sorted() }

    /// The bindings that name a bearer, in the order of ``bindings``.
    package func bindings(naming identity: AccessIdentity) -> [AccessBinding] { namings(of: identity).map(\.binding) }

    /// The same with one of the names by which each names it.
    ///
    /// By look-up: a binding may have thousands of subjects.
    func namings(of identity: AccessIdentity) -> [(binding: AccessBinding, subject: AccessSubject)] {
        var subjects: [Int: AccessSubject] = [:]
        for name in identity.names {
            for index in bindingsBySubject[name] ?? [] where subjects[index] == nil { subjects[index] = name }
        }
        return subjects.sorted { $0.key < $1.key }.map { (bindings[$0.key], $0.value) }
    }

    /// The rules that hold for a bearer in a namespace, or for the whole cluster where that is empty.
    package func grants(of identity: AccessIdentity, in namespace: String) -> [AccessGrant] {
        var grants: [AccessGrant] = []
        for (binding, subject) in namings(of: identity) where binding.scope.isEmpty || binding.scope == namespace {
            guard let role = roles[binding.role] else { continue }
            for (index, rule) in role.rules.enumerated() {
                grants.append(
                    AccessGrant(rule: rule, ruleIndex: index, binding: binding, role: role, subject: subject))
            }
        }
        return grants
    }

    /// What allows a request, or nil where nothing does.
    ///
    /// Members of `system:masters` are allowed everything by the server itself, which no grant shows.
    package func grant(allowing request: AccessRequest, to identity: AccessIdentity) -> AccessGrant? {
        grants(of: identity, in: request.namespace).first { $0.rule.allows(request) }
    }

    /// Whether a bearer may do something.
    package func allows(_ request: AccessRequest, to identity: AccessIdentity) -> Bool {
        identity.isMaster || grant(allowing: request, to: identity) != nil
    }
}

extension AccessBinding {
    /// Nil for a binding without a reference to a role, which no server would have taken.
    fileprivate init?(_ object: StateObject) {
        guard let name = object.tree["roleRef"]?["name"]?.string, let kind = object.tree["roleRef"]?["kind"]?.string
        else { return nil }
        id = object.id
        origin = object.origin
        role = ObjectID(
            group: Resource.role.group, kind: kind, namespace: kind == "Role" ? object.id.namespace : "", name: name)
        subjects = (object.tree["subjects"]?.array ?? []).compactMap { AccessSubject($0, in: object.id.namespace) }
    }
}

func readRules(_ role: StateObject) -> [PolicyRule] { (role.tree["rules"]?.array ?? []).map { PolicyRule($0) } }
