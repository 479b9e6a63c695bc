import Manifest
import SQLite

/// The order in which the entries of several logs stand in one history.
///
/// By time; where times are equal, by the number of the log. The order within one log is never contradicted, whatever its
/// clock said: see ``steadyTimes(_:)``. The same logs give the same order, wherever they are merged.
struct MergeOrder: Sequence, IteratorProtocol {
    /// The entries of one log, ascending, and when each was written, in microseconds.
    struct Log {
        fileprivate(set) var numbers: [Int64] = []
        fileprivate(set) var times: [Int64] = []

        init(numbers: [Int64], times: [Int64]) {
            self.numbers = numbers
            self.times = times
        }

        /// Reads what a journal has up to an entry: sixteen bytes for each.
        init(upTo last: Int64, on connection: Connection) throws(JournalFailure) {
            try read(
                "SELECT sequence, time FROM entries WHERE sequence <= ? ORDER BY sequence", last, on: connection)
        }

        /// Reads what a merged history has of a log.
        init(of log: Int64, on connection: Connection) throws(JournalFailure) {
            try read(
                """
                SELECT number, time FROM merged_places JOIN entries USING (sequence) WHERE log = ? ORDER BY number
                """, log, on: connection)
        }

        private mutating func read(_ sql: String, _ value: Int64, on connection: Connection) throws(JournalFailure) {
            var unreadable: Int64?
            try JournalFailure.wrapping { () throws(DatabaseError) in
                try connection.forEachRow(sql, [.integer(value)]) { (row) throws(DatabaseError) in
                    let number = try row.integer(0)
                    guard let time = Timestamp(try row.text(1)) else {
                        unreadable = number
                        return false
                    }
                    numbers.append(number)
                    times.append(time.microsecondsSinceEpoch)
                    return true
                }
            }
            if let unreadable { throw .unreadable("entry \(unreadable) has no time") }
        }
    }

    private var logs: [(numbers: [Int64], times: [Int64], next: Int)]

    /// - Parameter logs: In the order of their numbers.
    init(_ logs: [Log]) {
        self.logs = logs.map { ($0.numbers, steadyTimes($0.times), 0) }
    }

    /// - Returns: The index of a log, and the number that the entry has there.
    mutating func next() -> (log: Int, number: Int64)? {
        var first: (log: Int, time: Int64)?
        for (index, log) in logs.enumerated() where log.next < log.numbers.count {
            let time = log.times[log.next]
            if let found = first, found.time <= time { continue }
            first = (index, time)
        }
        guard let first else { return nil }
        defer { logs[first.log].next += 1 }
        return (first.log, logs[first.log].numbers[logs[first.log].next])
    }
}

/// The times of a log's entries, made to never go back.
///
/// The most entries whose times never go back keep theirs; each other one, whose clock was wrong as far as the log tells, gets
/// the time of the last of these before it (the first ones that of the first). So an entry that is dated ahead holds up none
/// behind it, and one that is dated back pulls none before it with it. Takes twenty bytes for each entry while it runs.
func steadyTimes(_ times: [Int64]) -> [Int64] {
    // Patience sorting: for each length, the entry with the least time at which a run of that length may end.
    var ends: [Int] = []
    var before = [Int](repeating: -1, count: times.count)
    for (index, time) in times.enumerated() {
        var (low, high) = (0, ends.count)
        while low < high {
            let middle = (low + high) / 2
            if times[ends[middle]] <= time { low = middle + 1 } else { high = middle }
        }
        if low > 0 { before[index] = ends[low - 1] }
        if low == ends.count { ends.append(index) } else { ends[low] = index }
    }
    guard let last = ends.last else { return [] }
    var steady = times
    var next = times.count
    var index = last
    while index >= 0 {
        for other in (index + 1)..<next { steady[other] = times[index] }
        next = index
        index = before[index]
    }
    for other in 0..<next { steady[other] = times[next] }
    return steady
}
