import Manifest
import SQLite
import Signatures

/// What a journal says of itself beside its entries, at one moment.
struct StoredFacts: Sendable {
    var origin: String
    var firstSequence: Int64?
    var lastSequence: Int64
    var checkpoints: [(size: Int64, note: String)]
    /// The newest last.
    var keys: [String]
    /// What retention removed; nil where nothing, and where that cannot be read.
    var cut: JournalCut?
    /// Why it cannot be read.
    var cutProblem: String?
    /// Nil for a block whose root is none.
    var blockRoots: [Int64: SHA256Digest?]
    /// The sizes that checkpoints cover, and when the entry behind each was written.
    private var times: [Int64: Timestamp] = [:]

    /// When the entry behind the first `size` was written, as it says itself.
    func timeBehind(_ size: Int64) -> Timestamp? { times[size] }

    init(of connection: Connection) throws(JournalFailure) {
        origin = try JournalIdentity.origin(on: connection)
        keys = try Self.keys(on: connection)
        do throws(DatabaseError) {
            firstSequence = try connection.firstRow("SELECT min(sequence) FROM entries") {
                (row) throws(DatabaseError) in try row.optionalInteger(0)
            }.flatMap { $0 }
            lastSequence =
                try connection.firstRow("SELECT ifnull(max(sequence), 0) FROM entries") {
                    (row) throws(DatabaseError) in try row.integer(0)
                } ?? 0
            checkpoints = try connection.rows("SELECT size, note FROM checkpoints ORDER BY size") {
                (row) throws(DatabaseError) in (size: try row.integer(0), note: try row.text(1))
            }
            let roots = try connection.rows("SELECT block, root FROM tree_blocks") { (row) throws(DatabaseError) in
                (try row.integer(0), SHA256Digest(try row.blob(1)))
            }
            let behind = try connection.rows(
                """
                SELECT sequence - 1, time FROM entries
                WHERE sequence = 1 OR sequence IN (SELECT size + 1 FROM checkpoints)
                """
            ) { (row) throws(DatabaseError) in (try row.integer(0), Timestamp(try row.text(1))) }
            for case (let size, let time?) in behind { times[size] = time }
            blockRoots = [:]
            for (block, root) in roots { blockRoots.updateValue(root, forKey: block) }
        } catch {
            throw .database(error)
        }
        do throws(JournalFailure) { cut = try JournalCut.read(on: connection) } catch {
            guard case .unreadable(let detail) = error else { throw error }
            cutProblem = detail
        }
    }

    static func keys(on connection: Connection) throws(JournalFailure) -> [String] {
        do throws(DatabaseError) {
            return try connection.rows("SELECT key FROM checkpoint_keys ORDER BY id") { (row) throws(DatabaseError) in
                try row.text(0)
            }
        } catch {
            throw .database(error)
        }
    }
}
