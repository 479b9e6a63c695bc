import Synchronization

/// Who leads, as far as this replica knows.
package struct LeadershipStatus: Sendable, Equatable {
    /// This replica.
    package var identity: String
    /// Who holds the lease by the last look; empty where nobody does, or none was made.
    package var holder = ""
    /// Whether this replica believes that it leads.
    package var isLeader = false
    /// How long ago its last renewal that succeeded began; nil where it never led.
    package var lastRenewalAge: Duration?
    /// How often the lease has changed hands.
    package var transitions: Int64 = 0
    /// How long a lease lasts.
    package var lease: Duration

    package init(identity: String, lease: Duration) {
        self.identity = identity
        self.lease = lease
    }

    /// Whether it believes that it leads and has not renewed its lease for longer than that lasts: it hangs, and has to be
    /// started anew (rule K10).
    package func isStuck(tolerance: Duration = .seconds(20)) -> Bool {
        guard isLeader, let lastRenewalAge else { return false }
        return lastRenewalAge > lease + tolerance
    }
}

/// The status for whoever asks, at any time and from any thread.
package final class LeadershipBoard: Sendable {
    private struct State {
        var status: LeadershipStatus
        var lastRenewal: ContinuousClock.Instant?
    }

    private let state: Mutex<State>

    init(identity: String, lease: Duration) {
        state = Mutex(State(status: LeadershipStatus(identity: identity, lease: lease)))
    }

    package var status: LeadershipStatus {
        state.withLock { state in
            var status = state.status
            status.lastRenewalAge = state.lastRenewal.map { .now - $0 }
            return status
        }
    }

    func noteFound(_ record: LeaseRecord?) {
        state.withLock { state in
            state.status.holder = record?.holder ?? ""
            state.status.transitions = record?.transitions ?? state.status.transitions
        }
    }

    func noteRenewal(begunAt start: ContinuousClock.Instant) {
        state.withLock { state in
            state.status.isLeader = true
            state.lastRenewal = start
        }
    }

    func noteEnd() { state.withLock { $0.status.isLeader = false } }
}
