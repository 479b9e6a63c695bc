import Shipping
import Synchronization
import Telemetry

/// Writes to the log what becomes of shipping: a failure that goes on is told once, and again where it has other words.
final class ShippingVoice: Sendable {
    private let logger: Logger
    /// The failure that was told last, without digits: libcurl counts milliseconds in its words.
    private let lastFailure = Mutex("")
    /// Behind the last gap that was told.
    private let lastGap = Mutex<Int64>(0)

    init(_ logger: Logger) { self.logger = logger }

    /// Takes a report of the machine.
    func tell(_ report: ShippingReport) {
        switch report {
        case .undeliverable(let sequence, let why):
            logger.log(.error, "An entry was left out of shipping", [("entry", String(sequence)), ("error", why)])
        case .undeliverableAmong(let first, let last, let count, let why):
            logger.log(
                .error, "Entries were left out of shipping",
                [("first", String(first)), ("last", String(last)), ("count", String(count)), ("error", why)])
        case .delayed(_, let why):
            guard isNews(why) else { return }
            logger.log(.warning, "Shipping failed; trying again", [("error", why)])
        case .stopped(let why, let hint):
            guard isNews(why) else { return }
            logger.log(.error, "Shipping stands still; trying slowly", [("error", why), ("hint", hint)])
        case .recovered:
            lastFailure.withLock { $0 = "" }
            logger.log(.notice, "Shipping goes on")
        }
    }

    /// Tells that retention removed entries that were never sent; not again for those that are read again.
    func tellRemoved(_ count: Int64, before last: Int64) {
        let isNew = lastGap.withLock { gap in
            defer { gap = max(gap, last) }
            return gap < last
        }
        guard isNew else { return }
        logger.log(
            .warning, "Retention removed entries before they were shipped",
            [("count", String(count)), ("before", String(last))])
    }

    /// Tells that what an earlier version kept for all receivers of a kind is one receiver's from now on.
    func tellTakenOver(_ earlier: String, as path: String) {
        logger.log(
            .notice, "The cursor of an earlier version was taken over; other receivers begin with the first entry",
            [("earlier", earlier), ("cursor", path)])
    }

    private func isNews(_ why: String) -> Bool {
        let words = why.filter { !$0.isNumber }
        return lastFailure.withLock { last in
            defer { last = words }
            return last != words
        }
    }
}
