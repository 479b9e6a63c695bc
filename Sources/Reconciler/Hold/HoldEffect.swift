import Manifest
import Policy

/// What an emergency hold has changed of what was before it, and a revision does not ask for otherwise.
///
/// A revision is judged as if the hold had never been: what the hold brought must neither protect anything nor be protected,
/// and what it took away is still what is to be compared with. Only what is certainly the hold's own doing counts as brought;
/// everything else that it enforced is judged like what was there before.
struct HoldEffect {
    /// What it made: it goes with the hold, and protects nothing any more.
    let brought: Set<ObjectID>
    /// What it enforced besides, and nothing declares any more: letting it go is judged like any other deletion.
    let left: Set<ObjectID>
    /// What it took away: its deletion was judged then, and is not counted a second time once it is seen to be gone.
    let takenAway: Set<ObjectID>
    /// The namespaces that it used: an approval from before it to delete one of them is used up.
    let usedNamespaces: Set<String>

    /// Where nothing is in force by a hold.
    static let none = HoldEffect(brought: [], left: [], takenAway: [], usedNamespaces: [])

    private init(brought: Set<ObjectID>, left: Set<ObjectID>, takenAway: Set<ObjectID>, usedNamespaces: Set<String>) {
        self.brought = brought
        self.left = left
        self.takenAway = takenAway
        self.usedNamespaces = usedNamespaces
    }

    /// - Parameters:
    ///   - before: What was in force before the hold.
    ///   - enforced: What it enforces.
    ///   - found: See ``StateBeforeHold/found``.
    ///   - head: What the revision declares.
    ///   - isOurs: Whether an object of the cluster is one that we own.
    init(
        before: EnforcedState, enforced: EnforcedState, found: Set<ObjectID>, head: DeclaredState,
        isOurs: (ObjectID) -> Bool
    ) {
        let managed = before.configuration.managedKinds.intersection(head.configuration.managedKinds)
        let unseen = before.basis?.unseenKinds ?? []
        let added = enforced.objects.keys.filter { before.objects[$0] == nil && head.objects[$0] == nil }
        let brought = Set(
            added.filter { id in
                guard let resource = id.resource, resource != .namespace else { return false }
                return managed.contains(resource) && !unseen.contains(resource) && !before.frozen.contains(id)
                    && !found.contains(id) && isOurs(id)
            })
        self.init(
            brought: brought, left: Set(added).subtracting(brought),
            takenAway: Set(
                before.objects.keys.filter { id in
                    enforced.objects[id] == nil && head.objects[id] == nil && !enforced.frozen.contains(id)
                }),
            usedNamespaces: Set(enforced.objects.keys.map(\.scopeNamespace)))
    }
}
