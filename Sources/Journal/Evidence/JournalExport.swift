import JSON
import Manifest
package import Reconciler
import SQLite
import Signatures
import TransparencyLog

/// The form of an export that can be verified: one JSON object a line.
///
/// First the entries, each as its canonical text with one member more at its end, `leafHash`: without that member the line
/// is the data of the entry's leaf. Then, in a whole export, the keys and the checkpoints. Where retention has removed
/// entries, the first line says so, and before the entries that it kept of each block stand the hashes of all of them.
enum ExportLine {
    private static let hashStart = Array(",\"leafHash\":\"".utf8)
    private static let hashLength = 44

    static func entry(_ text: [UInt8], hash: SHA256Digest) -> [UInt8] {
        text.dropLast() + hashStart + Array(hash.base64Text.utf8) + Array("\"}\n".utf8)
    }

    static func key(_ key: String) -> [UInt8] {
        let line: Tree = ["apiVersion": "bylaw.dev/v1", "kind": "JournalKey", "key": .string(key)]
        return line.jsonBytes() + [UInt8(ascii: "\n")]
    }

    static func checkpoint(_ note: String) -> [UInt8] {
        let line: Tree = ["apiVersion": "bylaw.dev/v1", "kind": "JournalCheckpoint", "note": .string(note)]
        return line.jsonBytes() + [UInt8(ascii: "\n")]
    }

    static func cut(_ cut: JournalCut) -> [UInt8] {
        let line: Tree = [
            "apiVersion": "bylaw.dev/v1", "kind": "JournalCut", "entry": .integer(cut.entry),
            "through": .integer(cut.through),
        ]
        return line.jsonBytes() + [UInt8(ascii: "\n")]
    }

    static func cutBlock(_ block: Int64, leaves: [UInt8]) -> [UInt8] {
        let line: Tree = [
            "apiVersion": "bylaw.dev/v1", "kind": "JournalCutBlock", "block": .integer(block),
            "leaves": .string(base64(leaves)),
        ]
        return line.jsonBytes() + [UInt8(ascii: "\n")]
    }

    /// What a line is.
    enum Content {
        case cut(entry: Int64, through: Int64)
        case cutBlock(Int64, leaves: [UInt8])
        case entry(EntryEncoding, sequence: Int64, recorded: SHA256Digest?)
        case key(String)
        case checkpoint(String)
    }

    /// Reads a line without its line break; nil where it is none of an export's.
    static func read(_ line: [UInt8]) -> Content? {
        let tail = hashStart.count + hashLength + 2
        if line.count > tail, Array(line[(line.count - tail)...].prefix(hashStart.count)) == hashStart,
            line.hasSuffix("\"}")
        {
            let hash = String(decoding: line.suffix(hashLength + 2).dropLast(2), as: UTF8.self)
            let text = Array(line.dropLast(tail)) + [UInt8(ascii: "}")]
            guard let (encoding, sequence) = EntryEncoding.read(text) else { return nil }
            return .entry(encoding, sequence: sequence, recorded: SHA256Digest(base64Text: hash))
        }
        guard let tree = try? parseJSON(line) else { return nil }
        switch (tree["kind"]?.string, tree["key"]?.string, tree["note"]?.string) {
        case ("JournalKey", let key?, _): return .key(key)
        case ("JournalCheckpoint", _, let note?): return .checkpoint(note)
        case ("JournalCut", _, _):
            guard let entry = tree["entry"]?.integer, let through = tree["through"]?.integer else { return nil }
            return .cut(entry: entry, through: through)
        case ("JournalCutBlock", _, _):
            guard let block = tree["block"]?.integer,
                (0...(JournalVerifier.maximumSequence / JournalFrontier.blockSize)).contains(block),
                let leaves = bytes(fromBase64: tree["leaves"]?.string ?? "")
            else { return nil }
            return .cutBlock(block, leaves: leaves)
        default: return nil
        }
    }
}

extension [UInt8] {
    fileprivate func hasSuffix(_ text: String) -> Bool { suffix(text.utf8.count).elementsEqual(text.utf8) }
}

extension JournalReader {
    /// The next lines of a whole export, entries behind `sequence`.
    ///
    /// - Parameters:
    ///   - last: The last entry that belongs to the export.
    ///   - cut: Up to where retention had removed entries when the export began.
    /// - Returns: The lines, and the number of the last entry in them; nil where there is none left.
    package func exportPage(
        after sequence: Int64, through last: Int64, cut: Int64
    ) async throws(JournalError) -> (lines: [UInt8], last: Int64)? {
        try await read { (connection) throws(JournalFailure) in
            guard try JournalCut.through(on: connection) == cut else {
                throw .removedMeanwhile
            }
            var lines: [UInt8] = []
            var end: Int64?
            var through = last
            if sequence < cut {
                lines = try Self.cutLines(after: sequence, on: connection)
                through = sequence + JournalFrontier.blockSize
                end = through
            }
            var encoding = EntryEncoding()
            try EntryScan.rows(
                "WHERE sequence > ? AND sequence <= ? ORDER BY sequence LIMIT \(JournalFrontier.blockSize)",
                [.integer(sequence), .integer(through)], on: connection
            ) { (row) throws(JournalFailure) in
                try encoding.encode(row.columns)
                guard let hash = row.recordedHash else { throw .unreadable("entry \(row.sequence) has no hash") }
                lines += ExportLine.entry(encoding.text(sequence: row.sequence), hash: hash)
                end = max(row.sequence, end ?? 0)
            }
            return end.map { (lines, $0) }
        }
    }

    /// What stands before the kept entries of a block of which retention has removed the others.
    private static func cutLines(
        after sequence: Int64, on connection: Connection
    ) throws(JournalFailure) -> [UInt8] {
        let block = sequence / JournalFrontier.blockSize
        var lines: [UInt8] = []
        if sequence == 0, let cut = try JournalCut.read(on: connection) { lines = ExportLine.cut(cut) }
        let leaves = try JournalFailure.wrapping { () throws(DatabaseError) in
            try connection.firstRow("SELECT leaves FROM cut_blocks WHERE block = ?", [.integer(block)]) {
                (row) throws(DatabaseError) in try row.blob(0)
            }
        }
        guard let leaves else { throw .unreadable("the hashes of the removed entries of block \(block) are gone") }
        return lines + ExportLine.cutBlock(block, leaves: leaves)
    }

    /// The lines behind the entries of a whole export, the keys and the checkpoints, the last entry that belongs to it, and
    /// up to where retention has removed entries.
    ///
    /// Read first: a checkpoint that is signed meanwhile would cover entries that are not in the export.
    package func exportEnd() async throws(JournalError) -> (lines: [UInt8], last: Int64, cut: Int64) {
        try await read { (connection) throws(JournalFailure) in
            let facts = try StoredFacts(of: connection)
            if let problem = facts.cutProblem { throw .unreadable(problem) }
            return (
                facts.keys.flatMap(ExportLine.key) + facts.checkpoints.flatMap { ExportLine.checkpoint($0.note) },
                facts.lastSequence, facts.cut?.through ?? 0
            )
        }
    }
}
