import Guardrails
import Manifest
import Policy

/// Since when an object's change has been waiting.
package struct HeldSince: Sendable, Equatable {
    /// What was in force before the change; the first revision that was enforced at all, or since what was in force is not
    /// known any more, where the change came with it.
    package var commit: String
    /// Whether the change came with that first revision: then it was written before Bylaw looked at anything, and
    /// whoever signed the revision vouches for what cannot be told.
    package var isFirstRevision: Bool
    /// What was in force when the change was shown first, where that was later: what was approved before that was not about
    /// it.
    package var shownAfter: String?

    package init(commit: String, isFirstRevision: Bool, shownAfter: String? = nil) {
        self.commit = commit
        self.isFirstRevision = isFirstRevision
        self.shownAfter = shownAfter
    }

    /// After which commit an approval may be about it.
    var approvableAfter: String { shownAfter ?? commit }
}

/// Who wrote what a revision changes, as far as signatures tell.
///
/// Nobody approves what they wrote, and what anybody may have written nobody can approve.
struct Authorship {
    private struct Work {
        var author: Person
        var signer: CommitSigner
        var content: Set<ObjectID>
    }

    /// An author who cannot be told, with what they wrote.
    struct Unknown {
        var objects: Set<ObjectID>
        var why: String
    }

    private var works: [Work] = []
    private(set) var unknown: [Unknown] = []

    /// What an approver is known to have written.
    func work(of approver: Approver) -> Set<ObjectID> {
        Set(works.filter { approver.isNamed(by: $0.author) || approver.owns($0.signer) }.flatMap(\.content))
    }

    /// What anybody may have written.
    var unknownWork: Set<ObjectID> { Set(unknown.flatMap(\.objects)) }
}

extension Approver {
    /// Whether a signature is one of theirs.
    func owns(_ signer: CommitSigner) -> Bool {
        signers.contains { known in
            known == signer.name || known == signer.fingerprint || !signer.email.isEmpty && known == signer.email
        }
    }

    /// Whether a commit says that it is theirs; without a signature that is a claim, and counts against them only.
    func isNamed(by person: Person) -> Bool {
        person.name.isSameWord(as: name)
            || signers.contains { $0.isSameWord(as: person.email) || $0.isSameWord(as: person.description) }
    }
}

extension CommitSigner {
    /// Whether the signature is the author's own.
    ///
    /// A Git host that makes a squash merge signs it with its own key, and vouches for no name in it.
    fileprivate func isAuthor(_ person: Person) -> Bool {
        email.isEmpty
            ? name.isSameWord(as: person.name) || name.isSameWord(as: person.email)
            : email.isSameWord(as: person.email)
    }
}

extension String {
    /// Mail addresses and names of people are the same in any case.
    fileprivate func isSameWord(as other: String) -> Bool { !isEmpty && lowercased() == other.lowercased() }
}

/// Looks through the history for the authors of what a revision changes; each commit is looked at once.
struct AuthorshipSearch {
    let inForce: EnforcedState?
    let head: LoadedRevision
    /// What the revision removes although nothing in force declares it: what an earlier run has left.
    let removed: Set<ObjectID>
    /// Whose signature tells an author, since they are people.
    let approvers: [Approver]
    let source: any RevisionSource
    let memory: HistoryMemory
    private var trusts: [String: CommitTrust] = [:]
    /// Whether some signature did not count that may count with other keys.
    private(set) var hasMetDistrust = false
    private var declared: [String: DeclaredState?] = [:]

    /// Those in which the author of one change is looked for.
    static let maximumCommits = 1000
    /// Those before the first revision.
    private static let maximumEarlierCommits = 200
    /// How far back a sound commit is looked for.
    private static let maximumBrokenCommits = 50
    /// States that are kept: a commit's parent is mostly the next one that is looked at.
    private static let maximumStates = 16

    init(
        inForce: EnforcedState?, head: LoadedRevision, removed: Set<ObjectID>, approvers: [Approver],
        source: any RevisionSource, memory: HistoryMemory
    ) {
        self.inForce = inForce
        self.head = head
        self.removed = removed
        self.approvers = approvers
        self.source = source
        self.memory = memory
    }

    /// What a commit's own signature is worth, verified once for each.
    mutating func trust(of commit: Revision) async throws(SourceError) -> CommitTrust {
        if let known = trusts[commit.commit] { return known }
        // A tag vouches for the revision, and says nothing about who wrote or approved what.
        let trust = try await source.trust(of: commit, isNewest: false)
        trusts[commit.commit] = trust
        if case .refused(let reason, _) = trust, reason != .commitUnsigned { hasMetDistrust = true }
        return trust
    }

    /// What a commit declares; nil where it is not sound.
    mutating func declared(by commit: Revision) async throws(SourceError) -> DeclaredState? {
        if let known = declared[commit.commit] { return known }
        let loaded = commit.commit == head.revision.commit ? head : try await source.loadEarlier(commit)
        let state = loaded.findings.contains { $0.severity == .error } ? nil : loaded.declared
        if declared.count >= Self.maximumStates { declared = [:] }
        declared[commit.commit] = .some(state)
        return state
    }

    /// Who wrote what the revision changes.
    ///
    /// - Parameter isAsked: Whether it matters who wrote the change of an object.
    mutating func authorship(where isAsked: (ObjectID) -> Bool) async throws(SourceError) -> Authorship {
        var authorship = Authorship()
        for (since, changed) in changesBySince {
            let objects = changed.filter(isAsked)
            if !objects.isEmpty { try await search(for: objects, since: since, into: &authorship) }
        }
        return authorship
    }

    /// What differs from what is in force, by the commit after which it was written; nil: at any time.
    private var changesBySince: [(HeldSince?, Set<ObjectID>)] {
        guard let inForce else {
            return [(nil, Set(head.declared.objects.keys).union(removed).union([RepositoryConfiguration.id]))]
        }
        var changed = Set(head.declared.objects.keys).union(inForce.objects.keys).filter {
            head.declared.objects[$0]?.tree != inForce.objects[$0]?.tree
        }.union(removed)
        if head.declared.configuration != inForce.configuration { changed.insert(RepositoryConfiguration.id) }
        var groups: [(HeldSince?, Set<ObjectID>)] = []
        for id in changed {
            let since = inForce.waitingSince(id)
            if let index = groups.firstIndex(where: { $0.0 == since }) {
                groups[index].1.insert(id)
            } else {
                groups.append((since, [id]))
            }
        }
        return groups
    }

    private mutating func search(
        for objects: Set<ObjectID>, since: HeldSince?, into authorship: inout Authorship
    ) async throws(SourceError) {
        var commits = try await source.commits(upTo: head.revision, after: since?.commit, wholeHistory: true)
        guard commits.count < Self.maximumCommits else {
            authorship.note(
                objects,
                "there are \(Self.maximumCommits) commits or more since it began to wait, too many to look through"
            )
            return
        }
        // Whoever signed what began it stands for all that came with it; where that is gone nobody does.
        if let since, since.isFirstRevision, try await source.hasCommit(since.commit) {
            commits.append(try await source.cachedRevision(commit: since.commit))
        }
        var unaccounted = objects
        for commit in commits {
            let isFirst = since?.isFirstRevision == true && commit.commit == since?.commit
            let content = isFirst ? objects : try await content(of: commit)?.intersection(objects) ?? objects
            guard !content.isEmpty else { continue }
            unaccounted.subtract(content)
            switch try await trust(of: commit) {
            case .trusted(let signer)
            where isFirst || signer.isAuthor(commit.author) || approvers.contains { $0.owns(signer) }:
                authorship.note(commit.author, signer, content)
            case .trusted(let signer):
                authorship.note(
                    content,
                    "commit \(commit.commit.prefix(12)) changed it, and is signed by \(signer.name), not by its author "
                        + commit.author.description)
            case .refused(_, let why):
                authorship.note(content, "commit \(commit.commit.prefix(12)) changed it, and is not trusted: \(why)")
            }
        }
        if !unaccounted.isEmpty {
            authorship.note(unaccounted, "no commit since then brings it in as it is")
        }
        if let last = commits.last, since?.isFirstRevision == true, last.commit == since?.commit {
            try await search(for: objects, before: last, into: &authorship)
        }
    }

    /// Looks for those who are known to have written what came with the first revision, as far as that goes: they do not
    /// approve it either.
    private mutating func search(
        for objects: Set<ObjectID>, before first: Revision, into authorship: inout Authorship
    ) async throws(SourceError) {
        let earlier = try await source.commits(upTo: first, after: nil, wholeHistory: true)
        for commit in earlier.prefix(Self.maximumEarlierCommits) {
            guard let content = try await content(of: commit)?.intersection(objects), !content.isEmpty,
                case .trusted(let signer) = try await trust(of: commit)
            else { continue }
            authorship.note(commit.author, signer, content)
        }
    }

    /// What a commit itself changed; nil where that cannot be told, so that it may be anything.
    private mutating func content(of commit: Revision) async throws(SourceError) -> Set<ObjectID>? {
        if let known = memory.content(of: commit.commit) { return known }
        guard let declared = try await declared(by: commit) else { return nil }
        var parents: [DeclaredState] = []
        for parent in commit.parents { parents.append(try await declaredSoundly(by: parent)) }
        var base: DeclaredState?
        if commit.parents.count == 2, let common = try await source.mergeBase(commit.parents[0], commit.parents[1]) {
            base = try await declaredSoundly(by: common)
        }
        let content = contentOfCommit(declared, parents: parents, base: base)
        memory.note(content, of: commit.commit)
        return content
    }

    /// What a commit declares, or the nearest sound one before it: who mends a file has not written all of it.
    private mutating func declaredSoundly(by commit: String) async throws(SourceError) -> DeclaredState {
        var next: String? = commit
        for _ in 0..<Self.maximumBrokenCommits {
            guard let id = next else { break }
            let revision = try await source.cachedRevision(commit: id)
            if let state = try await declared(by: revision) { return state }
            next = revision.parents.first
        }
        return DeclaredState()
    }
}

extension Authorship {
    fileprivate mutating func note(_ author: Person, _ signer: CommitSigner, _ content: Set<ObjectID>) {
        works.append(Work(author: author, signer: signer, content: content))
    }

    fileprivate mutating func note(_ objects: Set<ObjectID>, _ why: String) {
        unknown.append(Unknown(objects: objects, why: why))
    }
}
