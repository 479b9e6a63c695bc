import Foundation
import Reports
import Synchronization

/// Where a command writes, and what the other end can show.
struct Terminal: Sendable {
    private let output = OutputFailure()

    /// Why something of the answer was lost, or nil: a full disk, say, but not a reader that went away.
    var outputFailure: String? { output.reason.withLock { $0 } }

    /// Whether colour may be used on standard output: only on a terminal, and `NO_COLOR` is honoured.
    var isColoured: Bool
    /// Whether a progress line may be drawn on standard error.
    var showsProgress: Bool

    init(environment: [String: String]) {
        let isPlain = environment["NO_COLOR"].map { !$0.isEmpty } ?? false || environment["TERM"] == "dumb"
        isColoured = isatty(STDOUT_FILENO) == 1 && !isPlain
        showsProgress = isatty(STDERR_FILENO) == 1 && environment["TERM"] != "dumb"
    }

    enum Style: String {
        case bold = "1"
        case dim = "2"
        case red = "31"
        case green = "32"
        case yellow = "33"
    }

    /// A text in a style, where colour may be used.
    func styled(_ text: String, _ style: Style) -> String {
        isColoured ? "\u{1b}[\(style.rawValue)m\(text)\u{1b}[0m" : text
    }

    /// Writes to standard output; a closed pipe ends quietly, as for any command in a pipeline.
    func write(_ text: String) { write(bytes: Array(text.utf8)) }

    /// The same for a text that is bytes already.
    func write(bytes: [UInt8]) {
        guard let failure = writeAll(bytes, to: STDOUT_FILENO), failure != EPIPE else { return }
        output.reason.withLock { $0 = String(cString: strerror(failure)) }
    }

    /// Writes to standard error; where that fails there is nobody left to tell.
    func writeError(_ text: String) { _ = writeAll(Array(text.utf8), to: STDERR_FILENO) }

    /// Draws, or with nil clears, the progress line.
    func showProgress(_ text: String?) {
        guard showsProgress else { return }
        writeError("\r\u{1b}[K" + (text ?? ""))
    }
}

/// What could not be written of an answer; shared by all copies of a terminal.
private final class OutputFailure: Sendable {
    let reason = Mutex<String?>(nil)
}

/// Writes a whole text.
///
/// - Returns: The `errno` of the failure that ended it, or nil.
private func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Int32? {
    var rest = bytes[...]
    while !rest.isEmpty {
        let count = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
        if count > 0 {
            rest = rest.dropFirst(count)
        } else if errno == EAGAIN {
            // Somebody else made the pipe or terminal non-blocking: wait until it takes more.
            var wanted = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            _ = poll(&wanted, 1, -1)
        } else if errno != EINTR {
            return errno
        }
    }
    return nil
}

/// Text from outside with its control characters made visible, so that it cannot move the cursor or fake a line.
func printable(_ text: String) -> String { Reports.printable(text) }
