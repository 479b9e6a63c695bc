package import Manifest

/// How soon something may be said of an object once more.
///
/// Whoever rewrites an object that is only reported, or makes it again and again, must not fill the journal: each time the
/// pause doubles, up to the longest, and what the object is in the end is told.
package struct TellingRecord: Sendable {
    private static let firstPause = Duration.seconds(1)
    package static let longestPause = Duration.seconds(600)

    private struct Telling {
        var pause: Duration
        var mayBeToldAgain: Duration
    }

    private let capacity: Int
    private var tellings: [ObjectID: Telling] = [:]

    package init(capacity: Int = 4096) { self.capacity = max(1, capacity) }

    /// Until when nothing more is to be said of an object; nil where it may be at once.
    package func pauseEnd(of id: ObjectID, at now: Duration) -> Duration? {
        tellings[id].flatMap { $0.mayBeToldAgain > now ? $0.mayBeToldAgain : nil }
    }

    /// Notes that something was said.
    package mutating func note(_ id: ObjectID, at now: Duration) {
        let earlier = tellings[id].flatMap { now - $0.mayBeToldAgain > Self.longestPause ? nil : $0.pause }
        let pause = earlier.map { min($0 * 2, Self.longestPause) } ?? Self.firstPause
        if tellings.count >= capacity {
            tellings = tellings.filter { $0.value.mayBeToldAgain > now }
            if tellings.count >= capacity { tellings = [:] }
        }
        tellings[id] = Telling(pause: pause, mayBeToldAgain: now + pause)
    }
}
