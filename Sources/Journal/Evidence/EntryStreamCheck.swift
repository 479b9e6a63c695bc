import Signatures
import TransparencyLog

/// Checks a run of entries one by one, and builds the tree over what they really hold.
///
/// Begins behind a full block, so that several runs can be checked at once and put together.
struct EntryStreamCheck {
    /// Why a run ends before its last entry.
    enum Stop {
        /// The entry with this number is not there; the next one is `next`.
        case missing(Int64, next: Int64)
        /// The entry does not fit the hash that was recorded with it.
        case mismatch(Int64, EntryEncoding, recorded: SHA256Digest?)
        /// The entry has a shape that is never written.
        case malformed(Int64, String)
        /// Retention kept the entry, and it is not there.
        case missingKept(Int64)
        /// Retention removed the entry, and one stands there.
        case standsInCut(Int64)
        /// The hash of an entry that retention removed is not there.
        case missingHash(Int64)
    }

    private let hasher: SHA256Hasher
    private var block = MerkleFrontier()
    private var wanted: ArraySlice<Int64>
    /// Up to which entry retention removed all but those that it kept, and which of these come next.
    private let cutThrough: Int64
    private var kept: ArraySlice<Int64>
    /// The number that the next entry must have.
    private(set) var expected: Int64
    /// The roots of the full blocks.
    private(set) var blockRoots: [SHA256Digest] = []
    /// For each wanted size, the roots of the perfect subtrees in its last block that is not full.
    private(set) var edges: [Int64: [SHA256Digest]] = [:]
    private(set) var stop: Stop?

    /// - Parameters:
    ///   - first: The number of the first entry; the entries before it are full blocks.
    ///   - wantedSizes: The sizes in this run at which a root is asked for, in order.
    ///   - cut: What retention removed.
    init(first: Int64, wantedSizes: [Int64], cut: JournalCut? = nil, hasher: SHA256Hasher) {
        self.hasher = hasher
        expected = first
        wanted = wantedSizes.drop { $0 < first }
        cutThrough = cut?.through ?? 0
        kept = (cut?.kept ?? []).drop { $0 < first }
    }

    /// Takes the hashes of the removed entries that lie before one, up to the next one that was kept.
    ///
    /// - Parameter leaf: The hash that the entry of a number had; nil where it is not known.
    mutating func passRemoved(
        before sequence: Int64, leaf: (Int64) throws(JournalFailure) -> SHA256Digest?
    ) throws(JournalFailure) {
        while stop == nil, expected < sequence, expected <= cutThrough, kept.first != expected {
            guard let hash = try leaf(expected) else {
                stop = .missingHash(expected)
                return
            }
            do throws(HashingFailure) { try add(hash) } catch { throw .hashing }
        }
    }

    /// Takes the next entry.
    ///
    /// - Returns: False where the run ends here, see ``stop``.
    mutating func take(
        _ sequence: Int64, recorded: SHA256Digest?, in encoding: inout EntryEncoding,
        encode: (inout EntryEncoding) throws(JournalFailure) -> Void
    ) throws(JournalFailure) -> Bool {
        guard sequence == expected else {
            stop =
                expected <= cutThrough && sequence > expected
                ? .missingKept(expected) : .missing(expected, next: sequence)
            return false
        }
        if sequence <= cutThrough {
            guard kept.first == sequence else {
                stop = .standsInCut(sequence)
                return false
            }
            kept.removeFirst()
        }
        do throws(JournalFailure) { try encode(&encoding) } catch {
            guard case .unreadable(let detail) = error else { throw error }
            stop = .malformed(sequence, detail)
            return false
        }
        do throws(HashingFailure) {
            let leaf = try encoding.leafHash(sequence: sequence, by: hasher)
            guard leaf == recorded else {
                stop = .mismatch(sequence, encoding, recorded: recorded)
                return false
            }
            try add(leaf)
        } catch {
            throw .hashing
        }
        return true
    }

    private mutating func add(_ leaf: SHA256Digest) throws(HashingFailure) {
        try block.append(leaf, by: hasher)
        if block.size == JournalFrontier.blockSize {
            blockRoots.append(try block.root(by: hasher))
            block = MerkleFrontier()
        }
        if wanted.first == expected {
            edges[expected] = block.roots
            wanted.removeFirst()
        }
        expected += 1
    }
}

/// The roots at chosen sizes, from the full blocks and the edges behind them.
struct AssembledTree {
    private let hasher: SHA256Hasher
    private var blocks = MerkleFrontier()
    private var added = 0

    init(hasher: SHA256Hasher) { self.hasher = hasher }

    /// The root at a size; sizes must be asked for in order.
    ///
    /// - Returns: Nil where the entries up to there were not all seen.
    mutating func root(
        size: Int64, blockRoots: [SHA256Digest], edges: [Int64: [SHA256Digest]]
    ) throws(HashingFailure) -> SHA256Digest? {
        let count = Int(size / JournalFrontier.blockSize)
        guard count <= blockRoots.count, size == 0 || edges[size] != nil else { return nil }
        while added < count {
            try blocks.append(subtree: blockRoots[added], level: JournalFrontier.blockLevel, by: hasher)
            added += 1
        }
        return try hasher.root(over: blocks.roots + (edges[size] ?? []))
    }
}
