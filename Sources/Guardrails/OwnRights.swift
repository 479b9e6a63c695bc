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

    /// - Parameters:
    ///   - user: Who the server takes Bylaw for.
    ///   - undeclared: Objects that would be removed, since nobody declares them.
    ///   - needed: What Bylaw cannot work without.
    ///   - wanted: What it asks for besides; that spares a binding only where it names nobody else.
    package init(
        of user: UserIdentity, live: [ObjectID: LiveObject], undeclared: Set<ObjectID>, needed: [AccessRequest],
        wanted: [AccessRequest]
    ) {
        let identity = AccessIdentity(user: user.name, groups: user.groups.sorted())
        guard !identity.isMaster else { return }
        let state = SecurityState(live: live)
        let model = AccessModel(state)
        let own = model.bindings(naming: identity)
        for binding in own { givers.formUnion(Self.giver(binding, in: model)) }
        let removable = own.filter { undeclared.contains($0.id) }
        for binding in own where !undeclared.contains(binding.id) {
            indispensable.formUnion(Self.giver(binding, in: model))
        }
        let gone = Set(removable.map(\.id))
        let without = AccessModel(objects: state.objects.values.filter { !gone.contains($0.id) })
        var missingNeeds = lostRights(needed, of: identity, from: model, to: without)
        var missingWishes = lostRights(wanted, of: identity, from: model, to: without)
        let age = { (binding: AccessBinding) in
            (live[binding.id]?.metadata["creationTimestamp"]?.string ?? "", binding.id)
        }
        for binding in removable.sorted(by: { age($0) < age($1) }) {
            let rules = model.roles[binding.role]?.rules ?? []
            let gives = { (request: AccessRequest) in
                (binding.scope.isEmpty || binding.scope == request.namespace) && rules.contains { $0.allows(request) }
            }
            let isOnlyOurs = binding.subjects.allSatisfy {
                ($0.kind == .user ? .user($0.name) : $0) == .user(user.name)
            }
            guard missingNeeds.contains(where: gives) || isOnlyOurs && missingWishes.contains(where: gives) else {
                continue
            }
            missingNeeds.removeAll(where: gives)
            missingWishes.removeAll(where: gives)
            indispensable.formUnion(Self.giver(binding, in: model))
        }
        indispensable.formIntersection(undeclared)
    }

    /// A binding, its role and where that has its rules from.
    private static func giver(_ binding: AccessBinding, in model: AccessModel) -> Set<ObjectID> {
        Set([binding.id, binding.role]).union(model.roles[binding.role]?.sources ?? [])
    }
}

/// The rights among some that a bearer has by one model and not by another, for the whole cluster and in each namespace
/// where something is given.
///
/// What is given for some names only is asked for by these names.
func lostRights(
    _ requests: [AccessRequest], of identity: AccessIdentity, from before: AccessModel, to after: AccessModel
) -> [AccessRequest] {
    let namespaces = Set(before.bindings(naming: identity).map(\.scope).filter { !$0.isEmpty }).sorted()
    return ([""] + namespaces).flatMap { namespace in
        let rules = before.grants(of: identity, in: namespace).map(\.rule)
        let left = after.grants(of: identity, in: namespace).map(\.rule)
        return requests.flatMap { request -> [AccessRequest] in
            let whole = request.in(namespace)
            let asked = rules.allow(whole) ? [whole] : rules.names(limiting: whole).map { whole.named($0) }
            return asked.filter { rules.allow($0) && !left.allow($0) }
        }
    }
}

extension [PolicyRule] {
    fileprivate func allow(_ request: AccessRequest) -> Bool { contains { $0.allows(request) } }

    /// The names for which alone a right is given; enough of them, should somebody list very many.
    fileprivate func names(limiting request: AccessRequest) -> [String] {
        guard request.name.isEmpty else { return [] }
        let limited = filter { rule in rule.resourceNames.first.map { rule.allows(request.named($0)) } ?? false }
        return Set(limited.lazy.flatMap(\.resourceNames).prefix(1000)).sorted()
    }
}
