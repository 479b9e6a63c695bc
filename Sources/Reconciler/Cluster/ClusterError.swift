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
        /// It was not sent: this replica does not lead, or not for long enough any more (rule K8).
        case notLeading
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
