import Dispatch
import Foundation

/// SIGTERM and SIGINT, as something to wait for.
///
/// A second signal ends the process at once.
final class StopSignals: Sendable {
    private let state: SignalState

    init() {
        state = SignalState()
        for number in [SIGTERM, SIGINT] {
            signal(number, SIG_IGN)
            state.watch(number)
        }
    }

    var isSet: Bool { state.count > 0 }

    func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { state.wait($0) }
        } onCancel: {
            state.release()
        }
    }
}

/// `@unchecked Sendable`: everything mutable is only touched under `lock`.
private final class SignalState: @unchecked Sendable {
    private let lock = NSLock()
    private let queue = DispatchQueue(label: "bylaw.signals")
    private var sources: [any DispatchSourceSignal] = []
    private var signals = 0
    private var isReleased = false
    private var waiters: [CheckedContinuation<Void, Never>] = []

    var count: Int { lock.withLock { signals } }

    func watch(_ number: Int32) {
        let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
        source.setEventHandler { [weak self] in self?.receive() }
        source.resume()
        lock.withLock { sources.append(source) }
    }

    func wait(_ continuation: CheckedContinuation<Void, Never>) {
        let isOver = lock.withLock {
            guard signals == 0, !isReleased else { return true }
            waiters.append(continuation)
            return false
        }
        if isOver { continuation.resume() }
    }

    func release() { resumeAll { isReleased = true } }

    private func receive() {
        if count > 0 { _exit(130) }
        resumeAll { signals += 1 }
    }

    private func resumeAll(_ change: () -> Void) {
        let resumed = lock.withLock {
            change()
            let all = waiters
            waiters = []
            return all
        }
        for waiter in resumed { waiter.resume() }
    }
}
