import Foundation
import Testing

/// The folder of these tests.
let testFolder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()

/// Expects a text to be what the file says that pins it; with `BYLAW_REWRITE_GOLDEN=yes` the file is written instead.
func expectGolden(_ text: String, _ file: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let url = testFolder.appendingPathComponent("Golden").appendingPathComponent(file)
    if ProcessInfo.processInfo.environment["BYLAW_REWRITE_GOLDEN"] == "yes" {
        try Data(text.utf8).write(to: url)
        return
    }
    let pinned = try String(decoding: Data(contentsOf: url), as: UTF8.self)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let pinnedLines = pinned.split(separator: "\n", omittingEmptySubsequences: false)
    let difference = zip(lines, pinnedLines).first { $0 != $1 }
    #expect(
        text == pinned,
        """
        \(file) differs: \(difference.map { "\($0) instead of \($1)" } ?? "one is longer"); \
        BYLAW_REWRITE_GOLDEN=yes rewrites it
        """, sourceLocation: sourceLocation)
}
