import Arguments
import HTTPClient
import Journal
import KubeClient
import Manifest
import Reconciler
import Synchronization
import Telemetry
import TransparencyLog

/// Signs the journal while the controller runs, and carries the checkpoints away from the volume that it lies on.
///
/// On a timer, after each sync and at the end. Each new checkpoint goes to the log at once; where it cannot reach a
/// ConfigMap or an address, the newest one is tried again at the next turn: a later checkpoint covers what an earlier one
/// did.
final class CheckpointPublisher: Sendable {
    /// One place beside the log.
    struct Place: Sendable {
        /// For messages, without credentials.
        var name: String
        var publish: @Sendable (SignedCheckpoint) async throws -> Void
    }

    private struct State {
        var newest: SignedCheckpoint?
        /// The size that each place has.
        var published: [String: Int64] = [:]
        /// What was told of the last attempt to sign, where that failed.
        var failure: String?
    }

    private let journal: SQLiteJournal
    private let places: [Place]
    private let logger: Logger
    private let noteSigned: @Sendable (_ upTo: Int64, _ at: Timestamp) -> Void
    private let state = Mutex(State())
    private let wishes: AsyncStream<Void>
    private let wish: AsyncStream<Void>.Continuation

    init(
        journal: SQLiteJournal, places: [Place], logger: Logger,
        noteSigned: @escaping @Sendable (_ upTo: Int64, _ at: Timestamp) -> Void
    ) {
        self.journal = journal
        self.places = places
        self.logger = logger
        self.noteSigned = noteSigned
        // One wish that waits stands for all.
        (wishes, wish) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Signs soon.
    func wanted() { wish.yield() }

    /// Signs at each wish and each interval until it is cancelled.
    func run(every interval: Duration) async {
        await withTaskGroup { group in
            group.addTask { [self] in
                while !Task.isCancelled {
                    do { try await Task.sleep(for: interval) } catch { return }
                    wanted()
                }
            }
            for await _ in wishes { await publish() }
            group.cancelAll()
        }
    }

    /// Ends ``run(every:)`` after what was wished for.
    func finish() { wish.finish() }

    /// Signs now and tells every place that does not have it.
    private func publish() async {
        guard let signed = await sign() else { return }
        await tell(signed)
    }

    /// Signs now, and writes that to the log.
    @discardableResult
    func sign() async -> SignedCheckpoint? {
        let signed: SignedCheckpoint
        do throws(JournalError) { signed = try await journal.checkpoint(at: systemNow()) } catch {
            noteUnsigned(error)
            return nil
        }
        noteSigned(signed.checkpoint.size, systemNow())
        let isNew = state.withLock { state in
            defer { state.newest = signed }
            state.failure = nil
            return state.newest != signed
        }
        if isNew {
            logger.log(
                .notice, "Checkpoint",
                [("entries", String(signed.checkpoint.size)), ("note", signed.note.description)])
        }
        return signed
    }

    /// A journal that cannot be written for long is told of once, and not each minute.
    private func noteUnsigned(_ error: JournalError) {
        let isNew = state.withLock { state in
            defer { state.failure = error.message }
            return state.failure != error.message
        }
        guard isNew else { return }
        logger.log(
            .error, "The journal could not be signed",
            [("error", error.message), ("hint", error.hint), ("runbook", error.incident?.rawValue ?? "")])
    }

    private func tell(_ signed: SignedCheckpoint) async {
        for place in places where state.withLock({ $0.published[place.name] != signed.checkpoint.size }) {
            do {
                try await place.publish(signed)
                state.withLock { $0.published[place.name] = signed.checkpoint.size }
            } catch {
                let failure = commandFailure(error)
                logger.log(
                    .warning, "A checkpoint could not be published; trying again",
                    [("place", place.name), ("error", failure.message), ("hint", failure.hint)])
            }
        }
    }
}

extension Wiring {
    /// The ConfigMap that checkpoints go to, as it was written and as it is read; nil where they go to none.
    func checkpointConfigMap() throws(CommandFailure) -> (text: String, namespace: String, name: String)? {
        guard let text = arguments.text("checkpoint-configmap") else { return nil }
        let (namespace, name) = try configMap(
            text, flag: "checkpoint-configmap", example: "bylaw-system/bylaw-checkpoint")
        return (text, namespace, name)
    }

    /// The address that checkpoints go to; nil where they go to none.
    func checkpointURL() throws(CommandFailure) -> String? {
        guard let url = arguments.text("checkpoint-url") else { return nil }
        guard url.hasPrefix("https://") || url.hasPrefix("http://") else {
            throw CommandFailure(
                message: "--checkpoint-url is no address with https://",
                hint: "Write the address that takes a POST of the checkpoint's text.")
        }
        return url
    }

    /// Where checkpoints go beside the log.
    func checkpointPlaces(journal: SQLiteJournal, cluster: KubeCluster) throws(CommandFailure) -> [CheckpointPublisher
        .Place]
    {
        var places: [CheckpointPublisher.Place] = []
        if let (text, namespace, name) = try checkpointConfigMap() {
            places.append(
                CheckpointPublisher.Place(name: "ConfigMap \(text)") { signed in
                    if let kept = try await cluster.publishedCheckpoint(namespace: namespace, name: name) {
                        try await expectSuccessor(of: kept, in: journal, named: text)
                    }
                    try await cluster.publishCheckpoint(signed.note.description, namespace: namespace, name: name)
                })
        }
        if let url = try checkpointURL() {
            let exchanger = HTTPExchanger(
                proxy: .environment, userAgent: "bylaw/\(bylawVersion)", maximumConnections: 1)
            // Tokens stand in paths as well.
            let name =
                "the address of --checkpoint-url (\(redactedURL(url).split(separator: "/").dropFirst().first ?? ""))"
            places.append(
                CheckpointPublisher.Place(name: name) { signed in
                    let answer = try await exchanger.send(
                        HTTPRequest(
                            method: "POST", url: url,
                            headers: [("Content-Type", "text/plain; charset=utf-8")],
                            body: Array(signed.note.description.utf8),
                            limits: HTTPLimits(
                                connect: .seconds(10), total: .seconds(30), maximumAnswerBytes: 1 << 16)))
                    guard (200..<300).contains(answer.status) else {
                        throw CommandFailure(
                            message: "POST \(name): HTTP \(answer.status)", hint: "Look at what answers there.")
                    }
                })
        }
        return places
    }
}

/// Refuses to replace a checkpoint that this journal does not begin with: it may be the only witness of what was cut off.
private func expectSuccessor(of kept: String, in journal: SQLiteJournal, named place: String) async throws {
    let checkpoint: Checkpoint
    do throws(NoteFailure) { checkpoint = try SignedCheckpoint(kept).checkpoint } catch {
        throw CommandFailure(
            message: "the ConfigMap \(place) holds something that is no checkpoint: \(error.message)",
            hint: "Find out who wrote it, and delete the ConfigMap.")
    }
    guard try await journal.begins(with: checkpoint) else {
        throw CommandFailure(
            message:
                "the journal does not begin with the \(checkpoint.size) entries whose checkpoint is in the ConfigMap "
                + "\(place): it was cut off, put back or replaced",
            hint:
                "Keep the ConfigMap and compare with bylaw journal verify --checkpoint; delete it where a new journal "
                + "was begun on purpose.")
    }
}
