/// How many spans one trace may have besides its stages.
///
/// A revision may change ten thousand objects: the first of them show how long each takes, and those that fail are worth
/// their place whenever they come.
package struct SpanAllowance: Sendable, Equatable {
    private var detailed: Int
    private var failed: Int
    /// How many spans were left out.
    package private(set) var leftOut = 0

    /// - Parameters:
    ///   - detailed: How many are kept, whatever becomes of them.
    ///   - failed: How many more are kept, where they fail.
    package init(detailed: Int = 512, failed: Int = 128) {
        self.detailed = detailed
        self.failed = failed
    }

    /// Whether a span that begins now is kept, with what is below it.
    package mutating func admit() -> Bool {
        guard detailed > 0 else { return false }
        detailed -= 1
        return true
    }

    /// Whether one that was not admitted is kept all the same, now that it is known how it ended.
    package mutating func admit(afterFailure isFailed: Bool) -> Bool {
        guard isFailed, failed > 0 else {
            leftOut += 1
            return false
        }
        failed -= 1
        return true
    }
}
