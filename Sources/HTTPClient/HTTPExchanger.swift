import Synchronization

/// Sends requests over connections that are kept and used again, with HTTP/1.1.
///
/// One thread of its own drives all transfers; callers leave commands in a mailbox and are resumed from there. Every
/// libcurl handle is touched on that thread only. Cancelling a task ends its transfer at once. Letting go of an
/// exchanger lets what runs come to its end.
///
/// A TLS configuration has a thread and connections of its own. When it is replaced, the old thread takes nothing new
/// and goes, with its connections, when the last of its streams has ended (rules A4 and A5): no list of connections has
/// to be kept to find the stale ones.
package final class HTTPExchanger: Sendable {
    private struct State {
        var tls: TLSConfiguration
        var loop: TransferLoop
        var isShutDown = false
    }

    private let state: Mutex<State>
    private let proxy: ProxyConfiguration
    private let userAgent: String
    private let maximumConnections: Int

    /// - Parameter maximumConnections: To one server; what does not fit waits in order.
    package init(
        tls: TLSConfiguration = TLSConfiguration(), proxy: ProxyConfiguration = .environment,
        userAgent: String = "bylaw", maximumConnections: Int = 16
    ) {
        self.proxy = proxy
        self.userAgent = userAgent
        self.maximumConnections = maximumConnections
        let loop = TransferLoop(
            tls: tls, proxy: proxy, userAgent: userAgent, maximumConnections: maximumConnections)
        state = Mutex(State(tls: tls, loop: loop))
    }

    deinit { state.withLock { $0.loop }.drain() }

    /// New requests use this from now on; idle connections made before are closed, and what runs on others ends in
    /// peace.
    ///
    /// Costs next to nothing where nothing has changed.
    package func replaceTLS(_ tls: TLSConfiguration) {
        let old: TransferLoop? = state.withLock { state in
            guard state.tls != tls, !state.isShutDown else { return nil }
            let old = state.loop
            state.tls = tls
            state.loop = TransferLoop(
                tls: tls, proxy: proxy, userAgent: userAgent, maximumConnections: maximumConnections)
            return old
        }
        old?.drain()
    }

    /// Ends all transfers and the thread; later requests fail.
    package func shutdown() {
        let loop = state.withLock { state in
            state.isShutDown = true
            return state.loop
        }
        loop.stop()
    }

    /// Sends a request and reads the whole answer.
    package func send(_ request: HTTPRequest) async throws(HTTPError) -> HTTPResponse {
        let transfer = Transfer(request, isStream: false)
        let result: Result<HTTPResponse, HTTPError> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                transfer.awaitWhole(continuation)
                start(transfer)
            }
        } onCancel: {
            transfer.cancel()
        }
        return try result.get()
    }

    /// Sends a request and gives back the answer as soon as its body begins.
    package func open(_ request: HTTPRequest) async throws(HTTPError) -> HTTPBodyStream {
        let transfer = Transfer(request, isStream: true)
        let result: Result<Transfer.Beginning, HTTPError> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                transfer.awaitBeginning(continuation)
                start(transfer)
            }
        } onCancel: {
            transfer.cancel()
        }
        let (status, headers) = try result.get()
        return HTTPBodyStream(status: status, headers: headers, transfer: transfer)
    }

    private func start(_ transfer: Transfer) {
        // A second and third time where the configuration was replaced meanwhile.
        for _ in 0..<3 {
            guard let loop = state.withLock({ $0.isShutDown ? nil : $0.loop }) else { break }
            if loop.start(transfer) { return }
        }
        transfer.end(
            .failure(
                HTTPError(
                    kind: .cancelled, message: "\(transfer.request.name): the client was shut down",
                    mayHaveBeenSent: false)))
    }
}
