import Foundation
import Glibc
import Reconciler
import Synchronization

/// The right to write one journal, held by one process at a time.
///
/// A lock on a file beside the database, not on the database itself: closing any descriptor of that one would drop
/// SQLite's own locks in this process. The kernel lets go of it when the process ends, however it ends, so a stale
/// lock cannot exist; the file stays behind and means nothing by itself.
///
final class WriterLock: Sendable {
    /// Nil once it was let go of.
    private let descriptor: Mutex<Int32?>

    /// Takes the lock beside the journal at `path`.
    init(besideJournal path: String) throws(JournalError) {
        let lockPath = path + ".lock"
        // A C string ends there: the lock would lie beside another file.
        guard !path.isEmpty, !path.utf8.contains(0) else { throw Self.failure(EINVAL, "open", lockPath, path) }
        // Close-on-exec: a child process that inherited the descriptor would keep the lock after us.
        let descriptor = open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw Self.failure(errno, "open", lockPath, path) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            let holder = Self.readHolder(descriptor)
            close(descriptor)
            guard code == EWOULDBLOCK else { throw Self.failure(code, "lock", lockPath, path) }
            throw JournalError(
                kind: .locked,
                message:
                    "open the journal \(path): \(holder.map { "process \($0)" } ?? "another process") is writing it",
                hint: "Stop that process, or name another file with --journal; reading with"
                    + " `bylaw journal` works beside it.")
        }
        self.descriptor = Mutex(descriptor)
        Self.writeHolder(descriptor)
    }

    deinit { release() }

    /// Lets go of the lock now, whoever still holds a copy of the descriptor, such as a child that is being started.
    ///
    /// Nothing is left open: the volume may be one that is to be taken away.
    func release() {
        descriptor.withLock { descriptor in
            guard let open = descriptor else { return }
            flock(open, LOCK_UN)
            close(open)
            descriptor = nil
        }
    }

    private static func readHolder(_ descriptor: Int32) -> Int32? {
        var bytes = [UInt8](repeating: 0, count: 32)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        guard count > 0 else { return nil }
        let digits = bytes.prefix(count).prefix { (0x30...0x39).contains($0) }
        return Int32(String(decoding: digits, as: UTF8.self))
    }

    /// The number only serves the other process's message: where it cannot be written the lock holds all the same.
    private static func writeHolder(_ descriptor: Int32) {
        let text = Array("\(getpid())\n".utf8)
        guard ftruncate(descriptor, 0) == 0 else { return }
        _ = pwrite(descriptor, text, text.count, 0)
    }

    private static func failure(_ code: Int32, _ verb: String, _ lockPath: String, _ path: String) -> JournalError {
        JournalError(
            .database(systemCallFailure(code, operation: "\(verb) \(lockPath)")), doing: "open", path: path)
    }
}
