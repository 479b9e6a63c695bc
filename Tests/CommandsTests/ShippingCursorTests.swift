import Commands
import Foundation
import TestSupport
import Testing

/// How far a journal has been sent, on a real disk.
@Suite struct ShippingCursorTests {
    private let folder: ScratchDirectory
    private var journal: String { folder.path + "/journal.sqlite" }
    private var earlier: String { journal + ".loki-cursor" }

    init() throws { folder = try ScratchDirectory() }

    private func cursor(_ url: String, kind: String = "loki", index: String = "bylaw") -> ShippingCursor {
        ShippingCursor(
            path: standardCursorPath(journal: journal, kind: kind, url: url, index: index), journal: "j",
            earlierPath: earlier)
    }

    @Test func eachReceiverHasItsOwn() throws {
        let (one, other) = (cursor("http://a:3100"), cursor("http://b:3100"))
        #expect(try one.read() == nil)
        try one.store(7)
        #expect(try one.read() == 7)
        #expect(try other.read() == nil)
        try other.store(3)
        #expect(try one.read() == 7)
    }

    @Test func aReceiverIsItsAddressAndWhatItFilesUnder() {
        func path(_ url: String, _ kind: String = "loki", _ index: String = "bylaw") -> String {
            standardCursorPath(journal: journal, kind: kind, url: url, index: index)
        }
        // A name is the same however it is written.
        #expect(path("https://A.example/push/?tenant=a") == path("HTTPS://a.example/push?tenant=a"))
        #expect(path("https://a.example/push/") == path("https://a.example/push?"))
        #expect(path("https://a.example/push?tenant=a") != path("https://a.example/push?tenant=b"))
        #expect(path("https://a.example/push?tenant=a") != path("https://a.example/push"))
        #expect(path("https://a.example/push") != path("https://a.example/Push"))
        #expect(path("https://a.example") != path("https://a.example:8443"))
        #expect(path("https://a.example") != path("https://a.example", "otlp"))
        #expect(path("https://a.example", "splunk") != path("https://a.example", "splunk", "audit"))
        #expect(!path("https://a.example/push?token=secret").contains("secret"))
    }

    private var isEarlierThere: Bool { FileManager.default.fileExists(atPath: earlier) }

    @Test func theOneOfAnEarlierVersionIsTakenOverOnce() throws {
        try folder.write(#"{"journal":"j","sequence":41}"#, to: "journal.sqlite.loki-cursor")
        let (one, other) = (cursor("http://a:3100"), cursor("http://b:3100"))
        #expect(try one.read() == 41)
        #expect(try one.store(42) == earlier)
        #expect(!isEarlierThere)
        #expect(try one.read() == 42)
        #expect(try one.store(43) == nil)
        #expect(try one.read() == 43)
        #expect(try other.read() == nil, "from there another receiver would leave entries out")
        #expect(try other.store(1) == nil)
    }

    /// Such as one whose address has a letter wrong.
    @Test func whoWasSentNothingTakesNothingOver() throws {
        try folder.write(#"{"journal":"j","sequence":41}"#, to: "journal.sqlite.loki-cursor")
        let (wrong, right) = (cursor("http://aa:3100"), cursor("http://a:3100"))
        #expect(try wrong.read() == 41)
        #expect(isEarlierThere)
        #expect(try right.read() == 41)
        #expect(try right.store(42) == earlier)
        #expect(try wrong.read() == nil)
    }

    /// Whoever has one of its own needs no other's.
    @Test func whoHasOneTakesNothingOver() throws {
        let one = cursor("http://a:3100")
        try one.store(7)
        try folder.write(#"{"journal":"j","sequence":41}"#, to: "journal.sqlite.loki-cursor")
        #expect(try one.read() == 7)
        #expect(try one.store(8) == nil)
        #expect(isEarlierThere)
    }

    @Test func theOneOfAnotherJournalIsLeftAsItIs() throws {
        let text = #"{"journal":"k","sequence":41}"#
        try folder.write(text, to: "journal.sqlite.loki-cursor")
        let failure = #expect(throws: CommandFailure.self) { try cursor("http://a:3100").read() }
        #expect(failure?.message.contains("is of another journal") == true)
        #expect(try String(contentsOfFile: earlier, encoding: .utf8) == text)
    }

    /// Only what is not there is a beginning.
    @Test(arguments: ["loop", "folder", "file/cursor", "broken"])
    func whatCannotBeReadIsNoBeginning(_ name: String) throws {
        try FileManager.default.createSymbolicLink(
            atPath: folder.path + "/loop", withDestinationPath: folder.path + "/loop")
        try FileManager.default.createDirectory(atPath: folder.path + "/folder", withIntermediateDirectories: false)
        try folder.write("", to: "file")
        try folder.write("{", to: "broken")
        let failure = #expect(throws: CommandFailure.self) {
            try ShippingCursor(path: folder.path + "/" + name, journal: "j").read()
        }
        #expect(failure?.message.contains("read the cursor") == true)
    }
}
