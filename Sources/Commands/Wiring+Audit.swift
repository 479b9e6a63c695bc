import Arguments
import AuditEvents
import HTTPClient
import HTTPServer
import Journal
import KubeClient
import Manifest
import Reconciler
import Signatures
import Telemetry

/// The largest body that an API server sends with its documented truncation (10 MiB a batch), with room to spare.
private let maximumAuditBytes = 16 << 20

/// What API servers tell of who changed what.
extension Wiring {
    /// Nil where no audit events are taken.
    func actorIdentifier(journal: SQLiteJournal, logger: Logger) async throws -> ActorIdentifier? {
        guard arguments.text("audit-listen") != nil else { return nil }
        return ActorIdentifier(journal: journal, reader: try await JournalReader.open(journalPath), logger: logger)
    }

    /// Nil where no address is given.
    func auditListener(
        _ identifier: ActorIdentifier?, cluster: KubeCluster, logger: Logger
    ) throws -> (listener: HTTPListener, asking: Task<Void, Never>)? {
        guard let identifier, let text = arguments.text("audit-listen") else { return nil }
        guard let tokenFile = arguments.text("audit-token-file"), let certificate = arguments.text("audit-cert-file"),
            let key = arguments.text("audit-key-file")
        else {
            throw CommandFailure(
                message: "--audit-listen needs --audit-token-file, --audit-cert-file and --audit-key-file",
                hint:
                    "Anybody could blame others else: make a token and a certificate as Deploy/audit-webhook.yaml says."
            )
        }
        let token = try secret(in: tokenFile).bytes
        let identity = ServerIdentity(certificate: try readFile(certificate), key: try readFile(key))
        let (address, port) = try listeningAddress(text, flag: "audit-listen")
        // Who we are is asked until it is known; until then our own writes would be taken for others', so nothing is taken.
        let asking = Task {
            var isTold = false
            while !Task.isCancelled {
                do throws(ClusterError) {
                    if let name = try await cluster.whoWeAre()?.name { return await identifier.setOurUser(name) }
                    throw ClusterError(kind: .invalid, status: 0, message: "the API server does not tell who we are")
                } catch {
                    if !isTold {
                        logger.log(.warning, "No audit events are taken yet", [("error", error.message)])
                    }
                    isTold = true
                }
                do { try await Task.sleep(for: .seconds(2)) } catch { return }
            }
        }
        do throws(ListenerError) {
            let listener = try HTTPListener(
                address: address, port: port,
                limits: ListenerLimits(
                    maximumConnections: 16, maximumBodyBytes: maximumAuditBytes, idleTimeout: .seconds(25)),
                identity: identity, precheck: { refusal(of: $0, token: token) }
            ) { request in
                await answerAudit(request, identifier: identifier, logger: logger)
            }
            logger.log(.notice, "Taking audit events", [("address", address), ("port", String(listener.port))])
            return (listener, asking)
        } catch {
            asking.cancel()
            throw CommandFailure(
                message: error.message, hint: "Choose another --audit-listen address or port, or check the certificate."
            )
        }
    }
}

/// Why events were left out, with how many.
private func ignoredText(_ batch: AuditBatch) -> String {
    batch.ignored.sorted { $0.key.rawValue < $1.key.rawValue }.map { "\($0.value) \($0.key.rawValue)" }
        .joined(separator: ", ")
}

private func plainAnswer(_ status: Int, _ text: String) -> ServerResponse {
    ServerResponse(
        status: status, headers: [("Content-Type", "text/plain; charset=utf-8")], body: Array((text + "\n").utf8))
}

/// Refuses what is no audit event of whoever has the token, before its body is read.
private func refusal(of request: ServerRequest, token: [UInt8]) -> ServerResponse? {
    let given = Array((request.header("Authorization") ?? "").utf8)
    guard isEqualInConstantTime(given, Array("Bearer ".utf8) + token) else {
        return plainAnswer(401, "the token is wrong")
    }
    // The path alone: the server may add a query (rule M1).
    guard request.path == "/audit" else { return plainAnswer(404, "audit events go to /audit") }
    guard request.method == "POST" else { return plainAnswer(405, "audit events are sent with POST") }
    guard let length = request.header("Content-Length").map({ Int($0) ?? .max }), length > maximumAuditBytes else {
        return nil
    }
    return plainAnswer(413, "the batch is too large")
}

/// Answers one batch: 200 once what it explains is in the journal, whatever could not be read of it (rule M2).
private func answerAudit(
    _ request: ServerRequest, identifier: ActorIdentifier, logger: Logger
) async -> ServerResponse {
    // The server sends the batch again.
    guard await identifier.isReady else { return plainAnswer(503, "not ready yet") }
    do throws(JournalError) {
        let batch = try await identifier.take(request.body)
        logger.log(
            .debug, "Audit events",
            [
                ("events", String(batch.count)), ("changes", String(batch.events.count)),
                ("unreadable", String(batch.unreadable)), ("ignored", ignoredText(batch)),
                ("first", batch.events.first.map { "\($0.actor.name) \($0.verb) \($0.requestURI)" } ?? ""),
            ])
        return plainAnswer(200, "taken")
    } catch {
        logger.log(.warning, "Audit events could not be recorded", [("error", error.message), ("hint", error.hint)])
        return plainAnswer(500, "the journal cannot be written")
    }
}
