import SQLite
import Signatures
import TransparencyLog

/// The tree as the tables have it: roots of full blocks, and the hashes in the rows.
struct StoredTree: MerkleNodes {
    let connection: Connection
    let hasher: SHA256Hasher

    /// The right edge of the first `size` entries.
    func frontier(size: Int64) throws(JournalFailure) -> JournalFrontier {
        var frontier = JournalFrontier()
        let blocks = size / JournalFrontier.blockSize
        for root in try blockRoots(0..<blocks) {
            try JournalFailure.hashing { () throws(HashingFailure) in try frontier.append(block: root, by: hasher) }
        }
        for leaf in try leaves((blocks * JournalFrontier.blockSize)..<size) {
            _ = try JournalFailure.hashing { () throws(HashingFailure) in try frontier.append(leaf, by: hasher) }
        }
        return frontier
    }

    /// The root over the first `size` entries, as the tables have it.
    func root(size: Int64) throws(JournalFailure) -> SHA256Digest {
        let frontier = try frontier(size: size)
        return try JournalFailure.hashing { () throws(HashingFailure) in try frontier.root(by: hasher) }
    }

    func node(_ left: SHA256Digest, _ right: SHA256Digest) throws(JournalFailure) -> SHA256Digest {
        try JournalFailure.hashing { () throws(HashingFailure) in try hasher.node(left, right) }
    }

    func perfectRoot(level: Int, index: Int64) throws(JournalFailure) -> SHA256Digest {
        if level >= JournalFrontier.blockLevel {
            let count: Int64 = 1 << Int64(level - JournalFrontier.blockLevel)
            return try folded(try blockRoots((index * count)..<((index + 1) * count)))
        }
        let count: Int64 = 1 << Int64(level)
        return try folded(try leaves((index * count)..<((index + 1) * count)))
    }

    /// The root over hashes whose number is a power of two.
    private func folded(_ hashes: [SHA256Digest]) throws(JournalFailure) -> SHA256Digest {
        var row = hashes
        while row.count > 1 {
            var above: [SHA256Digest] = []
            for index in stride(from: 0, to: row.count - 1, by: 2) {
                above.append(try node(row[index], row[index + 1]))
            }
            row = above
        }
        guard let root = row.first else { throw .unreadable("the tree of the entries has a hole") }
        return root
    }

    private func blockRoots(_ range: Range<Int64>) throws(JournalFailure) -> [SHA256Digest] {
        try digests(
            "SELECT root FROM tree_blocks WHERE block >= ? AND block < ? ORDER BY block",
            from: range.lowerBound, to: range.upperBound, count: range.count, named: "the stored tree")
    }

    /// The hashes of the entries of these indices, which count from 0.
    private func leaves(_ range: Range<Int64>) throws(JournalFailure) -> [SHA256Digest] {
        // Whole blocks are removed, so a run within a block is there or is not.
        guard range.lowerBound >= (try JournalCut.through(on: connection)) else {
            return try removedLeaves(range)
        }
        return try digests(
            "SELECT leaf_hash FROM entries WHERE sequence > ? AND sequence <= ? ORDER BY sequence",
            from: range.lowerBound, to: range.upperBound, count: range.count, named: "the entries' hashes")
    }

    private func removedLeaves(_ range: Range<Int64>) throws(JournalFailure) -> [SHA256Digest] {
        var stored = CutLeaves(connection: connection)
        var hashes: [SHA256Digest] = []
        for index in range {
            guard let leaf = try stored.leaf(index + 1) else {
                throw .unreadable("the hashes of removed entries from \(range.lowerBound) on are not whole")
            }
            hashes.append(leaf)
        }
        return hashes
    }

    private func digests(
        _ sql: String, from: Int64, to: Int64, count: Int, named: String
    ) throws(JournalFailure) -> [SHA256Digest] {
        let found: [SHA256Digest?]
        do throws(DatabaseError) {
            found = try connection.rows(sql, [.integer(from), .integer(to)]) { (row) throws(DatabaseError) in
                SHA256Digest(try row.blob(0))
            }
        } catch {
            throw .database(error)
        }
        let hashes = found.compactMap { $0 }
        guard hashes.count == count else { throw .unreadable("\(named) from \(from) to \(to) are not whole") }
        return hashes
    }
}
