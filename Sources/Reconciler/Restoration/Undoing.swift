package import Manifest

/// Which earlier revisions the one in force undoes, and so which entries its own entries point to.
///
/// A revision that brings an earlier state back undoes everything that came after that state. One that only says that it
/// takes commits back undoes the revisions that carried them out; its words are not proven, and a link claims no more than
/// that the revision says so and changed the same object.
package struct Undoing: Equatable, Sendable {
    /// The commits of the undone revisions.
    package var revisions: Set<String>
    /// Entries before this one are none of theirs: a commit may have been in force before, and come back.
    package var firstEntry: Int64
    /// The entry that says that the newest undone revision was accepted; nil where that is not known, and where the revision
    /// only goes on with a revert.
    package var acceptance: Int64?

    /// What a revision undoes; nil where it is no revert, or was not accepted.
    package init?(by commit: String, among states: DeclaredStates) {
        let records = states.records
        guard var index = records.lastIndex(where: { $0.commit == commit }) else { return nil }
        // A commit without a change, such as an approval, goes on with what the one before it undoes.
        let isRevert = { (record: DeclaredStates.Record) in record.restores != nil || !record.takesBack.isEmpty }
        while index > 0, !isRevert(records[index]), records[index - 1].digest == records[index].digest { index -= 1 }
        let record = records[index]
        let earlier = records[..<index]
        let undone: [DeclaredStates.Record]
        if let restores = record.restores {
            guard let restored = earlier.lastIndex(where: { $0.commit == restores && $0.digest == record.digest })
            else { return nil }
            undone = Array(earlier[(restored + 1)...])
        } else {
            undone = earlier.filter { record.takesBack.contains($0.commit) }
        }
        guard let newest = undone.last else { return nil }
        revisions = Set(undone.map(\.commit)).subtracting([commit])
        // What came after one whose entry is not known came later than any that is.
        firstEntry = undone.allSatisfy { $0.entry != nil } ? undone.compactMap(\.entry).min() ?? 0 : 0
        acceptance = record.commit == commit ? newest.entry : nil
    }

    /// Which entry a change undoes.
    ///
    /// - Parameters:
    ///   - desired: What the change declares; nil for a deletion.
    ///   - latest: The object's latest change under ``revisions``; nil where it has none.
    /// - Returns: Nil where the object was declared just so: then it is made anew or put right, and nothing is undone.
    package func entry(undoneBy desired: Tree?, latest: PastChange?) -> Int64? {
        guard let latest, latest.declared != desired else { return nil }
        return latest.sequence
    }
}

/// A change that an entry tells of, as far as what undoes it has to know.
package struct PastChange: Equatable, Sendable {
    package var sequence: Int64
    /// What was sent as the declaration; nil for a deletion.
    package var declared: Tree?

    /// - Parameter patch: See ``EntryDraft/patch``.
    package init(sequence: Int64, patch: Tree?) {
        self.sequence = sequence
        declared = (patch?.array ?? []).compactMap { $0["apply"] ?? $0["recreate"] }.last
    }
}
