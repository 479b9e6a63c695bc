import Foundation

/// That something is to stop, as something to look at and to wait for.
final class StopRequest: Sendable {
    private let state = RequestState()
    private let whole: StopRequest?

    /// - Parameter whole: What this is a part of: where that is to stop, so is this. Whoever waits for this alone is told of
    ///   it by ``follow()``.
    init(within whole: StopRequest? = nil) { self.whole = whole }

    var isSet: Bool { state.isSet || whole?.isSet == true }

    /// Whether all that this is a part of is to stop.
    var isOfWhole: Bool { whole.map(\.isSet) ?? state.isSet }

    func end() { state.end() }

    /// Returns when it is set, or when the task that waits is cancelled; others wait on.
    func wait() async {
        let waiter = state.newWaiter()
        await withTaskCancellationHandler {
            await withCheckedContinuation { state.wait($0, as: waiter) }
        } onCancel: {
            state.release(waiter)
        }
    }

    /// Returns when it is set, or when so much time has passed.
    ///
    /// - Throws: `CancellationError` where the task that waits is cancelled.
    func wait(atMost limit: Duration) async throws {
        await withTaskGroup { group in
            group.addTask { await self.wait() }
            group.addTask { do { try await Task.sleep(for: limit) } catch {} }
            await group.next()
            group.cancelAll()
        }
        try Task.checkCancellation()
    }

    /// Tells those who wait when the whole is to stop, until it is cancelled.
    func follow() async {
        guard let whole else { return }
        await whole.wait()
        if whole.isSet { end() }
    }
}

/// `@unchecked Sendable`: everything mutable is only touched under `lock`.
private final class RequestState: @unchecked Sendable {
    private let lock = NSLock()
    private var isEnded = false
    private var lastWaiter = 0
    private var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
    /// Those that were let go before they waited.
    private var released: Set<Int> = []

    var isSet: Bool { lock.withLock { isEnded } }

    func newWaiter() -> Int {
        lock.withLock {
            lastWaiter += 1
            return lastWaiter
        }
    }

    func wait(_ continuation: CheckedContinuation<Void, Never>, as waiter: Int) {
        let isOver = lock.withLock {
            guard !isEnded, released.remove(waiter) == nil else { return true }
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

    func end() {
        let resumed = lock.withLock {
            isEnded = true
            let all = waiters.values
            waiters = [:]
            return Array(all)
        }
        for waiter in resumed { waiter.resume() }
    }
}
