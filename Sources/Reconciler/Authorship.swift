import Guardrails
import Manifest
import Policy

/// Since when an object's change has been waiting.
package struct HeldSince: Sendable, Equatable {
    /// What was in force before the change; the first revision that was enforced at all, where the change came with it.
    package var commit: String
    /// Whether the change came with that first revision: then it was written before Bylaw looked at anything, and
    /// whoever signed the revision vouches for it.
    package var isFirstRevision: Bool

    package init(commit: String, isFirstRevision: Bool) {
        self.commit = commit
        self.isFirstRevision = isFirstRevision
    }
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
        person.name == name || signers.contains(person.email) || signers.contains(person.description)
    }
}

/// Looks through the history for the authors of what a revision changes; each commit is looked at once.
struct AuthorshipSearch {
    let inForce: EnforcedState?
    let head: LoadedRevision
    /// What the revision removes although no state is in force: what an earlier run has left.
    let removed: Set<ObjectID>
    let source: any RevisionSource
    private var trusts: [String: CommitTrust] = [:]
    private var declared: [String: DeclaredState?] = [:]
    private var contents: [String: Set<ObjectID>] = [:]
    /// What the revision changes: nothing else is compared, in a thousand commits of many objects.
    private var interesting: Set<ObjectID> = []

    /// Those in which the author of one change is looked for.
    static let maximumCommits = 1000
    /// How far back a sound commit is looked for.
    private static let maximumBrokenCommits = 50
    /// States that are kept: a commit's parent is mostly the next one that is looked at.
    private static let maximumStates = 16

    init(inForce: EnforcedState?, head: LoadedRevision, removed: Set<ObjectID>, source: any RevisionSource) {
        self.inForce = inForce
        self.head = head
        self.removed = removed
        self.source = source
    }

    /// What a signature is worth, verified once for each commit.
    mutating func trust(of commit: Revision) async throws(SourceError) -> CommitTrust {
        if let known = trusts[commit.commit] { return known }
        let trust = try await source.trust(of: commit, isNewest: commit == head.revision)
        trusts[commit.commit] = trust
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
    mutating func authorship() async throws(SourceError) -> Authorship {
        var authorship = Authorship()
        let changes = changesBySince
        interesting = changes.reduce(into: []) { $0.formUnion($1.1) }
        for (since, objects) in changes {
            try await search(for: objects, since: since, into: &authorship)
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
        }
        if head.declared.configuration != inForce.configuration { changed.insert(RepositoryConfiguration.id) }
        let held = Set(inForce.holds.map(\.id))
        var groups: [(HeldSince?, Set<ObjectID>)] = []
        for id in changed {
            let since =
                held.contains(id)
                ? inForce.heldSince[id] : HeldSince(commit: inForce.revision.commit, isFirstRevision: false)
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
        if let since, since.isFirstRevision {
            // Whoever signed what began it stands for all that came with it.
            commits.append(try await source.cachedRevision(commit: since.commit))
        }
        let range = Set(commits.map(\.commit)).union(since.map { [$0.commit] } ?? [])
        var unaccounted = objects
        for commit in commits {
            let isFirst = since?.isFirstRevision == true && commit.commit == since?.commit
            let content = isFirst ? objects : try await content(of: commit, within: range).intersection(objects)
            guard !content.isEmpty else { continue }
            unaccounted.subtract(content)
            switch try await trust(of: commit) {
            case .trusted(let signer): authorship.note(commit.author, signer, content)
            case .refused(_, let why):
                authorship.note(content, "commit \(commit.commit.prefix(12)) changed it, and is not trusted: \(why)")
            }
        }
        if !unaccounted.isEmpty {
            authorship.note(unaccounted, "no commit since then brings it in as it is")
        }
    }

    /// What a commit itself changed of what is asked about: what none of its parents declares so.
    ///
    /// Of a merge only parents within the range count: what it takes from older history it brings back itself.
    private mutating func content(
        of commit: Revision, within range: Set<String>
    ) async throws(SourceError) -> Set<ObjectID> {
        let isMerge = commit.parents.count > 1
        let inRange = commit.parents.filter(range.contains)
        let parents = isMerge && !inRange.isEmpty ? inRange : commit.parents
        let key = ([commit.commit] + parents).joined(separator: " ")
        if let known = contents[key] { return known }
        guard let declared = try await declared(by: commit) else {
            // What it changed cannot be told, so it may be anything.
            return interesting
        }
        var before: [DeclaredState] = []
        for parent in parents { before.append(try await declaredSoundly(by: parent)) }
        if before.isEmpty { before = [DeclaredState()] }
        let changed = interesting.filter { id in
            !before.contains { state in
                id == RepositoryConfiguration.id
                    ? state.configuration == declared.configuration
                    : state.objects[id]?.tree == declared.objects[id]?.tree
            }
        }
        contents[key] = changed
        return changed
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
