package import Reconciler

extension JournalReader {
    /// The entries that match, from `query.afterSequence` on and then as they come, the oldest first.
    ///
    /// - Parameters:
    ///   - query: Its order and limit play no part.
    ///   - wait: Sleeps between two looks at the journal; false ends the sequence, as does a cancelled task.
    package func follow(
        _ query: JournalQuery, wait: @escaping @Sendable () async -> Bool
    ) -> JournalFollower {
        JournalFollower(reader: self, query: query, wait: wait)
    }
}

/// The journal as a sequence that goes on while entries are written.
package struct JournalFollower: AsyncSequence, Sendable {
    package typealias Element = JournalEntry
    package typealias Failure = JournalError

    fileprivate let reader: JournalReader
    fileprivate let query: JournalQuery
    fileprivate let wait: @Sendable () async -> Bool

    package func makeAsyncIterator() -> Iterator { Iterator(self) }

    package struct Iterator: AsyncIteratorProtocol {
        private let source: JournalFollower
        private var after: Int64
        private var page: ArraySlice<JournalEntry> = []
        private static let pageSize = 500

        fileprivate init(_ source: JournalFollower) {
            self.source = source
            after = source.query.afterSequence ?? 0
        }

        package mutating func next(
            isolation actor: isolated (any _Concurrency.Actor)?
        ) async throws(JournalError) -> JournalEntry? {
            while page.isEmpty {
                if Task.isCancelled { return nil }
                var query = source.query
                query.afterSequence = after
                query.order = .oldestFirst
                query.limit = Self.pageSize
                let (entries, end) = try await source.reader.entriesAndEnd(query)
                page = entries[...]
                // A full page may have left matches behind; otherwise everything up to the end has been looked at.
                after = entries.count == Self.pageSize ? entries.last?.sequence ?? after : Swift.max(after, end)
                if page.isEmpty, await !source.wait() { return nil }
            }
            return page.popFirst()
        }
    }
}
