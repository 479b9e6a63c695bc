import Guardrails
import Manifest
import Policy

/// Finds what of a new revision brings back what was in force before.
///
/// Proven is that by the journal alone: the earlier revision was accepted, and a pass once ended with all of it in the
/// cluster and nothing of it held. So what a guardrail never let through cannot be had by taking something back and bringing
/// it again.
struct RestorationSearch {
    /// As they were before the new revision, or with it as the newest.
    let states: DeclaredStates
    let canonical: Canonical
    let source: any RevisionSource

    /// Each takes two loads of a whole revision.
    private static let maximumCount = 16

    func find(_ loaded: LoadedRevision) async throws(SourceError) -> Restoration? {
        let digest = stateDigest(of: loaded.declared, canonical: canonical)
        if let record = states.inForce(digest) {
            return Restoration(
                commit: record.commit,
                hasConfiguration: record.configuration == configurationDigest(of: loaded.declared, canonical: canonical)
            )
        }
        return try await partOfReverts(loaded)
    }

    /// Where other commits stay: what the revisions brought that it says it takes back, if it was absent before them.
    private func partOfReverts(_ loaded: LoadedRevision) async throws(SourceError) -> Restoration? {
        let undone = try await RevertSearch(among: states, in: source).revisions(takenBackBy: loaded.revision)
        var restoration: Restoration?
        for commit in undone.suffix(Self.maximumCount) {
            guard let index = states.records.lastIndex(where: { $0.commit == commit }), index > 0,
                states.records[index - 1].wasInForce,
                let before = try await declared(by: states.records[index - 1]),
                let brought = try await declared(by: states.records[index])
            else { continue }
            let gone = brought.objects.keys.filter { before.objects[$0] == nil && loaded.declared.objects[$0] == nil }
            restoration = Restoration(
                commit: states.records[index - 1].commit, objects: (restoration?.objects ?? []).union(gone))
        }
        return restoration
    }

    /// What a revision declared; nil where it is no longer in the clone, or declares something else when it is read now.
    private func declared(by record: DeclaredStates.Record) async throws(SourceError) -> DeclaredState? {
        guard try await source.hasCommit(record.commit) else { return nil }
        let loaded = try await source.loadEarlier(try await source.cachedRevision(commit: record.commit))
        return stateDigest(of: loaded.declared, canonical: canonical) == record.digest ? loaded.declared : nil
    }
}
