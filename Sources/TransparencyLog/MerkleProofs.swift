package import Signatures

/// A proof or a root does not hold.
package struct ProofFailure: Error, Equatable, Sendable {
    package var message: String
    init(_ message: String) { self.message = message }
}

/// Proves that the leaf at an index is in a tree: its hash and the proof lead to the root (RFC 9162, section 2.1.3.2).
///
/// - Throws: ``ProofFailure`` where they do not; that may as well be a failure of libcrypto.
package func verifyInclusion(
    of leaf: SHA256Digest, at index: UInt64, inTreeOf size: UInt64, root: SHA256Digest, proof: [SHA256Digest]
) throws(ProofFailure) {
    guard index < size else { throw ProofFailure("leaf \(index) lies outside a tree of \(size)") }
    let computed = try hashing { (hasher) throws(HashingFailure) -> SHA256Digest? in
        var (node, last, hash) = (index, size - 1, leaf)
        for sibling in proof {
            guard last > 0 else { return nil }
            if node & 1 == 1 || node == last {
                hash = try hasher.node(sibling, hash)
                while node & 1 == 0, node > 0 { (node, last) = (node >> 1, last >> 1) }
            } else {
                hash = try hasher.node(hash, sibling)
            }
            (node, last) = (node >> 1, last >> 1)
        }
        return last == 0 ? hash : nil
    }
    guard let computed else { throw ProofFailure("the proof has the wrong number of hashes for a tree of \(size)") }
    guard computed == root else { throw ProofFailure("the proof leads to another root") }
}

/// Proves that a tree is the beginning of a larger one: nothing of it was changed, only added to (RFC 9162, section 2.1.4.2).
///
/// - Throws: ``ProofFailure`` where it is not shown.
package func verifyConsistency(
    of smaller: (size: UInt64, root: SHA256Digest), with larger: (size: UInt64, root: SHA256Digest),
    proof: [SHA256Digest]
) throws(ProofFailure) {
    guard smaller.size <= larger.size else { throw ProofFailure("the earlier tree is the larger one") }
    guard smaller.size > 0 else { throw ProofFailure("an empty tree is the beginning of any other: nothing is proven") }
    if smaller.size == larger.size {
        guard proof.isEmpty else { throw ProofFailure("trees of one size need no proof") }
        guard smaller.root == larger.root else {
            throw ProofFailure("two trees of \(larger.size) have different roots")
        }
        return
    }
    guard !proof.isEmpty else { throw ProofFailure("the proof is empty") }
    // Where the smaller tree is one perfect subtree, its root is the first hash, and is not sent.
    let path = smaller.size & (smaller.size - 1) == 0 ? [smaller.root] + proof : proof
    let roots = try hashing { (hasher) throws(HashingFailure) -> (SHA256Digest, SHA256Digest)? in
        var (node, last) = (smaller.size - 1, larger.size - 1)
        while node & 1 == 1 { (node, last) = (node >> 1, last >> 1) }
        var (earlier, later) = (path[0], path[0])
        for sibling in path.dropFirst() {
            guard last > 0 else { return nil }
            if node & 1 == 1 || node == last {
                earlier = try hasher.node(sibling, earlier)
                later = try hasher.node(sibling, later)
                while node & 1 == 0, node > 0 { (node, last) = (node >> 1, last >> 1) }
            } else {
                later = try hasher.node(later, sibling)
            }
            (node, last) = (node >> 1, last >> 1)
        }
        return last == 0 ? (earlier, later) : nil
    }
    guard let (earlier, later) = roots else { throw ProofFailure("the proof has the wrong number of hashes") }
    guard earlier == smaller.root else { throw ProofFailure("the proof leads to another earlier root") }
    guard later == larger.root else { throw ProofFailure("the proof leads to another later root") }
}

private func hashing<Value>(
    _ body: (SHA256Hasher) throws(HashingFailure) -> Value
) throws(ProofFailure) -> Value {
    do throws(HashingFailure) { return try body(try SHA256Hasher()) } catch {
        throw ProofFailure("libcrypto refused to hash")
    }
}
