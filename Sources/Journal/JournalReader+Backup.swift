import Glibc
package import Reconciler
import SQLite

extension JournalReader {
    /// Copies the journal as it is now into a new file that only its owner reads, beside the process that writes it.
    ///
    /// - Throws: ``JournalError`` where there is such a file already, or it cannot be written; half a copy does not stay.
    package func backUp(to path: String) async throws(JournalError) {
        // Of this process alone: what a killed one left behind must not be in the way.
        let temporary = "\(path).part-\(getpid())"
        let descriptor = Glibc.open(temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Self.failure(temporary) }
        Glibc.close(descriptor)
        defer { unlink(temporary) }
        try await read { (connection) throws(JournalFailure) in
            do throws(DatabaseError) { try connection.backUp(to: temporary) } catch { throw .database(error) }
        }
        // A link refuses where there is something already, which a rename would replace.
        guard link(temporary, path) == 0 else { throw Self.failure(path) }
    }

    private static func failure(_ path: String) -> JournalError {
        JournalError(
            kind: .request, message: "back up the journal to \(path): \(String(cString: strerror(errno)))",
            hint: "Name a file that is not there yet, in a folder that can be written.")
    }
}
