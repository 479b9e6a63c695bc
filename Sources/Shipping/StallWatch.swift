/// Since when nothing gets through to a receiver, and whether people are to be told.
///
/// Once for each time that it stands still: what is told becomes an entry that waits to be sent as well.
package struct StallWatch: Sendable, Equatable {
    /// After how long without a delivery people are told.
    package let patience: Duration
    /// Whether they were told, and not yet that it is over.
    package private(set) var isTold: Bool
    private var since: Duration?

    /// - Parameter isTold: Whether they were told by an earlier run.
    package init(patience: Duration, isTold: Bool = false) {
        self.patience = patience
        self.isTold = isTold
    }

    /// Whether something failed, or people were told so, and it was not seen to be over.
    package var isInTrouble: Bool { since != nil || isTold }

    /// When people are to be told; nil where there is no trouble, or they were.
    package var due: Duration? { isTold ? nil : since.map { $0 + patience } }

    /// An attempt came to nothing.
    ///
    /// - Parameter now: On a clock that never goes back, as in all calls.
    package mutating func fail(at now: Duration) { since = since ?? now }

    /// Something arrived, or there is nothing left to send.
    ///
    /// - Returns: Whether people have to be told that it is over.
    package mutating func succeed() -> Bool {
        defer { isTold = false }
        since = nil
        return isTold
    }

    /// Whether people are to be told now; true once.
    package mutating func isToBeTold(at now: Duration) -> Bool {
        guard let due, now >= due else { return false }
        isTold = true
        return true
    }

    /// They could not be told; it is tried again a minute later.
    package mutating func failToTell(at now: Duration) {
        isTold = false
        since = now + .seconds(60) - patience
    }
}
