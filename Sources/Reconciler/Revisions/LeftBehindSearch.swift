import Manifest
import Policy

/// Finds since when nothing declares what another replica has left behind.
///
/// Who removed it, and who approved that, stands in the commits from there on, and not in those after what is in force.
struct LeftBehindSearch {
    let source: any RevisionSource

    /// Each takes a load of a whole revision.
    private static let maximumCommits = 50

    /// The last commit that declared each object, along the first parents of what is in force.
    ///
    /// - Parameter live: What is there. What was made after it was removed is somebody else's doing, as where a backup
    ///   brought it back, and nobody has approved that to be removed.
    /// - Returns: Nothing of an object that was declared too long ago, or never.
    func lastDeclarations(
        of ids: Set<ObjectID>, before inForce: Revision, live: LiveState
    ) async throws(SourceError) -> [ObjectID: HeldSince] {
        var missing = ids
        var removal = inForce
        var found: [ObjectID: HeldSince] = [:]
        var parent = inForce.parents.first
        for _ in 0..<Self.maximumCommits {
            guard !missing.isEmpty, let commit = parent, try await source.hasCommit(commit) else { break }
            let revision = try await source.cachedRevision(commit: commit)
            let declared = try await source.loadEarlier(revision).declared.objects
            for id in missing where declared[id] != nil {
                missing.remove(id)
                guard let made = live[id]?.madeAt, made <= removal.committedAt else { continue }
                found[id] = HeldSince(commit: commit, isFirstRevision: false)
            }
            removal = revision
            parent = revision.parents.first
        }
        return found
    }
}

extension LiveObject {
    /// When the server made it; nil where that cannot be read.
    fileprivate var madeAt: Timestamp? { metadata["creationTimestamp"]?.string.flatMap { Timestamp($0) } }
}
