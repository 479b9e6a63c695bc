internal import CMicroHTTPD
import Dispatch
import Foundation

/// Ends connections whose exchange takes too long, whoever holds it up.
///
/// libmicrohttpd only knows silence: a client that sends a byte of its head now and then would hold a connection for hours.
///
/// `@unchecked Sendable`: everything mutable is only touched under `lock`.
final class ConnectionDeadlines: @unchecked Sendable {
    private struct Connection {
        var descriptor: Int32
        var begun: ContinuousClock.Instant
        var timeout: Duration?
        var isProven = false
    }

    private let limits: ListenerLimits
    private let lock = NSLock()
    private var open: [OpaquePointer: Connection] = [:]
    private var timer: (any DispatchSourceTimer)?

    /// Nil where connections may last as long as they like.
    init?(_ limits: ListenerLimits) {
        guard limits.exchangeTimeout != nil || limits.unprovenTimeout != nil else { return nil }
        self.limits = limits
    }

    func begin() {
        let timer = DispatchSource.makeTimerSource(queue: DispatchQueue(label: "bylaw.http.deadlines"))
        timer.schedule(deadline: .now() + .seconds(1), repeating: .seconds(1), leeway: .milliseconds(100))
        timer.setEventHandler { [weak self] in self?.endLateOnes() }
        timer.resume()
        lock.withLock { self.timer = timer }
    }

    func end() {
        lock.withLock {
            timer?.cancel()
            timer = nil
        }
    }

    func add(_ connection: OpaquePointer, descriptor: Int32) {
        guard descriptor >= 0 else { return }
        let timeout = limits.unprovenTimeout ?? limits.exchangeTimeout
        lock.withLock { open[connection] = Connection(descriptor: descriptor, begun: .now, timeout: timeout) }
    }

    /// Takes in that a request has passed the precheck, and its exchange goes on.
    func noteProof(_ connection: OpaquePointer) {
        lock.withLock {
            open[connection]?.timeout = limits.exchangeTimeout
            open[connection]?.isProven = true
        }
    }

    /// Takes in that an exchange is over, and the next may begin; whoever was only refused gets no more time by that.
    func noteExchange(_ connection: OpaquePointer) {
        lock.withLock { if open[connection]?.isProven == true { open[connection]?.begun = .now } }
    }

    /// Takes in that a connection is about to be closed: its descriptor is somebody else's soon.
    func remove(_ connection: OpaquePointer) { lock.withLock { open[connection] = nil } }

    /// Under the lock, which whoever closes a descriptor has to take before: so it is still this connection's.
    private func endLateOnes() {
        lock.withLock {
            let now = ContinuousClock.now
            for connection in open.values {
                guard let timeout = connection.timeout, now - connection.begun > timeout else { continue }
                shutdown(connection.descriptor, Int32(SHUT_RDWR))
            }
        }
    }
}
