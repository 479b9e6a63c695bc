import JSON
import Manifest
import Testing

/// The strict reader: for manifests, where each value has a place and nothing may silently mean something else.
@Suite struct ManifestReadingTests {
    private func read(_ text: String) -> ParsedStream { parseJSONDocument(Array(text.utf8)) }

    @Test(arguments: [
        ("{\"a\": 1,\n \"a\": 2}", "2:2"), ("{\"x\": {\"a\": 1, \"b\": 2, \"\\u0061\": 3}}", "1:24"),
        // Two spellings of one letter are two keys; only what follows is said twice.
        ("{\"\u{e9}\": 1, \"e\u{301}\": 2, \"a\": 3, \"a\": 4}", "1:27"),
    ])
    func refusesAKeyThatIsSaidTwice(_ text: String, _ position: String) throws {
        let problem = try #require(read(text).problems.first)
        #expect(read(text).documents.isEmpty)
        #expect(problem.message.contains("duplicate key \"a\""))
        #expect(problem.position.description == position)
        #expect(problem.hint == "Keep one of the two.")
    }

    @Test(arguments: [#""\ud83d""#, #""\ude00""#, #"{"\ud83d\n": 1}"#, #"["\ud83d\ud83d\ude00"]"#])
    func refusesHalfOfASurrogatePair(_ text: String) {
        #expect(read(text).documents.isEmpty)
        #expect(read(text).problems.count == 1)
        #expect(read(#""\ud83d\ude00""#).documents.map(\.tree) == ["\u{1f600}"])
    }

    @Test(arguments: [
        [0x22, 0xFF, 0x22], [0x22, 0x5C, 0x6E, 0xC3, 0x22], [0x7B, 0x22, 0xC0, 0x80, 0x22, 0x3A, 0x31, 0x7D],
    ])
    func refusesBytesThatAreNotUTF8(_ bytes: [UInt8]) {
        #expect(parseJSONDocument(bytes).documents.isEmpty)
        #expect(parseJSONDocument(bytes).problems.count == 1)
    }

    @Test func skipsAByteOrderMarkAtTheStartOnly() throws {
        #expect(read("\u{FEFF}{}").documents.map(\.tree) == [[:]])
        #expect(read("{}\u{FEFF}").problems.count == 1)
        #expect(read("\u{FEFF}[1,]").problems.map(\.position.description) == ["1:4"])
    }

    @Test func isShallowerThanTheLenientReader() {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(read(nested(100)).problems.isEmpty)
        #expect(read(nested(101)).problems.count == 1)
    }

    /// Finding places must not take time by the square: minified, a whole file is one line.
    @Test func aLongLineIsReadAboutAsFastAsManyShortOnes() {
        let members = Array(repeating: "{\"a\":\"b\"}", count: 2000)
        func time(toReadWith separator: String) -> Duration {
            let bytes = Array("[\(members.joined(separator: separator))]".utf8)
            return ContinuousClock().measure { #expect(parseJSONDocument(bytes).documents.count == 1) }
        }
        #expect(time(toReadWith: ",") < time(toReadWith: ",\n") * 30)
    }

    @Test func knowsWhereEachValueStood() throws {
        let text = """
            {
              "spec": {"b": [10, {"c": null}],
                "a": "\u{e9}", "d": 4},
              "kind": "Role"
            }
            """
        let document = try #require(read(text).documents.first)
        let spec = FieldPath.root.field("spec")
        let positions: [(FieldPath, String)] = [
            (.root, "1:1"), (spec, "2:3"), (spec.field("b"), "2:12"), (spec.field("b").index(0), "2:18"),
            (spec.field("b").index(1).field("c"), "2:23"), (spec.field("a"), "3:5"), (spec.field("d"), "3:15"),
            (FieldPath.root.field("kind"), "4:3"), (spec.field("absent"), "2:3"),
        ]
        for (path, position) in positions {
            #expect(document.marks.position(of: path, in: document.tree).description == position, "\(path)")
        }
    }
}
