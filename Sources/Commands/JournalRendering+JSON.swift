package import Journal
package import Manifest
package import Reconciler

/// What `bylaw journal list -o json` gives.
///
/// - Throws: ``JournalError`` where the kept content of an entry cannot be read.
package func entryListTree(_ entries: [JournalEntry]) throws(JournalError) -> Tree {
    var items: [Tree] = []
    for entry in entries { items.append(try entryTree(entry)) }
    return ["apiVersion": "bylaw.dev/v1", "kind": "JournalEntryList", "items": .array(items)]
}
