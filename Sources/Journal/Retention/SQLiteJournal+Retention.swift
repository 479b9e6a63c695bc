package import Manifest
package import Reconciler
import SQLite
import Signatures

extension SQLiteJournal {
    /// The most entries that go in one step: the writer waits for it.
    private static var maximumStep: Int64 { 4096 }

    /// What one step would remove.
    private struct Plan: Sendable {
        var previous: Int64
        var cut: JournalCut
        var removedCount: Int64 { cut.through - previous - keptAnew + gone }
        /// Of the entries that no earlier step looked at, how many stay.
        var keptAnew: Int64
        /// Of the entries that earlier steps kept, how many go.
        var gone: Int64
        /// The hashes of the entries behind `previous`, by blocks.
        var leaves: [[UInt8]] = []
    }

    /// Removes the oldest entries that the policy lets go, in whole blocks.
    ///
    /// First an entry says what goes and what stays, then a checkpoint over it is signed, and only then entries go; their
    /// hashes stay. So whoever verifies sees that each missing entry was removed by retention. A step is small; call it
    /// again until it gives nil.
    ///
    /// - Parameter minimumCount: Fewer entries are not worth an entry about it.
    /// - Returns: Nil where there is nothing to remove.
    /// - Throws: ``JournalError`` also where an entry that would go is not what was written, and without a signing key.
    package func removeOldEntries(
        _ policy: RetentionPolicy, at now: Timestamp, minimumCount: Int64
    ) async throws(JournalError) -> RetentionReport? {
        guard configuration.signingKey != nil else {
            throw JournalError(
                .checkpoint("it was opened without a key, and what is removed has to be signed for"),
                doing: "remove old entries of", path: path)
        }
        let plan = try await perform("remove old entries of") { (connection) throws(JournalFailure) in
            try Self.plan(policy, at: now, minimumCount: minimumCount, on: connection)
        }
        guard let plan else { return nil }
        let entry = try await record(
            EntryDraft(
                at: now, kind: .event, reason: .journalCut, outcome: .succeeded, after: plan.cut.content,
                message: "retention removes entries up to \(plan.cut.through), from before \(plan.cut.time); "
                    + "\(plan.cut.kept.count) of them stay, on which something in force depends"), owned: .unchanged)
        _ = try await checkpoint(at: now)
        let bytes = try await perform("remove old entries of") { (connection) throws(JournalFailure) in
            guard try JournalCut.through(on: connection) == plan.previous else {
                throw .removedMeanwhile
            }
            try Self.remove(plan, entry: entry, on: connection)
            return try JournalFailure.wrapping { () throws(DatabaseError) in try connection.usedBytes() }
        }
        return RetentionReport(
            entry: entry, through: plan.cut.through, removedCount: plan.removedCount,
            keptCount: Int64(plan.cut.kept.count), bytes: bytes)
    }

    private static func plan(
        _ policy: RetentionPolicy, at now: Timestamp, minimumCount: Int64, on connection: Connection
    ) throws(JournalFailure) -> Plan? {
        let previous = try JournalCut.read(on: connection)
        let start = previous?.through ?? 0
        let end: (through: Int64, time: String)? = try JournalFailure.wrapping { () throws(DatabaseError) in
            guard let limit = policy.limit(at: now, bytes: try connection.usedBytes()) else { return nil }
            // The clock may have been set back, so the first that is too young counts, not the last that is old.
            let young = try connection.firstRow(
                """
                SELECT ifnull(
                    (SELECT min(sequence) FROM entries NOT INDEXED WHERE sequence > ?1 AND sequence <= ?2 AND time >= ?3),
                    (SELECT min(max(sequence), ?2) + 1 FROM entries))
                """, [.integer(start), .integer(start + maximumStep), .text(limit.description)]
            ) { (row) throws(DatabaseError) in try row.integer(0) }
            let through = ((young ?? 1) - 1) / JournalFrontier.blockSize * JournalFrontier.blockSize
            guard through > start else { return nil }
            return try connection.firstRow("SELECT time FROM entries WHERE sequence = ?", [.integer(through)]) {
                (row) throws(DatabaseError) in (through: through, time: try row.text(0))
            }
        }
        guard let (through, text) = end else { return nil }
        guard let time = Timestamp(text) else { throw .unreadable("entry \(through) has the time “\(text)”") }
        let kept = try KeptEntries.upTo(through, on: connection)
        let keptAnew = Int64(kept.count { $0 > start })
        var plan = Plan(
            previous: start, cut: JournalCut(through: through, time: time, kept: kept), keptAnew: keptAnew,
            gone: Int64(previous?.kept.count ?? 0) - Int64(kept.count) + keptAnew)
        guard plan.removedCount >= max(1, minimumCount) else { return nil }
        plan.leaves = try soundLeaves(after: start, through: through, on: connection)
        return plan
    }

    private static func remove(_ plan: Plan, entry: Int64, on connection: Connection) throws(JournalFailure) {
        try JournalFailure.wrapping { () throws(DatabaseError) in
            let first = plan.previous / JournalFrontier.blockSize
            for (index, block) in plan.leaves.enumerated() {
                try connection.execute(
                    "INSERT INTO cut_blocks (block, leaves) VALUES (?, ?)",
                    [.integer(first + Int64(index)), .blob(block)])
            }
            try connection.execute(
                "UPDATE cut SET through = ?, entry = ?, kept = ?",
                [.integer(plan.cut.through), .integer(entry), .integer(Int64(plan.cut.kept.count))])
            var before: Int64 = 0
            for next in plan.cut.kept + [plan.cut.through + 1] {
                if next > before + 1 {
                    try TextIndex.remove(after: before, before: next, from: connection)
                    try connection.execute(
                        "DELETE FROM entries WHERE sequence > ? AND sequence < ?", [.integer(before), .integer(next)])
                }
                before = next
            }
        }
    }

    /// The hashes of whole blocks of entries, after a look at whether each still is what was written: what somebody changed
    /// must not go unseen.
    private static func soundLeaves(
        after start: Int64, through end: Int64, on connection: Connection
    ) throws(JournalFailure) -> [[UInt8]] {
        var check = EntryStreamCheck(first: start + 1, wantedSizes: [], hasher: try newHasher())
        var encoding = EntryEncoding()
        var blocks: [[UInt8]] = []
        try EntryScan.rows(
            "WHERE sequence > ? AND sequence <= ? ORDER BY sequence", [.integer(start), .integer(end)], on: connection
        ) { (row) throws(JournalFailure) in
            let isSound = try check.take(row.sequence, recorded: row.recordedHash, in: &encoding) {
                (encoding) throws(JournalFailure) in try encoding.encode(row.columns)
            }
            guard isSound, let leaf = row.recordedHash else {
                throw .contradictsCheckpoint("entry \(check.expected) is not what was written")
            }
            if (row.sequence - 1) % JournalFrontier.blockSize == 0 { blocks.append([]) }
            blocks[blocks.count - 1] += leaf.bytes
        }
        guard check.expected == end + 1 else {
            throw .contradictsCheckpoint("entries \(check.expected) to \(end) are gone")
        }
        return blocks
    }
}
