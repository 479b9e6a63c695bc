import Foundation
import TestSupport

/// Where the programs of the tests are.
let searchPath = ["PATH": "/usr/bin:/bin"]

/// Runs what may block on a thread of its own, so that it takes none of the cooperative pool.
func onThread<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
    await withCheckedContinuation { continuation in
        Thread.detachNewThread { continuation.resume(returning: work()) }
    }
}

/// A named pipe that processes hold open for as long as they live: its end is the proof that all of them are gone.
final class LifeLine: Sendable {
    let path: String
    private let folder: ScratchDirectory
    private let descriptor: Int32

    init() throws {
        folder = try ScratchDirectory(named: "bylaw-lifeline")
        path = folder.path + "/pipe"
        guard mkfifo(path, 0o600) == 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
        descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
    }

    deinit { close(descriptor) }

    /// The beginning of a shell script whose processes hold the pipe, and say so once.
    var held: String { "exec 9>'\(path)'; echo up >&9; " }

    /// Waits until a process holds the pipe; false where none does within a minute.
    func isTaken() async -> Bool { await onThread { [self] in waitForBytes() } }

    /// Waits until no process holds the pipe; false where one still does after a minute.
    func isLetGo() async -> Bool {
        await onThread { [self] in
            var buffer = [UInt8](repeating: 0, count: 64)
            while true {
                let count = read(descriptor, &buffer, buffer.count)
                if count == 0 { return true }
                if count < 0, errno != EAGAIN || !waitForBytes() { return false }
            }
        }
    }

    private func waitForBytes() -> Bool {
        var wanted = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&wanted, 1, 60_000) == 1
    }
}
