import Foundation
package import Manifest

/// What a failed change means for the next attempt (rule N5).
package enum NextAttempt: Sendable, Equatable {
    /// Soon, and then less and less often.
    case afterBackOff
    /// When the declaration or the live object changes; besides, seldom, since rights and policies change (rule N6).
    case afterChange
}

/// How a failed change is reported and when it is tried again: one table for the whole program.
package func classifyFailure(_ kind: ClusterError.Kind, isDrift: Bool) -> (IncidentReason, NextAttempt) {
    let (reason, next): (IncidentReason, NextAttempt) =
        switch kind {
        case .unreachable, .busy, .unauthenticated, .notFound, .namespaceNotFound, .roleNotFound, .conflict,
            .fieldConflict, .alreadyExists, .expired, .tooLarge, .cancelled, .notLeading:
            (.actionFailed, .afterBackOff)
        case .terminating: (.deletionBlocked, .afterBackOff)
        case .forbidden: (.actionForbidden, .afterChange)
        case .invalid, .roleRefImmutable, .fieldImmutable, .denied, .resourceNotServed: (.actionRejected, .afterChange)
        }
    return (isDrift && reason == .actionFailed ? .driftCorrectionFailed : reason, next)
}

/// How long to wait before another attempt.
package struct BackOff: Sendable {
    package var first: Duration
    package var longest: Duration

    package init(first: Duration = .milliseconds(50), longest: Duration = .seconds(300)) {
        self.first = first
        self.longest = longest
    }

    /// The wait after a number of failures in a row (1 and up): doubling, up to the longest, and spread over
    /// half to whole of that by `randomness` (0..<1), so that many objects do not come back at one moment.
    package func wait(afterFailures count: Int, randomness: Double) -> Duration {
        let doubled = first * Int(1 << min(max(count - 1, 0), 30))
        let full = min(doubled, longest)
        return full * (0.5 + randomness / 2)
    }
}

/// The fights that are on: how often each object had to be put back lately.
///
/// Bounded: whoever makes objects of ever new names must not fill our memory. The ones that were put back longest ago
/// are forgotten first.
package struct FightRecord: Sendable {
    private let capacity: Int
    private var meters: [ObjectID: FightMeter] = [:]

    package init(capacity: Int = 4096) { self.capacity = max(2, capacity) }

    package var count: Int { meters.count }

    /// Notes one correction.
    ///
    /// - Returns: Whether this is a fight.
    package mutating func correct(_ id: ObjectID, at now: Duration) -> Bool {
        let isFight = meters[id, default: FightMeter()].correct(at: now)
        if meters.count > capacity {
            let kept = meters.sorted { $0.value.heat(at: now) > $1.value.heat(at: now) }.prefix(capacity / 2)
            meters = Dictionary(uniqueKeysWithValues: kept.map { ($0.key, $0.value) })
        }
        return isFight
    }

    /// Takes up a fight that an earlier run has left open.
    package mutating func resume(_ id: ObjectID) { meters[id] = FightMeter() }

    /// Whether anything is left of a fight about an object.
    package func isKnown(_ id: ObjectID) -> Bool { meters[id] != nil }

    package func pause(of id: ObjectID, at now: Duration) -> Duration { meters[id]?.pause(at: now) ?? .zero }

    package func isOn(_ id: ObjectID, at now: Duration) -> Bool { pause(of: id, at: now) > .zero }

    /// Forgets the fights of which nothing is left.
    ///
    /// - Returns: Their objects.
    package mutating func endOld(at now: Duration) -> [ObjectID] {
        let over = meters.filter { $0.value.isOver(at: now) }.map(\.key)
        for id in over { meters[id] = nil }
        return over
    }
}

/// How often an object had to be put back lately, in corrections a minute (rule N1).
package struct FightMeter: Sendable {
    /// From here on another writer is at work, not a person's slip.
    package static let threshold = 6.0
    /// However long the fight, a policy is put back at least this often (rule N2).
    ///
    /// Whoever wants a policy to stay open would otherwise only have to open it again and again.
    package static let longestPause = Duration.seconds(5)

    private var heat = 0.0
    private var lastCorrection: Duration?

    package init() {}

    /// Notes one correction.
    ///
    /// - Returns: Whether this is a fight.
    package mutating func correct(at now: Duration) -> Bool {
        heat = heat(at: now) + 1
        lastCorrection = now
        return heat >= Self.threshold
    }

    /// How long to leave the object alone before the next correction; zero while it is no fight.
    package func pause(at now: Duration) -> Duration {
        let excess = heat(at: now) - Self.threshold
        guard excess >= 0 else { return .zero }
        return min(Self.longestPause, .milliseconds(250) * Int(1 << min(Int(excess), 10)))
    }

    /// Whether nothing of a fight is left: no correction for so long that a single one would be news.
    package func isOver(at now: Duration) -> Bool { heat(at: now) < 0.05 }

    fileprivate func heat(at now: Duration) -> Double {
        guard let lastCorrection else { return 0 }
        let passed = (now - lastCorrection) / .seconds(60)
        return heat * exp(-max(0, passed))
    }
}
