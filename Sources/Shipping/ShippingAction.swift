/// What a shipping machine wants done, in this order.
package enum ShippingAction: Sendable, Equatable {
    /// Read entries behind a sequence, or from the beginning; the answer is ``ShippingMachine/take(_:)``.
    case read(after: Int64?, maximumCount: Int)
    /// Send a batch; the answer is ``ShippingMachine/receive(_:randomness:)``.
    case send([ShippedEntry])
    /// Call ``ShippingMachine/resume()`` after this time.
    case wait(Duration)
    /// There is nothing to do until ``ShippingMachine/wake()``.
    case awaitEntries
    /// Keep the cursor: whatever is behind it has been dealt with for good.
    case store(cursor: Int64)
    case report(ShippingReport)
}

/// What people are told.
package enum ShippingReport: Sendable, Equatable {
    /// The receiver will never take this entry: it was left out.
    case undeliverable(sequence: Int64, why: String)
    /// The receiver threw `count` of these entries away and does not say which.
    case undeliverableAmong(first: Int64, last: Int64, count: Int64, why: String)
    /// So many attempts in a row came to nothing; they go on.
    case delayed(failures: Int, why: String)
    /// Somebody has to change something.
    case stopped(why: String, hint: String)
    /// Entries arrive again, or all have been dealt with, after ``delayed(failures:why:)`` or ``stopped(why:hint:)``.
    case recovered
}
