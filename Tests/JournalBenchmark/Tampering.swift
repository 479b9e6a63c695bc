import Foundation
import Journal
import Manifest
import Reconciler
import SQLite
import Signatures
import TransparencyLog

/// Every row deleted, swapped with another and cut off at, and bits all over flipped, one at a time: each must be found.
func tamperWithEveryRow(entries count: Int, in folder: String) async throws {
    let path = folder + "/tampered.db"
    let key = try Ed25519PrivateKey.generate()
    let journal = try await BenchmarkEntries.open(path, key: key)
    try await BenchmarkEntries.write(1..<count, to: journal, tasks: 64)
    let checkpoint = try await journal.checkpoint(at: BenchmarkEntries.start)
    await journal.close()
    let request = VerificationRequest(
        keys: [.bare(key.publicKey)], checkpoints: [checkpoint], comparesIndexes: false)
    let connection = try Connection(path: path, mode: .readWrite)
    // A tampering is undone by putting the rows back: no log grows, and nothing waits for the disk.
    try connection.executeScript(
        """
        PRAGMA synchronous = OFF;
        DROP TRIGGER entries_never_change; DROP TRIGGER entries_never_go; DROP TRIGGER entries_are_never_replaced;
        CREATE TABLE kept AS SELECT * FROM entries LIMIT 0;
        """)
    var failures: [String] = []
    func expect(
        _ kinds: [TamperFinding.Kind], at sequence: Int64, _ what: String, undo: String, _ statements: String
    ) async throws {
        try connection.executeScript(statements)
        let findings = try await JournalVerifier.verify(path, request).findings
        let first = findings.first { kinds.contains($0.kind) }
        if first?.entries?.lowerBound != sequence { failures.append("\(what) \(sequence): \(findings)") }
        try connection.executeScript(undo)
    }
    let last = checkpoint.checkpoint.size
    let putBack = "INSERT INTO entries SELECT * FROM kept; DELETE FROM kept"
    let deleting = try await seconds {
        for sequence in 1...last {
            try await expect(
                sequence == last ? [.truncated] : [.removed], at: sequence, "deletion of", undo: putBack,
                "INSERT INTO kept SELECT * FROM entries WHERE sequence = \(sequence); DELETE FROM entries WHERE sequence = \(sequence)"
            )
        }
    }
    report("\(last) deletions of a row in \(Int(deleting)) s, not found: \(failures.count)")
    let swapping = try await seconds {
        for sequence in 1...last {
            let other = (sequence * 7919) % last + 1
            guard other != sequence else { continue }
            let swap =
                "UPDATE entries SET sequence = -1 WHERE sequence = \(sequence); UPDATE entries SET sequence = \(sequence) "
                + "WHERE sequence = \(other); UPDATE entries SET sequence = \(other) WHERE sequence = -1"
            try await expect([.reordered], at: min(sequence, other), "swap of", undo: swap, swap)
        }
    }
    report("\(last) swaps of two rows in \(Int(swapping)) s, not found: \(failures.count)")
    let cutting = try await seconds {
        // From the end, so that each cut takes one row more.
        for sequence in stride(from: last, through: 1, by: -1) {
            try await expect(
                [.truncated], at: sequence, "cut at", undo: "",
                "INSERT INTO kept SELECT * FROM entries WHERE sequence = \(sequence); DELETE FROM entries WHERE sequence = \(sequence)"
            )
        }
    }
    try connection.executeScript(putBack)
    report("\(last) truncations in \(Int(cutting)) s, not found: \(failures.count)")
    let flipping = try await seconds { failures += try await flipBits(entries: last, path, request, connection) }
    report("\(last) flipped bits in \(Int(flipping)) s, not found: \(failures.count)")
    for failure in failures.prefix(5) { report("    \(failure)") }
    guard failures.isEmpty else { exit(1) }
}

/// One bit of one column of each row, the columns in turn.
private func flipBits(
    entries last: Int64, _ path: String, _ request: VerificationRequest, _ connection: Connection
) async throws -> [String] {
    let columns = [
        "time", "instance", "cluster", "kind", "reason", "outcome", "action", "api_group", "api_version", "object_kind",
        "namespace", "name", "uid", "resource_version", "revision", "author", "committer", "audit_id", "subject",
        "trailers", "message", "patch", "before", "after",
    ]
    var failures: [String] = []
    var state: UInt64 = 42
    func random(_ limit: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int((state >> 33) % UInt64(limit))
    }
    for sequence in 1...last {
        let column = columns[random(columns.count)]
        let bytes = try connection.firstRow(
            "SELECT CAST(\(column) AS BLOB) FROM entries WHERE sequence = \(sequence) AND \(column) <> ''"
        ) { (row) throws(DatabaseError) in try row.blob(0) }
        guard let bytes else { continue }
        var flipped = bytes
        flipped[random(bytes.count)] ^= 1 << UInt8(random(8))
        let update = "UPDATE entries SET \(column) = CAST(? AS TEXT) WHERE sequence = ?"
        try connection.execute(update, [.blob(flipped), .integer(sequence)])
        let first = try await JournalVerifier.verify(path, request).findings.first
        if first?.kind != .changed || first?.entries != sequence...sequence {
            failures.append("bit of \(column) in \(sequence): \(String(describing: first))")
        }
        try connection.execute(update, [.blob(bytes), .integer(sequence)])
    }
    return failures
}
