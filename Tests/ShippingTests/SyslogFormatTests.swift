import JSON
import Manifest
import Shipping
import TestSupport
import Testing

@Suite struct SyslogFormatTests {
    private func read(_ entry: ShippedEntry, _ format: SyslogFormat = SyslogFormat()) throws -> SyslogReader.Message {
        let message = format.message(entry)
        #expect(message.count <= max(format.maximumBytes, 2048))
        let messages = try SyslogReader.messages(ofStream: format.frame(entry))
        #expect(messages.count == 1)
        return try #require(messages.first)
    }

    @Test func aMessageHasAllItsParts() throws {
        let message = try read(Sample.entry(42))
        #expect(message.priority == 13 * 8 + 6)
        #expect(message.timestamp == "2026-03-01T12:00:00.123456Z")
        #expect(message.hostname == "prod")
        #expect(message.application == "bylaw")
        #expect(message.process == "-")
        #expect(message.messageID == "DriftCorrected")
        #expect(message.elementID == "bylaw@32473")
        #expect(
            message.parameters == [
                "journal": Sample.journal, "sequence": "42", "instance": "prod", "cluster": "eu-1",
                "outcome": "succeeded", "incident": "false",
            ])
        #expect(message.text == Sample.entry(42).document.jsonText())
    }

    @Test func theBeginningIsAsInTheDocument() {
        let text = String(decoding: SyslogFormat(hostname: "node-1").frame(Sample.entry(1)), as: UTF8.self)
        let start = "<110>1 2026-03-01T12:00:00.123456Z node-1 bylaw - DriftCorrected [bylaw@32473 journal=\""
        #expect(text.split(separator: " ", maxSplits: 1).last?.hasPrefix(start) == true)
    }

    @Test(arguments: [
        ("succeeded", false, 6), ("succeeded", true, 4), ("held", false, 4), ("abandoned", true, 4),
        ("failed", true, 3),
        ("failed", false, 3),
    ])
    func severityFollowsTheOutcome(_ outcome: String, _ isIncident: Bool, _ severity: Int) throws {
        #expect(try read(Sample.entry(1, isIncident: isIncident, outcome: outcome)).priority == 13 * 8 + severity)
    }

    @Test(arguments: [(0, 0), (23, 23), (24, 23), (-5, 0), (Int.max, 23), (Int.min, 0)])
    func aFacilityOutsideTheTableIsBroughtInto(_ given: Int, _ facility: Int) throws {
        #expect(try read(Sample.entry(1), SyslogFormat(facility: given)).priority == facility * 8 + 6)
    }

    @Test(arguments: Sample.hostileTexts)
    func hostileNamesBreakNothing(_ text: String) throws {
        for host in [nil, text] {
            let format = SyslogFormat(enterpriseNumber: .max, hostname: host)
            let entry = Sample.hostile(text)
            let stream = format.frame(entry) + format.frame(Sample.entry(8))
            let messages = try SyslogReader.messages(ofStream: stream)
            #expect(messages.count == 2)
            #expect(messages[1].parameters["sequence"] == "8")
            #expect(messages[0].parameters["sequence"] == "7")
            #expect(try parseJSON(messages[0].text)["message"] == .string(text))
            let cluster = try #require(messages[0].parameters["cluster"])
            #expect(text.hasPrefix(cluster) || cluster.contains("\u{FFFD}"))
            #expect(!stream.contains { $0 < 0x20 || $0 == 0x7F }, "no control character goes out")
        }
    }

    @Test func theEscapesAreReadBack() throws {
        let message = try read(Sample.entry(1, cluster: "a\"b]c\\d\\\\]\""))
        #expect(message.parameters["cluster"] == "a\"b]c\\d\\\\]\"")
    }

    @Test(arguments: [Int64.min, .max, 0])
    func extremesAreWritten(_ value: Int64) throws {
        let message = try read(Sample.entry(value, at: Timestamp(microsecondsSinceEpoch: value)))
        #expect(message.parameters["sequence"] == String(value))
    }
}

@Suite struct SyslogTruncationTests {
    private func read(_ entry: ShippedEntry, _ maximumBytes: Int) throws -> SyslogReader.Message {
        let format = SyslogFormat(maximumBytes: maximumBytes)
        #expect(format.message(entry).count <= max(maximumBytes, 2048))
        return try #require(try SyslogReader.messages(ofStream: format.frame(entry)).first)
    }

    @Test func objectsGoFirstAndTheTextStaysJSON() throws {
        let big = Tree.string(String(repeating: "x", count: 7000))
        let message = try read(Sample.entry(1, extra: ["before": big, "after": big, "patch": [:]]), 8192)
        #expect(message.parameters["truncated"] == "true")
        let tree = try parseJSON(message.text)
        #expect(tree["before"] == nil && tree["after"] == big && tree["patch"] == [:] as Tree)
        #expect(tree["omitted"] == ["before"] as Tree)
        let shorter = try parseJSON(
            try read(Sample.entry(1, extra: ["before": big, "after": big, "patch": [:]]), 4096).text)
        #expect(shorter["omitted"] == ["before", "after"] as Tree)
        #expect(shorter["message"]?.string == "words")
    }

    @Test func whatFitsIsNotTouched() throws {
        let entry = Sample.entry(1)
        let size = SyslogFormat().message(Sample.entry(1, message: "")).count
        for (length, isTruncated) in [(8192 - size, false), (8192 - size + 1, true)] {
            let message = try read(Sample.entry(1, message: String(repeating: "m", count: length)), 8192)
            #expect((message.parameters["truncated"] == "true") == isTruncated)
        }
        #expect(try read(entry, 8192).parameters["truncated"] == nil)
    }

    /// A family of seven scalars is one character: it is there as a whole or not at all.
    @Test func theCutIsBetweenCharacters() throws {
        let family = "👩‍👩‍👧‍👦"
        for shift in 0..<family.utf8.count {
            let text = String(repeating: "a", count: shift) + String(repeating: family, count: 300)
            let message = try read(Sample.entry(1, message: text), 2048)
            #expect(message.parameters["truncated"] == "true")
            #expect(message.text.last == Character(family), "\(shift)")
        }
    }

    @Test func aCharacterWithoutAnEndIsCutBetweenItsScalars() throws {
        let message = try read(Sample.entry(1, message: "a" + String(repeating: "\u{301}", count: 9000)), 2048)
        #expect(message.text.utf8.count > 1000)
    }

    @Test(arguments: [Int.min, -1, 0, 480, 2048])
    func noLimitIsBelowWhatEachReceiverTakes(_ maximum: Int) throws {
        let long = String(repeating: "]", count: 5000)
        #expect(try read(Sample.hostile(long), maximum).parameters["truncated"] == "true")
    }

    @Test func anySizeOfAnyTextIsAMessage() throws {
        var generator = SplitMix64(seed: 5424)
        let alphabet = ["a", "\"", "]", "\\", "\n", "\u{7F}", "\u{85}", "ü", "€", "👩‍👩‍👧‍👦", "e\u{301}"]
        for _ in 0..<200 {
            var text = ""
            for _ in 0..<Int.random(in: 0...900, using: &generator) {
                text += alphabet[Int.random(in: 0..<alphabet.count, using: &generator)]
            }
            let message = try read(Sample.hostile(text), Int.random(in: 2048...6000, using: &generator))
            #expect(message.parameters["sequence"] == "7")
        }
    }
}
