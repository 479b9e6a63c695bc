import HTTPClient
import JSON
import Manifest

/// A request to a host's API as a value: nothing is sent by making one.
struct HostRequest: Sendable, Equatable {
    enum Method: String, Sendable { case get = "GET", post = "POST", put = "PUT", patch = "PATCH" }

    /// What a refusal for want of a right is about.
    enum Right: Sendable, Equatable { case whoAmI, statuses, comments }

    var method: Method
    /// Below the API's base address, with its query, encoded.
    var target: String
    var body: Tree?
    /// What is being done, to what; begins an error's message.
    var operation: String
    var right: Right
}

extension GitHostConfiguration {
    func httpRequest(_ request: HostRequest, limits: HTTPLimits) -> HTTPRequest {
        let secret = String(decoding: token.bytes, as: UTF8.self)
        var headers: [(name: String, value: String)]
        switch kind {
        case .github:
            headers = [
                ("Accept", "application/vnd.github+json"), ("X-GitHub-Api-Version", "2022-11-28"),
                ("Authorization", "Bearer \(secret)"),
            ]
        case .gitlab: headers = [("Accept", "application/json"), ("PRIVATE-TOKEN", secret)]
        case .gitea: headers = [("Accept", "application/json"), ("Authorization", "token \(secret)")]
        }
        if request.body != nil { headers.append(("Content-Type", "application/json")) }
        return HTTPRequest(
            method: request.method.rawValue, url: apiURL + request.target, headers: headers,
            body: request.body?.jsonBytes(), limits: limits)
    }

    /// Asks whose token this is.
    var whoAmI: HostRequest {
        HostRequest(
            method: .get, target: "/user", operation: "ask \(kind) whose token this is", right: .whoAmI)
    }
}
