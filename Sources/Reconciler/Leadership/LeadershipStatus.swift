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
    /// Whether this replica stands by behind a leader that it has seen renew its lease within the time of one.
    ///
    /// One whose holder was never seen alive is about to take over, or waits for nobody.
    package var isStandingBy = false

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
        var hasLed = false
        var lastRenewal: ContinuousClock.Instant?
        /// What was found last, and when that had changed under the same holder.
        var found: LeaseRecord?
        var foundRenewedAt: ContinuousClock.Instant?
    }

    private let state: Mutex<State>

    init(identity: String, lease: Duration) {
        state = Mutex(State(status: LeadershipStatus(identity: identity, lease: lease)))
    }

    package var status: LeadershipStatus {
        state.withLock { state in
            var status = state.status
            status.lastRenewalAge = state.lastRenewal.map { .now - $0 }
            let isHolderAlive = state.foundRenewedAt.map { .now - $0 < status.lease } ?? false
            status.isStandingBy =
                !status.isLeader && !state.hasLed && isHolderAlive && status.holder != status.identity
            return status
        }
    }

    func noteFound(_ record: LeaseRecord?) {
        state.withLock { state in
            if let last = state.found, let record, !record.holder.isEmpty, record.holder == last.holder {
                if record != last { state.foundRenewedAt = .now }
            } else {
                state.foundRenewedAt = nil
            }
            state.found = record
            state.status.holder = record?.holder ?? ""
            state.status.transitions = record?.transitions ?? state.status.transitions
        }
    }

    func noteRenewal(begunAt start: ContinuousClock.Instant) {
        state.withLock { state in
            state.status.isLeader = true
            state.hasLed = true
            state.lastRenewal = start
        }
    }

    func noteEnd() { state.withLock { $0.status.isLeader = false } }
}
