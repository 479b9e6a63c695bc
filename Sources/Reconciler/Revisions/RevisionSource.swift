package import Manifest
package import Policy

/// Where revisions of the policy repository come from.
///
/// An adapter keeps the last good state of its cache whatever the remote does, bounds every wait and every size, and
/// names no credential in an error.
package protocol RevisionSource: Sendable {
    /// Which part of the repository is looked at: its path and the cluster's name.
    ///
    /// The same commit read in another place declares something else.
    nonisolated var place: String { get }

    /// Fetches and resolves the followed branch, tag or commit.
    func fetchNewest() async throws(SourceError) -> Revision

    /// Reads the whole declared state of one commit from the object database; what did not change since an earlier
    /// load is not parsed again.
    func load(_ revision: Revision) async throws(SourceError) -> LoadedRevision

    /// The same for a commit of the history: one that has no such folder yet declares nothing.
    func loadEarlier(_ revision: Revision) async throws(SourceError) -> LoadedRevision

    /// The revision of a commit that is in the cache already; does not touch the network.
    func cachedRevision(commit: String) async throws(SourceError) -> Revision

    /// Whether the cache has a commit: after a force-push a new one may not.
    func hasCommit(_ commit: String) async throws(SourceError) -> Bool

    /// The newest commit that two have in common; nil where their histories are unrelated.
    func mergeBase(_ one: String, _ other: String) async throws(SourceError) -> String?

    /// The commits that a revision has and an earlier commit has not, newest first, the revision itself among them.
    ///
    /// Without an earlier commit, or where it is no longer in the repository, the revision and what it merged. No more
    /// than a bounded number.
    ///
    /// - Parameter wholeHistory: Whether all of it is meant where there is no earlier commit.
    func commits(
        upTo revision: Revision, after earlier: String?, wholeHistory: Bool
    ) async throws(SourceError) -> [Revision]

    /// The commits of an earlier revision's history that what came since, up to a revision, says it takes back.
    ///
    /// As ``RevertClaims`` reads it, each once; nothing of it is proven. No more than a bounded number.
    func commitsTakenBack(by revision: Revision, after earlier: String) async throws(SourceError) -> [String]

    /// What the signature of a commit is worth by the operator's keys.
    ///
    /// - Parameter isNewest: Whether it is what the followed reference leads to: where that is a signed tag, the tag's
    ///   signature counts.
    func trust(of revision: Revision, isNewest: Bool) async throws(SourceError) -> CommitTrust

    /// Whether `descendant` contains `ancestor`; false as well where `ancestor` is no longer in the repository.
    func isAncestor(_ ancestor: String, of descendant: String) async throws(SourceError) -> Bool

    /// Those of `objects` that some commit in the history of `commit` declared.
    ///
    /// It proves ownership where the journal was lost (design, section 5.6). Looks at no more than a bounded number of commits, newest first.
    func declaredEarlier(_ objects: Set<ObjectID>, before commit: String) async throws(SourceError) -> Set<ObjectID>
}

/// A person as a commit names them; neither part is proven.
package struct Person: Sendable, Equatable {
    package var name: String
    package var email: String

    package init(name: String, email: String) {
        self.name = name
        self.email = email
    }

    package var description: String { email.isEmpty ? name : "\(name) <\(email)>" }
}

/// One commit of the policy repository.
package struct Revision: Sendable, Equatable {
    /// The full object id in lower-case hexadecimal.
    package var commit: String
    package var parents: [String]
    package var author: Person
    package var committer: Person
    package var committedAt: Timestamp
    /// The first line of the message.
    package var subject: String
    /// `Key: value` lines at the message's end, in order.
    package var trailers: [Trailer]
    /// Taken from the subject of a merge or squash (`Merge pull request #12`, `... (#12)`, `!12`), if it names one.
    package var pullRequest: Int?

    package struct Trailer: Sendable, Equatable {
        package var key: String
        package var value: String

        package init(key: String, value: String) {
            self.key = key
            self.value = value
        }
    }

    package init(
        commit: String, parents: [String] = [], author: Person, committer: Person, committedAt: Timestamp,
        subject: String, trailers: [Trailer] = [], pullRequest: Int? = nil
    ) {
        self.commit = commit
        self.parents = parents
        self.author = author
        self.committer = committer
        self.committedAt = committedAt
        self.subject = subject
        self.trailers = trailers
        self.pullRequest = pullRequest
    }
}

/// A revision and what it declares.
///
/// It is sound only where `findings` has no error.
package struct LoadedRevision: Sendable {
    package var revision: Revision
    package var declared: DeclaredState
    package var findings: [Finding]
    /// How many manifest files it has, and how many of them had to be parsed for this load.
    package var fileCount: Int
    package var parsedFileCount: Int

    package init(
        revision: Revision, declared: DeclaredState, findings: [Finding], fileCount: Int, parsedFileCount: Int
    ) {
        self.revision = revision
        self.declared = declared
        self.findings = findings
        self.fileCount = fileCount
        self.parsedFileCount = parsedFileCount
    }
}

/// What a person, a condition, a log line and a metric label need to know about a failure.
package struct Explanation: Equatable, Sendable {
    /// What the failure means for the next attempt.
    package enum Retry: Equatable, Sendable {
        /// It may pass by itself.
        case later
        /// Somebody must change something first.
        case afterChange
    }

    /// A stable CamelCase word, never reused for another meaning.
    package var reason: String
    package var message: String
    package var retry: Retry
    /// The reader's next step, one sentence.
    package var hint: String

    package init(reason: String, message: String, retry: Retry, hint: String) {
        self.reason = reason
        self.message = message
        self.retry = retry
        self.hint = hint
    }
}

/// Reading the policy repository failed.
///
/// No text in it holds a credential.
package struct SourceError: Error, Equatable {
    package var explanation: Explanation

    package init(_ explanation: Explanation) { self.explanation = explanation }
}
