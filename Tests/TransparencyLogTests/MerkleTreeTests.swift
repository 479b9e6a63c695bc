import Signatures
import Testing
import TransparencyLog

/// The tree as it is kept, against the definition of RFC 6962 written down plainly.
@Suite struct MerkleTreeTests {
    @Test func theFrontierHasTheRootOfTheDefinition() throws {
        let hasher = try SHA256Hasher()
        var frontier = MerkleFrontier()
        let leaves = try Plain(count: 70)
        for size in 0...70 {
            #expect(frontier.size == Int64(size))
            #expect(try frontier.root(by: hasher) == leaves.root(of: 0..<Int64(size)))
            if size < 70 { try frontier.append(leaves.hashes[size], by: hasher) }
        }
    }

    @Test func wholeSubtreesMayBeAddedAtOnce() throws {
        let hasher = try SHA256Hasher()
        let leaves = try Plain(count: 27)
        var frontier = MerkleFrontier()
        for index in 0..<3 {
            try frontier.append(subtree: leaves.perfectRoot(level: 3, index: Int64(index)), level: 3, by: hasher)
        }
        for index in 24..<27 { try frontier.append(leaves.hashes[index], by: hasher) }
        #expect(frontier.size == 27)
        #expect(try frontier.root(by: hasher) == leaves.root(of: 0..<27))
    }

    @Test func everyInclusionProofHoldsAndNoOtherEntryPasses() throws {
        let leaves = try Plain(count: 20)
        for size in 1...Int64(20) {
            let root = try leaves.root(of: 0..<size)
            for index in 0..<size {
                let proof = try leaves.inclusionProof(of: index, inTreeOf: size)
                try verifyInclusion(
                    of: leaves.hashes[Int(index)], at: UInt64(index), inTreeOf: UInt64(size), root: root, proof: proof)
                let other = leaves.hashes[Int((index + 1) % 20)]
                #expect(throws: ProofFailure.self) {
                    try verifyInclusion(
                        of: other, at: UInt64(index), inTreeOf: UInt64(size), root: root, proof: proof)
                }
            }
        }
    }

    @Test func everyConsistencyProofHoldsAndNoRewrittenTreePasses() throws {
        let leaves = try Plain(count: 20)
        var rewritten = leaves
        rewritten.hashes[3] = leaves.hashes[4]
        for larger in 2...Int64(20) {
            let root = try leaves.root(of: 0..<larger)
            for smaller in 1..<larger {
                let earlier = (size: UInt64(smaller), root: try leaves.root(of: 0..<smaller))
                let proof = try leaves.consistencyProof(from: smaller, to: larger)
                try verifyConsistency(of: earlier, with: (UInt64(larger), root), proof: proof)
                guard smaller > 3 else { continue }
                let forged = try rewritten.consistencyProof(from: smaller, to: larger)
                let forgedRoot = try rewritten.root(of: 0..<larger)
                #expect(throws: ProofFailure.self) {
                    try verifyConsistency(of: earlier, with: (UInt64(larger), forgedRoot), proof: forged)
                }
            }
        }
    }

    @Test func proofsGrowWithTheLogarithm() throws {
        let leaves = try Plain(count: 1000)
        #expect(try leaves.inclusionProof(of: 500, inTreeOf: 1000).count <= 10)
        #expect(try leaves.consistencyProof(from: 333, to: 1000).count <= 11)
    }
}

/// All leaves in memory, and the definition's own recursion.
private struct Plain: MerkleNodes {
    var hashes: [SHA256Digest] = []
    private let hasher: SHA256Hasher

    init(count: Int) throws(HashingFailure) {
        hasher = try SHA256Hasher()
        for number in 0..<count { hashes.append(try hasher.leaf(Array("entry \(number)".utf8))) }
    }

    func node(_ left: SHA256Digest, _ right: SHA256Digest) throws(HashingFailure) -> SHA256Digest {
        try hasher.node(left, right)
    }

    func perfectRoot(level: Int, index: Int64) throws(HashingFailure) -> SHA256Digest {
        guard level > 0 else { return hashes[Int(index)] }
        return try node(
            perfectRoot(level: level - 1, index: 2 * index), perfectRoot(level: level - 1, index: 2 * index + 1))
    }

    /// As RFC 6962 defines it.
    func root(of range: Range<Int64>) throws(HashingFailure) -> SHA256Digest {
        guard range.count > 1 else {
            return range.isEmpty ? try hasher.emptyRoot() : hashes[Int(range.lowerBound)]
        }
        var half: Int64 = 1
        while half * 2 < Int64(range.count) { half *= 2 }
        let middle = range.lowerBound + half
        return try node(root(of: range.lowerBound..<middle), root(of: middle..<range.upperBound))
    }
}
