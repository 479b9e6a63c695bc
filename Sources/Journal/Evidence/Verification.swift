package import Manifest
package import TransparencyLog

/// What is wrong with a journal, as far as it can be told.
package struct TamperFinding: Equatable, Sendable {
    package enum Kind: String, Sendable, CaseIterable {
        /// An entry is not what was written.
        case changed
        /// An entry is gone.
        case removed
        /// An entry stands where none was written.
        case inserted
        /// An entry stands at another's place.
        case reordered
        /// Entries that a checkpoint covers are missing at the end.
        case truncated
        /// Entries were changed together with their hashes: a checkpoint tells that it happened, not to which one.
        case rewritten
        /// The file cannot be read on from here, or what finds and shows the entries is not as it was made.
        case damaged
        /// A checkpoint is not what was signed, or is another journal's.
        case badCheckpoint
        /// No checkpoint that a known key has signed covers any entry, or none the entries of the last hour and more.
        case unsigned
    }

    package var kind: Kind
    /// The first entry that it concerns, or the entries among which it lies, by their numbers in the log.
    package var entries: ClosedRange<Int64>?
    /// Of a merged history, the log whose entries they are, by its origin; nil for the history as a whole.
    package var log: String?
    package var message: String

    package init(_ kind: Kind, _ entries: ClosedRange<Int64>?, _ message: String) {
        self.kind = kind
        self.entries = entries
        self.message = message
    }
}

/// What a verification found.
package struct VerificationReport: Equatable, Sendable {
    /// The name under which the journal's checkpoints are signed.
    package var origin: String
    /// The number of the last entry.
    package var lastSequence: Int64
    /// Entries up to this one are proven to be what was written when the checkpoint over them was signed.
    package var provenThrough: Int64
    /// How many checkpoints hold.
    package var checkpointCount: Int
    /// The keys that have signed them.
    package var keys: [VerifierKey]
    /// Whether the keys are those that the journal itself names: who can write it could have put theirs there.
    package var areKeysItsOwn: Bool
    /// Whether an export was verified, which has no indexes.
    package var isOfExport = false
    /// Whether the indexes, through which entries are listed, were compared with the entries.
    package var areIndexesChecked = false
    /// Up to which entry retention has removed what nothing in force depends on; 0 where it never did.
    package var removedThrough: Int64 = 0
    /// How many entries up to there it kept.
    package var keptCount = 0
    /// How many checkpoints are signed by keys that are not known.
    package var unknownCheckpointCount: Int
    /// The first is the one to look at.
    package var findings: [TamperFinding]
    /// What was found of each log of a merged history; none for a journal.
    package var logs: [VerificationReport] = []

    package var isIntact: Bool { findings.isEmpty }

    /// Takes in what retention has removed.
    mutating func addCut(_ cut: JournalCut?) {
        removedThrough = cut?.through ?? 0
        keptCount = cut?.kept.count ?? 0
    }
}

/// What a verification compares a journal with.
package struct VerificationRequest: Sendable {
    /// Keys that are known from elsewhere; empty to trust those that the journal names.
    package var keys: [KnownKey]
    /// Checkpoints that were kept elsewhere.
    package var checkpoints: [SignedCheckpoint]
    /// The time of day: entries that are older than an hour and covered by nothing are told.
    package var now: Timestamp?
    /// Whether the indexes are compared with the entries; nil to do so in a journal of up to 128 MiB.
    package var comparesIndexes: Bool?

    package init(
        keys: [KnownKey] = [], checkpoints: [SignedCheckpoint] = [], now: Timestamp? = nil,
        comparesIndexes: Bool? = nil
    ) {
        self.keys = keys
        self.checkpoints = checkpoints
        self.now = now
        self.comparesIndexes = comparesIndexes
    }
}
