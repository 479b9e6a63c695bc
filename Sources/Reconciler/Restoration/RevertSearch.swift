/// Finds which accepted revisions a new one says it takes back.
///
/// Commits are taken back, and revisions are carried out: what was pushed together was carried out by the newest of it. So
/// each commit that is named leads to the first accepted revision that contains it.
package struct RevertSearch: Sendable {
    /// As they were before the new revision, or with it as the newest.
    var states: DeclaredStates
    var source: any RevisionSource

    /// Each takes some look-ups in the history; what goes beyond is not linked.
    private static let maximumCount = 100

    package init(among states: DeclaredStates, in source: any RevisionSource) {
        self.states = states
        self.source = source
    }

    /// The commits of the accepted revisions that carried out what a new revision, or a commit that came with it, says it
    /// takes back; in the order in which they were accepted.
    package func revisions(takenBackBy revision: Revision) async throws(SourceError) -> [String] {
        guard let last = states.records.last else { return [] }
        guard last.commit != revision.commit else { return last.takesBack }
        guard try await source.hasCommit(last.commit) else { return [] }
        var found: Set<String> = []
        for commit in try await source.commitsTakenBack(by: revision, after: last.commit).prefix(Self.maximumCount) {
            if let index = try await firstRecord(containing: commit) { found.insert(states.records[index].commit) }
        }
        return states.records.map(\.commit).filter { found.remove($0) != nil }
    }

    /// By halves: in a history that was not rewritten, what contains a commit comes after what does not.
    private func firstRecord(containing commit: String) async throws(SourceError) -> Int? {
        let records = states.records
        guard try await source.isAncestor(commit, of: records[records.count - 1].commit) else { return nil }
        var (low, high) = (0, records.count - 1)
        while low < high {
            let middle = (low + high) / 2
            if try await source.isAncestor(commit, of: records[middle].commit) {
                high = middle
            } else {
                low = middle + 1
            }
        }
        return low
    }
}
