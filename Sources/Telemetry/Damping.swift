import Synchronization

/// Decides which of many equal messages are told: the first, and then one a minute that counts the others.
package struct Damping: Sendable {
    private let interval: Duration
    private let capacity: Int
    private var told: [String: (at: Duration, unsaid: Int)] = [:]

    /// - Parameters:
    ///   - interval: For how long the same is not told again.
    ///   - capacity: How many messages are told from one another at a time.
    package init(interval: Duration = .seconds(60), capacity: Int = 64) {
        self.interval = interval
        self.capacity = max(1, capacity)
    }

    /// Takes in that there is something to tell.
    ///
    /// - Parameters:
    ///   - words: What it is; figures do not count, so that a text that only counts differently is no other.
    ///   - now: By a clock that only goes forward.
    /// - Returns: How often the same was not told since it was told last; nil where it is not to be told now.
    package mutating func take(_ words: String, at now: Duration) -> Int? {
        let key = words.filter { !$0.isNumber }
        if let last = told[key], now - last.at < interval {
            told[key]?.unsaid += 1
            return nil
        }
        let unsaid = told[key]?.unsaid ?? 0
        if told[key] == nil, told.count >= capacity {
            told = told.filter { now - $0.value.at < interval }
            if told.count >= capacity { told = [:] }
        }
        told[key] = (now, 0)
        return unsaid
    }
}

/// Writes log lines, of equal ones no more than one a minute.
package final class DampedVoice: Sendable {
    private let logger: Logger
    private let damping = Mutex(Damping())

    package init(_ logger: Logger) { self.logger = logger }

    /// Writes the line, or counts it until the next one that is equal.
    package func log(
        _ level: LogLevel, _ message: String, _ fields: [(key: String, value: String)] = [], at now: Duration
    ) {
        let words = ([message] + fields.map(\.value)).joined(separator: "\n")
        guard let unsaid = damping.withLock({ $0.take(words, at: now) }) else { return }
        logger.log(level, message, fields + (unsaid > 0 ? [("repeated", String(unsaid))] : []))
    }
}
