import Manifest
import SQLite

/// Which entries are old, although any clock may be wrong, now or when one of them was written.
///
/// Choice: two accounts must agree that more than an age has passed since an entry. By the clock it, or an entry behind it,
/// has a time from before then; so an entry that is dated ahead holds up nothing, and a clock that was set back cuts
/// nothing. By the journal's own account the steps from each entry to the next, and from the newest to now, add up to more.
/// There a step back counts nothing, the longest step of all nothing either, and none more than an eighth of the age. So
/// one clock that jumps ahead makes nothing older, and a second jump makes it older by an eighth at the most.
///
/// Given up: a journal in which nothing is written for more than an eighth of the age keeps its entries longer than that.
struct RetentionClock {
    /// The part of the age that one step may count for.
    private static let stepsOfAnAge = 8
    /// How many entries are looked at; of a journal that has more since the last cut, every second, third and so on.
    private static let maximumLooks: Int64 = 8192

    let age: Duration
    let now: Timestamp

    /// The last entry that is old; what comes before it is old as well.
    ///
    /// - Parameter start: Entries up to this one do not count.
    /// - Returns: Nil where none is.
    func lastOld(after start: Int64, on connection: Connection) throws(DatabaseError) -> Int64? {
        guard let byClock = try lastOldByClock(after: start, on: connection),
            let byJournal = try lastOldByJournal(after: start, on: connection)
        else { return nil }
        return min(byClock, byJournal)
    }

    private func lastOldByClock(after start: Int64, on connection: Connection) throws(DatabaseError) -> Int64? {
        try connection.firstRow(
            "SELECT max(sequence) FROM entries INDEXED BY entries_time WHERE time < ? AND sequence > ?",
            [.text(now.advanced(by: .zero - age).description), .integer(start)]
        ) { (row) throws(DatabaseError) in try row.optionalInteger(0) }.flatMap { $0 }
    }

    private func lastOldByJournal(after start: Int64, on connection: Connection) throws(DatabaseError) -> Int64? {
        let last = try connection.firstRow("SELECT ifnull(max(sequence), 0) FROM entries") {
            (row) throws(DatabaseError) in try row.integer(0)
        }
        guard let last, last > start else { return nil }
        // The newest first; one by one, as the rows are long and lie far apart.
        let times = try connection.rows(
            """
            WITH RECURSIVE looks (n) AS (SELECT ?1 UNION ALL SELECT n - ?2 FROM looks WHERE n - ?2 > ?3)
            SELECT sequence, time FROM looks CROSS JOIN entries ON sequence = n ORDER BY n DESC
            """, [.integer(last), .integer(1 + (last - start) / Self.maximumLooks), .integer(start)]
        ) { (row) throws(DatabaseError) in (sequence: try row.integer(0), time: Timestamp(try row.text(1))) }
        return lastOld(among: times)
    }

    /// By the journal's own account.
    ///
    /// - Parameter entries: The newest first.
    func lastOld(among entries: [(sequence: Int64, time: Timestamp?)]) -> Int64? {
        var (later, passed, longest) = (now, Duration.zero, Duration.zero)
        for entry in entries {
            guard let time = entry.time else { continue }
            let distance = Duration.microseconds(later.microsecondsSinceEpoch - time.microsecondsSinceEpoch)
            let step = min(max(distance, .zero), age / Self.stepsOfAnAge)
            passed += step
            longest = max(longest, step)
            later = time
            if passed - longest > age { return entry.sequence }
        }
        return nil
    }
}
