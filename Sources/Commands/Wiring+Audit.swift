import Arguments
import AuditEvents
import HTTPServer
import Journal
import KubeClient
import Manifest
import Reconciler
import Telemetry

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
        let (access, identity) = try auditAccess()
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
                identity: identity, precheck: access.refusal(of:)
            ) { request in
                await answerAudit(request, identifier: identifier, logger: logger)
            }
            logger.log(.notice, "Taking audit events", [("address", address), ("port", String(listener.port))])
            return (listener, asking)
        } catch {
            asking.cancel()
            throw CommandFailure(
                message: error.message,
                hint: "Choose another --audit-listen address or port, or check the certificates."
            )
        }
    }
}

/// Why events were left out, with how many.
private func ignoredText(_ batch: AuditBatch) -> String {
    batch.ignored.sorted { $0.key.rawValue < $1.key.rawValue }.map { "\($0.value) \($0.key.rawValue)" }
        .joined(separator: ", ")
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
