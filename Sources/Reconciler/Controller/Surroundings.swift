package import Manifest

/// Time and chance, given from outside so that tests need not wait and results repeat.
package struct Surroundings: Sendable {
    /// The time of day, for the record.
    package var now: @Sendable () -> Timestamp
    /// A clock that never goes back, for waits and durations.
    package var uptime: @Sendable () -> Duration
    package var sleep: @Sendable (Duration) async throws -> Void
    /// A number in 0..<1.
    package var randomness: @Sendable () -> Double

    package init(
        now: @escaping @Sendable () -> Timestamp, uptime: @escaping @Sendable () -> Duration,
        sleep: @escaping @Sendable (Duration) async throws -> Void, randomness: @escaping @Sendable () -> Double
    ) {
        self.now = now
        self.uptime = uptime
        self.sleep = sleep
        self.randomness = randomness
    }
}
