package import Signatures

/// Where the hashes of a tree are kept, and how a proof finds the few that it needs.
package protocol MerkleNodes {
    associatedtype Failure: Error

    /// The root of the perfect subtree number `index` of those with two to the power of `level` leaves.
    func perfectRoot(level: Int, index: Int64) throws(Failure) -> SHA256Digest
    /// The hash of a node.
    func node(_ left: SHA256Digest, _ right: SHA256Digest) throws(Failure) -> SHA256Digest
}

extension MerkleNodes {
    /// The root of the leaves of a range that a proof speaks of: one that begins at a multiple of its own power of two.
    package func root(of range: Range<Int64>) throws(Failure) -> SHA256Digest {
        let count = Int64(range.count)
        if count & (count - 1) == 0 {
            let level = count.trailingZeroBitCount
            return try perfectRoot(level: level, index: range.lowerBound >> Int64(level))
        }
        let middle = range.lowerBound + splittingPoint(of: count)
        return try node(root(of: range.lowerBound..<middle), root(of: middle..<range.upperBound))
    }

    /// The hashes that lead from a leaf to the root of the first `size` leaves (RFC 6962, section 2.1.1).
    ///
    /// - Precondition: `index` lies below `size`; otherwise the answer is empty.
    package func inclusionProof(of index: Int64, inTreeOf size: Int64) throws(Failure) -> [SHA256Digest] {
        guard index >= 0, index < size else { return [] }
        var proof: [SHA256Digest] = []
        var range = 0..<size
        while range.count > 1 {
            let middle = range.lowerBound + splittingPoint(of: Int64(range.count))
            if index < middle {
                proof.append(try root(of: middle..<range.upperBound))
                range = range.lowerBound..<middle
            } else {
                proof.append(try root(of: range.lowerBound..<middle))
                range = middle..<range.upperBound
            }
        }
        return proof.reversed()
    }

    /// The hashes that show that the first `smaller` leaves are the beginning of the first `larger` (RFC 6962, section 2.1.2).
    ///
    /// - Precondition: `smaller` is from 1 to `larger`; otherwise the answer is empty.
    package func consistencyProof(from smaller: Int64, to larger: Int64) throws(Failure) -> [SHA256Digest] {
        guard smaller > 0, smaller < larger else { return [] }
        var proof: [SHA256Digest] = []
        var range = 0..<larger
        var isWhole = true
        while range.upperBound != smaller {
            let middle = range.lowerBound + splittingPoint(of: Int64(range.count))
            if smaller <= middle {
                proof.append(try root(of: middle..<range.upperBound))
                range = range.lowerBound..<middle
            } else {
                proof.append(try root(of: range.lowerBound..<middle))
                range = middle..<range.upperBound
                isWhole = false
            }
        }
        // The verifier knows the root of the smaller tree as a whole, but not that of a part of it.
        if !isWhole { proof.append(try root(of: range)) }
        return proof.reversed()
    }
}

/// The largest power of two below `count`, for a count of two or more.
private func splittingPoint(of count: Int64) -> Int64 { 1 << Int64(63 - (count - 1).leadingZeroBitCount) }
