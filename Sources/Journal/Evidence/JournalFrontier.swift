import Signatures
import TransparencyLog

/// The right edge of the tree over the entries, kept in blocks so that proofs need few stored hashes.
struct JournalFrontier: Equatable, Sendable {
    /// The roots of full blocks are stored; a block is a perfect subtree.
    static let blockLevel = 8
    static let blockSize: Int64 = 1 << Int64(blockLevel)

    private var blocks = MerkleFrontier()
    private var block = MerkleFrontier()

    /// How many entries it covers.
    var size: Int64 { blocks.size + block.size }

    /// Adds an entry's hash.
    ///
    /// - Returns: The root of the block that it completed, if it did.
    mutating func append(_ leaf: SHA256Digest, by hasher: SHA256Hasher) throws(HashingFailure) -> SHA256Digest? {
        try block.append(leaf, by: hasher)
        guard block.size == Self.blockSize else { return nil }
        let root = try block.root(by: hasher)
        try append(block: root, by: hasher)
        block = MerkleFrontier()
        return root
    }

    /// Adds a full block by its root, where no entry lies behind the last full one.
    mutating func append(block root: SHA256Digest, by hasher: SHA256Hasher) throws(HashingFailure) {
        try blocks.append(subtree: root, level: Self.blockLevel, by: hasher)
    }

    func root(by hasher: SHA256Hasher) throws(HashingFailure) -> SHA256Digest {
        try hasher.root(over: blocks.roots + block.roots)
    }
}
