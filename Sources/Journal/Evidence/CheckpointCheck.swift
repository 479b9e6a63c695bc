import Signatures
import TransparencyLog

/// Compares checkpoints with the tree over the entries that are there.
struct CheckpointCheck {
    var origin: String
    var keys: [VerifierKey]
    /// Those whose signature holds, by size.
    private(set) var sound: [Checkpoint] = []
    private(set) var signers: [VerifierKey] = []
    private(set) var unknownCount = 0
    private(set) var findings: [TamperFinding] = []

    init(origin: String, keys: [VerifierKey]) {
        self.origin = origin
        self.keys = keys
    }

    /// Takes a checkpoint that lies in the journal or was given.
    ///
    /// - Parameter isGiven: One from elsewhere that cannot be verified is a finding; one of the journal's own whose key is
    ///   not known only proves nothing.
    mutating func add(_ signed: SignedCheckpoint, isGiven: Bool) {
        let checkpoint = signed.checkpoint
        let name = "the checkpoint over \(checkpoint.size) entries"
        guard checkpoint.origin == origin else {
            findings.append(
                TamperFinding(.badCheckpoint, nil, "\(name) is of \(checkpoint.origin), the journal is \(origin)"))
            return
        }
        let isKnown = signed.note.signatures.contains { signature in
            keys.contains { $0.keyID == signature.keyID && $0.name == signature.name }
        }
        guard isKnown || isGiven else {
            unknownCount += 1
            return
        }
        do throws(NoteFailure) {
            for key in try signed.note.verify(with: keys) where !signers.contains(key) { signers.append(key) }
            sound.append(checkpoint)
        } catch {
            findings.append(TamperFinding(.badCheckpoint, nil, "\(name): \(error.message)"))
        }
    }

    mutating func addUnreadable(size: Int64, _ detail: String) {
        findings.append(TamperFinding(.badCheckpoint, nil, "the stored checkpoint over \(size) entries: \(detail)"))
    }

    /// The sizes at which a root is needed, in order.
    var sizes: [Int64] { Array(Set(sound.map(\.size))).sorted() }

    /// Judges the checkpoints.
    ///
    /// - Parameters:
    ///   - root: The root over the first entries as they are; nil where not all of them were seen.
    ///   - isComplete: Whether every entry up to `last` was seen and fits its own hash.
    ///   - suspects: Runs of entries whose stored subtree has another root than they have.
    /// - Returns: How many entries are proven, and what is wrong.
    func judge(
        last: Int64, isComplete: Bool, suspects: [ClosedRange<Int64>],
        root: (Int64) throws(HashingFailure) -> SHA256Digest?
    ) throws(HashingFailure) -> (provenThrough: Int64, count: Int, findings: [TamperFinding]) {
        var proven: Int64 = 0
        var count = 0
        var found: [TamperFinding] = []
        let ordered = sound.sorted { $0.size < $1.size }
        if isComplete, let covered = ordered.last?.size, covered > last {
            found.append(
                TamperFinding(
                    .truncated, (last + 1)...covered,
                    last + 1 == covered
                        ? "entry \(covered) is missing at the end: a checkpoint covers it"
                        : "entries \(last + 1) to \(covered) are missing at the end: a checkpoint covers them"))
        }
        for checkpoint in ordered where checkpoint.size <= last {
            guard let computed = try root(checkpoint.size) else { break }
            guard computed == checkpoint.root else {
                let range = (proven + 1)...max(proven + 1, checkpoint.size)
                // Who rewrote entries may have spoilt the stored tree elsewhere, so it is a hint only.
                let hint = suspects.first { $0.overlaps(range) }?.clamped(to: range)
                found.insert(
                    TamperFinding(
                        .rewritten, range,
                        "\(Self.words(for: range)): the root that was signed over \(checkpoint.size) entries is another"
                            + (hint.map { " (the stored tree differs at \($0.lowerBound) to \($0.upperBound))" } ?? "")
                    ), at: 0)
                break
            }
            proven = checkpoint.size
            count += 1
        }
        if found.isEmpty, let suspect = suspects.first {
            found.append(
                suspect.upperBound <= proven || suspect.lowerBound > last
                    ? TamperFinding(
                        .damaged, nil, "the stored tree is not that of the entries, from entry \(suspect.lowerBound) on"
                    )
                    : TamperFinding(
                        .rewritten, suspect, "\(Self.words(for: suspect)): the stored tree has another root there"))
        }
        return (proven, count, found)
    }

    private static func words(for range: ClosedRange<Int64>) -> String {
        range.count == 1
            ? "entry \(range.lowerBound) was changed together with its hash"
            : "an entry from \(range.lowerBound) to \(range.upperBound) was changed together with its hash, or the order"
                + " of some"
    }
}
