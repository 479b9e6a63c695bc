/// How much is sent at once, and how long the pauses are.
package struct ShippingLimits: Sendable, Equatable {
    /// How many entries make a batch at most.
    package var maximumEntries: Int
    /// How many bytes of JSON they have together; one entry that is larger goes alone.
    package var maximumBytes: Int
    /// The pause after the first failure; it doubles with each that follows.
    package var firstPause: Duration
    package var longestPause: Duration
    /// The longest that a receiver may ask for.
    package var longestRequestedPause: Duration
    /// The pause where trying again does not help before somebody changes something.
    package var slowPause: Duration
    /// How many entries in a row are given up before the first pause, as it may be a mistake in the configuration.
    package var maximumSkipsInARow: Int

    package init(
        maximumEntries: Int = 500, maximumBytes: Int = 1 << 20, firstPause: Duration = .seconds(1),
        longestPause: Duration = .seconds(300), longestRequestedPause: Duration = .seconds(3600),
        slowPause: Duration = .seconds(300), maximumSkipsInARow: Int = 10
    ) {
        self.maximumEntries = max(1, maximumEntries)
        self.maximumBytes = maximumBytes
        self.firstPause = firstPause
        self.longestPause = longestPause
        self.longestRequestedPause = longestRequestedPause
        self.slowPause = slowPause
        self.maximumSkipsInARow = max(0, maximumSkipsInARow)
    }

    /// How many of the entries make the next batch: at least one, all of one journal.
    func batchCount(_ entries: some Collection<ShippedEntry>, atMost cap: Int) -> Int {
        guard let first = entries.first else { return 0 }
        var count = 0
        var bytes = 0
        for entry in entries.prefix(max(1, min(cap, maximumEntries))) {
            bytes += entry.json.count
            if count > 0, bytes > maximumBytes || entry.journal != first.journal { break }
            count += 1
        }
        return count
    }

    /// The pause after so many failures in a row: half of it is certain, the other half is by chance.
    ///
    /// Senders that were cut off together must not come back together.
    package func pause(afterFailures failures: Int, randomness: Double) -> Duration {
        let doublings = min(max(failures - 1, 0), 16)
        return jittered(min(firstPause * (1 << doublings), longestPause), randomness)
    }

    func jittered(_ pause: Duration, _ randomness: Double) -> Duration {
        let chance = randomness.isFinite ? min(max(randomness, 0), 1) : 0
        return pause * (0.5 + chance / 2)
    }
}
