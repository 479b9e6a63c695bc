package import Manifest

/// Decides who leads, from what the Lease says and when that was seen (rules K2 to K5, K7).
///
/// Context: replicas share nothing but a Lease, and their clocks may be wrong. Choice: a record counts from the moment at
/// which this process saw it, by a clock that counts on while the machine is suspended (`ContinuousClock`, which reads
/// `CLOCK_BOOTTIME`); the times in the record are for people. So only the rates of clocks matter. Given up: a replica that
/// starts waits out a lease whose holder is long gone.
///
/// Pure: times are given, and nothing is sent.
package struct LeaderElection: Sendable {
    package typealias Instant = ContinuousClock.Instant

    package let identity: String
    package let timing: LeaderElectionTiming

    /// What was seen last, and when first.
    private var observed: Observed?

    private struct Observed {
        /// Nil where there was no Lease.
        var spec: Tree?
        var since: Instant
        /// How long it keeps others away from then on.
        var lasts: Duration
    }

    package init(identity: String, timing: LeaderElectionTiming) {
        self.identity = identity
        self.timing = timing
    }

    /// Why a lease may be taken.
    package enum Vacancy: Sendable, Equatable {
        /// There is none, and has been none for as long as one lasts.
        case absent
        /// Its holder has given it back.
        case released
        /// Its holder has not renewed it for as long as it said.
        case expired(holder: String)
        /// It is ours already: the answer to an earlier attempt was lost.
        case ours
    }

    package enum Step: Sendable, Equatable {
        /// Another holds it, or may; nothing but a look is due before this moment.
        case wait(until: Instant)
        case take(LeaseRecord, Vacancy)
    }

    // MARK: Standing by

    /// What a replica that does not lead has to do.
    ///
    /// - Parameters:
    ///   - found: What was read; nil where there is no Lease.
    ///   - now: When the answer had come, so that nothing counts from too early on.
    ///   - time: The time of day, for the record.
    package mutating func next(on found: StoredLease?, at now: Instant, time: Timestamp) -> Step {
        let record = found?.record
        if let record, record.holder.hasSameBytes(as: identity) { return .take(claim(record, at: time), .ours) }
        if let record, record.holder.isEmpty { return .take(claim(record, at: time), .released) }
        let since = note(found, at: now)
        let end = since.advanced(by: observed?.lasts ?? timing.lease)
        guard now >= end else { return .wait(until: end) }
        guard let record else { return .take(claim(nil, at: time), .absent) }
        return .take(claim(record, at: time), .expired(holder: record.holder))
    }

    /// - Returns: Since when it is seen like this.
    private mutating func note(_ found: StoredLease?, at now: Instant) -> Instant {
        if let observed, observed.spec == found?.spec { return observed.since }
        // A Lease that is gone may have been deleted under a holder who does not know it yet: who that was, and for how
        // long it may write, is no longer to be seen.
        let lasts =
            found.map { $0.record.duration(orElse: timing.lease) } ?? max(timing.lease, observed?.lasts ?? .zero)
        observed = Observed(spec: found?.spec, since: now, lasts: lasts)
        return now
    }

    /// The record that makes us the holder.
    private func claim(_ found: LeaseRecord?, at time: Timestamp) -> LeaseRecord {
        let isOurs = found?.holder.hasSameBytes(as: identity) == true
        return LeaseRecord(
            holder: identity, durationSeconds: timing.lease.components.seconds,
            acquired: isOurs ? found?.acquired ?? time : time, renewed: time,
            transitions: isOurs || found == nil
                ? bounded(found?.transitions ?? 0) : bounded(found?.transitions ?? 0, plus: 1))
    }

    // MARK: Leading

    /// The record that keeps us the holder.
    package func renewal(of record: LeaseRecord, at time: Timestamp) -> LeaseRecord {
        var renewed = record
        renewed.holder = identity
        renewed.durationSeconds = timing.lease.components.seconds
        renewed.acquired = record.acquired ?? time
        // Others see that we live by a record that differs: a clock that stands still must not hide it.
        renewed.renewed = time == record.renewed ? time.advanced(by: .microseconds(1)) : time
        renewed.transitions = bounded(record.transitions)
        return renewed
    }

    /// The record that gives the lease back (rule K7).
    package func release(of record: LeaseRecord, at time: Timestamp) -> LeaseRecord {
        LeaseRecord(
            holder: "", durationSeconds: 1, acquired: time, renewed: time, transitions: bounded(record.transitions))
    }

    /// Whether a record that was found in place of ours still leaves us the lease.
    package func isHeld(by record: LeaseRecord) -> Bool { record.holder.hasSameBytes(as: identity) }

    /// The API's number has 32 bits, and somebody may have written any.
    private func bounded(_ transitions: Int64, plus change: Int64 = 0) -> Int64 {
        min(max(transitions, 0), Int64(Int32.max) - change) + change
    }
}
