package import Git
package import Manifest
package import PolicyFiles
import Policy
package import Reconciler
package import Signatures

/// Which repository is followed, and where its clone is kept.
package struct GitSourceConfiguration: Sendable {
    package var url: RemoteURL
    package var reference: FollowedReference
    /// The folder of the repository that holds the manifests; empty for its root.
    package var path: String
    /// Which of the clusters is meant where the repository is for many.
    package var cluster: String?
    package var credentials: GitCredentials
    package var cacheDirectory: String
    package var fetchLimits: FetchLimits
    package var repositoryLimits: RepositoryLimits
    package var environment: [String: String]
    /// Whose signatures count.
    package var trustedKeys = TrustedKeys()

    package init(
        url: RemoteURL, reference: FollowedReference = .defaultBranch, path: String = "",
        cluster: String? = nil, credentials: GitCredentials = GitCredentials(), cacheDirectory: String,
        fetchLimits: FetchLimits = FetchLimits(), repositoryLimits: RepositoryLimits = RepositoryLimits(),
        environment: [String: String]
    ) {
        self.url = url
        self.reference = reference
        self.path = path
        self.cluster = cluster
        self.credentials = credentials
        self.cacheDirectory = cacheDirectory
        self.fetchLimits = fetchLimits
        self.repositoryLimits = repositoryLimits
        self.environment = environment
    }
}

/// Revisions of a policy repository, read from a bare clone at one commit each, never from a work tree.
package actor GitRevisionSource: RevisionSource {
    let configuration: GitSourceConfiguration
    let repository: GitRepository
    private let verifier: SignatureVerifier
    var cache = VerdictCache()

    /// Of a name or subject, in bytes: whoever may commit chooses them, and they stand in every log line and answer.
    private static let longestWords = 512

    package nonisolated var place: String {
        "\(configuration.cluster ?? "")\n\(configuration.path.split(separator: "/").filter { $0 != "." }.joined(separator: "/"))"
    }

    /// How far back the history is asked who declared an object (design, section 5.6).
    private static let historyCommits = 2_000

    package init(_ configuration: GitSourceConfiguration) {
        self.configuration = configuration
        verifier = SignatureVerifier(keys: configuration.trustedKeys, environment: configuration.environment)
        repository = GitRepository(
            url: configuration.url, directory: configuration.cacheDirectory, credentials: configuration.credentials,
            limits: configuration.fetchLimits, environment: configuration.environment)
    }

    /// Revisions of somebody's clone, as they are; nothing is fetched.
    ///
    /// - Parameters:
    ///   - path: The folder of the repository that holds the manifests; empty for its root.
    ///   - cluster: Which of the clusters is meant where the repository is for many.
    package init(
        readingCloneAt clone: String, path: String, cluster: String? = nil, environment: [String: String]
    ) throws(GitError) {
        repository = try GitRepository(readingCloneAt: clone, environment: environment)
        configuration = GitSourceConfiguration(
            url: try RemoteURL(clone), path: path, cluster: cluster, cacheDirectory: "", environment: environment)
        verifier = SignatureVerifier(keys: TrustedKeys(), environment: environment)
    }

    /// Lets go of the clone, so that another source can use its folder; a later call takes it up again.
    package func close() async { await repository.close() }

    /// The revision that a name means in the clone; see ``GitRepository/resolve(_:)``.
    package func revision(named name: String) async throws(SourceError) -> Revision {
        do throws(GitError) {
            return revision(try await repository.resolve(name))
        } catch {
            throw sourceError(error)
        }
    }

    /// Which commit between two revisions touched each of some files last.
    package func lastTouches(
        of files: [String], after base: Revision, upTo head: Revision
    ) async throws(SourceError) -> [String: String] {
        do throws(GitError) {
            return try await repository.lastTouches(of: files, after: base.commit, upTo: head.commit)
        } catch {
            throw sourceError(error)
        }
    }

    /// Whether a revision has the folder of the manifests at all.
    package func hasFolder(_ revision: Revision) async throws(SourceError) -> Bool {
        do throws(GitError) {
            return try await repository.files(of: revision.commit, below: configuration.path) != nil
        } catch {
            throw sourceError(error)
        }
    }

    package func fetchNewest() async throws(SourceError) -> Revision {
        do throws(GitError) {
            return revision(try await repository.fetch(configuration.reference))
        } catch {
            throw sourceError(error)
        }
    }

    package func cachedRevision(commit: String) async throws(SourceError) -> Revision {
        do throws(GitError) {
            return revision(try await repository.commit(commit))
        } catch {
            throw sourceError(error)
        }
    }

    package func hasCommit(_ commit: String) async throws(SourceError) -> Bool {
        do throws(GitError) {
            return try await repository.hasCommit(commit)
        } catch {
            throw sourceError(error)
        }
    }

    package func mergeBase(_ one: String, _ other: String) async throws(SourceError) -> String? {
        do throws(GitError) {
            return try await repository.mergeBase(one, other)
        } catch {
            throw sourceError(error)
        }
    }

    package func commits(
        upTo revision: Revision, after earlier: String?, wholeHistory: Bool
    ) async throws(SourceError) -> [Revision] {
        do throws(GitError) {
            return try await repository.commits(
                of: revision.commit, after: earlier, wholeHistory: wholeHistory, maximumCount: Self.historyCommits
            ).map(self.revision)
        } catch {
            throw sourceError(error)
        }
    }

    package func trust(of revision: Revision, isNewest: Bool) async throws(SourceError) -> CommitTrust {
        let signature: GitSignature?
        do throws(GitError) {
            if isNewest, case .tag(let tag) = configuration.reference,
                let signed = try await repository.signature(ofTag: tag, on: revision.commit)
            {
                signature = signed
            } else {
                signature = try await repository.signature(ofCommit: revision.commit)
            }
        } catch {
            // A tag that was signed for something else is a mistake of the revision, not of the fetch.
            guard error.kind == .noSuchReference || error.kind == .tooLarge else { throw sourceError(error) }
            return .refused(.commitSignatureBad, error.detail)
        }
        guard let signature else { return .refused(.commitUnsigned, "it has no signature") }
        switch await verifier.verify(payload: signature.payload, signature: signature.signature) {
        case .trusted(let signer):
            return .trusted(CommitSigner(name: signer.name, email: signer.email, fingerprint: signer.fingerprint))
        case .unsigned: return .refused(.commitUnsigned, "it has no signature")
        case .bad(let text): return .refused(.commitSignatureBad, text)
        case .expired(let text): return .refused(.signingKeyExpired, text)
        case .revoked(let text): return .refused(.signingKeyRevoked, text)
        case .untrusted(let text): return .refused(.signingKeyUntrusted, text)
        case .uncheckable(let text): return .refused(.signatureUncheckable, text)
        }
    }

    package func isAncestor(_ ancestor: String, of descendant: String) async throws(SourceError) -> Bool {
        do throws(GitError) {
            return try await repository.isAncestor(ancestor, of: descendant)
        } catch {
            throw sourceError(error)
        }
    }

    package func load(_ revision: Revision) async throws(SourceError) -> LoadedRevision {
        try await load(revision, isFolderNeeded: true)
    }

    package func loadEarlier(_ revision: Revision) async throws(SourceError) -> LoadedRevision {
        try await load(revision, isFolderNeeded: false)
    }

    private func load(_ revision: Revision, isFolderNeeded: Bool) async throws(SourceError) -> LoadedRevision {
        do throws(GitError) {
            guard let files = try await repository.files(of: revision.commit, below: configuration.path) else {
                guard isFolderNeeded else {
                    return LoadedRevision(
                        revision: revision, declared: DeclaredState(), findings: [], fileCount: 0, parsedFileCount: 0)
                }
                throw GitError(
                    kind: .notFound, operation: "read revision \(revision.commit)",
                    detail: "it has no folder \"\(configuration.path)\"",
                    hint: "Correct --path, or bring the folder back; nothing was deleted.")
            }
            let configured = try await layout(of: files)
            let layout = configured.layout
            let (verdicts, parsedCount) = try await verdicts(of: files) {
                layout.needs($0, for: configuration.cluster)
            }
            let (state, findings) = RepositoryAssembly(verdicts, in: layout).state(for: configuration.cluster)
            return LoadedRevision(
                revision: revision, declared: state, findings: findings, fileCount: verdicts.count,
                parsedFileCount: parsedCount + configured.parsedCount)
        } catch {
            // What is beyond the bounds is a mistake of the revision, not of the fetch.
            guard error.kind == .tooLarge else { throw sourceError(error) }
            let verdict = refusal(of: fullPath("."), error.detail, hint: error.hint)
            return LoadedRevision(
                revision: revision, declared: DeclaredState(), findings: verdict.findings, fileCount: 0,
                parsedFileCount: 0)
        }
    }

    package func declaredEarlier(
        _ objects: Set<ObjectID>, before commit: String
    ) async throws(SourceError) -> Set<ObjectID> {
        do throws(GitError) {
            var found: Set<ObjectID> = []
            var history = SeenHistory()
            for earlier in try await repository.history(of: commit, maximumCount: Self.historyCommits) {
                // A folder that was not there yet declared nothing.
                guard let files = try await repository.files(of: earlier, below: configuration.path) else { continue }
                let (layout, configurationVerdict, _) = try await layout(of: files)
                // For whom such a revision was cannot be told, and it was refused.
                if configurationVerdict?.hasErrors == true { continue }
                let unseen = history.unseen(
                    files.filter { $0.kind == .file && isManifestPath($0.path) }, in: layout)
                let verdicts = try await verdicts(of: unseen) { layout.needs($0, for: configuration.cluster) }.verdicts
                let declared = RepositoryAssembly(verdicts, in: layout).declarations(for: configuration.cluster)
                found.formUnion(declared.filter(objects.contains))
                if found.count == objects.count { break }
            }
            return found
        } catch {
            throw sourceError(error)
        }
    }

    // MARK: Words

    func revision(_ commit: GitCommit) -> Revision {
        let lines = commit.message.split(separator: "\n", omittingEmptySubsequences: false)
        let subject = String(lines.first { !$0.isEmpty } ?? "")
        return Revision(
            commit: commit.id, parents: commit.parents,
            author: Person(
                name: commit.authorName.bounded(toBytes: Self.longestWords),
                email: commit.authorEmail.bounded(toBytes: Self.longestWords)),
            committer: Person(
                name: commit.committerName.bounded(toBytes: Self.longestWords),
                email: commit.committerEmail.bounded(toBytes: Self.longestWords)),
            // Whoever commits says when: any number.
            committedAt: Timestamp(microsecondsSinceEpoch: 0).advanced(by: .seconds(commit.committedAt)),
            subject: subject.bounded(toBytes: Self.longestWords),
            trailers: commit.trailers.map { Revision.Trailer(key: $0.key, value: $0.value) },
            pullRequest: pullRequestNumber(subject: subject, message: commit.message))
    }

    func sourceError(_ error: GitError) -> SourceError {
        let isLasting = [.authentication, .untrustedServer, .noSuchReference, .notFound].contains(error.kind)
        return SourceError(
            Explanation(
                reason: IncidentReason.fetchFailed.rawValue, message: error.description,
                retry: isLasting ? .afterChange : .later, hint: error.hint))
    }
}
