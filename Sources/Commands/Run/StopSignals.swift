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

    var isSet: Bool { state.isSet }

    /// Sets it as a signal would, for a reason of our own.
    func end() { state.end() }

    /// Returns when a signal has come, or when the task that waits is cancelled; others wait on.
    func wait() async {
        let waiter = state.newWaiter()
        await withTaskCancellationHandler {
            await withCheckedContinuation { state.wait($0, as: waiter) }
        } onCancel: {
            state.release(waiter)
        }
    }
}

/// `@unchecked Sendable`: everything mutable is only touched under `lock`.
private final class SignalState: @unchecked Sendable {
    private let lock = NSLock()
    private let queue = DispatchQueue(label: "bylaw.signals")
    private var sources: [any DispatchSourceSignal] = []
    private var signals = 0
    private var isEnded = false
    private var lastWaiter = 0
    private var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
    /// Those that were let go before they waited.
    private var released: Set<Int> = []

    private var count: Int { lock.withLock { signals } }
    var isSet: Bool { lock.withLock { signals > 0 || isEnded } }

    func watch(_ number: Int32) {
        let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
        source.setEventHandler { [weak self] in self?.receive() }
        source.resume()
        lock.withLock { sources.append(source) }
    }

    func newWaiter() -> Int {
        lock.withLock {
            lastWaiter += 1
            return lastWaiter
        }
    }

    func wait(_ continuation: CheckedContinuation<Void, Never>, as waiter: Int) {
        let isOver = lock.withLock {
            guard signals == 0, !isEnded, released.remove(waiter) == nil else { return true }
            waiters[waiter] = continuation
            return false
        }
        if isOver { continuation.resume() }
    }

    func release(_ waiter: Int) {
        let continuation = lock.withLock {
            let continuation = waiters.removeValue(forKey: waiter)
            if continuation == nil { released.insert(waiter) }
            return continuation
        }
        continuation?.resume()
    }

    private func receive() {
        if count > 0 { _exit(130) }
        lock.withLock { signals += 1 }
        resumeAll()
    }

    func end() {
        lock.withLock { isEnded = true }
        resumeAll()
    }

    private func resumeAll() {
        let resumed = lock.withLock {
            let all = waiters.values
            waiters = [:]
            return Array(all)
        }
        for waiter in resumed { waiter.resume() }
    }
}
