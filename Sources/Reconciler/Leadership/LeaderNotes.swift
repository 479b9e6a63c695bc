/// Which journal a leader has, and how often it has written on the Lease with it.
///
/// The journal remembers it first, so that it is never behind what it has written itself, and a copy from before always is.
package struct JournalMark: Sendable, Equatable {
    /// Made with the journal, and the same in every copy of it.
    package var journal: String
    package var number: Int64

    package init(journal: String, number: Int64) {
        self.journal = journal
        self.number = number
    }

    /// Reads what ``text`` wrote; nil where it is not that.
    package init?(_ text: String) {
        let words = text.split(separator: " ")
        guard words.count == 2, let number = Int64(words[1]), number < Int64.max else { return nil }
        self.init(journal: String(words[0]), number: number)
    }

    /// As it stands on the Lease, in the annotation ``annotation``.
    package var text: String { "\(journal) \(number)" }

    package static let annotation = "bylaw.dev/journal"

    /// Whether whoever has this one wrote the other one as well, or knows of it.
    func covers(_ other: JournalMark) -> Bool { journal == other.journal && number >= other.number }
}

/// What a leader writes on the Lease for the next one, beside its own holding it.
package struct LeaderNotes: Sendable, Equatable {
    /// Nil where nothing may be taken for in force.
    package var handover: Handover?
    /// The journal that knows it; nil where nothing was ever written.
    ///
    /// Whoever leads with another one, or with a copy from before, does not know what was revoked since, also where the
    /// Lease has not changed hands.
    package var journal: JournalMark?

    package init(handover: Handover? = nil, journal: JournalMark? = nil) {
        self.handover = handover
        self.journal = journal
    }
}
