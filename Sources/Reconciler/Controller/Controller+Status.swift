import Manifest

extension Controller {
    /// Keeps for `bylaw status`, which runs in another process, what the journal's entries alone do not tell.
    func rememberStatus() async throws(JournalError) {
        try await journal.remember(.status, canonical.text(statusTree()))
    }

    private func statusTree() -> Tree {
        var tree: Tree = [
            "enforcedRevision": enforced.map { .string($0.revision.commit) } ?? .null,
            "enforcedSubject": enforced.map { .string($0.revision.subject) } ?? .null,
            "restoredRevision": restoredCommit.map(Tree.string) ?? .null,
            "refusedRevision": refusedCommit.map(Tree.string) ?? .null,
            "lastFetch": lastFetchAt.map { .string($0.description) } ?? .null,
            "declared": .integer(Int64(enforced?.objects.count ?? 0)),
            "held": .integer(Int64(held.count + (enforced?.holds.count ?? 0))),
            "undeclared": .integer(Int64(toldStrangers.count)), "failing": .integer(Int64(failing.count)),
            "waiting": .integer(Int64(waiting.count)),
        ]
        if let active = hold.active {
            var told: Tree = [
                "revision": .string(active.revision), "until": .string(active.until.description),
                "because": .string(active.because), "setBy": .string(active.setBy),
                "setAt": .string(active.setAt.description),
                "refusal": hold.refusal.map { .string($0.message) } ?? .null,
                "waitingRevision": .null, "waitingSubject": .null,
            ]
            if let waiting = hold.waiting {
                told.set(["waitingRevision"], to: .string(waiting.commit))
                told.set(["waitingSubject"], to: .string(waiting.subject))
            }
            tree.set(["emergencyHold"], to: told)
        }
        if let unread = hold.unread { tree.set(["holdsUnread"], to: .string(unread)) }
        if let lastReport {
            tree.set(["lastPass", "summary"], to: .string(lastReport.summary))
            tree.set(["lastPass", "isConverged"], to: .bool(lastReport.isConverged))
            tree.set(["lastPass", "endedAt"], to: lastReport.endedAt.map { .string($0.description) } ?? .null)
        }
        return tree
    }
}
