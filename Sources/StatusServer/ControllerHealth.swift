package import Reconciler
import Synchronization

/// Whether a controller is alive and ready, as it shows itself.
///
/// Alive says whether a restart could help: only a controller that is stuck is not. Ready says whether it enforces: the
/// journal is open and can be written, a revision is accepted, and every kind was listed. An API server, Git host or journal
/// that is away takes neither life: a restart would help nobody.
///
/// A replica that stands by behind a leader that is alive is ready as such: it is what takes over next.
package final class ControllerHealth: Sendable {
    private struct State {
        var standing: ControllerStanding?
        /// When the controller answered last; nil while nobody is to answer.
        var answeredAt: Duration?
        /// How many controllers were begun: what is told of an earlier one is late.
        var run = 0
        /// Where several replicas share a Lease.
        var leadership: LeadershipBoard?
    }

    /// For how long a controller may be busy with one thing before it counts as stuck.
    package static let patience = Duration.seconds(120)

    private let state = Mutex(State())
    private let uptime: @Sendable () -> Duration

    /// - Parameter uptime: A clock that only goes forward.
    package init(uptime: @escaping @Sendable () -> Duration) { self.uptime = uptime }

    /// Takes in that this is one of several replicas.
    package func follow(_ leadership: LeadershipBoard) { state.withLock { $0.leadership = leadership } }

    /// Takes in that a controller runs, which is asked from now on how it stands.
    ///
    /// - Returns: By what it is told from earlier ones.
    package func begin() -> Int {
        let now = uptime()
        return state.withLock { state in
            state = State(answeredAt: now, run: state.run + 1, leadership: state.leadership)
            return state.run
        }
    }

    /// Takes in what it answered.
    package func note(_ standing: ControllerStanding, of run: Int) {
        let now = uptime()
        state.withLock { state in
            guard state.run == run, state.answeredAt != nil else { return }
            state.standing = standing
            state.answeredAt = now
        }
    }

    /// Takes in that it runs no more, so that nothing is expected of it, and nothing is ready.
    package func end(_ run: Int) {
        state.withLock { state in
            guard state.run == run else { return }
            state = State(run: run, leadership: state.leadership)
        }
    }

    /// What a restart could help.
    var liveChecks: [HealthCheck] {
        let now = uptime()
        let (answeredAt, leadership) = state.withLock { ($0.answeredAt, $0.leadership) }
        let controller = HealthCheck(
            name: "controller", isPassed: answeredAt.map { now - $0 <= Self.patience } ?? true)
        guard let leadership else { return [controller] }
        return [controller, HealthCheck(name: "leadership", isPassed: !leadership.status.isStuck())]
    }

    var readyChecks: [HealthCheck] {
        let (standing, leadership) = state.withLock { ($0.standing, $0.leadership) }
        if leadership?.status.isStandingBy == true {
            return liveChecks + [HealthCheck(name: "standby", isPassed: true)]
        }
        return liveChecks + [
            HealthCheck(name: "journal", isPassed: standing?.isJournalUsable ?? false),
            HealthCheck(name: "revision", isPassed: standing?.isEnforcing ?? false),
            HealthCheck(name: "kinds", isPassed: standing?.isGathered ?? false),
        ]
    }
}
