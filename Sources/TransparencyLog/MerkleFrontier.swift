package import Signatures

/// A Merkle tree that only grows, as the roots of the perfect subtrees along its right edge.
///
/// What it takes to add a leaf and to know the root, in 32 bytes for each set bit of the size; nothing else of the tree
/// is needed for that.
package struct MerkleFrontier: Equatable, Sendable {
    /// How many leaves there are.
    package private(set) var size: Int64
    /// The roots of the perfect subtrees, the largest first: one for each set bit of ``size``.
    package private(set) var roots: [SHA256Digest]

    /// The tree without a leaf.
    package init() {
        size = 0
        roots = []
    }

    /// Adds a leaf by its hash.
    package mutating func append(_ leaf: SHA256Digest, by hasher: SHA256Hasher) throws(HashingFailure) {
        try append(subtree: leaf, level: 0, by: hasher)
    }

    /// Adds a perfect subtree of two to the power of `level` leaves by its root.
    ///
    /// - Precondition: ``size`` is a multiple of its number of leaves; otherwise nothing of the result means anything.
    package mutating func append(
        subtree: SHA256Digest, level: Int, by hasher: SHA256Hasher
    ) throws(HashingFailure) {
        var carried = subtree
        var bits = size >> Int64(level)
        // Like adding one in binary: each pair of equal size becomes one of twice the size.
        var kept = roots
        while bits & 1 == 1, let left = kept.popLast() {
            carried = try hasher.node(left, carried)
            bits >>= 1
        }
        kept.append(carried)
        roots = kept
        size += 1 << Int64(level)
    }

    /// The root of the tree (RFC 6962, section 2.1).
    package func root(by hasher: SHA256Hasher) throws(HashingFailure) -> SHA256Digest {
        try hasher.root(over: roots)
    }
}
