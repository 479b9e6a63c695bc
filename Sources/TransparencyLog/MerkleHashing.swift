package import Signatures

/// The two hashes of RFC 6962, section 2.1: a leaf and an inner node begin with different bytes, so that neither can pass for
/// the other.
extension SHA256Hasher {
    /// The hash of a leaf: SHA-256(0x00 || data).
    package func leaf(_ data: [UInt8]) throws(HashingFailure) -> SHA256Digest {
        try update([0])
        try update(data)
        return try finish()
    }

    /// The hash of a node: SHA-256(0x01 || left || right).
    package func node(_ left: SHA256Digest, _ right: SHA256Digest) throws(HashingFailure) -> SHA256Digest {
        try update([1])
        try update(left)
        try update(right)
        return try finish()
    }

    /// The root over the roots of perfect subtrees along a tree's right edge, the largest first (RFC 6962, section 2.1).
    package func root(over edge: [SHA256Digest]) throws(HashingFailure) -> SHA256Digest {
        guard var root = edge.last else { return try emptyRoot() }
        for left in edge.dropLast().reversed() { root = try node(left, root) }
        return root
    }

    /// The root of a tree without leaves: SHA-256 of nothing.
    package func emptyRoot() throws(HashingFailure) -> SHA256Digest { try finish() }
}
