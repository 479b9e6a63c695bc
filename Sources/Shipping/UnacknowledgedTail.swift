/// What a receiver that acknowledges nothing may have lost together with its connection, as a range of the journal.
///
/// A receiver reads what its machine took for it within moments, unless it hangs; so a batch counts as unsettled for a
/// minute after it was written to a connection that still stands. A connection that is lost then takes them all back:
/// most of them will arrive twice, which is what at least once means. At most ten thousand entries are taken back, and
/// half as many (a hundred at least) each time when nothing new was sent in between, so that a receiver that ends every
/// connection after some hundred messages still gets all of them in the end. Where the connection stood for a while after
/// the last write, three times in a row and with nothing new, something ends what is idle, and it counts as settled too.
package struct UnacknowledgedTail: Sendable, Equatable {
    package static let settledAfter = Duration.seconds(60)
    package static let maximumEntries = 10_000
    private static let minimumEntries = 100
    private static let idleAfter = Duration.seconds(5)
    private static let maximumIdleLosses = 3

    private struct Batch: Sendable, Equatable {
        var first: Int64
        var count: Int
        var writtenAt: Duration
    }

    private var batches: [Batch] = []
    private var entryLimit = UnacknowledgedTail.maximumEntries
    /// How often in a row an idle connection was lost, and nothing new was written in between.
    private var idleLosses = 0
    /// The last entry that was ever written, on any connection.
    private var newest = Int64.min

    package init() {}

    /// A batch was written, and the connection was seen alive after that.
    ///
    /// - Parameters:
    ///   - entries: In order.
    ///   - now: On a clock that never goes back.
    package mutating func note(_ entries: [ShippedEntry], at now: Duration) {
        guard let first = entries.first?.sequence, let last = entries.last?.sequence else { return }
        if last > newest {
            newest = last
            entryLimit = Self.maximumEntries
            idleLosses = 0
        }
        batches.append(Batch(first: first, count: entries.count, writtenAt: now))
        settle(at: now)
    }

    /// The connection is lost.
    ///
    /// - Returns: After which sequence everything is to be sent again; nil where all that was written is settled.
    package mutating func lose(at now: Duration) -> Int64? {
        settle(at: now)
        defer {
            batches = []
            entryLimit = max(Self.minimumEntries, entryLimit / 2)
        }
        if let last = batches.last { idleLosses = now - last.writtenAt >= Self.idleAfter ? idleLosses + 1 : 0 }
        return idleLosses > Self.maximumIdleLosses ? nil : batches.first.map { $0.first - 1 }
    }

    private mutating func settle(at now: Duration) {
        batches.removeAll { now - $0.writtenAt >= Self.settledAfter }
        var count = batches.reduce(0) { $0 + $1.count }
        while count > entryLimit, let oldest = batches.first {
            // Entries are numbered without a gap, so that a batch can be cut.
            let excess = min(count - entryLimit, oldest.count)
            batches[0].first += Int64(excess)
            batches[0].count -= excess
            count -= excess
            if batches[0].count == 0 { batches.removeFirst() }
        }
    }
}
