package import Analysis
package import Manifest
import Planning
import Policy

/// What gives Bylaw its rights in a cluster, by all roles and bindings of now.
package struct OwnRights: Sendable {
    /// The bindings that name Bylaw, their roles, and the ClusterRoles that aggregated ones gather.
    package private(set) var givers: Set<ObjectID> = []
    /// Those of them that nobody declares, and that have to stay so that no right is lost.
    ///
    /// Of several ways to a right it is the oldest: whoever makes a binding that names Bylaw beside themselves does not
    /// have it spared by that.
    package private(set) var indispensable: Set<ObjectID> = []
    /// Those that nobody declares, and that go: whatever else gives a right has to give it without them.
    package private(set) var dispensable: Set<ObjectID> = []

    private let user: UserIdentity
    private var sources: RightsSources

    /// - Parameters:
    ///   - user: Who the server takes Bylaw for.
    ///   - isUndeclared: Whether an object is to be removed, since nobody declares it.
    ///   - needed: What Bylaw cannot work without.
    ///   - wanted: What it asks for besides; that spares a binding only where it names nobody else.
    package init(
        of user: UserIdentity, live: [ObjectID: LiveObject], isUndeclared: (LiveObject) -> Bool,
        needed: [AccessRequest],
        wanted: [AccessRequest]
    ) {
        self.user = user
        let all = SecurityState(live: live).objects
        sources = RightsSources(of: user, among: all)
        let identity = AccessIdentity(user: user.name, groups: user.groups.sorted())
        guard !identity.isMaster else { return }
        givers = sources.all
        let removable = givers.filter { live[$0].map(isUndeclared) == true }
        guard !removable.isEmpty else { return }
        let objects = all.filter { givers.contains($0.key) }
        let model = AccessModel(objects: Array(objects.values))
        let own = model.bindings(naming: identity)

        let age = { (id: ObjectID) in (live[id]?.metadata["creationTimestamp"]?.string ?? "", id) }
        let staying = own.filter { !removable.contains($0.id) }
        var missing = MissingRights(
            needed: needed, wanted: wanted, of: identity, from: model, without: removable.filter(\.isBinding),
            among: objects)
        var kept = staying
        for binding in own.filter({ removable.contains($0.id) }).sorted(by: { age($0.id) < age($1.id) })
        where missing.take(model.roles[binding.role]?.rules ?? [], of: binding, user) {
            kept.append(binding)
            indispensable.insert(binding.id)
        }

        // The same for what these bindings rely on.
        missing = MissingRights(
            needed: needed, wanted: wanted, of: identity, from: model, without: removable.subtracting(indispensable),
            among: objects)
        for binding in kept {
            guard let role = model.roles[binding.role] else { continue }
            let rules = zip(role.rules, role.sources).sorted { age($0.1) < age($1.1) }
            for (rule, source) in rules where missing.take([rule], of: binding, user) {
                indispensable.formUnion([role.id, source])
                // What stands between an aggregated role and the source of its rule.
                for id in sources.gathered where model.roles[id]?.rules.contains(rule) == true && id != source {
                    if objects[id]?.tree["aggregationRule"] != nil { indispensable.insert(id) }
                }
            }
        }
        indispensable.formIntersection(removable)
        dispensable = removable.subtracting(indispensable)
    }

    /// Whether an object that came or changed may give Bylaw rights: then what gives them has to be worked out again.
    package func mayComeToGive(_ live: LiveObject) -> Bool {
        sources.all.contains(live.id) || sources.mayCome(from: live, user)
    }
}

/// Rights that would be lost without some objects, until something is found to keep them by.
private struct MissingRights {
    private var needed: [AccessRequest]
    private var wanted: [AccessRequest]

    init(
        needed: [AccessRequest], wanted: [AccessRequest], of identity: AccessIdentity, from model: AccessModel,
        without gone: Set<ObjectID>, among objects: [ObjectID: StateObject]
    ) {
        let before = HeldRules(of: identity, in: model)
        let after = HeldRules(
            of: identity, in: AccessModel(objects: objects.values.filter { !gone.contains($0.id) }))
        self.needed = before.lost(needed, with: after)
        self.wanted = before.lost(wanted, with: after)
    }

    /// Takes what a binding gives by some rules off the list.
    ///
    /// - Returns: Whether there was anything of it that counts.
    mutating func take(_ rules: [PolicyRule], of binding: AccessBinding, _ user: UserIdentity) -> Bool {
        guard !needed.isEmpty || !wanted.isEmpty else { return false }
        let gives = { (request: AccessRequest) in
            (binding.scope.isEmpty || binding.scope == request.namespace) && rules.contains { $0.allows(request) }
        }
        let isOnlyOurs = binding.subjects.allSatisfy {
            ($0.kind == .user ? .user($0.name) : $0) == .user(user.name)
        }
        guard needed.contains(where: gives) || isOnlyOurs && wanted.contains(where: gives) else { return false }
        needed.removeAll(where: gives)
        wanted.removeAll(where: gives)
        return true
    }
}
