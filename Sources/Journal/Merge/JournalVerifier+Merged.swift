import Reconciler
import SQLite
import TransparencyLog

extension JournalVerifier {
    /// Verifies each log of a merged history as the journal that it was, and then that the history is what follows from them.
    static func verifyMerged(
        _ path: String, _ request: VerificationRequest
    ) async throws(JournalFailure) -> VerificationReport {
        var whole = VerificationReport(
            origin: "", lastSequence: 0, provenThrough: 0, checkpointCount: 0, keys: [],
            areKeysItsOwn: request.keys.isEmpty, unknownCheckpointCount: 0, findings: [])
        do throws(JournalFailure) {
            let logs = try await onConnection(to: path) { (connection) throws(JournalFailure) in
                try MergedLog.all(on: connection)
            }
            for log in logs { whole.logs.append(try await verifyLog(log, in: path, request)) }
            whole.addLogs()
            if logs.isEmpty { whole.findings.append(TamperFinding(.removed, nil, "all of its logs were removed")) }
            for checkpoint in request.checkpoints.map(\.checkpoint)
            where !logs.contains(where: { $0.origin == checkpoint.origin }) {
                whole.findings.append(
                    TamperFinding(
                        .badCheckpoint, nil,
                        "the checkpoint over \(checkpoint.size) entries is of \(checkpoint.origin), and no log of that name is "
                            + "there"))
            }
            // Where a log has a hole, every order that follows from it is another.
            let proven = whole.logs.map(\.provenThrough)
            if whole.findings.isEmpty {
                let judged = try await onConnection(to: path) { (connection) throws(JournalFailure) in
                    (
                        findings: try MergedHistoryCheck(connection: connection, logs: logs).findings(),
                        last: try JournalFailure.wrapping { () throws(DatabaseError) in
                            try JournalReader.lastSequence(connection)
                        }, proven: try provenThrough(logs, proven, on: connection)
                    )
                }
                whole.findings += judged.findings
                whole.lastSequence = judged.last
                if judged.findings.isEmpty { whole.provenThrough = judged.proven }
            }
        } catch {
            whole.findings.append(try damage(error, at: nil))
        }
        try await checkTables(path, of: MergedSchema.schema, request, &whole)
        return whole
    }

    private static func verifyLog(
        _ log: MergedLog, in path: String, _ request: VerificationRequest
    ) async throws(JournalFailure) -> VerificationReport {
        var own = request
        own.checkpoints = request.checkpoints.filter { $0.checkpoint.origin == log.origin }
        guard var report = try await verifyFile(path, log: log.id, own, isLast: true) else { throw .removedMeanwhile }
        let last = report.lastSequence
        if report.isIntact, last != log.size {
            report.findings.append(
                last < log.size
                    ? TamperFinding(
                        .truncated, (last + 1)...log.size,
                        "entries \(last + 1) to \(log.size), which the log had when it was merged, are missing at the end"
                    )
                    : TamperFinding(
                        .inserted, (log.size + 1)...last,
                        "entries \(log.size + 1) to \(last) were added after the log was merged"))
        }
        do throws(JournalFailure) {
            report.findings += try await onConnection(to: path, log: log.id) { (connection) throws(JournalFailure) in
                try JournalFailure.wrapping { () throws(DatabaseError) in try cutFindings(on: connection) }
            }
        } catch {
            report.findings.append(try damage(error, at: nil))
        }
        return report
    }

    /// Up to which entry of the history every one is proven by its own log.
    private static func provenThrough(
        _ logs: [MergedLog], _ proven: [Int64], on connection: Connection
    ) throws(JournalFailure) -> Int64 {
        try JournalFailure.wrapping { () throws(DatabaseError) in
            var end = try JournalReader.lastSequence(connection)
            for (log, through) in zip(logs, proven) {
                let first = try connection.firstRow(
                    "SELECT min(sequence) FROM merged_places WHERE log = ? AND number > ?",
                    [.integer(log.id), .integer(through)]
                ) { (row) throws(DatabaseError) in try row.optionalInteger(0) }
                if let first = first.flatMap({ $0 }) { end = min(end, first - 1) }
            }
            return end
        }
    }
}

extension VerificationReport {
    /// Takes over what was found of each log.
    fileprivate mutating func addLogs() {
        for log in logs {
            checkpointCount += log.checkpointCount
            unknownCheckpointCount += log.unknownCheckpointCount
            keys += log.keys
            findings += log.findings.map { finding in
                var finding = finding
                finding.log = log.origin
                finding.message = "\(log.origin): \(finding.message)"
                return finding
            }
        }
    }
}

/// Whether a merged history is what follows from its logs, each of which is whole.
struct MergedHistoryCheck {
    let connection: Connection
    let logs: [MergedLog]

    func findings() throws(JournalFailure) -> [TamperFinding] {
        if let finding = try strangeEntry() { return [finding] }
        if let finding = try wrongPlace() { return [finding] }
        return [try wrongReference(), try wrongScopes()].compactMap { $0 }
    }

    /// An entry that is in no log.
    private func strangeEntry() throws(JournalFailure) -> TamperFinding? {
        try number("SELECT min(sequence) FROM entries WHERE sequence NOT IN (SELECT sequence FROM merged_places)").map {
            TamperFinding(.inserted, $0...$0, "entry \($0) of the history was inserted: it is of none of its logs")
        }
    }

    /// The first place where another entry stands than the logs give.
    private func wrongPlace() throws(JournalFailure) -> TamperFinding? {
        var order = MergeOrder(try entries())
        var expected: Int64 = 0
        var finding: TamperFinding?
        try JournalFailure.wrapping { () throws(DatabaseError) in
            try connection.forEachRow("SELECT sequence, log, number FROM merged_places ORDER BY sequence") {
                (row) throws(DatabaseError) in
                expected += 1
                let (sequence, log, number) = (try row.integer(0), try row.integer(1), try row.integer(2))
                if let next = order.next(), sequence == expected, logs[next.log].id == log, next.number == number {
                    return true
                }
                finding = TamperFinding(
                    .reordered, expected...expected,
                    "entries of the history were reordered: the logs give another one than that which stands at \(expected)"
                )
                return false
            }
        }
        return finding
    }

    /// What each log has, by the places of the history.
    private func entries() throws(JournalFailure) -> [MergeOrder.Log] {
        var read: [MergeOrder.Log] = []
        for log in logs { read.append(try MergeOrder.Log(of: log.id, on: connection)) }
        return read
    }

    private func wrongReference() throws(JournalFailure) -> TamperFinding? {
        try number(
            """
            SELECT min(place.sequence) FROM merged_places AS place JOIN entries USING (sequence)
                LEFT JOIN merged_places AS other ON other.log = place.log AND other.number = place.refers_to
            WHERE entries.refers_to IS NOT other.sequence
            """
        ).map {
            TamperFinding(
                .changed, $0...$0, "entry \($0) of the history was changed: it leads to another entry than in its log")
        }
    }

    private func wrongScopes() throws(JournalFailure) -> TamperFinding? {
        let isWrong =
            try number(
                """
                SELECT count(*) FROM (
                    SELECT instance, cluster FROM entries EXCEPT SELECT instance, cluster FROM instances)
                """) != 0
        return isWrong ? TamperFinding(.damaged, nil, "an instance whose entries it has is missing in its list") : nil
    }

    private func number(_ sql: String) throws(JournalFailure) -> Int64? {
        try JournalFailure.wrapping { () throws(DatabaseError) in
            try connection.firstRow(sql) { (row) throws(DatabaseError) in try row.optionalInteger(0) }
        }.flatMap { $0 }
    }
}
