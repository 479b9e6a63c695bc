/// A signed note, a checkpoint, a key or a proof could not be read or does not hold.
package struct NoteFailure: Error, Equatable, Sendable {
    package var message: String
    package init(_ message: String) { self.message = message }
}
