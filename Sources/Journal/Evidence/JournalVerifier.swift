import Foundation
package import Reconciler
import SQLite
import Signatures
import TransparencyLog

/// Verifies a journal file, also one that is being written, without trusting anything in it but what is signed.
///
/// The entries are read in their order, each is brought into its canonical form anew and hashed; the roots over them have
/// to be those of the checkpoints. Indexes, open incidents and what is known to be owned are not evidence and not looked at.
package enum JournalVerifier {
    private static let maximumWorkers = 4
    /// More entries than that are in no journal; beyond, sums could overflow.
    static let maximumSequence: Int64 = 1 << 48

    /// - Throws: ``JournalError`` where the file cannot be opened as a journal or cannot be read for a reason of the machine's.
    package static func verify(
        _ path: String, _ request: VerificationRequest
    ) async throws(JournalError) -> VerificationReport {
        do throws(JournalFailure) { return try await verifyFile(path, request) } catch {
            throw JournalError(error, doing: "verify", path: path)
        }
    }

    private static func verifyFile(
        _ path: String, _ request: VerificationRequest
    ) async throws(JournalFailure) -> VerificationReport {
        let facts: StoredFacts
        do throws(JournalFailure) {
            facts = try await onConnection(to: path) { (connection) throws(JournalFailure) in
                try StoredFacts(of: connection)
            }
        } catch {
            let finding = try damage(error, at: nil)
            return VerificationReport(
                origin: "", lastSequence: 0, provenThrough: 0, checkpointCount: 0, keys: [],
                areKeysItsOwn: request.keys.isEmpty, unknownCheckpointCount: 0, findings: [finding])
        }
        var check = try checkpointCheck(facts.origin, request, ownKeys: facts.keys)
        for (size, note) in facts.checkpoints {
            do throws(NoteFailure) { check.add(try SignedCheckpoint(note), isGiven: false) } catch {
                check.addUnreadable(size: size, error.message)
            }
        }
        for checkpoint in request.checkpoints { check.add(checkpoint, isGiven: true) }

        var findings: [TamperFinding] = []
        if let first = facts.firstSequence, first < 1 {
            findings.append(TamperFinding(.inserted, first...first, "entry \(first) was inserted: the first one is 1"))
        }
        if let problem = facts.cutProblem { findings.append(TamperFinding(.damaged, nil, problem)) }
        guard facts.lastSequence <= maximumSequence else {
            let last = facts.lastSequence
            findings.append(TamperFinding(.inserted, last...last, "entry \(last) was inserted: no journal is so long"))
            return VerificationReport(
                origin: facts.origin, lastSequence: last, provenThrough: 0, checkpointCount: 0, keys: [],
                areKeysItsOwn: request.keys.isEmpty, unknownCheckpointCount: 0, findings: findings)
        }
        var blockRoots: [SHA256Digest] = []
        var edges: [Int64: [SHA256Digest]] = [:]
        var isComplete = true
        // What comes behind a finding cannot be put together any more.
        let scans = try await scan(path, last: facts.lastSequence, wantedSizes: check.sizes, cut: facts.cut)
        for run in scans where isComplete {
            blockRoots += run.blockRoots
            edges.merge(run.edges) { $1 }
            guard let finding = run.finding else { continue }
            findings.append(finding)
            isComplete = false
        }
        let judged = try judge(check, facts, blockRoots, edges, isComplete: isComplete)
        findings += judged.findings + check.findings
        findings += unsignedCut(facts.cut, provenThrough: judged.provenThrough, beside: findings)
        findings.sort { ($0.entries?.lowerBound ?? .max) < ($1.entries?.lowerBound ?? .max) }
        var report = VerificationReport(
            origin: facts.origin, lastSequence: facts.lastSequence, provenThrough: judged.provenThrough,
            checkpointCount: judged.count, keys: check.signers, areKeysItsOwn: request.keys.isEmpty,
            unknownCheckpointCount: check.unknownCount, findings: findings)
        report.addCut(facts.cut)
        report.addUnproven(request, time: facts.timeBehind(judged.provenThrough))
        try await checkTables(path, request, &report)
        return report
    }

    /// A cut that nobody signed for is a removal; where entries before it do not fit, nothing can be said of it.
    static func unsignedCut(
        _ cut: JournalCut?, provenThrough: Int64, beside findings: [TamperFinding]
    ) -> [TamperFinding] {
        guard let cut, cut.entry > provenThrough,
            !findings.contains(where: { ($0.entries?.lowerBound ?? .max) <= cut.entry })
        else { return [] }
        return [
            TamperFinding(
                .removed, 1...cut.through,
                "entries up to \(cut.through) were removed, and no checkpoint that holds covers entry \(cut.entry), which "
                    + "says that retention did it")
        ]
    }

    /// What entries are found and shown by: views, indexes and triggers that somebody changed would show others.
    private static func checkTables(
        _ path: String, _ request: VerificationRequest, _ report: inout VerificationReport
    ) async throws(JournalFailure) {
        let comparesIndexes = request.comparesIndexes
        let answer: (findings: [TamperFinding], isDeep: Bool)
        do throws(JournalFailure) {
            answer = try await onConnection(to: path) { (connection) throws(JournalFailure) in
                try JournalFailure.wrapping { () throws(DatabaseError) in
                    let tables = [
                        "entries", "tree_blocks", "checkpoints", "checkpoint_keys", "identity", "cut", "cut_blocks",
                        "entries_text",
                    ]
                    var findings: [TamperFinding] = []
                    let found = try connection.definitions(ofTables: tables)
                    let expected = try JournalSchema.expectedDefinitions(ofTables: tables)
                    if let strange = Set(found).symmetricDifference(expected).sorted().first {
                        findings.append(
                            TamperFinding(
                                .damaged, nil, "the tables are not those that bylaw makes: \(strange.prefix(160))"))
                    }
                    let isSmall = try connection.sizeInBytes() <= maximumCheckedBytes
                    let isChecked = comparesIndexes ?? isSmall
                    if isChecked {
                        for detail in try connection.integrityFindings(ofTable: "entries").prefix(3) {
                            findings.append(
                                TamperFinding(.damaged, nil, "what lists show is not what the entries are: \(detail)"))
                        }
                    }
                    return (findings, isChecked)
                }
            }
        } catch {
            answer = ([try damage(error, at: nil)], false)
        }
        report.findings += answer.findings
        report.areIndexesChecked = answer.isDeep
    }

    private static let maximumCheckedBytes: Int64 = 128 << 20

    static func checkpointCheck(
        _ origin: String, _ request: VerificationRequest, ownKeys: [String]
    ) throws(JournalFailure) -> CheckpointCheck {
        do throws(NoteFailure) {
            var keys: [VerifierKey] = []
            for key in request.keys { keys.append(try key.verifier(for: origin)) }
            if request.keys.isEmpty {
                for key in ownKeys { keys.append(try VerifierKey(key)) }
            }
            return CheckpointCheck(origin: origin, keys: keys)
        } catch {
            throw .checkpoint("a key that it names: \(error.message)")
        }
    }

    private static func judge(
        _ check: CheckpointCheck, _ facts: StoredFacts, _ blockRoots: [SHA256Digest],
        _ edges: [Int64: [SHA256Digest]], isComplete: Bool
    ) throws(JournalFailure) -> (provenThrough: Int64, count: Int, findings: [TamperFinding]) {
        let size = JournalFrontier.blockSize
        var suspects: [ClosedRange<Int64>] = []
        for (index, root) in blockRoots.enumerated() where facts.blockRoots[Int64(index)] ?? nil != root {
            suspects.append((Int64(index) * size + 1)...((Int64(index) + 1) * size))
        }
        if isComplete, let extra = facts.blockRoots.keys.first(where: { !blockRoots.indices.contains(Int($0)) }) {
            suspects.append((max(0, min(extra, maximumSequence / size)) * size + 1)...(maximumSequence + size))
        }
        do throws(HashingFailure) {
            let hasher = try SHA256Hasher()
            var tree = AssembledTree(hasher: hasher)
            return try check.judge(last: facts.lastSequence, isComplete: isComplete, suspects: suspects) {
                size throws(HashingFailure) in try tree.root(size: size, blockRoots: blockRoots, edges: edges)
            }
        } catch {
            throw .hashing
        }
    }

    // MARK: Reading

    /// What one worker found in its run of entries.
    private struct Run: Sendable {
        /// How many entries lie before it.
        var start: Int64
        var blockRoots: [SHA256Digest]
        var edges: [Int64: [SHA256Digest]]
        var finding: TamperFinding?
    }

    /// All runs, in their order.
    private static func scan(
        _ path: String, last: Int64, wantedSizes: [Int64], cut: JournalCut?
    ) async throws(JournalFailure) -> [Run] {
        let blocks = max(0, last - 1) / JournalFrontier.blockSize + 1
        let workers = max(1, min(Int64(min(ProcessInfo.processInfo.activeProcessorCount, maximumWorkers)), blocks))
        let share = (blocks + workers - 1) / workers * JournalFrontier.blockSize
        let results = await withTaskGroup(of: Result<Run, JournalFailure>.self) { group in
            for worker in 0..<workers {
                let range = (worker * share)..<max(worker * share, min(last, (worker + 1) * share))
                group.addTask {
                    do throws(JournalFailure) {
                        let run = try await onConnection(to: path) { (connection) throws(JournalFailure) in
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
                _ = try check.take(row.sequence, recorded: row.recordedHash, in: &encoding) {
                    (encoding) throws(JournalFailure) in try encoding.encode(row.columns)
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

    /// A page that SQLite cannot read is what was asked for; a failing disk is not.
    private static func damage(
        _ failure: JournalFailure, at sequence: Int64?
    ) throws(JournalFailure) -> TamperFinding {
        guard case .database(let error) = failure, [.corrupt, .notADatabase, .mismatch].contains(error.code) else {
            throw failure
        }
        guard let sequence else {
            return TamperFinding(.damaged, nil, "the file is damaged outside the entries: \(error.detail)")
        }
        return TamperFinding(
            .damaged, sequence...sequence, "the file is damaged where entry \(sequence) lies: \(error.detail)")
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

    /// Runs `body` with a connection of its own, off the cooperative pool, in one snapshot.
    private static func onConnection<Value: Sendable>(
        to path: String, _ body: @escaping @Sendable (Connection) throws(JournalFailure) -> Value
    ) async throws(JournalFailure) -> Value {
        let connection = try await SerializedConnection(label: "bylaw.journal.verifier") {
            () throws(JournalFailure) -> sending Connection in try JournalFile.openForReading(path: path)
        }
        do throws(JournalFailure) {
            let value = try await connection.perform(
                { (connection) throws(JournalFailure) in
                    try connection.snapshot(orElse: { .database($0) }) { () throws(JournalFailure) in
                        try body(connection)
                    }
                }, orElse: { .database($0) })
            await connection.close()
            return value
        } catch {
            await connection.close()
            throw error
        }
    }
}
