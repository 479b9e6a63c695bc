/// How long a lease lasts, and how often it is renewed (rule K1).
package struct LeaderElectionTiming: Sendable, Equatable {
    /// How long a lease that is not renewed keeps others away; whole seconds, as the API has it.
    package let lease: Duration
    /// How long after the beginning of the last renewal that succeeded anything may be written.
    package let deadline: Duration
    /// How long to wait between two renewals.
    package let retry: Duration

    /// The longest lease that can be set: what a record says beyond it was written by no Bylaw.
    package static let longestLease = Duration.seconds(3600)
    /// A pause is drawn out by up to a fifth, so that replicas do not act at one moment.
    static let jitter = 0.2

    /// What Kubernetes' own components use.
    package static let standard = LeaderElectionTiming(
        unchecked: .seconds(15), deadline: .seconds(10), retry: .seconds(2))

    /// - Throws: ``LeaderElectionTimingFlaw`` where two replicas could believe that they lead.
    package init(lease: Duration, deadline: Duration, retry: Duration) throws(LeaderElectionTimingFlaw) {
        guard lease.components.attoseconds == 0, lease >= .seconds(1), lease <= Self.longestLease else {
            throw LeaderElectionTimingFlaw(message: "a lease lasts whole seconds, from 1s to 1h, and not \(lease)")
        }
        guard retry >= .milliseconds(100) else {
            throw LeaderElectionTimingFlaw(message: "a lease is renewed every 100ms at most, and not every \(retry)")
        }
        guard deadline < lease else {
            throw LeaderElectionTimingFlaw(
                message: "the renewal deadline (\(deadline)) is not shorter than the lease (\(lease))")
        }
        guard deadline > retry * (1 + Self.jitter) else {
            throw LeaderElectionTimingFlaw(
                message: "the renewal deadline (\(deadline)) is not longer than 1.2 times the retry pause (\(retry))")
        }
        self.init(unchecked: lease, deadline: deadline, retry: retry)
    }

    private init(unchecked lease: Duration, deadline: Duration, retry: Duration) {
        self.lease = lease
        self.deadline = deadline
        self.retry = retry
    }

    /// How often a replica that stands by looks: often enough to follow a released lease within a second.
    var standbyPause: Duration { min(retry, .milliseconds(500)) }

    /// How long one request may take, so that one that hangs does not cost the lease (rule K6).
    package var requestTimeout: Duration { deadline / 2 }
}

/// Times under which an election would not be safe.
package struct LeaderElectionTimingFlaw: Error, Equatable {
    package var message: String
}
