/// Spans that wait to be sent: a bounded number, of which the oldest go first when there is no room.
///
/// Whoever asks why a sync is slow asks about a late one.
package struct SpanQueue: Sendable, Equatable {
    private let capacity: Int
    private var spans: [Span] = []

    package init(capacity: Int = 4096) { self.capacity = max(1, capacity) }

    package var count: Int { spans.count }
    package var isEmpty: Bool { spans.isEmpty }

    /// Takes new spans in.
    ///
    /// - Returns: How many were dropped for it.
    package mutating func add(_ new: [Span]) -> Int {
        spans += new
        return dropOldest()
    }

    /// Hands out the next ones to send; they are no longer in here.
    package mutating func takeBatch(of count: Int) -> [Span] {
        let batch = Array(spans.prefix(max(1, count)))
        spans.removeFirst(batch.count)
        return batch
    }

    /// Takes back what could not be sent now.
    ///
    /// - Returns: How many were dropped, since there was no room for them any more.
    package mutating func putBack(_ batch: [Span]) -> Int {
        spans = batch + spans
        return dropOldest()
    }

    private mutating func dropOldest() -> Int {
        let excess = max(0, spans.count - capacity)
        spans.removeFirst(excess)
        return excess
    }
}
