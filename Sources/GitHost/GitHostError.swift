package import HTTPClient

/// Talking to a Git host failed.
///
/// Each case but the first knows what was being done, and to what. No text in it holds the token: what a host says is
/// looked through for it.
package enum GitHostError: Error, Sendable, Equatable {
    /// Something that was given cannot be used; nothing was sent.
    case unusable(what: String, hint: String)
    /// No answer came.
    case unreachable(operation: String, kind: HTTPError.Kind, detail: String, hint: String)
    /// 401: the token is wrong or has expired.
    case unauthenticated(Refusal)
    /// 403: the token is good, and may not do this.
    case forbidden(Refusal)
    /// 404: it is not there, or the token may not see it.
    case notFound(Refusal)
    /// Any other 4xx: the host does not take what was sent.
    case rejected(Refusal)
    /// 429, or 403 where the host says that this is why.
    case rateLimited(Refusal, retryAfter: Duration?)
    /// 3xx: it is somewhere else, and the token is not carried there.
    case redirected(Refusal)
    /// 5xx.
    case broken(Refusal)
    /// The answer is not what the host's API documents.
    case unexpectedAnswer(operation: String, detail: String, hint: String)

    /// An answer that says no.
    package struct Refusal: Sendable, Equatable {
        package var operation: String
        package var status: Int
        /// The host's own words, bounded, on one line; empty where it said nothing that can be read.
        package var said: String
        package var hint: String

        package init(operation: String, status: Int, said: String, hint: String) {
            self.operation = operation
            self.status = status
            self.said = said
            self.hint = hint
        }

        var message: String { "\(operation): HTTP \(status)\(said.isEmpty ? "" : ": \(said)")" }
    }

    /// What was being done, to what, and why it failed.
    package var message: String {
        switch self {
        case .unusable(let what, _): what
        case .unreachable(let operation, _, let detail, _): "\(operation): \(detail)"
        case .unexpectedAnswer(let operation, let detail, _): "\(operation): \(detail)"
        case .unauthenticated(let refusal), .forbidden(let refusal), .notFound(let refusal), .rejected(let refusal),
            .rateLimited(let refusal, _), .redirected(let refusal), .broken(let refusal):
            refusal.message
        }
    }

    /// The reader's next step, one sentence.
    package var hint: String {
        switch self {
        case .unusable(_, let hint), .unreachable(_, _, _, let hint), .unexpectedAnswer(_, _, let hint): hint
        case .unauthenticated(let refusal), .forbidden(let refusal), .notFound(let refusal), .rejected(let refusal),
            .rateLimited(let refusal, _), .redirected(let refusal), .broken(let refusal):
            refusal.hint
        }
    }

    /// Whether trying again later may help without anybody changing anything.
    package var mayPass: Bool {
        switch self {
        case .rateLimited, .broken: true
        case .unreachable(_, let kind, _, _):
            switch kind {
            case .couldNotResolve, .couldNotConnect, .timedOut, .stalled, .closedEarly, .other: true
            default: false
            }
        default: false
        }
    }
}

extension GitHostError: CustomStringConvertible {
    package var description: String { hint.isEmpty ? message : "\(message); \(hint)" }
}
