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
    /// What a hold declares and found there, not made by us: it is not the hold's to take away again.
    package private(set) var found: Set<ObjectID> = []

    /// Where it stands in the journal's memory: within what is enforced instead, so that both are written at one moment.
    private static let key = "beforeHold"
    private static let foundKey = "foundByHold"
    private static let outdatedKey = "outdated"

    init(_ state: EnforcedState, place: String) {
        tree = GuardedState(of: state).encoded(revision: state.revision.commit, place: place)
        self.state = state
    }

    /// What a hold that comes now would take the place of, by the journal alone.
    ///
    /// - Parameter guarded: What it remembers under ``MemoryKey/guardedState``.
    init(replacing guarded: Tree) {
        tree = guarded[Self.key] ?? guarded
        found = Self.found(in: guarded)
    }

    /// What a hold takes the place of where another replica has led since the journal was written, and left nothing.
    ///
    /// - Parameter guarded: What the journal remembers under ``MemoryKey/guardedState``.
    init(outdated guarded: Tree?) {
        var tree = guarded.map { $0[Self.key] ?? $0 } ?? .object(Members())
        tree.set([Self.outdatedKey], to: true)
        self.tree = tree
    }

    /// What a hold has taken the place of.
    ///
    /// - Parameter guarded: What the journal remembers under ``MemoryKey/guardedState``.
    /// - Returns: Nil where what is in force is so by no hold.
    package init?(rememberedIn guarded: String?, canonical: Canonical) {
        guard let guarded = guarded.flatMap(canonical.tree), let tree = guarded[Self.key] else { return nil }
        self.tree = tree
        found = Self.found(in: guarded)
    }

    private static func found(in guarded: Tree) -> Set<ObjectID> {
        Set((guarded[foundKey]?.array ?? []).compactMap(ObjectID.init(encoded:)))
    }

    /// Takes in what a hold is about to write.
    mutating func noteFound(_ ids: some Sequence<ObjectID>) { found.formUnion(ids) }

    package var commit: String? { GuardedState.revision(of: tree) }
    /// Whether something else was in force before the hold, which nobody here knows: of this only the settings count.
    package var isOutdated: Bool { tree[Self.outdatedKey]?.bool == true }
    package var configuration: RepositoryConfiguration? { GuardedState(tree)?.configuration }

    /// Reads its state, where that was not read yet.
    package mutating func load(
        from source: any RevisionSource, canonical: Canonical
    ) async throws(SourceError) {
        guard state == nil, !isOutdated else { return }
        state = try await loadRememberedState(tree, from: source, canonical: canonical)
    }

    /// What the journal is to remember under ``MemoryKey/guardedState`` while something else is enforced.
    func stored(in guarded: Tree) -> Tree {
        var guarded = guarded
        guarded.set([Self.key], to: tree)
        if !found.isEmpty { guarded.set([Self.foundKey], to: .array(found.sorted().map(\.encoded))) }
        return guarded
    }
}
