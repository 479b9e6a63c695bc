/// How long entries stay that nothing in force depends on.
package struct RetentionPolicy: Sendable, Equatable {
    /// Whatever the size: a flood of new entries must not push out the evidence of how it began.
    package static let minimumAge = Duration.seconds(30 * 86_400)

    /// Entries older than that go.
    package var maximumAge: Duration?
    /// While the journal holds more bytes than that, the oldest entries go that are older than ``minimumAge``.
    package var maximumBytes: Int64?

    package init(maximumAge: Duration? = nil, maximumBytes: Int64? = nil) {
        self.maximumAge = maximumAge
        self.maximumBytes = maximumBytes
    }
}

/// What retention did in one step.
package struct RetentionReport: Sendable, Equatable {
    /// The entry that says what was removed.
    package var entry: Int64
    /// Up to which entry.
    package var through: Int64
    package var removedCount: Int64
    /// How many entries up to there stay.
    package var keptCount: Int64
    /// How many bytes the journal holds now; the file keeps its size, and what is free in it is used again.
    package var bytes: Int64
}
