import ChildProcess
import Foundation
import HTTPClient

/// One step of the smart HTTP protocol: a GET of the references, or a POST of what we want.
final class HTTPStream: GitStream {
    private let fetch: FetchContext
    private let isAdvertisement: Bool
    private var service: String { fetch.purpose.service }
    private var isPush: Bool { fetch.purpose == .push }
    private var request: [UInt8] = []
    private var exchange: BlockingExchange?

    init(_ fetch: FetchContext, isAdvertisement: Bool) {
        self.fetch = fetch
        self.isAdvertisement = isAdvertisement
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(GitError) {
        request.append(contentsOf: bytes)
        guard request.count <= FetchContext.maximumSentBytes else {
            throw GitError(
                kind: .tooLarge, operation: fetch.operation,
                detail: "what is sent grew beyond \(FetchContext.maximumSentBytes >> 20) MiB")
        }
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(GitError) -> Int {
        let exchange = try begin()
        do throws(HTTPError) {
            return try exchange.read(into: buffer)
        } catch {
            throw explain(error)
        }
    }

    /// Sends the request with the first read: until then libgit2 may still be writing it.
    private func begin() throws(GitError) -> BlockingExchange {
        if let exchange { return exchange }
        var headers: [(name: String, value: String)] = [("Pragma", "no-cache")]
        if let secret = fetch.authorization {
            headers.append(("Authorization", String(decoding: secret.bytes, as: UTF8.self)))
        }
        var limits = HTTPLimits(
            connect: fetch.limits.connect, total: nil, idle: fetch.limits.stall,
            maximumAnswerBytes: fetch.limits.maximumBytes)
        limits.total = nil
        let call: HTTPRequest
        if isAdvertisement {
            headers.append(("Accept", "*/*"))
            call = HTTPRequest(
                url: "\(fetch.url.text)/info/refs?service=\(service)", headers: headers, limits: limits)
        } else {
            headers.append(("Content-Type", "application/x-\(service)-request"))
            headers.append(("Accept", "application/x-\(service)-result"))
            call = HTTPRequest(
                method: "POST", url: "\(fetch.url.text)/\(service)", headers: headers, body: request,
                limits: limits)
        }
        let started: BlockingExchange
        do throws(HTTPError) {
            started = try BlockingExchange(
                call, tls: fetch.tls, proxy: fetch.proxy, userAgent: "git/2.0 (bylaw)", deadline: fetch.deadline,
                isCancelled: { [flag = fetch.isCancelled] in flag.isSet })
            try started.begin()
        } catch {
            throw explain(error)
        }
        try checkAnswer(started)
        exchange = started
        return started
    }

    private func checkAnswer(_ exchange: BlockingExchange) throws(GitError) {
        let operation = fetch.operation
        switch exchange.status {
        case 200: break
        case 301, 302, 303, 307, 308:
            throw GitError(
                kind: .network, operation: operation, detail: "the server redirects elsewhere",
                hint: "Use the address it redirects to: \(redactedURL(exchange.headers["location"] ?? "unknown")).")
        case 401, 403:
            throw GitError(
                kind: .authentication, operation: operation,
                detail: "the server refused the credentials (HTTP \(exchange.status))",
                hint:
                    "Check that the token is right, has not expired and may \(isPush ? "push to" : "read") this repository."
            )
        case 404:
            throw GitError(
                kind: .network, operation: operation, detail: "the server knows no such repository (HTTP 404)",
                hint: "Check the address; some servers answer so as well where the token may not read it.")
        case 429, 500...:
            throw GitError(
                kind: .network, operation: operation, detail: "the server answered with HTTP \(exchange.status)",
                hint: "It may pass by itself.")
        default:
            throw GitError(
                kind: .network, operation: operation, detail: "the server answered with HTTP \(exchange.status)",
                hint: "Check that the address is that of a Git repository.")
        }
        let expected =
            isAdvertisement ? "application/x-\(service)-advertisement" : "application/x-\(service)-result"
        guard exchange.headers["content-type"]?.lowercased().hasPrefix(expected) == true else {
            throw GitError(
                kind: .network, operation: operation, detail: "the server does not answer as a Git server",
                hint: "Check that the address is that of a Git repository served over smart HTTP.")
        }
    }

    private func explain(_ error: HTTPError) -> GitError {
        let (kind, hint): (GitError.Kind, String) =
            switch error.kind {
            case .couldNotResolve: (.network, "Check the host's name, and DNS.")
            case .couldNotConnect: (.network, "Check that the Git server runs and that its address and port are right.")
            case .tlsUntrusted, .tlsNameMismatch, .tlsClientCertificate, .tlsOther:
                (
                    .untrustedServer,
                    "Give the authority of its certificate with --git-ca-file, and check the host's name."
                )
            case .timedOut, .stalled: (.timedOut, "Check that the Git server answers; \(fetch.retryHint)")
            case .tooLarge: (.tooLarge, "Follow a smaller repository.")
            case .cancelled: (.cancelled, "")
            case .proxy: (.network, "Check the proxy's address, HTTPS_PROXY and NO_PROXY.")
            default: (.network, "Check the network; it may pass by itself.")
            }
        return GitError(kind: kind, operation: fetch.operation, detail: error.message, hint: hint)
    }
}
