package import Manifest
package import Reconciler
import SQLite

/// Which entries a policy lets go, as it was found out once for many steps.
///
/// Entries only grow older, so it stays true.
package struct OldEntries: Sendable, Equatable {
    /// Those up to this one go whatever the size; 0 where none do.
    package var lastByAge: Int64
    /// Those up to this one go while the journal holds more than ``maximumBytes``; 0 where none do.
    package var lastBySize: Int64
    /// How many bytes it may hold.
    package var maximumBytes: Int64?

    package init(lastByAge: Int64 = 0, lastBySize: Int64 = 0, maximumBytes: Int64? = nil) {
        self.lastByAge = lastByAge
        self.lastBySize = lastBySize
        self.maximumBytes = maximumBytes
    }

    /// The last entry that may go now; 0 where none may.
    ///
    /// - Parameter bytes: How many bytes the journal holds.
    package func last(bytes: Int64) -> Int64 {
        guard let maximumBytes, bytes > maximumBytes else { return lastByAge }
        return max(lastByAge, lastBySize)
    }
}

extension JournalReader {
    /// Finds out which entries a policy lets go, as ``RetentionClock`` judges it.
    ///
    /// It looks at thousands of entries, for which the writer is not to wait.
    package func oldEntries(_ policy: RetentionPolicy, at now: Timestamp) async throws(JournalError) -> OldEntries {
        try await read { (connection) throws(JournalFailure) in
            let start = try JournalCut.through(on: connection)
            return try JournalFailure.wrapping { () throws(DatabaseError) in
                var found = OldEntries(maximumBytes: policy.maximumBytes)
                if let age = policy.maximumAge {
                    found.lastByAge = try Self.lastOld(age, now, after: start, on: connection)
                }
                if let bytes = policy.maximumBytes, try connection.usedBytes() > bytes {
                    found.lastBySize = try Self.lastOld(RetentionPolicy.minimumAge, now, after: start, on: connection)
                }
                return found
            }
        }
    }

    private static func lastOld(
        _ age: Duration, _ now: Timestamp, after start: Int64, on connection: Connection
    ) throws(DatabaseError) -> Int64 {
        let last = try connection.firstRow("SELECT ifnull(max(sequence), 0) FROM entries") {
            (row) throws(DatabaseError) in try row.integer(0)
        }
        let clock = RetentionClock(age: age, now: now)
        let found = try clock.lastOld(after: start, through: last ?? 0) { (sequence) throws(DatabaseError) in
            // One by one, as the rows are long and lie far apart.
            try connection.firstRow("SELECT time FROM entries WHERE sequence = ?", [.integer(sequence)]) {
                (row) throws(DatabaseError) in Timestamp(try row.text(0))
            }.flatMap { $0 }
        }
        return found ?? 0
    }
}
