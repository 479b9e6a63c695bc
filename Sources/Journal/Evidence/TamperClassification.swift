import Signatures

/// Finds out what was done to the first entry that does not fit.
///
/// A row that was moved keeps the text that fits its hash under another number, which is found by trying the numbers.
struct TamperClassification {
    /// Numbers beyond this are not tried: the finding is then that the entry was changed, which is true as well.
    private static let maximumTries: Int64 = 4_000_000

    var last: Int64
    var hasher: SHA256Hasher

    /// An entry as it stands, with the hash beside it.
    struct Standing {
        var encoding: EntryEncoding
        var recorded: SHA256Digest?
    }

    /// - Parameters:
    ///   - next: The entry behind the one that does not fit; nil where there is none that can be read.
    ///   - recordedElsewhere: Shows the recorded hash of each entry in turn until it gets false back.
    func classify(
        _ stop: EntryStreamCheck.Stop, next: () throws(JournalFailure) -> Standing?,
        recordedElsewhere: (_ visit: (Int64, SHA256Digest?) throws(JournalFailure) -> Bool) throws(JournalFailure) ->
            Void
    ) throws(JournalFailure) -> TamperFinding {
        switch stop {
        case .missing(let sequence, let next) where next < sequence:
            return TamperFinding(
                .inserted, next...next, "entry \(next) stands where entry \(sequence) belongs: it was put there")
        case .missing(let sequence, let next):
            // In an export an entry may stand on another line.
            var isElsewhere = false
            try recordedElsewhere { (other, _) throws(JournalFailure) in
                isElsewhere = other == sequence
                return !isElsewhere
            }
            guard !isElsewhere else { return reordered(next, at: sequence) }
            let gap = sequence...max(sequence, next - 1)
            return TamperFinding(
                .removed, gap,
                gap.count == 1 ? "entry \(sequence) was removed" : "entries \(sequence) to \(next - 1) were removed")
        case .missingKept(let sequence):
            return TamperFinding(
                .removed, sequence...sequence, "entry \(sequence), which retention kept, was removed")
        case .standsInCut(let sequence):
            return TamperFinding(
                .inserted, sequence...sequence,
                "entry \(sequence) stands where retention removed one: it was put there")
        case .missingHash(let sequence):
            return TamperFinding(
                .damaged, sequence...sequence, "the hash of entry \(sequence), which retention removed, is missing")
        case .malformed(let sequence, let detail):
            return TamperFinding(.changed, sequence...sequence, "entry \(sequence) was changed: \(detail)")
        case .mismatch(let sequence, let encoding, let recorded):
            return try explain(sequence, encoding, recorded, next, recordedElsewhere)
        }
    }

    private func explain(
        _ sequence: Int64, _ encoding: EntryEncoding, _ recorded: SHA256Digest?,
        _ next: () throws(JournalFailure) -> Standing?,
        _ recordedElsewhere: (_ visit: (Int64, SHA256Digest?) throws(JournalFailure) -> Bool) throws(JournalFailure) ->
            Void
    ) throws(JournalFailure) -> TamperFinding {
        // The row came with its hash: under which number does it fit?
        let limit = min(min(last, Self.maximumTries) + 2, Self.maximumTries)
        if limit >= 1 {
            for origin in 1...limit where try hash(encoding, origin) == recorded {
                return try moved(origin, to: sequence, next)
            }
        }
        // Only the content came: whose hash does it fit?
        var found: Int64?
        try recordedElsewhere { (origin, hash) throws(JournalFailure) in
            guard origin <= Self.maximumTries else { return false }
            if try self.hash(encoding, origin) == hash { found = origin }
            return found == nil
        }
        if let found { return reordered(found, at: sequence) }
        return TamperFinding(
            .changed, sequence...sequence, "entry \(sequence) was changed: it does not fit the hash it was written with"
        )
    }

    private func moved(
        _ origin: Int64, to sequence: Int64, _ next: () throws(JournalFailure) -> Standing?
    ) throws(JournalFailure) -> TamperFinding {
        switch origin - sequence {
        case 1:
            if let next = try next(), try hash(next.encoding, sequence) == next.recorded {
                return reordered(origin, at: sequence)
            }
            return TamperFinding(
                .removed, sequence...sequence,
                "entry \(sequence) was removed: what was written as \(origin) stands in its place")
        case -1:
            return TamperFinding(
                .inserted, sequence...sequence,
                "an entry was inserted before entry \(sequence): what was written as \(origin) stands there")
        default: return reordered(origin, at: sequence)
        }
    }

    private func reordered(_ origin: Int64, at sequence: Int64) -> TamperFinding {
        TamperFinding(
            .reordered, sequence...sequence,
            "entries were reordered: what was written as \(origin) stands at \(sequence)")
    }

    private func hash(_ encoding: EntryEncoding, _ sequence: Int64) throws(JournalFailure) -> SHA256Digest {
        do throws(HashingFailure) { return try encoding.leafHash(sequence: sequence, by: hasher) } catch {
            throw .hashing
        }
    }
}
