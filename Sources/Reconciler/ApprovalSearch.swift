import Guardrails
import Manifest
import Policy

/// Finds the approvals that a new revision brings along, and what each was given for.
struct ApprovalSearch {
    let inForce: EnforcedState?
    /// The settings that were in force before, whether or not their commit can be read; nil at the first start.
    let configurationInForce: RepositoryConfiguration?
    let head: LoadedRevision
    /// Whether only a listed approver's signature counts.
    let requiresSignatures: Bool
    let source: any RevisionSource

    /// Each takes a load of a whole revision.
    private static let maximumApprovingCommits = 50
    /// Those in which the author of what waits is looked for.
    private static let maximumWrittenCommits = 1000

    /// The approvals of all commits between what is in force and the revision.
    ///
    /// - Parameter complain: Takes what is wrong with a trailer, and what to do about it.
    func sources(
        complain: (_ message: String, _ hint: String) -> Void
    ) async throws(SourceError) -> [ApprovalSource] {
        let commits = try await source.commits(
            upTo: head.revision, after: inForce?.revision.commit, wholeHistory: false)
        var sources: [ApprovalSource] = []
        for commit in commits {
            let values = commit.trailers.filter { $0.key.lowercased() == Approval.trailerKey.lowercased() }.map(\.value)
            guard !values.isEmpty else { continue }
            let approvals = values.compactMap(Approval.init(trailer:))
            if approvals.count < values.count {
                complain(
                    "commit \(commit.commit.prefix(12)) has a trailer \(Approval.trailerKey) that approves nothing",
                    "Write it as \(Approval.trailerKey): GUARDRAIL [OBJECT] by NAME, as bylaw plan shows it.")
            }
            guard sources.count < Self.maximumApprovingCommits, !approvals.isEmpty,
                let declared = try await declared(by: commit)
            else { continue }
            let isLater: Bool
            if let inForce {
                isLater = try await source.isAncestor(inForce.revision.commit, of: commit.commit)
            } else {
                isLater = true
            }
            guard requiresSignatures else {
                sources.append(
                    ApprovalSource(
                        commit: commit.commit, approvals: approvals, declared: declared, knowsWhatIsInForce: isLater))
                continue
            }
            for approval in approvals {
                switch try await signed(approval, in: commit, declaring: declared) {
                case .success(var source):
                    source.knowsWhatIsInForce = isLater
                    sources.append(source)
                case .failure(let refusal):
                    complain(
                        "commit \(commit.commit.prefix(12)): \"\(approval.trailer)\" does not count: \(refusal.why)",
                        "Let a listed approver who did not write the change sign the commit or the merge that says it.")
                }
            }
        }
        return sources
    }

    /// What a commit declares; nil where it is not sound.
    private func declared(by commit: Revision) async throws(SourceError) -> DeclaredState? {
        let loaded = commit.commit == head.revision.commit ? head : try await source.load(commit)
        return loaded.findings.contains { $0.severity == .error } ? nil : loaded.declared
    }

    // MARK: Signatures

    private struct Refusal: Error { var why: String }

    /// An approval that its approver has signed, with what the approver wrote left out of it.
    private func signed(
        _ approval: Approval, in commit: Revision, declaring declared: DeclaredState
    ) async throws(SourceError) -> Result<ApprovalSource, Refusal> {
        // Who may approve is said by what was in force before, or the change itself could add its author.
        let settings = configurationInForce?.guardrails ?? GuardrailSettings()
        guard let approver = settings.approvers.first(where: { $0.name == approval.approver }) else {
            return .failure(Refusal(why: "\(approval.approver) is not among the approvers of bylaw.yaml"))
        }
        switch try await source.trust(of: commit, isNewest: commit == head.revision) {
        case .refused(_, let message): return .failure(Refusal(why: message))
        case .trusted(let signer):
            guard approver.owns(signer) else {
                return .failure(Refusal(why: "it is signed by \(signer.name), not by \(approver.name)"))
            }
        }
        // What waits may have been written before what is in force now.
        let since = inForce?.heldSince ?? inForce?.revision.commit
        let written = try await source.commits(
            upTo: head.revision, after: since == GuardedState.beginning ? nil : since,
            wholeHistory: since == nil || since == GuardedState.beginning)
        guard written.count < Self.maximumWrittenCommits else {
            return .failure(Refusal(why: "there are too many commits to tell who wrote what waits"))
        }
        var ownWork: Set<ObjectID> = []
        for candidate in written where try await isWork(of: approver, candidate) {
            ownWork.formUnion(try await content(of: candidate))
        }
        return .success(
            ApprovalSource(commit: commit.commit, approvals: [approval], declared: declared, ownWork: ownWork))
    }

    /// Whether a commit is somebody's work: it says so, or they signed it.
    ///
    /// Of a merge only what no parent declares so counts as its own content.
    private func isWork(of approver: Approver, _ commit: Revision) async throws(SourceError) -> Bool {
        if approver.isNamed(by: commit.author) { return true }
        guard case .trusted(let signer) = try await source.trust(of: commit, isNewest: false) else { return false }
        return approver.owns(signer)
    }

    /// What a commit itself changed: what none of its parents declares so.
    private func content(of commit: Revision) async throws(SourceError) -> Set<ObjectID> {
        guard let declared = try await declared(by: commit) else {
            // What it changed cannot be told, so it may be anything.
            return Set(head.declared.objects.keys).union(inForce.map { Set($0.objects.keys) } ?? [])
                .union([RepositoryConfiguration.id])
        }
        var before: [DeclaredState] = []
        for parent in commit.parents {
            let revision = try await source.cachedRevision(commit: parent)
            before.append(try await self.declared(by: revision) ?? DeclaredState())
        }
        if before.isEmpty { before = [DeclaredState()] }
        let ids = before.reduce(into: Set(declared.objects.keys)) { $0.formUnion($1.objects.keys) }
        var changed = ids.filter { id in !before.contains { $0.objects[id]?.tree == declared.objects[id]?.tree } }
        if !before.contains(where: { $0.configuration == declared.configuration }) {
            changed.insert(RepositoryConfiguration.id)
        }
        return changed
    }
}

extension Approver {
    /// Whether a signature is one of theirs.
    fileprivate func owns(_ signer: CommitSigner) -> Bool {
        signers.contains { known in
            known == signer.name || known == signer.fingerprint || !signer.email.isEmpty && known == signer.email
        }
    }

    fileprivate func isNamed(by person: Person) -> Bool {
        person.name == name || signers.contains(person.email) || signers.contains(person.description)
    }
}
