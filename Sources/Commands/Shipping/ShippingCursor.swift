import Foundation
import Glibc
import JSON
import Manifest

/// How far a journal has been sent to one receiver, in a file that survives a crash.
struct ShippingCursor: Sendable {
    let path: String
    /// Which journal it counts in: the numbers of another one mean other entries.
    let journal: String

    /// The last entry that was dealt with; nil where nothing was sent yet.
    ///
    /// - Throws: ``CommandFailure`` where the file is of another journal, or cannot be read: sending all of it again, or
    ///   leaving some out, is nothing to guess.
    func read() throws(CommandFailure) -> Int64? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        let tree: Tree
        do {
            tree = try parseJSON([UInt8](try Data(contentsOf: URL(fileURLWithPath: path))))
        } catch {
            throw CommandFailure(
                message: "read the cursor \(path): it cannot be read, or is no cursor",
                hint: "Name another file with --cursor; one that is not there yet begins with the first entry.")
        }
        guard tree["journal"]?.string == journal, let sequence = tree["sequence"]?.integer else {
            throw CommandFailure(
                message: "the cursor \(path) is of another journal",
                hint: "Name another file with --cursor for this journal.")
        }
        return sequence
    }

    /// Keeps how far it is, durably and at once or not at all.
    func store(_ sequence: Int64) throws(CommandFailure) {
        let content: Tree = ["journal": .string(journal), "sequence": .integer(sequence)]
        let temporary = "\(path).new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure() }
        let bytes = content.jsonBytes()
        let isWritten = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) } == bytes.count
        let isDurable = isWritten && fsync(descriptor) == 0
        close(descriptor)
        guard isDurable, rename(temporary, path) == 0 else { throw failure() }
    }

    private func failure() -> CommandFailure {
        CommandFailure(
            message: "keep how far the journal has been sent in \(path): \(String(cString: strerror(errno)))",
            hint: "Give it a file in a folder that can be written; nothing more is sent until it can be kept.")
    }
}
