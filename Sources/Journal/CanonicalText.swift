import JSON
import Manifest
import Reconciler

/// The canonical JSON of a tree that is kept in the journal.
///
/// - Throws: ``JournalFailure/secret(_:)`` for a Secret, ``JournalFailure/oversized(bytes:)`` beyond any real object.
func canonicalText(_ tree: Tree?, of object: ObjectID?) throws(JournalFailure) -> String? {
    guard let tree else { return nil }
    if object?.kind == "Secret" || tree["kind"]?.string == "Secret" {
        throw .secret(object?.description ?? "a Secret")
    }
    let text = tree.jsonText()
    guard text.utf8.count <= TextLimit.content else { throw .oversized(bytes: text.utf8.count) }
    return text
}

/// Reads canonical JSON back.
func tree(fromCanonical text: String, in place: String) throws(JournalFailure) -> Tree {
    // A little deeper than what is read from elsewhere, because an intent wraps it.
    do { return try parseJSON(text, limits: JSONLimits(maximumDepth: 520)) } catch {
        throw .unreadable("\(place) holds JSON that cannot be read: \(error)")
    }
}
