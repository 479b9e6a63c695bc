import SQLite
import Signatures
import Synchronization
import TransparencyLog

/// The tree of a journal that is being written.
///
/// Holds the right edge in memory, so that an entry costs one hash or two, and follows the table: where SQLite has undone a
/// transaction or a part of one, the next look finds fewer entries than the tree has and reads it anew.
///
/// `@unchecked Sendable`: used on the writer's queue alone.
final class JournalTree: @unchecked Sendable {
    private let hasher: SHA256Hasher
    private var frontier = JournalFrontier()
    /// The newest entry whose commit has reached the disk: what is undone after that, somebody else has undone.
    private let durable = Mutex<Int64>(0)

    init() throws(JournalFailure) {
        do throws(HashingFailure) { hasher = try SHA256Hasher() } catch { throw .hashing }
    }

    /// An entry with its values and its form, before it has a number.
    struct PreparedEntry: Sendable {
        var values: [SQLValue]
        var encoding: EntryEncoding

        init(values: [SQLValue]) throws(JournalFailure) {
            self.values = values
            encoding = EntryEncoding()
            try encoding.encode(ValueColumns(values: values))
        }
    }

    /// Appends an entry inside the writer's transaction.
    ///
    /// - Returns: Its sequence number.
    func append(_ entry: PreparedEntry, to connection: Connection) throws(JournalFailure) -> Int64 {
        try follow(connection)
        let sequence = frontier.size + 1
        let leaf = try JournalFailure.hashing { () throws(HashingFailure) in
            try entry.encoding.leafHash(sequence: sequence, by: hasher)
        }
        try JournalFailure.wrapping { () throws(DatabaseError) in
            try connection.execute(
                EntryColumns.insertion, [.integer(sequence)] + entry.values + [.blob(leaf.bytes)])
            try TextIndex.add(sequence, entry.values, to: connection)
        }
        try add(leaf, to: connection)
        return sequence
    }

    /// How many entries there are and their root, at this moment of the writer's transaction.
    func head(on connection: Connection) throws(JournalFailure) -> (size: Int64, root: SHA256Digest) {
        try follow(connection)
        return (
            frontier.size, try JournalFailure.hashing { () throws(HashingFailure) in try frontier.root(by: hasher) }
        )
    }

    /// Takes over what the tables say where the tree is new or something of it was undone.
    func follow(_ connection: Connection) throws(JournalFailure) {
        let last = try JournalFailure.wrapping { () throws(DatabaseError) in
            try connection.firstRow("SELECT ifnull(max(sequence), 0) FROM entries") { (row) throws(DatabaseError) in
                try row.integer(0)
            } ?? 0
        }
        let lasting = durable.withLock { $0 }
        guard last >= lasting else { throw .missingEntries(after: last, through: lasting) }
        guard last != frontier.size else { return }
        // Only what is undone makes it smaller; more than we wrote is somebody else's.
        guard last < frontier.size || frontier.size == 0 else { throw .foreignEntries(after: frontier.size) }
        frontier = try StoredTree(connection: connection, hasher: hasher).frontier(size: last)
    }

    /// Has the next look read the edge anew, as where the file was opened anew; what had reached the disk must be there.
    func forget() { frontier = JournalFrontier() }

    /// The newest entry whose commit has reached the disk; 0 where none was appended yet.
    var newestDurable: Int64 { durable.withLock { $0 } }

    /// Takes in that an entry has reached the disk.
    func noteDurable(_ sequence: Int64) { durable.withLock { $0 = max($0, sequence) } }

    private func add(_ leaf: SHA256Digest, to connection: Connection) throws(JournalFailure) {
        let completed = try JournalFailure.hashing { () throws(HashingFailure) in try frontier.append(leaf, by: hasher)
        }
        guard let completed else { return }
        let block = frontier.size / JournalFrontier.blockSize - 1
        try JournalFailure.wrapping { () throws(DatabaseError) in
            try connection.execute(
                "INSERT INTO tree_blocks (block, root) VALUES (?, ?)", [.integer(block), .blob(completed.bytes)])
        }
    }

    // MARK: Migration

    /// Gives every entry its hash, for a journal that was begun without a tree.
    static func hashAllEntries(on connection: Connection) throws(DatabaseError) {
        do throws(JournalFailure) {
            let tree = try JournalTree()
            var last: Int64 = 0
            while true {
                let page = try tree.unhashed(after: last, on: connection)
                guard let end = page.last?.sequence else { return }
                for (sequence, encoding) in page {
                    guard sequence == tree.frontier.size + 1 else { throw .unreadable("entry \(last + 1) is missing") }
                    let leaf = try JournalFailure.hashing { () throws(HashingFailure) in
                        try encoding.leafHash(sequence: sequence, by: tree.hasher)
                    }
                    try JournalFailure.wrapping { () throws(DatabaseError) in
                        try connection.execute(
                            "UPDATE entries SET leaf_hash = ? WHERE sequence = ?",
                            [.blob(leaf.bytes), .integer(sequence)])
                    }
                    try tree.add(leaf, to: connection)
                }
                last = end
            }
        } catch {
            if case .database(let error) = error { throw error }
            throw DatabaseError(
                extendedCode: DatabaseError.Code.corrupt.rawValue, operation: "hash the entries", detail: "\(error)")
        }
    }

    private func unhashed(
        after sequence: Int64, on connection: Connection
    ) throws(JournalFailure) -> [(sequence: Int64, encoding: EntryEncoding)] {
        var page: [(sequence: Int64, encoding: EntryEncoding)] = []
        try EntryScan.rows(
            "WHERE sequence > ? ORDER BY sequence LIMIT 1000", [.integer(sequence)], on: connection
        ) { (row) throws(JournalFailure) in
            var encoding = EntryEncoding()
            try encoding.encode(row.columns)
            page.append((row.sequence, encoding))
        }
        return page
    }

    // MARK: Errors
}
