import Synchronization

/// Until when this replica may write to the cluster (rule K8).
///
/// The lease is no fence by itself: a process that was stopped for a while believes that it leads when it goes on. So the
/// client asks here before each write, and lets none last longer. Once the moment has passed the fence stays closed for
/// good: what another replica may do by then is not known.
package final class WriteFence: Sendable {
    private enum State {
        case beforeLeading
        case open(until: ContinuousClock.Instant)
        case closed
    }

    private let state = Mutex(State.beforeLeading)
    /// Counts on while the machine is suspended.
    private let now: @Sendable () -> ContinuousClock.Instant

    package init(now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) { self.now = now }

    /// The moment before which a write has to be over; nil where none may be begun.
    package var deadline: ContinuousClock.Instant? {
        state.withLock { state in
            guard case .open(let end) = state else { return nil }
            guard now() < end else {
                state = .closed
                return nil
            }
            return end
        }
    }

    /// Lets writes pass until a moment; has no effect where it is closed for good.
    ///
    /// - Returns: Whether it is open.
    @discardableResult
    package func open(until end: ContinuousClock.Instant) -> Bool {
        state.withLock { state in
            switch state {
            case .closed: return false
            // The answer to a renewal may come when what it renews is over.
            case .open(let before) where now() >= before:
                state = .closed
                return false
            case .open(let before): state = .open(until: max(before, end))
            // The answer to the first request of the lease came too late; the next one may not.
            case .beforeLeading where now() >= end: return false
            case .beforeLeading: state = .open(until: end)
            }
            return true
        }
    }

    /// Lets nothing pass any more, for good.
    package func close() { state.withLock { $0 = .closed } }
}
