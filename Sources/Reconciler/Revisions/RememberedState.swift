import Guardrails
package import Manifest
package import Policy

/// The state that an earlier run enforced last, as far as the clone has its commit.
///
/// - Parameters:
///   - enforced: What the journal remembers under ``MemoryKey/enforcedRevision``.
///   - guarded: What it remembers under ``MemoryKey/guardedState``.
/// - Returns: Nil where nothing was enforced.
/// - Throws: ``SourceError`` where the commit cannot be read, or the journal's memory is damaged: without what was held
///   the revision must not be enforced.
package func loadRememberedState(
    enforced: String?, guarded: String?, from source: any RevisionSource, canonical: Canonical
) async throws(SourceError) -> EnforcedState? {
    if let guarded {
        return try await loadRememberedState(canonical.tree(guarded), from: source, canonical: canonical)
    }
    guard let enforced else { return nil }
    return try await load(enforced, nil, from: source, canonical: canonical)
}

/// The same of a state that was read already.
///
/// - Parameter guarded: As ``GuardedState/encoded(revision:place:)`` gave it; nil where that cannot be read.
package func loadRememberedState(
    _ guarded: Tree?, from source: any RevisionSource, canonical: Canonical
) async throws(SourceError) -> EnforcedState? {
    guard let guarded, let state = GuardedState(guarded), let commit = GuardedState.revision(of: guarded) else {
        throw SourceError(
            Explanation(
                reason: IncidentReason.fetchFailed.rawValue,
                message: "read what the guardrails hold: the journal's memory of it is damaged", retry: .later,
                hint: "The newest revision is judged anew, compared with the cluster."))
    }
    // Read in another place the commit would declare something else, and all that was declared would seem to be gone.
    guard guarded["place"]?.string == source.place else { return nil }
    // Written together: what is held belongs to exactly this commit.
    return try await load(commit, state, from: source, canonical: canonical)
}

private func load(
    _ commit: String, _ guarded: GuardedState?, from source: any RevisionSource, canonical: Canonical
) async throws(SourceError) -> EnforcedState? {
    let loaded = try await source.load(try await source.cachedRevision(commit: commit))
    guard !loaded.findings.contains(where: { $0.severity == .error }), !loaded.declared.objects.isEmpty else {
        return nil
    }
    return EnforcedState(loaded, guarded: guarded, canonical: canonical)
}

/// The settings that were in force last, whether or not their revision can be read.
package func rememberedConfiguration(_ guarded: String?, canonical: Canonical) -> RepositoryConfiguration? {
    guarded.flatMap(canonical.tree).flatMap(GuardedState.init)?.configuration
}
