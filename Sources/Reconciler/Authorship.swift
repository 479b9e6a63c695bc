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

    /// What an approver wrote, or may have written.
    func ownWork(of approver: Approver) -> Set<ObjectID> {
        let own = works.filter { approver.isNamed(by: $0.author) || approver.owns($0.signer) }
        return Set(own.flatMap(\.content)).union(unknown.flatMap(\.objects))
    }
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
    let source: any RevisionSource
    private var trusts: [String: CommitTrust] = [:]
    private var declared: [String: DeclaredState?] = [:]
    private var contents: [String: Set<ObjectID>] = [:]

    /// Those in which the author of one change is looked for.
    static let maximumCommits = 1000
    /// States that are kept: a commit's parent is mostly the next one that is looked at.
    private static let maximumStates = 16

    init(inForce: EnforcedState?, head: LoadedRevision, source: any RevisionSource) {
        self.inForce = inForce
        self.head = head
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
        let loaded = commit.commit == head.revision.commit ? head : try await source.load(commit)
        let state = loaded.findings.contains { $0.severity == .error } ? nil : loaded.declared
        if declared.count >= Self.maximumStates { declared = [:] }
        declared[commit.commit] = .some(state)
        return state
    }

    /// Who wrote what the revision changes.
    mutating func authorship() async throws(SourceError) -> Authorship {
        var authorship = Authorship()
        for (since, objects) in changesBySince {
            try await search(for: objects, since: since, into: &authorship)
        }
        return authorship
    }

    /// What differs from what is in force, by the commit after which it was written; nil: at any time.
    private var changesBySince: [(HeldSince?, Set<ObjectID>)] {
        guard let inForce else {
            return [(nil, Set(head.declared.objects.keys).union([RepositoryConfiguration.id]))]
        }
        let changed = Set(head.declared.objects.keys).union(inForce.objects.keys).filter {
            head.declared.objects[$0]?.tree != inForce.objects[$0]?.tree
        }
        let held = Set(inForce.holds.map(\.id))
        var groups: [(HeldSince?, Set<ObjectID>)] = []
        for id in changed.union([RepositoryConfiguration.id]) {
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
        for commit in commits {
            let isFirst = since?.isFirstRevision == true && commit.commit == since?.commit
            let content = isFirst ? objects : try await content(of: commit).intersection(objects)
            guard !content.isEmpty else { continue }
            switch try await trust(of: commit) {
            case .trusted(let signer): authorship.note(commit.author, signer, content)
            case .refused(_, let why):
                authorship.note(content, "commit \(commit.commit.prefix(12)) changed it, and is not trusted: \(why)")
            }
        }
    }

    /// What a commit itself changed: what none of its parents declares so.
    private mutating func content(of commit: Revision) async throws(SourceError) -> Set<ObjectID> {
        if let known = contents[commit.commit] { return known }
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
        contents[commit.commit] = changed
        return changed
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
