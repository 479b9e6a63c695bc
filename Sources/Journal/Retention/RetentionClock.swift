package import Manifest

/// Which entries are old, although any clock may be wrong, now or when one of them was written.
///
/// Choice: two accounts must agree that more than an age has passed since an entry. By the clock it, or an entry behind it,
/// has a time from before then; so an entry that is dated ahead holds up nothing, and a clock that was set back cuts
/// nothing. By the journal's own account the steps from each entry to the next, and from the newest to now, add up to more.
/// There no step counts for more than an eighth of the age, neither ahead nor back, and the longest ahead counts nothing.
///
/// - A clock that is wrong for some entries and then right again, as that of a machine that starts in 1970 each time, has a
///   step each way, and they cancel each other, however often. Only the time between the right entries around is lost.
/// - A clock that jumps ahead and stays there makes nothing older, as that step is the longest; each further jump makes what
///   is before it older by an eighth at the most.
/// - A clock that is set back for good makes what is before it younger by an eighth. The sum may fall below zero: that only
///   keeps more.
///
/// Given up: what is before a time in which nothing was written for more than an eighth of the age, or in which the clock
/// was wrong, stays longer than that. And a clock that jumps ahead again and again, and comes back in one step, counts each
/// jump as an eighth at the most.
package struct RetentionClock: Sendable {
    /// The part of the age that one step may count for.
    private static let stepsOfAnAge = 8
    /// The newest entries are looked at one by one; behind them each step is this part of the way to the newest.
    private static let stepsOfTheWay: Int64 = 2048

    let age: Duration
    let now: Timestamp

    package init(age: Duration, now: Timestamp) {
        self.age = age
        self.now = now
    }

    /// Which entries are looked at: all would be too many, and one in so many too few where a flood lies before a quiet time.
    ///
    /// Of a thousand million entries these are some thirty thousand.
    ///
    /// - Parameters:
    ///   - last: The newest, with which it begins.
    ///   - start: Those up to this one do not count.
    package static func looks(through last: Int64, after start: Int64) -> some Sequence<Int64> {
        sequence(state: last) { next in
            guard next > start else { return nil }
            defer { next -= max(1, (last - next) / stepsOfTheWay) }
            return next
        }
    }

    /// The last entry that is old; what comes before it is old as well.
    ///
    /// - Parameters:
    ///   - last: The newest entry.
    ///   - start: Entries up to this one do not count.
    ///   - time: Looks up when an entry was written, by itself; nil where it says nothing.
    /// - Returns: Nil where none is.
    package func lastOld<Failure: Error>(
        after start: Int64, through last: Int64, time: (Int64) throws(Failure) -> Timestamp?
    ) throws(Failure) -> Int64? {
        let threshold = now.advanced(by: .zero - age)
        let bound = age / Self.stepsOfAnAge
        var (later, passed, longest) = (now, Duration.zero, Duration.zero)
        var (isOldByClock, isOldByJournal) = (false, false)
        for sequence in Self.looks(through: last, after: start) {
            guard let time = try time(sequence) else { continue }
            let distance = Duration.microseconds(later.microsecondsSinceEpoch - time.microsecondsSinceEpoch)
            let step = min(max(distance, .zero - bound), bound)
            passed += step
            longest = max(longest, step)
            later = time
            isOldByClock = isOldByClock || time < threshold
            isOldByJournal = isOldByJournal || passed - longest > age
            if isOldByClock, isOldByJournal { return sequence }
        }
        return nil
    }
}
