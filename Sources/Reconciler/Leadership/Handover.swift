/// What a leader leaves to the next one: which revision is in force, whole.
///
/// Context: each replica may have a journal of its own, and one that leads after another does not know what was approved
/// there. Judged as one that comes first, the newest revision would wait for approvals that stand in earlier commits.
/// Choice: the Lease names the revision of which everything was let through, and the next leader judges what is new by what
/// changed since. It names a commit and nothing else, which has to be part of what is followed: whoever could write the
/// Lease can have what was merged count as approved, and nothing that was not. Given up: where something is held, the
/// newest revision is judged as one that comes first.
package struct Handover: Sendable, Equatable {
    /// The commit.
    package var revision: String
    /// See ``RevisionSource/place``.
    package var place: String

    package init(revision: String, place: String) {
        self.revision = revision
        self.place = place
    }

    /// - Returns: Nil where not all of the revision was let through.
    init?(_ guarded: GuardedState, of revision: String, in place: String) {
        guard guarded.holds.isEmpty, guarded.frozen.isEmpty, guarded.deletableNamespaces.isEmpty,
            guarded.basis?.unseenKinds.isEmpty ?? true
        else { return nil }
        self.init(revision: revision, place: place)
    }

    /// Reads what ``text`` wrote; nil where it is not that.
    package init?(_ text: String) {
        let parts = text.split(separator: " ", maxSplits: 1).map(String.init)
        guard parts.count == 2, parts[0].count >= 40, parts[0].utf8.allSatisfy(\.isHexadecimal) else { return nil }
        self.init(revision: parts[0], place: parts[1])
    }

    /// As it stands on the Lease, in the annotation ``annotation``.
    package var text: String { "\(revision) \(place)" }

    package static let annotation = "bylaw.dev/in-force"
}

/// Where a leader finds what the one before left, and leaves the same.
package struct HandoverPlace: Sendable {
    /// What the leader before left; nil where that was nothing.
    package var found: Handover?
    /// Nil where nothing may be taken for in force.
    package var leave: @Sendable (Handover?) async -> Void

    package init(found: Handover?, leave: @escaping @Sendable (Handover?) async -> Void) {
        self.found = found
        self.leave = leave
    }
}

extension UInt8 {
    fileprivate var isHexadecimal: Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(self)
    }
}
