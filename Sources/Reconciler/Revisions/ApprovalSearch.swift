import Guardrails
import Manifest
import Policy

/// The approvals that were found.
struct FoundApprovals {
    var sources: [ApprovalSource] = []
    /// Whether a signature did not count that may count with other keys.
    var hasMetDistrust = false
}

/// Finds the approvals that a new revision brings along, and what each was given for.
struct ApprovalSearch {
    let inForce: EnforcedState?
    /// Those that the settings list which were in force before, whether or not their commit can be read.
    ///
    /// Who may approve is said by what was in force before, or the change itself could add its author.
    let approvers: [Approver]
    let head: LoadedRevision
    /// What the revision removes although nothing in force declares it: what an earlier run has left.
    let removed: Set<ObjectID>
    /// Whether only a listed approver's signature counts.
    let requiresSignatures: Bool
    /// See ``JudgementBasis/signaturesRequiredUpTo``.
    let signaturesRequiredUpTo: String?
    let source: any RevisionSource
    let memory: HistoryMemory

    /// Each takes a load of a whole revision.
    private static let maximumApprovingCommits = 50

    /// The approvals of all commits between what is in force and the revision, and for what has been waiting of those since
    /// it began to wait.
    ///
    /// - Parameter complain: Takes what is wrong with a trailer, and what to do about it.
    func find(
        complain: (_ message: String, _ hint: String) -> Void
    ) async throws(SourceError) -> FoundApprovals {
        var history = AuthorshipSearch(
            inForce: inForce, head: head, removed: removed,
            approvers: approvers, source: source, memory: memory)
        var sources: [ApprovalSource] = []
        var signed: [(approver: Approver, source: ApprovalSource)] = []
        var approvingCommits = 0
        for (commit, objects) in try await commits {
            let values = commit.trailers.filter { $0.key.lowercased() == Approval.trailerKey.lowercased() }.map(\.value)
            guard !values.isEmpty, try await !isFromSignedTimes(commit) else { continue }
            let approvals = values.compactMap(Approval.init(trailer:))
            if approvals.count < values.count {
                complain(
                    "commit \(commit.commit.prefix(12)) has a trailer \(Approval.trailerKey) that approves nothing",
                    "Write it as \(Approval.trailerKey): GUARDRAIL [OBJECT] by NAME, as bylaw plan shows it.")
            }
            guard !approvals.isEmpty else { continue }
            approvingCommits += 1
            guard approvingCommits <= Self.maximumApprovingCommits else {
                complain(
                    "more than \(Self.maximumApprovingCommits) commits approve something; the older ones do not count",
                    "Approve what still waits in a commit of its own.")
                break
            }
            guard let declared = try await history.declared(by: commit) else {
                complain(
                    "commit \(commit.commit.prefix(12)) approves nothing, since a file of it has a mistake",
                    "Approve it on a commit that bylaw check finds no mistake in.")
                continue
            }
            var given = ApprovalSource(
                commit: commit.commit, approvals: approvals, declared: declared,
                knowsWhatIsInForce: try await isLater(commit), knownWaiting: try await waiting(before: commit),
                objects: objects)
            guard requiresSignatures else {
                sources.append(given)
                continue
            }
            for approval in approvals {
                switch try await approver(of: approval, in: commit, &history) {
                case .success(let approver):
                    given.approvals = [approval]
                    signed.append((approver, given))
                case .failure(let refusal):
                    complain(
                        "commit \(commit.commit.prefix(12)): \"\(approval.trailer)\" does not count: \(refusal.why)",
                        "Let a listed approver who did not write the change sign the commit or the merge that says it.")
                }
            }
        }
        guard !signed.isEmpty else {
            return FoundApprovals(sources: sources, hasMetDistrust: history.hasMetDistrust)
        }
        let head = head.declared
        let authorship = try await history.authorship { id in signed.contains { $0.source.mayApprove(id, in: head) } }
        for part in authorship.unknown {
            complain(
                "nobody's approval counts for \(describe(part.objects)), since who wrote the change cannot be told: "
                    + part.why, "Take the change back, and bring it in again in a commit that its author signs.")
        }
        for (approver, given) in signed {
            let own = authorship.work(of: approver)
            let meant = own.filter { id in given.approvals.contains { $0.object == nil || $0.object == id.description }
            }
            if !meant.isEmpty {
                complain(
                    "\(approver.name)'s approval in commit \(given.commit.prefix(12)) does not count for "
                        + "\(describe(meant)): nobody approves what they wrote",
                    "Let another listed approver look at it.")
            }
            var source = given
            source.ownWork = own.union(authorship.unknownWork)
            sources.append(source)
        }
        return FoundApprovals(sources: sources, hasMetDistrust: history.hasMetDistrust)
    }

    private func describe(_ objects: Set<ObjectID>) -> String {
        let rest = objects.count > 1 ? " and \(objects.count - 1) more" : ""
        return (objects.min()?.description ?? "") + rest
    }

    /// What has been waiting longer than what is in force, by the commit after which approvals count for it.
    private var waiting: [String: [(key: ObjectID, value: HeldSince)]] {
        guard let inForce else { return [:] }
        return Dictionary(
            grouping: inForce.heldSince.merging(inForce.leftSince) { held, _ in held }.map { ($0.key, $0.value) },
            by: \.1.approvableAfter)
    }

    /// The commits that may approve something, and which objects each of them; nil: all.
    private var commits: [(Revision, Set<ObjectID>?)] {
        get async throws(SourceError) {
            let recent = try await source.commits(
                upTo: head.revision, after: inForce?.revision.commit, wholeHistory: false)
            var found: [(Revision, Set<ObjectID>?)] = recent.map { ($0, nil) }
            var indices: [String: Int] = [:]
            for (index, commit) in recent.enumerated() { indices[commit.commit] = index }
            func count(_ commits: [Revision], for ids: Set<ObjectID>) {
                for commit in commits {
                    if let index = indices[commit.commit] {
                        found[index].1?.formUnion(ids)
                    } else {
                        indices[commit.commit] = found.count
                        found.append((commit, ids))
                    }
                }
            }
            for (since, holds) in waiting.sorted(by: { $0.key < $1.key }) {
                var commits = try await source.commits(upTo: head.revision, after: since, wholeHistory: false)
                // What the first revision itself approves, or what it merged, counts with the next look as well.
                let isFirst = holds.contains { $0.value.isFirstRevision && $0.value.shownAfter == nil }
                if isFirst, try await source.hasCommit(since) {
                    commits += try await source.commits(
                        upTo: source.cachedRevision(commit: since), after: nil, wholeHistory: false)
                }
                count(commits, for: Set(holds.map(\.key)))
            }
            return found
        }
    }

    /// Whether a signature was asked for when a commit was written; the newest is whoever's who lets it pass without.
    private func isFromSignedTimes(_ commit: Revision) async throws(SourceError) -> Bool {
        guard let last = signaturesRequiredUpTo, commit != head.revision else { return false }
        guard try await source.hasCommit(last) else { return true }
        return try await source.isAncestor(commit.commit, of: last)
    }

    private func isLater(_ commit: Revision) async throws(SourceError) -> Bool {
        guard let inForce else { return true }
        return try await source.isAncestor(inForce.revision.commit, of: commit.commit)
    }

    /// What has been waiting since before a commit, which has what it is to be changed from.
    private func waiting(before commit: Revision) async throws(SourceError) -> Set<ObjectID> {
        var known: Set<ObjectID> = []
        for (since, holds) in waiting where try await source.isAncestor(since, of: commit.commit) {
            known.formUnion(holds.map(\.key))
        }
        return known
    }

    private struct Refusal: Error { var why: String }

    /// Who has signed an approval.
    private func approver(
        of approval: Approval, in commit: Revision, _ history: inout AuthorshipSearch
    ) async throws(SourceError) -> Result<Approver, Refusal> {
        guard let approver = approvers.first(where: { $0.name == approval.approver }) else {
            return .failure(Refusal(why: "\(approval.approver) is not among the approvers of bylaw.yaml"))
        }
        switch try await history.trust(of: commit) {
        case .refused(_, let message): return .failure(Refusal(why: message))
        case .trusted(let signer):
            guard approver.owns(signer) else {
                return .failure(Refusal(why: "it is signed by \(signer.name), not by \(approver.name)"))
            }
        }
        return .success(approver)
    }
}
