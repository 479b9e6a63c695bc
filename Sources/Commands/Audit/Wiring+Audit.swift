import Arguments
import AuditEvents
import HTTPServer
import Journal
import KubeClient
import Manifest
import Reconciler
import Telemetry

/// Where audit events come from while the controller runs.
struct AuditIntake {
    fileprivate var listener: HTTPListener?
    fileprivate var asking: Task<Void, Never>?
    fileprivate var logs: [Task<Void, Never>] = []

    /// Takes no more.
    func stop() {
        asking?.cancel()
        for task in logs { task.cancel() }
        listener?.stop()
    }

    /// Waits until nothing is read from a log any more, after ``stop()``.
    func untilLogsEnded() async { for task in logs { await task.value } }
}

/// What API servers tell of who changed what.
extension Wiring {
    private var auditLogs: [String] { arguments.all("audit-log") }

    /// Nil where no audit events are taken.
    func actorIdentifier(
        journal: SQLiteJournal, scope: JournalReader.Scope, logger: Logger
    ) async throws -> ActorIdentifier? {
        try expectAuditListener()
        guard arguments.text("audit-listen") != nil || !auditLogs.isEmpty else { return nil }
        let identifier = ActorIdentifier(
            journal: journal, reader: try await JournalReader.open(journalPath), scope: scope,
            file: AuditEventFile(path: journalPath + "-audit-events", cluster: scope.cluster), logger: logger)
        await identifier.restore()
        return identifier
    }

    /// Refuses flags of a listener that is not asked for.
    func expectAuditListener() throws(CommandFailure) {
        guard arguments.text("audit-listen") == nil,
            let lost = Flags.audit.map(\.name).first(where: { $0 != "audit-log" && arguments.text($0) != nil })
        else { return }
        throw CommandFailure(
            message: "--\(lost) without --audit-listen",
            hint: "Say where audit events are taken, such as --audit-listen 0.0.0.0:8443, or leave it out.")
    }

    /// Where audit events are taken, from whom, and what they are shown; nil where none are.
    func auditPlace() throws -> (address: String, port: Int, access: AuditAccess, identity: ServerIdentity)? {
        guard let text = arguments.text("audit-listen") else { return nil }
        let (access, identity) = try auditAccess()
        let (address, port) = try listeningAddress(text, flag: "audit-listen")
        return (address, port, access, identity)
    }

    /// Begins to take audit events; nil where there is nobody to take them for.
    func auditIntake(
        _ identifier: ActorIdentifier?, cluster: KubeCluster, logger: Logger
    ) throws -> AuditIntake? {
        guard let identifier else { return nil }
        var intake = AuditIntake()
        intake.listener = try auditListener(identifier, logger: logger)
        intake.asking = Task { await learnOurUser(of: cluster, for: identifier, logger: logger) }
        for path in auditLogs {
            logger.log(.notice, "Following an audit log", [("file", path)])
            let follower = AuditLogFollower(path: path, identifier: identifier, logger: logger)
            intake.logs.append(Task { await follower.run() })
        }
        return intake
    }

    private func auditListener(_ identifier: ActorIdentifier, logger: Logger) throws -> HTTPListener? {
        guard let (address, port, access, identity) = try auditPlace() else { return nil }
        let voice = DampedVoice(logger)
        do throws(ListenerError) {
            let listener = try HTTPListener(
                address: address, port: port,
                // An API server has one or two, from its own address, and keeps them between batches.
                limits: ListenerLimits(
                    maximumConnections: 32, maximumConnectionsPerAddress: 8, maximumBodyBytes: maximumAuditBytes,
                    idleTimeout: .seconds(25), unprovenTimeout: .seconds(5), exchangeTimeout: .seconds(90)),
                identity: identity, precheck: access.refusal(of:)
            ) { request in
                await answerAudit(request, identifier: identifier, logger: logger, voice: voice)
            }
            logger.log(.notice, "Taking audit events", [("address", address), ("port", String(listener.port))])
            return listener
        } catch {
            throw CommandFailure(
                message: error.message,
                hint: "Choose another --audit-listen address or port, or check the certificates.")
        }
    }
}

/// Asks who we are until it is known; until then our own writes would be taken for others', so nothing is taken.
private func learnOurUser(of cluster: KubeCluster, for identifier: ActorIdentifier, logger: Logger) async {
    var isTold = false
    while !Task.isCancelled {
        do throws(ClusterError) {
            if let name = try await cluster.whoWeAre()?.name { return await identifier.setOurUser(name) }
            throw ClusterError(kind: .invalid, status: 0, message: "the API server does not tell who we are")
        } catch {
            if !isTold { logger.log(.warning, "No audit events are taken yet", [("error", error.message)]) }
            isTold = true
        }
        do { try await Task.sleep(for: .seconds(2)) } catch { return }
    }
}

/// Answers one batch: 200 once it is kept and what it explains is in the journal, whatever could not be read (rule M2).
private func answerAudit(
    _ request: ServerRequest, identifier: ActorIdentifier, logger: Logger, voice: DampedVoice
) async -> ServerResponse {
    // The server sends the batch again.
    guard let ourUser = await identifier.ourUser else { return .line(503, "not ready yet") }
    let batch = AuditReader(ourUser: ourUser).readList(request.body)
    logger.log(
        .debug, "Audit events",
        [
            ("events", String(batch.count)), ("changes", String(batch.events.count)),
            ("unreadable", String(batch.unreadable)), ("ignored", ignoredText(batch)),
            ("first", batch.events.first.map { "\($0.actor.name) \($0.verb) \($0.requestURI)" } ?? ""),
        ])
    do {
        try await identifier.take(batch)
        return .line(200, "taken")
    } catch {
        let failure = auditFailure(error)
        // The server sends the batch again and again.
        voice.log(
            .warning, "Audit events could not be recorded", [("error", failure.message), ("hint", failure.hint)],
            at: systemUptime())
        return .line(500, "what the batch tells cannot be kept")
    }
}
