package import Manifest
package import Policy

/// Where revisions of the policy repository come from.
///
/// An adapter keeps the last good state of its cache whatever the remote does, bounds every wait and every size, and
/// names no credential in an error.
package protocol RevisionSource: Sendable {
    /// Fetches and resolves the followed branch, tag or commit.
    func fetchNewest() async throws(SourceError) -> Revision

    /// Reads the whole declared state of one commit from the object database; what did not change since an earlier
    /// load is not parsed again.
    func load(_ revision: Revision) async throws(SourceError) -> LoadedRevision

    /// The revision of a commit that is in the cache already; does not touch the network.
    func cachedRevision(commit: String) async throws(SourceError) -> Revision

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

/// The cluster, as much of it as reconciling needs.
///
/// Identity, bookkeeping and every refusal come back in the words of ``ClusterError``; an adapter never turns a failed
/// read into an empty answer.
package protocol ClusterAPI: Sendable {
    /// Who the server takes us for; nil where it has no way to tell.
    func whoWeAre() async throws(ClusterError) -> UserIdentity?

    /// Every object of a kind, as one consistent snapshot at the most recent version (rules C1 and C2).
    func list(_ resource: Resource) async throws(ClusterError) -> ObjectList

    /// The object as it is now; nil only where the server says that this object, and not its namespace, is absent (rule B7).
    func read(_ id: ObjectID) async throws(ClusterError) -> LiveObject?

    /// Lists and then watches a kind for ever, resuming, relisting and backing off by the rules of section C.
    ///
    /// Ends only when the task that reads it is cancelled.
    func observe(_ resource: Resource) -> AsyncStream<Observation>

    /// Server-side apply, forced, with our field manager (rule D1).
    ///
    /// With `expecting` set, its uid and resource version go into the body, so that nothing that moved is overwritten
    /// and nothing that is gone is made again (rule D24).
    func apply(_ body: Tree, to id: ObjectID, expecting: LiveObject?, isDryRun: Bool) async throws(ClusterError)
        -> WriteAnswer

    /// A JSON merge patch (RFC 7386) on the object in exactly the version of `expecting` (rule D11).
    func mergePatch(_ patch: Tree, to id: ObjectID, expecting: LiveObject) async throws(ClusterError) -> WriteAnswer

    /// A JSON patch (RFC 6902); the patch itself carries the version it was made for (rule D15).
    func jsonPatch(_ patch: Tree, to id: ObjectID) async throws(ClusterError) -> WriteAnswer

    /// A create that is only checked, never stored: it finds out whether we may (rule F3).
    func dryRunCreate(_ body: Tree, as id: ObjectID) async throws(ClusterError)

    /// Deletes the object in exactly the version of `expecting`, in the background (rules F8 and H3).
    func delete(_ id: ObjectID, expecting: LiveObject) async throws(ClusterError) -> DeleteAnswer
}

/// A complete list.
package struct ObjectList: Sendable {
    package var objects: [LiveObject]
    package var resourceVersion: String

    package init(objects: [LiveObject], resourceVersion: String) {
        self.objects = objects
        self.resourceVersion = resourceVersion
    }
}

/// What a watch tells about one kind.
///
/// The state counts, not the event: `upserted` may repeat what is known (rule C11).
package enum Observation: Sendable {
    /// A complete list took the place of everything known before; what is missing from it is gone (rule C9).
    /// `isRewound` says that the server's history went back (rule C8).
    case replaced(ObjectList, isRewound: Bool)
    case upserted(LiveObject)
    case deleted(LiveObject)
    /// A watch is open: whatever changes from the last list or event on will be told.
    case watching
    /// What is known may be out of date from here on, until a watch is open again, which is tried by itself.
    case interrupted(ClusterError)
}

/// What a write was answered with.
package struct WriteAnswer: Sendable {
    /// The object after the write; for a dry run as it would be.
    package var object: Tree
    /// Nil for a dry run of a create, which has no uid or version.
    package var live: LiveObject?
    package var wasCreated: Bool
    /// The texts of the `Warning` headers (rule D26).
    package var warnings: [String]
    /// The request's id in the API server's audit log, where the server sent it (rule M12).
    package var auditID: String?

    package init(object: Tree, live: LiveObject?, wasCreated: Bool, warnings: [String] = [], auditID: String? = nil) {
        self.object = object
        self.live = live
        self.wasCreated = wasCreated
        self.warnings = warnings
        self.auditID = auditID
    }
}

package enum DeleteAnswer: Sendable {
    case gone(auditID: String?)
    /// Finalizers hold it; it is marked for deletion (rule F7).
    case pending(LiveObject, auditID: String?)
}

/// A request to the API server that failed, told apart by what it means for the next step (rule N5).
package struct ClusterError: Error, Sendable, Equatable {
    package enum Kind: String, Sendable, Equatable, CaseIterable {
        /// No connection, a time-out, or an answer that is no Kubernetes answer. A write may have happened.
        case unreachable
        /// 429 or a 5xx that may pass. A write may have happened.
        case busy
        /// 401.
        case unauthenticated
        /// 403 of the authorizer or the escalation check.
        case forbidden
        /// The object is not there.
        case notFound
        /// The namespace is not there (rule B7).
        case namespaceNotFound
        /// The role that a binding names is not there (rule G4).
        case roleNotFound
        /// The group or resource is not served.
        case resourceNotServed
        /// Another version or uid than the one expected (rule D4).
        case conflict
        /// Another field manager owns a field, without force.
        case fieldConflict
        case alreadyExists
        /// The namespace, or the object of the same name, is being deleted (rule F9).
        case terminating
        /// The object itself is wrong, in the server's eyes: only another object can help (rules D20, F5).
        case invalid
        /// The `roleRef` of a binding cannot be changed (rule F1).
        case roleRefImmutable
        /// A quota's scopes cannot be changed (rule F5).
        case fieldImmutable
        /// An admission webhook or policy refused (rule G6).
        case denied
        /// The resource version is too old: list again (rule C6).
        case expired
        /// The answer is larger than may be held in memory. A write may have happened.
        case tooLarge
        /// The task was cancelled.
        case cancelled
    }

    package var kind: Kind
    /// The HTTP status, or 0 where no answer came.
    package var status: Int
    /// What was being done, to what, and what the server said; one line, no credential.
    package var message: String
    /// The server's own causes: field path and text.
    package var causes: [Cause]
    /// How long the server asked to wait.
    package var retryAfter: Duration?
    /// The reader's next step, one sentence.
    package var hint: String

    package struct Cause: Sendable, Equatable {
        package var field: String
        package var reason: String
        package var message: String

        package init(field: String, reason: String, message: String) {
            self.field = field
            self.reason = reason
            self.message = message
        }
    }

    package init(
        kind: Kind, status: Int, message: String, causes: [Cause] = [], retryAfter: Duration? = nil, hint: String = ""
    ) {
        self.kind = kind
        self.status = status
        self.message = message
        self.causes = causes
        self.retryAfter = retryAfter
        self.hint = hint
    }

    /// Whether the write that failed like this may have happened all the same.
    package var leavesOutcomeUnknown: Bool { [.unreachable, .busy, .tooLarge, .cancelled].contains(kind) }
}
