import HTTPClient
import JSON
import Manifest

extension GitHostConfiguration {
    /// What an answer that is no success means.
    func refusal(of request: HostRequest, _ answer: HTTPResponse) -> GitHostError {
        var refusal = GitHostError.Refusal(
            operation: request.operation, status: answer.status, said: hostMessage(answer.body), hint: "")
        switch answer.status {
        case 300..<400:
            let place = answer.headers["location"].map { redactedURL(withoutToken($0)).onOneLine(maximum: 200) }
            refusal.said = place.map { "it is at \($0) now" } ?? refusal.said
            refusal.hint =
                "Give the API's and the repository's present address: the token is not sent on to another one."
            return .redirected(refusal)
        case 401:
            refusal.hint = "Check that the token file holds a token of this host that has not expired or been revoked."
            return .unauthenticated(refusal)
        case 403 where isRateLimit(answer, said: refusal.said), 429:
            let wait = answer.headers["retry-after"].flatMap { Int64($0) }.map {
                Duration.seconds(min(max($0, 0), 86_400))
            }
            refusal.hint = rateLimitHint(answer, wait: wait)
            return .rateLimited(refusal, retryAfter: wait)
        case 403:
            refusal.hint = rightHint(request.right)
            return .forbidden(refusal)
        case 404:
            refusal.hint =
                "Check the repository, the number or commit, and the API's address; \(kind) answers so too "
                + "where the token may not see the repository."
            return .notFound(refusal)
        case 500...:
            refusal.hint = "\(kind) has trouble of its own; try again later."
            return .broken(refusal)
        default:
            refusal.hint =
                request.right == .statuses
                ? "Check that the commit has been pushed to this repository, and what the host says."
                : "Check what the host says; the \(kind.requestName) may be locked or archived."
            return .rejected(refusal)
        }
    }

    /// GitHub answers 403 to too many requests as well, and says so in one of three ways.
    private func isRateLimit(_ answer: HTTPResponse, said: String) -> Bool {
        answer.headers["retry-after"] != nil || answer.headers["x-ratelimit-remaining"] == "0"
            || said.lowercased().contains("rate limit")
    }

    private func rateLimitHint(_ answer: HTTPResponse, wait: Duration?) -> String {
        if let wait { return "Try again in \(wait.components.seconds) s; fewer runs at a time need fewer requests." }
        let reset = answer.headers["x-ratelimit-reset"] ?? answer.headers["ratelimit-reset"]
        if let seconds = reset.flatMap({ Int64($0) }), (0...253_402_300_799).contains(seconds) {
            return "Try again after \(Timestamp(microsecondsSinceEpoch: seconds * 1_000_000)), when the limit is over."
        }
        return "Try again in some minutes; fewer runs at a time need fewer requests."
    }

    private func rightHint(_ right: HostRequest.Right) -> String {
        switch (kind, right) {
        case (.github, .statuses):
            "Give the token the right \"Commit statuses: write\" (classic: repo:status; in a workflow: "
                + "statuses: write)."
        case (.github, .comments):
            "Give the token the right \"Pull requests: write\" (classic: repo; in a workflow: pull-requests: write, "
                + "which a pull request from a fork does not get)."
        case (.github, .whoAmI): "Use a token of this host's API."
        case (.gitlab, .statuses):
            "Give the access token the scope api and the role Developer; on protected branches, who may merge there."
        case (.gitlab, .comments):
            "Give the access token the scope api and at least the role Reporter; a CI_JOB_TOKEN may not."
        case (.gitlab, .whoAmI): "Give the access token the scope api."
        case (.gitea, .statuses):
            "Give the token the scope write:repository, and its account the right to write to the repository."
        case (.gitea, .comments): "Give the token the scope write:issue, and its account access to the repository."
        case (.gitea, .whoAmI):
            "Give the token the scope read:user, so that its own comment can be told from one that others wrote."
        }
    }

    /// Why no answer came, with the next step.
    func unreachable(_ request: HostRequest, _ error: HTTPError) -> GitHostError {
        let hint =
            switch error.kind {
            case .couldNotResolve: "Check the host's name in the API's address, and DNS."
            case .couldNotConnect: "Check the API's address and port, and that the host runs."
            case .tlsUntrusted: "Give the authority that signed the host's certificate with --git-ca-file."
            case .tlsNameMismatch: "Use an address that the host's certificate names."
            case .tlsClientCertificate, .tlsOther: "Check that the API's address and port speak TLS 1.2 or newer."
            case .tooLarge: "No such answer is of use here; check the API's address, and who writes such comments."
            case .invalidURL: "Correct the API's address."
            case .proxy: "Check HTTPS_PROXY and NO_PROXY."
            case .timedOut, .stalled, .closedEarly, .cancelled, .other:
                "Check the network between here and the host; it may pass by itself."
            }
        return .unreachable(
            operation: request.operation, kind: error.kind, detail: withoutToken(error.message), hint: hint)
    }

    func unexpected(_ request: HostRequest, _ detail: String) -> GitHostError {
        .unexpectedAnswer(
            operation: request.operation, detail: detail,
            hint: "Check that the address is that of \(kind)'s API (it ends in \(kind.apiPath), or is api.github.com).")
    }

    /// The host's own words out of an answer's JSON, on one line, at most 300 characters, without the token.
    ///
    /// GitHub and Gitea give a `message`, GitHub `errors` beside it; GitLab's `message` may also be lists by field, and
    /// its gateway writes `error` and `error_description`.
    private func hostMessage(_ body: [UInt8]) -> String {
        let tree: Tree
        do throws(JSONError) {
            tree = try parseJSON(body, limits: JSONLimits(maximumBytes: 1 << 20, maximumDepth: 20))
        } catch {
            // A page of some proxy: its markup helps nobody.
            return ""
        }
        var words: [String] = []
        for key in ["message", "error", "error_description", "errors"] {
            tree[key].map { collectTexts($0, into: &words, named: nil) }
        }
        return withoutToken(words.joined(separator: "; ")).onOneLine(maximum: 300)
    }

    private func collectTexts(_ tree: Tree, into words: inout [String], named name: String?) {
        guard words.count < 10 else { return }
        switch tree {
        case .string(let text): words.append((name.map { "\($0): " } ?? "") + String(text.prefix(1000)))
        case .array(let elements): for element in elements { collectTexts(element, into: &words, named: name) }
        case .object(let members):
            for member in members where !["documentation_url", "resource", "code", "url"].contains(member.key) {
                collectTexts(member.value, into: &words, named: member.key == "message" ? name : member.key)
            }
        default: break
        }
    }

    /// A host that repeats what it was sent must not carry the token into a log.
    private func withoutToken(_ text: String) -> String {
        let secret = String(decoding: token.bytes, as: UTF8.self)
        return text.split(separator: secret, omittingEmptySubsequences: false).joined(separator: "(redacted)")
    }
}

/// The query of the page after this one, of what the host says in `Link` (RFC 8288) or `X-Next-Page`; nil at the end.
///
/// Only the query is taken: the next request goes to the same path of the same host, whatever the link names, so that
/// the token never goes elsewhere and a host that does not know its outer address is read all the same.
func nextPageQuery(_ headers: HTTPHeaders) -> String? {
    for line in headers.all("link") {
        for link in line.split(separator: ",") where isNext(link) {
            guard let start = link.firstIndex(of: "<"), let end = link.firstIndex(of: ">"), start < end else {
                continue
            }
            let address = link[link.index(after: start)..<end]
            guard let mark = address.firstIndex(of: "?") else { continue }
            let query = address[address.index(after: mark)...].prefix { $0 != "#" }
            guard !query.isEmpty, query.utf8.count <= 2048, query.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
                continue
            }
            return String(query)
        }
    }
    return headers["x-next-page"].flatMap { UInt32($0) }.map { "page=\($0)" }
}

private func isNext(_ link: Substring) -> Bool {
    link.split(separator: ";").dropFirst().contains { parameter in
        let words = parameter.split(separator: "=", maxSplits: 1).map { $0.filter { $0 != " " && $0 != "\"" } }
        return words.count == 2 && words[0].lowercased() == "rel" && words[1].lowercased() == "next"
    }
}
