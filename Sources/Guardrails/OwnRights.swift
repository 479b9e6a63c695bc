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
    /// Of several ways to a right it is the oldest that names Bylaw alone: whoever names it beside themselves does not have
    /// a binding spared by that, nor whoever has an old one for a common group.
    package private(set) var indispensable: Set<ObjectID> = []
    /// Those that nobody declares, and that go: whatever else gives a right has to give it without them.
    package private(set) var dispensable: Set<ObjectID> = []

    private let user: UserIdentity
    private let isWishful: Bool
    /// Whether nothing of what is needed would be missing without what goes.
    private var isComplete = false
    private var sources: RightsSources
    /// Of the bindings that have to stay and that nobody declares.
    private var lowestRank = Rank.ours

    /// - Parameters:
    ///   - user: Who the server takes Bylaw for.
    ///   - live: Roles and bindings as they are.
    ///   - lasting: As they will last: without what is to be put back or taken away, or is on its way out.
    ///   - isDeclared: Whether Git declares an object: only that is sure to stay.
    ///   - isRemovable: Whether an object is to be removed, since nobody declares it.
    ///   - needed: What Bylaw cannot work without.
    ///   - wanted: What it asks for besides; that spares a binding only where it names nobody else.
    package init(
        of user: UserIdentity, live: [ObjectID: LiveObject], lasting: [ObjectID: LiveObject],
        isDeclared: (ObjectID) -> Bool,
        isRemovable: (LiveObject) -> Bool, needed: [AccessRequest], wanted: [AccessRequest]
    ) {
        self.user = user
        isWishful = !wanted.isEmpty
        sources = RightsSources(of: user, among: SecurityState(live: live).objects)
        let identity = AccessIdentity(user: user.name, groups: user.groups.sorted())
        guard !identity.isMaster else { return }
        givers = sources.all
        let removable = givers.filter { live[$0].map(isRemovable) == true }
        let objects = SecurityState(live: lasting.filter { givers.contains($0.key) }).objects
        defer {
            let staying = objects.values.filter { !dispensable.contains($0.id) }
            isComplete = HeldRules(of: identity, in: AccessModel(objects: staying)).cover(needed)
        }
        guard !removable.isEmpty else { return }
        let model = AccessModel(objects: Array(objects.values))
        let own = model.bindings(naming: identity)

        let age = { (id: ObjectID) in (live[id]?.metadata["creationTimestamp"]?.string ?? "", id) }
        // What only happens to be passed over may go any time: it stands in for nothing.
        let undeclared = own.filter { !isDeclared($0.id) }
        let rank = { (binding: AccessBinding) in
            (Rank(of: binding, user), age(binding.id).0, binding.id)
        }
        var missing = MissingRights(
            needed: needed, wanted: wanted, of: identity, from: model, without: Set(undeclared.map(\.id)),
            among: objects)
        var kept = own.filter { isDeclared($0.id) }
        for binding in undeclared.sorted(by: { rank($0) < rank($1) })
        where missing.take(model.roles[binding.role]?.rules ?? [], of: binding, user) {
            kept.append(binding)
            indispensable.insert(binding.id)
            lowestRank = max(lowestRank, Rank(of: binding, user))
        }

        // The same for what these bindings rely on.
        let others = Set(own.map(\.id)).subtracting(kept.map(\.id))
        let removableRoles = removable.filter { !$0.isBinding }
        missing = MissingRights(
            needed: needed, wanted: wanted, of: identity, from: model, without: removableRoles.union(others),
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

    /// Takes in what became of an object, where that is clear without working everything out again.
    ///
    /// Whoever makes thousands of bindings that name Bylaw must not have each of them weighed against all others.
    ///
    /// - Parameters:
    ///   - live: The object as it is now; nil where it is gone.
    ///   - isRemovable: Whether it is to be removed, since nobody declares it.
    /// - Returns: False where everything has to be worked out again.
    package mutating func take(_ id: ObjectID, _ live: LiveObject?, isRemovable: (LiveObject) -> Bool) -> Bool {
        let isKnown = givers.contains(id)
        guard let live else {
            // Nothing relies on what was to go.
            guard !isKnown || dispensable.remove(id) != nil else { return false }
            givers.remove(id)
            return true
        }
        guard isKnown || sources.mayCome(from: live, user) || sources.all.contains(id) else { return true }
        // No right is missing without it; unless it is to be kept rather than one that names others as well.
        guard !isKnown || dispensable.contains(id), id.isBinding, isComplete, !isWishful, lowestRank == .ours,
            isRemovable(live)
        else { return false }
        givers.insert(id)
        dispensable.insert(id)
        return true
    }
}

/// Which of several bindings is rather the one that somebody made for Bylaw.
private enum Rank: Int, Comparable {
    case ours
    /// It names Bylaw, and others beside it.
    case shared
    /// It names a group.
    case group

    init(of binding: AccessBinding, _ user: UserIdentity) {
        let own = AccessSubject.user(user.name)
        let isOwn = { (subject: AccessSubject) in (subject.kind == .user ? .user(subject.name) : subject) == own }
        self = binding.subjects.allSatisfy(isOwn) ? .ours : binding.subjects.contains(where: isOwn) ? .shared : .group
    }

    static func < (one: Rank, other: Rank) -> Bool { one.rawValue < other.rawValue }
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
        let isOnlyOurs = Rank(of: binding, user) == .ours
        guard needed.contains(where: gives) || isOnlyOurs && wanted.contains(where: gives) else { return false }
        needed.removeAll(where: gives)
        wanted.removeAll(where: gives)
        return true
    }
}
