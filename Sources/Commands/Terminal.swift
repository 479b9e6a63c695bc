import Foundation

/// Where a command writes, and what the other end can show.
struct Terminal: Sendable {
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
    func write(_ text: String) { FileHandle.standardOutput.writeOrStop(text) }

    func writeError(_ text: String) { FileHandle.standardError.writeOrStop(text) }

    /// Draws, or with nil clears, the progress line.
    func showProgress(_ text: String?) {
        guard showsProgress else { return }
        writeError("\r\u{1b}[K" + (text ?? ""))
    }
}

extension FileHandle {
    fileprivate func writeOrStop(_ text: String) {
        do {
            try write(contentsOf: Data(text.utf8))
        } catch {
            // The reader of the pipe is gone: there is nobody left to tell.
        }
    }
}

/// Text from outside with its control characters made visible, so that it cannot move the cursor or fake a line.
func printable(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
        switch scalar.value {
        case 0x0a: result += "\\n"
        case 0x09: result += "\\t"
        case 0..<0x20, 0x7f..<0xa0, 0x200e...0x200f, 0x202a...0x202e, 0x2066...0x2069:
            result += "\\u{\(String(scalar.value, radix: 16))}"
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result
}
