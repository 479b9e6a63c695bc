/// What a leader leaves to the next one: which revision is in force, whole, and what an emergency hold enforces instead.
///
/// Context: each replica may have a journal of its own, and one that leads after another does not know what was approved
/// there. Judged as one that comes first, the newest revision would wait for approvals that stand in earlier commits.
/// Choice: the Lease names the revision of which everything was let through, and the next leader judges what is new by what
/// changed since. It stands there before anything of that revision is enforced, so that it is never one of which something
/// was revoked since, however the leader ended. It names commits and nothing else, which have to be part of what is
/// followed: whoever could write the Lease can have what was merged count as approved, and nothing that was not. Given up:
/// where something is held, the newest revision is judged as one that comes first.
package struct Handover: Sendable, Equatable {
    /// The commit that was accepted last by itself; nil where not all of it was let through.
    package var revision: String?
    /// The commit that an emergency hold enforces in its place; nil where none does.
    package var heldRevision: String?
    /// See ``RevisionSource/place``.
    package var place: String

    /// - Returns: Nil where there is nothing to be left.
    package init?(revision: String?, heldRevision: String? = nil, place: String) {
        guard revision != nil || heldRevision != nil else { return nil }
        self.revision = revision
        self.heldRevision = heldRevision
        self.place = place
    }

    /// What is left by a leader that enforces a revision.
    ///
    /// - Parameters:
    ///   - guarded: What was let through of it.
    ///   - before: What it stands in the place of, where it is in force by a hold.
    init?(_ guarded: GuardedState, of revision: String, replacing before: StateBeforeHold?, in place: String) {
        if let before {
            self.init(revision: before.wholeRevision, heldRevision: revision, place: place)
        } else {
            self.init(revision: guarded.isWhole ? revision : nil, place: place)
        }
    }

    /// Reads what ``text`` wrote; nil where it is not that.
    package init?(_ text: String) {
        let parts = text.split(separator: " ", maxSplits: 2).map(String.init)
        guard parts.count == 3, parts[..<2].allSatisfy({ $0 == Self.nothing || Self.isCommit($0) }) else { return nil }
        let commits = parts[..<2].map { $0 == Self.nothing ? nil : $0 }
        self.init(revision: commits[0], heldRevision: commits[1], place: parts[2])
    }

    /// As it stands on the Lease, in the annotation ``annotation``: both commits and the place.
    package var text: String { "\(revision ?? Self.nothing) \(heldRevision ?? Self.nothing) \(place)" }

    package static let annotation = "bylaw.dev/in-force"
    private static let nothing = "-"

    private static func isCommit(_ text: String) -> Bool {
        text.utf8.count == 40 && text.utf8.allSatisfy(\.isHexadecimal)
    }
}

/// Where a leader finds what the one before left, and leaves the same.
package struct HandoverPlace: Sendable {
    /// What the leader before left.
    package var found: LeaderNotes
    /// Where it returns, whoever leads next finds that; where it throws that may be so, or become so later.
    package var leave: @Sendable (LeaderNotes) async throws(ClusterError) -> Void

    package init(
        found: LeaderNotes, leave: @escaping @Sendable (LeaderNotes) async throws(ClusterError) -> Void
    ) {
        self.found = found
        self.leave = leave
    }
}

extension GuardedState {
    /// Whether everything of it was let through, and done where it cannot be found again.
    fileprivate var isWhole: Bool {
        holds.isEmpty && frozen.isEmpty && deletableNamespaces.isEmpty && basis?.unseenKinds.isEmpty ?? true
    }
}

extension StateBeforeHold {
    /// Its commit, where all of that was let through.
    fileprivate var wholeRevision: String? {
        guard !isOutdated, let guarded = GuardedState(tree), guarded.isWhole else { return nil }
        return commit
    }
}

extension UInt8 {
    fileprivate var isHexadecimal: Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(self)
    }
}
