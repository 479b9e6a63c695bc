import Foundation
import Synchronization
import Telemetry
import Testing

@Suite struct LogLineTests {
    /// The line of one event with one field.
    private func line(_ value: String, as format: LogFormat, level: LogLevel = .info) -> String {
        let lines = Mutex("")
        let logger = Logger(level: .debug, now: { "2026-03-01T12:30:00.000000Z" }) { event in
            lines.withLock { $0 += renderLogLine(event, as: format) }
        }
        logger.log(level, "object applied", [("value", value)])
        return lines.withLock { $0 }
    }

    @Test(arguments: [
        (LogLevel.debug, "debug  "), (.info, "info   "), (.notice, "notice "), (.warning, "warning"),
        (.error, "error  "),
    ])
    func textLinesUpUnderEachOther(_ level: LogLevel, _ word: String) {
        #expect(
            line("x", as: .text, level: level) == "2026-03-01T12:30:00.000000Z \(word) object applied value=x\n")
    }

    @Test func jsonHoldsTheSameFacts() {
        #expect(
            line("x", as: .json, level: .warning) == #"{"time":"2026-03-01T12:30:00.000000Z","level":"warning","#
                + #""message":"object applied","value":"x"}"# + "\n")
    }

    @Test(arguments: [
        ("plain-1.2/3:4", "plain-1.2/3:4"), ("\u{e9}", "\u{e9}"), ("", #""""#), ("two words", #""two words""#),
        ("a=b", #""a=b""#), ("say \"x\"", #""say \"x\"""#), ("a\nb", #""a\nb""#), ("a\r\nb", #""a\u000d\nb""#),
        ("a\tb", #""a\tb""#), ("c:\\x y", #""c:\\x y""#), ("\u{0}", #""\u0000""#),
        ("\u{1b}[31mred", #""\u001b[31mred""#),
        ("\u{7f}", #""\u007f""#), ("\u{9b}31m", #""\u009b31m""#), ("\u{85}", #""\u0085""#),
        ("a\u{2028}b", #""a\u2028b""#),
    ])
    func textQuotesWhatIsNotPlain(_ value: String, _ written: String) {
        #expect(line(value, as: .text).hasSuffix(" value=\(written)\n"))
    }

    private static let hostile: [String] = {
        let controls = (0..<0x20).map { $0 } + Array(0x7f..<0xa0) + [0x2028, 0x2029]
        // Every character that Unicode calls a control of direction.
        let directions = [0x61c, 0x200e, 0x200f] + Array(0x202a...0x202e) + Array(0x2066...0x2069)
        return (controls + directions).compactMap { Unicode.Scalar(UInt32($0)) }.map { "a\($0)b" }
    }()

    @Test(arguments: LogFormat.allCases)
    func nothingFromOutsideBreaksALineOrHidesInIt(_ format: LogFormat) {
        for value in Self.hostile {
            let written = line(value, as: format).unicodeScalars
            #expect(written.last == "\n")
            #expect(
                !written.dropLast().contains { value.unicodeScalars.contains($0) && $0 != "a" && $0 != "b" },
                "\(value.debugDescription)")
        }
    }

    @Test func jsonReadsBackToTheSameValue() throws {
        for value in Self.hostile + ["", "\"\\\"", "\u{1f600}\u{e9}", "{\"a\":1}", "\\u0041", "/"] {
            let object = try JSONSerialization.jsonObject(with: Data(line(value, as: .json).utf8))
            let facts = try #require(object as? [String: String])
            #expect(facts["value"] == value)
            #expect(facts.count == 4)
        }
    }

    @Test(arguments: LogFormat.allCases)
    func aFieldIsBounded(_ format: LogFormat) {
        #expect(line(String(repeating: "x", count: 4096), as: format).contains(String(repeating: "x", count: 4096)))
        let long = line(String(repeating: "x", count: 1 << 20), as: format)
        #expect(long.utf8.count < 5000)
        #expect(long.contains("x..."))
    }

    /// One character may be made of any number of marks: a bound in characters alone would be none.
    @Test(arguments: LogFormat.allCases)
    func aFieldOfOneEndlessCharacterIsBoundedToo(_ format: LogFormat) {
        #expect(line("e" + String(repeating: "\u{301}", count: 1 << 17), as: format).utf8.count < 100_000)
    }
}
