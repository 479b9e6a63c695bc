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
    /// More entries than that are in no journal; beyond, sums could overflow.
    static let maximumSequence: Int64 = 1 << 48

    /// - Throws: ``JournalError`` where the file cannot be opened as a journal or cannot be read for a reason of the machine's.
    package static func verify(
        _ path: String, _ request: VerificationRequest
    ) async throws(JournalError) -> VerificationReport {
        do throws(JournalFailure) {
            if try JournalFile.isMerged(path) { return try await verifyMerged(path, request) }
            // Retention may remove entries between two of its snapshots; then it looks again.
            for _ in 1..<maximumTurns {
                if let report = try await verifyFile(path, request, isLast: false) { return report }
            }
            if let report = try await verifyFile(path, request, isLast: true) { return report }
            throw .removedMeanwhile
        } catch {
            throw JournalError(error, doing: "verify", path: path)
        }
    }

    private static let maximumTurns = 10

    /// - Parameters:
    ///   - log: The log that is meant of a merged history.
    ///   - isLast: Whether to answer even where retention removed entries meanwhile.
    /// - Returns: Nil where it did.
    static func verifyFile(
        _ path: String, log: Int64? = nil, _ request: VerificationRequest, isLast: Bool
    ) async throws(JournalFailure) -> VerificationReport? {
        let facts: StoredFacts
        do throws(JournalFailure) {
            facts = try await onConnection(to: path, log: log) { (connection) throws(JournalFailure) in
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
        let scans = try await scan(path, log: log, last: facts.lastSequence, wantedSizes: check.sizes, cut: facts.cut)
        if !isLast, try await isCutAnew(path, since: facts) { return nil }
        for run in scans where isComplete {
            blockRoots += run.blockRoots
            edges.merge(run.edges) { $1 }
            guard let finding = run.finding else { continue }
            findings.append(finding)
            isComplete = false
        }
        let judged = try judge(check, facts, blockRoots, edges, isComplete: isComplete)
        findings += judged.findings + check.findings
        findings += try unsignedCut(facts.cut, check, provenThrough: judged.provenThrough, beside: findings)
        findings.sort { ($0.entries?.lowerBound ?? .max) < ($1.entries?.lowerBound ?? .max) }
        var report = VerificationReport(
            origin: facts.origin, lastSequence: facts.lastSequence, provenThrough: judged.provenThrough,
            checkpointCount: judged.count, keys: check.signers, areKeysItsOwn: request.keys.isEmpty,
            unknownCheckpointCount: check.unknownCount, findings: findings)
        report.addCut(facts.cut)
        report.addUnproven(request, time: facts.timeBehind(judged.provenThrough))
        if log == nil { try await checkTables(path, of: JournalSchema.schema, request, &report) }
        return report
    }

    /// Whether retention has removed entries since; damage is what the rest of the verification tells of.
    private static func isCutAnew(_ path: String, since facts: StoredFacts) async throws(JournalFailure) -> Bool {
        do throws(JournalFailure) {
            let now = try await onConnection(to: path) { (connection) throws(JournalFailure) in
                try JournalCut.read(on: connection)
            }
            return facts.cutProblem == nil && now != facts.cut
        } catch {
            if case .unreadable = error { return false }
            _ = try damage(error, at: nil)
            return false
        }
    }

    /// A cut that nobody signed for is a removal; where entries before it do not fit, nothing can be said of it.
    static func unsignedCut(
        _ cut: JournalCut?, _ check: CheckpointCheck, provenThrough: Int64, beside findings: [TamperFinding]
    ) throws(JournalFailure) -> [TamperFinding] {
        guard let cut else { return [] }
        guard try cut.isSigned(of: check.origin, by: check.keys) else {
            return [
                TamperFinding(
                    .removed, 1...cut.through,
                    "entries up to \(cut.through) were removed, and no known key has signed that retention did it")
            ]
        }
        guard cut.entry > provenThrough,
            !findings.contains(where: { ($0.entries?.lowerBound ?? .max) <= cut.entry })
        else { return [] }
        return [
            TamperFinding(
                .removed, 1...cut.through,
                "entries up to \(cut.through) were removed, and no checkpoint that holds covers entry \(cut.entry), which "
                    + "says that retention did it")
        ]
    }

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

    /// A page that SQLite cannot read is what was asked for; a failing disk is not.
    static func damage(
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

    /// Runs `body` with a connection of its own, off the cooperative pool, in one snapshot.
    static func onConnection<Value: Sendable>(
        to path: String, log: Int64? = nil, _ body: @escaping @Sendable (Connection) throws(JournalFailure) -> Value
    ) async throws(JournalFailure) -> Value {
        let connection = try await SerializedConnection(label: "bylaw.journal.verifier") {
            () throws(JournalFailure) -> sending Connection in try JournalFile.openForReading(path: path, log: log)
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
