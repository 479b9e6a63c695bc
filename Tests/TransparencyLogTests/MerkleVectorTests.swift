import JSON
import Manifest
import Signatures
import TestSupport
import Testing
import TransparencyLog

/// The proofs of a public collection, good ones and tampered ones.
@Suite(.enabled(if: Conformance.isPresent, "\(Conformance.absence)")) struct MerkleVectorTests {
    @Test func inclusionProofsAreJudgedAsTheCollectionSays() throws {
        let vectors = try Conformance.lines("merkle/inclusion.jsonl").map { try parseJSON($0) }
        #expect(vectors.count == 98)
        for vector in vectors {
            let isRefused =
                if let proof = hashes(vector["proof"]), let root = try root(vector["root"]),
                    let leaf = hash(vector["leafHash"])
                {
                    !holds { () throws(ProofFailure) in
                        try verifyInclusion(
                            of: leaf, at: number(vector["leafIdx"]), inTreeOf: number(vector["treeSize"]), root: root,
                            proof: proof)
                    }
                } else {
                    true
                }
            #expect(isRefused == (vector["wantErr"] == true), "\(vector["file"]?.string ?? "")")
        }
    }

    @Test func consistencyProofsAreJudgedAsTheCollectionSays() throws {
        let vectors = try Conformance.lines("merkle/consistency.jsonl").map { try parseJSON($0) }
        #expect(vectors.count == 98)
        for vector in vectors {
            let isRefused =
                if let proof = hashes(vector["proof"]), let first = try root(vector["root1"]),
                    let second = try root(vector["root2"])
                {
                    !holds { () throws(ProofFailure) in
                        try verifyConsistency(
                            of: (number(vector["size1"]), first), with: (number(vector["size2"]), second),
                            proof: proof)
                    }
                } else {
                    true
                }
            #expect(isRefused == (vector["wantErr"] == true), "\(vector["file"]?.string ?? "")")
        }
    }

    private func holds(_ check: () throws(ProofFailure) -> Void) -> Bool {
        do throws(ProofFailure) {
            try check()
            return true
        } catch {
            return false
        }
    }

    private func hash(_ value: Tree?) -> SHA256Digest? { value?.string.flatMap { SHA256Digest(base64Text: $0) } }

    /// Some roots of the collection are words of another length, which only have to be told apart.
    private func root(_ value: Tree?) throws -> SHA256Digest? {
        guard let text = value?.string else { return nil }
        return try hash(value) ?? SHA256Hasher().leaf(Array(text.utf8))
    }

    /// A list with a hash of the wrong length is none.
    private func hashes(_ value: Tree?) -> [SHA256Digest]? {
        guard let list = value?.array else { return [] }
        let hashes = list.compactMap { hash($0) }
        return hashes.count == list.count ? hashes : nil
    }

    private func number(_ value: Tree?) -> UInt64 {
        switch value {
        case .integer(let number): UInt64(bitPattern: number)
        case .unsigned(let number): number
        default: 0
        }
    }
}
