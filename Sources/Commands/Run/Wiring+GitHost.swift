import Arguments
import Foundation
import GitHost
import HTTPClient
import HTTPServer
import Telemetry

/// What a Git host is told, and what it tells.
extension Wiring {
    /// Nil where no token is given: then nothing is reported.
    func statusReporter(cluster: String, logger: Logger) throws -> StatusReporter? {
        guard let host = try statusHost() else { return nil }
        return StatusReporter(
            client: GitHostClient(host, userAgent: "bylaw/\(bylawVersion)"), cluster: cluster, logger: logger)
    }

    /// The host that is told what became of a commit; nil where none is.
    func statusHost() throws -> GitHostConfiguration? {
        guard let file = arguments.text("status-token-file") else { return nil }
        return try gitHost(
            kind: arguments.text("status-host"), api: arguments.text("status-api"),
            repository: arguments.text("status-repository"), tokenFile: file)
    }

    /// Where webhooks are taken, and the secret that they are signed with; nil where none are.
    func webhookPlace() throws -> (address: String, port: Int, secret: SecretBytes)? {
        guard let text = arguments.text("webhook-listen") else { return nil }
        guard let file = arguments.text("webhook-secret-file") else {
            throw CommandFailure(
                message: "--webhook-listen needs --webhook-secret-file",
                hint: "Anybody could send webhooks else: write the secret that the host signs with into a file.")
        }
        let secret = try secret(in: file)
        let (address, port) = try listeningAddress(text, flag: "webhook-listen")
        return (address, port, secret)
    }

    /// Nil where no address is given.
    func webhookListener(
        logger: Logger, onPush: @escaping @Sendable () async -> Void
    ) throws -> HTTPListener? {
        guard let (address, port, secret) = try webhookPlace() else { return nil }
        let receiver = WebhookReceiver(secret: secret) { reference in
            logger.log(.info, "The Git host tells of a push", [("reference", reference)])
            Task { await onPush() }
        }
        do throws(ListenerError) {
            let listener = try HTTPListener(
                address: address, port: port,
                limits: ListenerLimits(
                    maximumConnections: 32, maximumBodyBytes: maximumWebhookBytes, idleTimeout: .seconds(10),
                    exchangeTimeout: .seconds(20))
            ) { request in
                let answer = receiver.answer(
                    WebhookReceiver.Request(
                        method: request.method, path: request.path, headers: request.headers, body: request.body))
                return .line(answer.status, answer.text)
            }
            logger.log(.notice, "Taking webhooks", [("address", address), ("port", String(listener.port))])
            return listener
        } catch {
            throw CommandFailure(message: error.message, hint: "Choose another --webhook-listen address or port.")
        }
    }

    /// A host by what the person says of it, and else by the address of the policy repository.
    func gitHost(kind: String?, api: String?, repository: String?, tokenFile: String) throws -> GitHostConfiguration {
        let named = kind.flatMap(GitHostKind.init)
        let token = try secret(in: tokenFile)
        let authorities = try arguments.text("git-ca-file").map { try readFile($0) }
        if let named, let api, let repository {
            return try GitHostConfiguration(
                kind: named, apiURL: api, repository: repository, token: token.bytes,
                certificateAuthorities: authorities,
                proxy: .environment)
        }
        guard let remote = arguments.text("repo") else {
            throw CommandFailure(
                message: "which repository of which Git host is meant is not said",
                hint: "Give the kind of host, the address of its API and the repository there.")
        }
        let address = try GitHostAddress(remote: remote, kind: named)
        return try GitHostConfiguration(
            kind: address.kind, apiURL: api ?? address.apiURL, repository: repository ?? address.repository,
            token: token.bytes, certificateAuthorities: authorities, proxy: .environment)
    }

    func secret(in path: String) throws -> SecretBytes {
        let bytes = try readFile(path)
        let text = String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        guard !text.isEmpty else {
            throw CommandFailure(message: "\(path): the file is empty", hint: "Write the secret into it.")
        }
        return SecretBytes(Array(text.utf8))
    }

    /// An address and a port that a person wrote; the loopback one where only a port is given.
    func listeningAddress(_ text: String, flag: String) throws(CommandFailure) -> (address: String, port: Int) {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]) else {
            throw CommandFailure(
                message: "--\(flag): \"\(text)\" is no address with a port",
                hint: "Write 127.0.0.1:8081, or 0.0.0.0:8081 for every address of this machine.")
        }
        let address = text[..<colon].filter { $0 != "[" && $0 != "]" }
        return (address.isEmpty ? "127.0.0.1" : address, port)
    }

    func readFile(_ path: String) throws -> [UInt8] {
        do {
            return [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        } catch {
            throw CommandFailure(
                message: "\(path): \((error as NSError).localizedDescription)",
                hint: "Check the path and its permissions.")
        }
    }
}
