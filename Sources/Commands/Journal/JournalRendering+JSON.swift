package import Journal
package import Manifest
package import Reconciler

/// What `bylaw journal show -o json` gives: the entry as an export has it, with what later entries say of it.
///
/// `undoes` is the entry that this one undoes, `undoneBy` are those that undo this one, and `referredBy` those that say more
/// about it.
///
/// - Parameters:
///   - later: The entries that refer to it.
///   - place: Where it was written, in a merged history.
/// - Throws: ``JournalError`` where the kept content of the entry cannot be read.
package func entryAnswer(_ entry: JournalEntry, later: [JournalEntry], place: MergedPlace? = nil) throws(JournalError)
    -> Tree
{
    var tree = try entryTree(entry)
    if let undone = entry.undoes { tree.set(["undoes"], to: .integer(undone)) }
    if let place {
        tree.set(["log"], to: ["origin": .string(place.origin), "sequence": .integer(place.number)])
        if let writer = place.writer { tree.set(["log", "writer"], to: .string(writer)) }
        if let other = place.refersTo { tree.set(["log", "refersTo"], to: .integer(other)) }
    }
    for (name, others) in [
        ("undoneBy", later.filter { $0.undoes != nil }), ("referredBy", later.filter { $0.undoes == nil }),
    ]
    where !others.isEmpty {
        tree.set([name], to: .array(others.map { .integer($0.sequence) }))
    }
    return tree
}

/// What `bylaw journal list -o json` gives.
///
/// - Throws: ``JournalError`` where the kept content of an entry cannot be read.
package func entryListTree(_ entries: [JournalEntry]) throws(JournalError) -> Tree {
    var items: [Tree] = []
    for entry in entries { items.append(try entryTree(entry)) }
    return ["apiVersion": "bylaw.dev/v1", "kind": "JournalEntryList", "items": .array(items)]
}
