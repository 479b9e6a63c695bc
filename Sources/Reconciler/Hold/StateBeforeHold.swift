package import Manifest
package import Policy

/// What was in force before an emergency hold took its place: the last revision that was accepted by itself.
///
/// It is what every revision is compared with until the next one is accepted by itself. Otherwise a hold of an old revision
/// would let count once more what was approved since then, and the way back would have to be approved a second time.
package struct StateBeforeHold: Sendable {
    /// As ``GuardedState/encoded(revision:place:)`` gave it.
    package let tree: Tree
    /// Nil where it was not read yet, or the clone does not have its commit.
    package var state: EnforcedState?

    /// Where it stands in the journal's memory: within what is enforced instead, so that both are written at one moment.
    private static let key = "beforeHold"

    init(_ state: EnforcedState, place: String) {
        tree = GuardedState(of: state).encoded(revision: state.revision.commit, place: place)
        self.state = state
    }

    /// What a hold that comes now would take the place of, by the journal alone.
    ///
    /// - Parameter guarded: What it remembers under ``MemoryKey/guardedState``.
    init(replacing guarded: Tree) { tree = guarded[Self.key] ?? guarded }

    /// What a hold has taken the place of.
    ///
    /// - Parameter guarded: What the journal remembers under ``MemoryKey/guardedState``.
    /// - Returns: Nil where what is in force is so by no hold.
    package init?(rememberedIn guarded: String?, canonical: Canonical) {
        guard let tree = guarded.flatMap(canonical.tree)?[Self.key] else { return nil }
        self.tree = tree
    }

    package var commit: String? { GuardedState.revision(of: tree) }
    package var configuration: RepositoryConfiguration? { GuardedState(tree)?.configuration }

    /// What the journal is to remember under ``MemoryKey/guardedState`` while something else is enforced.
    func stored(in guarded: Tree) -> Tree {
        var guarded = guarded
        guarded.set([Self.key], to: tree)
        return guarded
    }
}

/// What an emergency hold has changed of what was before it, and a revision does not ask for otherwise.
struct HoldEffect {
    /// What it brought: it goes with the hold, and protects nothing any more.
    ///
    /// Namespaces are none of that, since they stay until their deletion is approved.
    let brought: Set<ObjectID>
    /// What it took away: it is gone, and need not be let go once more.
    let takenAway: Set<ObjectID>

    /// - Parameters:
    ///   - before: What was in force before the hold.
    ///   - enforced: What is enforced now; the same where there was no hold.
    ///   - head: What the revision declares.
    init(before: EnforcedState?, enforced: EnforcedState?, head: DeclaredState) {
        guard let before, let enforced else {
            (brought, takenAway) = ([], [])
            return
        }
        let managed = before.configuration.managedKinds.intersection(head.configuration.managedKinds)
        brought = Set(
            enforced.objects.keys.filter { id in
                before.objects[id] == nil && head.objects[id] == nil
                    && id.resource.map { $0 != .namespace && managed.contains($0) } == true
            })
        takenAway = Set(before.objects.keys.filter { enforced.objects[$0] == nil && head.objects[$0] == nil })
    }
}
