import Foundation
package import HTTPClient
import Synchronization

/// Bytes of a credential: written in the configuration, or in a file that may be replaced while we run (rules A3 to
/// A5).
package enum CredentialFile: Sendable, Equatable {
    case inline(SecretBytes)
    case path(String)

    /// What stands there now, and why it could not be read otherwise.
    ///
    /// Opened anew by its path each time: a mounted volume swaps a link, and a held descriptor would read the old
    /// content for ever.
    func read(_ what: String, _ check: ([UInt8]) -> String?) throws(ClusterConfigurationError) -> [UInt8] {
        switch self {
        case .inline(let secret):
            if let flaw = check(secret.bytes) {
                throw ClusterConfigurationError(
                    message: "\(what) in the kubeconfig \(flaw)", hint: "Write the whole PEM text there, in base64.")
            }
            return secret.bytes
        case .path(let path):
            let bytes = try readBounded(path, maximumBytes: 1 << 20, what: what)
            if let flaw = check(bytes) {
                throw ClusterConfigurationError(
                    message: "read \(what) \(path): it \(flaw)", hint: "Check what writes this file.")
            }
            return bytes
        }
    }
}

/// Reads a file of credentials or configuration, up to a bound.
func readBounded(_ path: String, maximumBytes: Int, what: String) throws(ClusterConfigurationError) -> [UInt8] {
    func failure(_ reason: String) -> ClusterConfigurationError {
        ClusterConfigurationError(
            message: "read \(what) \(path): \(reason)",
            hint: "Check that the file exists, is readable and is not empty.")
    }
    // Without O_NONBLOCK a pipe that nobody writes to would hold us here.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw failure(String(cString: strerror(errno))) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { throw failure("it is no file") }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
        let count = Foundation.read(descriptor, &buffer, buffer.count)
        if count == 0 { break }
        if count < 0 {
            if errno == EINTR { continue }
            throw failure(String(cString: strerror(errno)))
        }
        bytes += buffer[..<count]
        guard bytes.count <= maximumBytes else { throw failure("it is larger than \(maximumBytes) bytes") }
    }
    guard !bytes.isEmpty else { throw failure("it is empty") }
    return bytes
}

/// A value that comes from files and is read again when it has become old or is doubted; the last good one stays when
/// that fails (rules A3 to A5).
final class RereadValue<Value: Sendable>: Sendable {
    private struct State {
        var value: Value?
        var readAt = Duration.zero
        var isDoubted = false
    }

    private let uptime: @Sendable () -> Duration
    private let read: @Sendable () throws(ClusterConfigurationError) -> Value
    private let state = Mutex(State())

    /// A minute, less ten seconds for what is under way.
    static var maximumAge: Duration { .seconds(50) }

    init(
        uptime: @escaping @Sendable () -> Duration,
        reading read: @escaping @Sendable () throws(ClusterConfigurationError) -> Value
    ) {
        self.uptime = uptime
        self.read = read
    }

    func current() throws(ClusterConfigurationError) -> Value {
        let now = uptime()
        let (known, isFresh) = state.withLock { state in
            (state.value, !state.isDoubted && now - state.readAt < Self.maximumAge)
        }
        if let known, isFresh { return known }
        do throws(ClusterConfigurationError) {
            let value = try read()
            state.withLock { $0 = State(value: value, readAt: now) }
            return value
        } catch {
            guard let known else { throw error }
            return known
        }
    }

    /// Makes the next use read again what was read before a moment.
    func doubt(readUntil moment: Duration?) {
        state.withLock { state in
            if let moment, state.readAt > moment { return }
            state.isDoubted = true
        }
    }
}
