package import HTTPClient
import JSON
import Manifest

/// Tells a Git host what became of a commit or a pull request.
///
/// Redirects are not followed, and nothing is tried twice: a pipeline's step is repeated as a whole, and whoever
/// reports statuses again and again has a pace of his own. A write that got no answer may have happened; the next
/// comment finds it, and the next status replaces it.
package final class GitHostClient: Sendable {
    package let configuration: GitHostConfiguration
    private let exchanger: HTTPExchanger
    private let limits: HTTPLimits
    private let maximumPages: Int

    /// - Parameters:
    ///   - limits: Of each request; the size is that of one page of comments.
    ///   - maximumPages: Of comments on one request, before it is refused.
    package init(
        _ configuration: GitHostConfiguration, userAgent: String = "bylaw",
        limits: HTTPLimits = HTTPLimits(total: .seconds(60), idle: .seconds(30), maximumAnswerBytes: 64 << 20),
        maximumPages: Int = 500
    ) {
        self.configuration = configuration
        self.limits = limits
        self.maximumPages = maximumPages
        exchanger = HTTPExchanger(
            tls: TLSConfiguration(certificateAuthorities: configuration.certificateAuthorities),
            proxy: configuration.proxy, userAgent: userAgent, maximumConnections: 2)
    }

    // MARK: Statuses

    /// What became of a status.
    package enum StatusOutcome: Sendable, Equatable {
        case recorded
        /// The host has it in this state already; on GitLab the description stays what it was.
        case unchanged
    }

    /// Records a commit's status; a later one of the same context replaces it.
    ///
    /// GitHub takes at most 1,000 of one context for a commit, so report changes and not each round.
    @discardableResult
    package func record(_ status: CommitStatus) async throws(GitHostError) -> StatusOutcome {
        let request = try configuration.request(recording: status)
        do throws(GitHostError) {
            _ = try await send(request)
            return .recorded
        } catch {
            guard case .rejected(let refusal) = error, configuration.isUnchanged(status, refusal) else { throw error }
            return .unchanged
        }
    }

    // MARK: Comments

    /// What became of a comment.
    package enum CommentOutcome: Sendable, Equatable {
        case created(id: Int64)
        case updated(id: Int64)
        /// It says this already; nothing was written.
        case unchanged(id: Int64)
    }

    /// Makes our one comment of this name on a pull or merge request say this.
    ///
    /// Ours is what begins with the marker and is by our own account; where GitHub does not tell which that is (to apps
    /// and workflows), what begins with it and is by a bot. So nobody can put our words into a comment that he can edit
    /// afterwards. Two runs at the same moment can each create one; from then on the newest is kept up to date, for it
    /// is what a reader sees last.
    ///
    /// - Throws: ``GitHostError/unexpectedAnswer(operation:detail:hint:)`` too where there are more pages of comments
    ///   than allowed: a comment that was overlooked would be repeated.
    @discardableResult
    package func put(
        _ comment: RequestComment, onRequest number: Int
    ) async throws(GitHostError) -> CommentOutcome {
        guard number > 0 else {
            throw .unusable(
                what: "\(number) is no number of a \(configuration.kind.requestName)",
                hint: "Give the number that its address ends in.")
        }
        let body = comment.body(on: configuration.kind)
        guard let ours = try await newestOwn(comment, onRequest: number) else {
            let request = configuration.requestCreating(body, on: number)
            return .created(id: try id(request, try await send(request)))
        }
        if hasSameText(ours.body, body) { return .unchanged(id: ours.id) }
        _ = try await send(configuration.requestUpdating(ours.id, to: body, on: number))
        return .updated(id: ours.id)
    }

    private func newestOwn(
        _ comment: RequestComment, onRequest number: Int
    ) async throws(GitHostError) -> HostComment? {
        let marked = try await allComments(onRequest: number) { comment.isMarked($0.body) }
        // Asked even where nothing is marked: a token that may not say whose it is shall fail in the first run already.
        let account = try await ownAccount()
        return marked.filter(account.isAuthor).max { $0.id < $1.id }
    }

    /// Those of all pages that are wanted.
    private func allComments(
        onRequest number: Int, where isWanted: (HostComment) -> Bool
    ) async throws(GitHostError) -> [HostComment] {
        var comments: [HostComment] = []
        var query: String?
        for _ in 0..<maximumPages {
            let request = configuration.requestListing(commentsOn: number, query: query)
            let answer = try await send(request)
            guard let page = try json(request, answer).array else {
                throw configuration.unexpected(request, "the answer is no list of comments")
            }
            comments += page.compactMap { HostComment($0, on: configuration.kind) }.filter(isWanted)
            let next = nextPageQuery(answer.headers)
            guard next != nil else { return comments }
            guard next != query else {
                throw configuration.unexpected(request, "the page after \(next ?? "") is the same page again")
            }
            query = next
        }
        throw .unexpectedAnswer(
            operation: configuration.requestListing(commentsOn: number, query: nil).operation,
            detail: "there are more than \(maximumPages) pages of them, and ours could be on any",
            hint: "Close this \(configuration.kind.requestName) and open another, or delete comments.")
    }

    private func ownAccount() async throws(GitHostError) -> OwnAccount {
        let request = configuration.whoAmI
        do throws(GitHostError) {
            return .known(try id(request, try await send(request)))
        } catch {
            guard case .forbidden = error, configuration.kind == .github else { throw error }
            return .someBot
        }
    }

    // MARK: Sending

    private func send(_ request: HostRequest) async throws(GitHostError) -> HTTPResponse {
        let answer: HTTPResponse
        do throws(HTTPError) {
            answer = try await exchanger.send(configuration.httpRequest(request, limits: limits))
        } catch {
            throw configuration.unreachable(request, error)
        }
        guard (200..<300).contains(answer.status) else { throw configuration.refusal(of: request, answer) }
        return answer
    }

    private func json(_ request: HostRequest, _ answer: HTTPResponse) throws(GitHostError) -> Tree {
        do throws(JSONError) {
            return try parseJSON(answer.body, limits: JSONLimits(maximumBytes: limits.maximumAnswerBytes))
        } catch {
            throw configuration.unexpected(request, "the answer is not JSON (\(error.message))")
        }
    }

    private func id(_ request: HostRequest, _ answer: HTTPResponse) throws(GitHostError) -> Int64 {
        guard let id = try json(request, answer)["id"]?.integer else {
            throw configuration.unexpected(request, "the answer has no id")
        }
        return id
    }
}
