package import Manifest
package import Reconciler
import SQLite
import Signatures
import TransparencyLog

extension SQLiteJournal {
    /// How many entries a step looks at: the writer waits for it, so it takes more only where nearly all of them stay.
    private static let windows: [Int64] = [4096, 16_384, 65_536, 262_144]

    /// What one step would remove.
    private struct Plan: Sendable {
        var previous: Int64
        var cut: JournalCut
        /// Of the entries that earlier steps kept, those that go.
        var gone: [Int64]
        /// The hashes of the entries behind `previous`, by blocks.
        var leaves: [[UInt8]] = []

        var keptAnew: [Int64] { cut.kept.filter { $0 > previous } }
        var removedCount: Int64 { cut.through - previous - Int64(keptAnew.count) + Int64(gone.count) }
    }

    /// Removes the oldest of the entries that a policy lets go, in whole blocks.
    ///
    /// First an entry says what goes and what stays, then a checkpoint over it is signed, and only then entries go; their
    /// hashes stay. So whoever verifies sees that each missing entry was removed by retention. A step is small; call it
    /// again until it gives nil. One wrong clock removes nothing, see ``RetentionClock``.
    ///
    /// - Parameters:
    ///   - old: What ``JournalReader/oldEntries(_:at:)`` has found, once for all steps.
    ///   - minimumCount: Fewer entries are not worth an entry about it.
    /// - Returns: Nil where there is nothing to remove.
    /// - Throws: ``JournalError`` also where an entry that would go is not what was written, and without a signing key.
    package func removeOldEntries(
        _ old: OldEntries, at now: Timestamp, minimumCount: Int64
    ) async throws(JournalError) -> RetentionReport? {
        let signer = try await noteSigner()
        let plan = try await perform("remove old entries of") { (connection) throws(JournalFailure) in
            let bytes = try JournalFailure.wrapping { () throws(DatabaseError) in try connection.usedBytes() }
            let last = old.last(bytes: bytes)
            for window in Self.windows {
                let plan = try Self.plan(through: last, window: window, on: connection)
                guard var plan, plan.removedCount >= max(1, minimumCount) else { continue }
                plan.leaves = try Self.soundLeaves(of: plan, signedBy: signer.verifier, on: connection)
                try plan.cut.sign(of: signer.verifier.name, with: signer)
                return Plan?.some(plan)
            }
            return nil
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
        through last: Int64, window: Int64, on connection: Connection
    ) throws(JournalFailure) -> Plan? {
        let previous = try JournalCut.read(on: connection)
        let start = previous?.through ?? 0
        let through = min(last, start + window) / JournalFrontier.blockSize * JournalFrontier.blockSize
        guard through > start else { return nil }
        let text = try JournalFailure.wrapping { () throws(DatabaseError) in
            try connection.firstRow("SELECT time FROM entries WHERE sequence = ?", [.integer(through)]) {
                (row) throws(DatabaseError) in try row.text(0)
            }
        }
        guard let text else { return nil }
        guard let time = Timestamp(text) else { throw .unreadable("entry \(through) has the time “\(text)”") }
        let kept = try KeptEntries.upTo(through, on: connection)
        let staying = Set(kept)
        return Plan(
            previous: start, cut: JournalCut(through: through, time: time, kept: kept),
            gone: (previous?.kept ?? []).filter { !staying.contains($0) })
    }

    private static func remove(_ plan: Plan, entry: Int64, on connection: Connection) throws(JournalFailure) {
        try JournalFailure.wrapping { () throws(DatabaseError) in
            let first = plan.previous / JournalFrontier.blockSize
            for (index, block) in plan.leaves.enumerated() {
                try connection.execute(
                    "INSERT OR REPLACE INTO cut_blocks (block, leaves) VALUES (?, ?)",
                    [.integer(first + Int64(index)), .blob(block)])
            }
            try connection.execute(
                "UPDATE cut SET through = ?, entry = ?, kept = ?",
                [.integer(plan.cut.through), .integer(entry), .integer(Int64(plan.cut.kept.count))])
            for sequence in plan.gone { try remove(after: sequence - 1, before: sequence + 1, on: connection) }
            var before = plan.previous
            for next in plan.keptAnew + [plan.cut.through + 1] {
                if next > before + 1 { try remove(after: before, before: next, on: connection) }
                before = next
            }
        }
    }

    private static func remove(after first: Int64, before last: Int64, on connection: Connection) throws(DatabaseError)
    {
        try TextIndex.remove(after: first, before: last, from: connection)
        try connection.execute(
            "DELETE FROM entries WHERE sequence > ? AND sequence < ?", [.integer(first), .integer(last)])
    }

    /// The hashes of whole blocks of entries, after a look at whether every entry up to there still is what was written and
    /// signed: what somebody changed must not go unseen, nor decide what stays.
    private static func soundLeaves(
        of plan: Plan, signedBy key: VerifierKey, on connection: Connection
    ) throws(JournalFailure) -> [[UInt8]] {
        let tree = StoredTree(connection: connection, hasher: try newHasher())
        guard let newest = try StoredCheckpoints(connection: connection).newest(keys: [key]) else {
            throw .checkpoint("the key has signed nothing of it yet")
        }
        guard try tree.root(size: newest.checkpoint.size) == newest.checkpoint.root else {
            throw .contradictsCheckpoint("another root was signed over its first \(newest.checkpoint.size) entries")
        }
        var check = EntryStreamCheck(first: plan.previous + 1, wantedSizes: [], hasher: tree.hasher)
        var earlier = CutLeaves(connection: connection)
        var encoding = EntryEncoding()
        var blocks: [[UInt8]] = []
        try EntryScan.rows(
            "WHERE sequence <= ? ORDER BY sequence", [.integer(plan.cut.through)], on: connection
        ) { (row) throws(JournalFailure) in
            guard row.sequence > plan.previous else {
                try encoding.encode(row.columns)
                let leaf = try JournalFailure.hashing { () throws(HashingFailure) in
                    try encoding.leafHash(sequence: row.sequence, by: tree.hasher)
                }
                guard try earlier.leaf(row.sequence) == leaf else {
                    throw .contradictsCheckpoint("entry \(row.sequence) is not what was written")
                }
                return
            }
            let isSound = try check.take(row.sequence, recorded: row.recordedHash, in: &encoding) {
                (encoding) throws(JournalFailure) in try encoding.encode(row.columns)
            }
            guard isSound, let leaf = row.recordedHash else {
                throw .contradictsCheckpoint("entry \(check.expected) is not what was written")
            }
            if (row.sequence - 1) % JournalFrontier.blockSize == 0 { blocks.append([]) }
            blocks[blocks.count - 1] += leaf.bytes
        }
        guard check.expected == plan.cut.through + 1 else {
            throw .contradictsCheckpoint("entries \(check.expected) to \(plan.cut.through) are gone")
        }
        let level = JournalFrontier.blockLevel
        for (index, root) in check.blockRoots.enumerated() {
            let block = plan.previous / JournalFrontier.blockSize + Int64(index)
            guard try tree.perfectRoot(level: level, index: block) == root else {
                throw .contradictsCheckpoint(
                    "an entry from \(block * JournalFrontier.blockSize + 1) on was changed together with its hash")
            }
        }
        return blocks
    }
}
