import Foundation
import SQLite
import Signatures
import TransparencyLog

extension JournalVerifier {
    private static let maximumWorkers = 4

    /// What one worker found in its run of entries.
    struct Run: Sendable {
        /// How many entries lie before it.
        var start: Int64
        var blockRoots: [SHA256Digest]
        var edges: [Int64: [SHA256Digest]]
        var finding: TamperFinding?
    }

    /// All runs, in their order.
    static func scan(
        _ path: String, log: Int64?, last: Int64, wantedSizes: [Int64], cut: JournalCut?
    ) async throws(JournalFailure) -> [Run] {
        let blocks = max(0, last - 1) / JournalFrontier.blockSize + 1
        let workers = max(1, min(Int64(min(ProcessInfo.processInfo.activeProcessorCount, maximumWorkers)), blocks))
        let share = (blocks + workers - 1) / workers * JournalFrontier.blockSize
        let results = await withTaskGroup(of: Result<Run, JournalFailure>.self) { group in
            for worker in 0..<workers {
                let range = (worker * share)..<max(worker * share, min(last, (worker + 1) * share))
                group.addTask {
                    do throws(JournalFailure) {
                        let run = try await onConnection(to: path, log: log) {
                            (connection) throws(JournalFailure) in
                            try scan(range, last: last, wantedSizes: wantedSizes, cut: cut, on: connection)
                        }
                        return .success(run)
                    } catch {
                        return .failure(error)
                    }
                }
            }
            var results: [Result<Run, JournalFailure>] = []
            for await result in group { results.append(result) }
            return results
        }
        var runs: [Run] = []
        for result in results { runs.append(try result.get()) }
        return runs.sorted { $0.start < $1.start }
    }

    /// Reads the entries behind `range.lowerBound` up to `range.upperBound`.
    private static func scan(
        _ range: Range<Int64>, last: Int64, wantedSizes: [Int64], cut: JournalCut?, on connection: Connection
    ) throws(JournalFailure) -> Run {
        let hasher = try newHasher()
        var check = EntryStreamCheck(
            first: range.lowerBound + 1, wantedSizes: wantedSizes, cut: cut, hasher: hasher)
        var removed = CutLeaves(connection: connection)
        var encoding = EntryEncoding()
        var finding: TamperFinding?
        do throws(JournalFailure) {
            try EntryScan.rows(
                "WHERE sequence > ? AND sequence <= ? ORDER BY sequence",
                [.integer(range.lowerBound), .integer(range.upperBound)], on: connection
            ) { (row) throws(JournalFailure) in
                guard check.stop == nil else { return }
                try check.passRemoved(before: row.sequence) { (sequence) throws(JournalFailure) in
                    try removed.leaf(sequence)
                }
                guard check.stop == nil else { return }
                let isSound = try check.take(row.sequence, recorded: row.recordedHash, in: &encoding) {
                    (encoding) throws(JournalFailure) in try encoding.encode(row.columns)
                }
                if isSound, row.sequence <= cut?.through ?? 0, try removed.leaf(row.sequence) != row.recordedHash {
                    finding =
                        finding
                        ?? TamperFinding(
                            .damaged, row.sequence...row.sequence,
                            "the hash that retention recorded of entry \(row.sequence) is another")
                }
            }
            try check.passRemoved(before: range.upperBound + 1) { (sequence) throws(JournalFailure) in
                try removed.leaf(sequence)
            }
            if check.stop == nil, check.expected <= range.upperBound {
                let end = check.expected <= cut?.through ?? 0 ? check.expected : range.upperBound
                finding = TamperFinding(
                    .removed, check.expected...end,
                    check.expected == end
                        ? "entry \(check.expected) was removed"
                        : "entries \(check.expected) to \(range.upperBound) were removed")
            }
            if let stop = check.stop {
                finding = try TamperClassification(last: last, hasher: hasher).classify(
                    stop,
                    next: { () throws(JournalFailure) in try standing(check.expected + 1, on: connection) },
                    recordedElsewhere: { (visit) throws(JournalFailure) in
                        try recordedHashes(on: connection, visit)
                    })
            }
        } catch {
            finding = try damage(error, at: check.expected)
        }
        return Run(start: range.lowerBound, blockRoots: check.blockRoots, edges: check.edges, finding: finding)
    }

    private static func recordedHashes(
        on connection: Connection, _ visit: (Int64, SHA256Digest?) throws(JournalFailure) -> Bool
    ) throws(JournalFailure) {
        var failure: JournalFailure?
        do throws(DatabaseError) {
            try connection.forEachRow("SELECT sequence, leaf_hash FROM entries NOT INDEXED ORDER BY sequence") {
                (row) throws(DatabaseError) in
                do throws(JournalFailure) {
                    return try visit(
                        try JournalFailure.wrapping { () throws(DatabaseError) in try row.integer(0) },
                        SHA256Digest(try JournalFailure.wrapping { () throws(DatabaseError) in try row.blob(1) }))
                } catch {
                    failure = error
                    return false
                }
            }
        } catch {
            throw .database(error)
        }
        if let failure { throw failure }
    }

    private static func standing(
        _ sequence: Int64, on connection: Connection
    ) throws(JournalFailure) -> TamperClassification.Standing? {
        var found: TamperClassification.Standing?
        try EntryScan.rows("WHERE sequence = ?", [.integer(sequence)], on: connection) {
            (row) throws(JournalFailure) in
            var encoding = EntryEncoding()
            do throws(JournalFailure) { try encoding.encode(row.columns) } catch {
                guard case .unreadable = error else { throw error }
                return
            }
            found = TamperClassification.Standing(encoding: encoding, recorded: row.recordedHash)
        }
        return found
    }
}
