import Foundation

/// A fixed number of calls at a time; the others wait in order.
final class CallSlots: Sendable {
    private let state: LockedSlots

    init(count: Int) { state = LockedSlots(count: count) }

    func take() async {
        await withCheckedContinuation { state.take($0) }
    }

    func giveBack() { state.giveBack() }
}

/// `@unchecked Sendable`: everything mutable is only touched under `lock`.
private final class LockedSlots: @unchecked Sendable {
    private let lock = NSLock()
    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []
    private var firstWaiting = 0

    init(count: Int) { free = count }

    func take(_ continuation: CheckedContinuation<Void, Never>) {
        lock.lock()
        if free > 0 {
            free -= 1
            lock.unlock()
            continuation.resume()
        } else {
            waiting.append(continuation)
            lock.unlock()
        }
    }

    func giveBack() {
        lock.lock()
        if firstWaiting < waiting.count {
            let next = waiting[firstWaiting]
            firstWaiting += 1
            if firstWaiting > 256, firstWaiting * 2 > waiting.count {
                waiting.removeFirst(firstWaiting)
                firstWaiting = 0
            }
            lock.unlock()
            next.resume()
        } else {
            free += 1
            lock.unlock()
        }
    }
}
