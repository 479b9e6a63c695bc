import Dispatch
import Foundation

/// SIGTERM and SIGINT, as something to wait for.
///
/// A second signal ends the process at once.
final class StopSignals: Sendable {
    /// Set by the first signal, or for a reason of our own.
    let request = StopRequest()
    private let state: SignalState

    init() {
        state = SignalState(request)
        for number in [SIGTERM, SIGINT] {
            signal(number, SIG_IGN)
            state.watch(number)
        }
    }

    var isSet: Bool { request.isSet }

    /// Sets it as a signal would, for a reason of our own.
    func end() { request.end() }

    /// Returns when a signal has come, or when the task that waits is cancelled; others wait on.
    func wait() async { await request.wait() }
}

/// `@unchecked Sendable`: everything mutable is only touched under `lock`.
private final class SignalState: @unchecked Sendable {
    private let lock = NSLock()
    private let queue = DispatchQueue(label: "bylaw.signals")
    private let request: StopRequest
    private var sources: [any DispatchSourceSignal] = []
    private var signals = 0

    init(_ request: StopRequest) { self.request = request }

    func watch(_ number: Int32) {
        let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
        source.setEventHandler { [weak self] in self?.receive() }
        source.resume()
        lock.withLock { sources.append(source) }
    }

    private func receive() {
        let isFirst = lock.withLock {
            signals += 1
            return signals == 1
        }
        guard isFirst else { _exit(130) }
        request.end()
    }
}
