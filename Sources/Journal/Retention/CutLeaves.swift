import SQLite
import Signatures

/// The hashes of the entries that retention has removed, by blocks as the tree has them.
struct CutLeaves {
    private let connection: Connection
    private var block: Int64 = -1
    private var leaves: [UInt8] = []

    init(connection: Connection) { self.connection = connection }

    /// The hash that the entry of a number had; nil where it is not there.
    mutating func leaf(_ sequence: Int64) throws(JournalFailure) -> SHA256Digest? {
        let (wanted, place) = (sequence - 1).quotientAndRemainder(dividingBy: JournalFrontier.blockSize)
        if wanted != block {
            leaves = try JournalFailure.wrapping { () throws(DatabaseError) in
                try connection.firstRow("SELECT leaves FROM cut_blocks WHERE block = ?", [.integer(wanted)]) {
                    (row) throws(DatabaseError) in try row.blob(0)
                } ?? []
            }
            block = wanted
        }
        return Self.leaf(Int(place), of: leaves)
    }

    /// The hash at a place of a block; nil where the block is not whole.
    static func leaf(_ place: Int, of leaves: [UInt8]) -> SHA256Digest? {
        guard leaves.count == SHA256Digest.byteCount * Int(JournalFrontier.blockSize) else { return nil }
        let start = place * SHA256Digest.byteCount
        return SHA256Digest(leaves[start..<(start + SHA256Digest.byteCount)])
    }
}
