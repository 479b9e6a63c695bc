import Foundation
import HTTPServer
import StatusServer
import Synchronization
import Telemetry

/// Serves metrics and health on one address, and shows a renewed certificate without a restart.
final class StatusListener: Sendable {
    private let address: String
    private let answer: StatusAnswer
    private let readIdentity: @Sendable () throws -> ServerIdentity?
    private let logger: Logger
    private let state: Mutex<State>

    private struct State: Sendable {
        /// Nil while it could not be begun anew.
        var listener: HTTPListener?
        var port: Int
        var isStopped = false
        var identity: ServerIdentity?
        /// What was told last of a certificate that cannot be shown.
        var failure: String?
    }

    /// Whoever reaches the port may ask, so each address has few connections for a short time, and nothing to send.
    private static let limits = ListenerLimits(
        maximumConnections: 64, maximumConnectionsPerAddress: 8, maximumBodyBytes: 0, idleTimeout: .seconds(10),
        unprovenTimeout: .seconds(5), exchangeTimeout: .seconds(15))

    /// - Parameter readIdentity: What is shown to clients, read anew each time; nil for HTTP without TLS.
    init(
        address: String, port: Int, answer: StatusAnswer, logger: Logger,
        readIdentity: @escaping @Sendable () throws -> ServerIdentity?
    ) throws {
        self.address = address
        self.answer = answer
        self.logger = logger
        self.readIdentity = readIdentity
        let identity = try readIdentity()
        let listener = try Self.listen(address, port, identity, answer)
        state = Mutex(State(listener: listener, port: listener.port, identity: identity))
        logger.log(
            .notice, "Serving status",
            [
                ("address", address), ("port", String(listener.port)),
                ("scheme", identity == nil ? "http" : "https"),
            ])
    }

    private static func listen(
        _ address: String, _ port: Int, _ identity: ServerIdentity?, _ answer: StatusAnswer
    ) throws(ListenerError) -> HTTPListener {
        try HTTPListener(
            address: address, port: port, limits: limits, identity: identity, precheck: StatusAnswer.refuse
        ) { request in answer.answer(request) }
    }

    func stop() {
        let listener = state.withLock { state in
            state.isStopped = true
            defer { state.listener = nil }
            return state.listener
        }
        listener?.stop()
    }

    /// Looks at the certificate now and then until it is cancelled.
    func followCertificate(every pause: Duration = .seconds(5)) async {
        guard state.withLock({ $0.identity != nil }) else { return }
        while !Task.isCancelled {
            do { try await Task.sleep(for: pause) } catch { return }
            // Of its own, since stopping a listener waits for its clients.
            await withCheckedContinuation { continuation in
                Thread.detachNewThread {
                    self.renew()
                    continuation.resume()
                }
            }
        }
    }

    private func renew() {
        do {
            try showRenewed()
            note(nil)
        } catch let error as ListenerError {
            note(error.message)
        } catch {
            note(commandFailure(error).message)
        }
    }

    private func showRenewed() throws {
        let (old, shown, port) = state.withLock { ($0.listener, $0.identity, $0.port) }
        guard let identity = try readIdentity(), identity != shown || old == nil else { return }
        // Tried beside the old one first: what cannot be shown, such as half of a pair, must not end the serving.
        try Self.listen("127.0.0.1", 0, identity, answer).stop()
        guard !state.withLock(\.isStopped) else { return }
        old?.stop()
        state.withLock { $0.listener = nil }
        // The port may be another's by now; then the next turn tries again.
        let new = try Self.listen(address, port, identity, answer)
        let isWanted = state.withLock { state in
            guard !state.isStopped else { return false }
            state.listener = new
            state.identity = identity
            return true
        }
        guard isWanted else { return new.stop() }
        logger.log(.notice, "Serving status with a renewed certificate")
    }

    private func note(_ failure: String?) {
        let isNew = state.withLock { state in
            defer { state.failure = failure }
            return state.failure != failure
        }
        guard isNew, let failure else { return }
        logger.log(.error, "A renewed certificate of the status listener cannot be shown", [("error", failure)])
    }
}
