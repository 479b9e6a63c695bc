import JSON
import Manifest
import Testing

@Suite struct ReaderTests {
    @Test(arguments: [
        ("0", Tree.integer(0)), ("-0", .integer(0)), ("-1", .integer(-1)), ("1.0", .double(1)), ("0.5", .double(0.5)),
        ("1e2", .double(100)), ("1E+2", .double(100)), ("125e-3", .double(0.125)), ("-0.0", .double(0)),
        ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
        ("9223372036854775808", .unsigned(9_223_372_036_854_775_808)), ("18446744073709551615", .unsigned(.max)),
        ("18446744073709551616", .double(0x1p64)), ("-9223372036854775809", .double(-0x1p63)),
        ("1e308", .double(1e308)), ("1e-999", .double(0)), ("0e999", .double(0)),
    ])
    func keepsWholeNumbersApartFromOthers(_ text: String, _ tree: Tree) throws {
        #expect(try parseJSON(text) == tree)
    }

    @Test(arguments: [
        "", " ", "01", "-", "-01", "+1", "1.", ".5", "1e", "1e+", "1.e2", "0x1", "NaN", "Infinity", "-Infinity",
        "1e999",
        "-1e999", "1 2", "tru", "True", "nul", "nullx", "{", "[", "\"", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}", "{\"a\" 1}", "{a:1}", "{1:1}", "{'a':1}", "{\"a\":1 \"b\":2}", "]", "}", "[}", "{]", ",",
        "\u{FEFF}1", "\u{A0}1",
        "\u{c}1", "// x\n1", "\"a\nb\"", "\"\u{0}\"", "\"\u{1f}\"", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\",
        "\"\\u", "\"\\ud83d\\u\"", "1\u{0}",
    ])
    func refusesWhatIsNotJSON(_ text: String) {
        #expect(throws: JSONError.self) { try parseJSON(text) }
    }

    @Test(arguments: [
        (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"), (#""\u00e9\u00E9""#, "\u{e9}\u{e9}"),
        (#""\u0000x""#, "\u{0}x"),
        (#""\ud83d\ude00""#, "\u{1f600}"), (#""\uD83D\uDE00!""#, "\u{1f600}!"), (#""\udbff\udfff""#, "\u{10ffff}"),
        (#""e\u0301""#, "e\u{301}"), ("\"\u{7f}\u{2028}\"", "\u{7f}\u{2028}"),
        // Alone, half of a pair is replaced, and takes nothing with it.
        (#""\ud83d""#, "\u{fffd}"), (#""\ude00""#, "\u{fffd}"), (#""\ud83dx""#, "\u{fffd}x"),
        (#""\ud83d\n""#, "\u{fffd}\n"),
        (#""\ud83d\u0041""#, "\u{fffd}A"), (#""\ud83d\ud83d\ude00""#, "\u{fffd}\u{1f600}"),
        (#""\ude00\ud83d""#, "\u{fffd}\u{fffd}"),
    ])
    func readsEscapes(_ text: String, _ string: String) throws {
        #expect(try parseJSON(text) == .string(string))
    }

    /// The reader looks at eight bytes at a time: an end must be found at each place within a word.
    @Test func findsTheEndOfAStringOfAnyLength() throws {
        for length in 0..<40 {
            for filler in ["a", "\u{e9}", "\u{1f600}"] {
                let text = String(repeating: filler, count: length)
                #expect(try parseJSON("\"\(text)\"") == .string(text))
                #expect(try parseJSON("[\"\(text)\\n\(text)\",1]") == [.string("\(text)\n\(text)"), 1])
                #expect(throws: JSONError.self) { try parseJSON("\"\(text)\u{1f}\(text)\"") }
                #expect(throws: JSONError.self) { try parseJSON("\"\(text)") }
            }
        }
    }

    @Test func theLastOfSeveralMembersWithOneKeyStays() throws {
        #expect(try parseJSON(#"{"a":1,"b":2,"a":3,"\u0061":4}"#) == ["a": 4, "b": 2])
    }

    @Test func keysInTwoSpellingsAreTwoMembers() throws {
        let tree = try parseJSON("{\"\u{e9}\":1,\"e\u{301}\":2}")
        #expect(tree["\u{e9}"] == 1)
        #expect(tree["e\u{301}"] == 2)
    }

    @Test func replacesBytesThatAreNotUTF8() throws {
        #expect(try parseJSON([0x22, 0x61, 0xFF, 0x62, 0x22]) == "a\u{fffd}b")
        #expect(try parseJSON([0x22, 0xFF, 0x5C, 0x6E, 0x22]) == "\u{fffd}\n")
    }

    @Test(arguments: [("[", "]"), ("{\"a\":", "}")])
    func goesExactlyAsDeepAsAllowed(_ opening: String, _ closing: String) throws {
        func nested(_ depth: Int) -> String {
            String(repeating: opening, count: depth) + "1" + String(repeating: closing, count: depth)
        }
        #expect(throws: Never.self) { try parseJSON(nested(512)) }
        #expect(throws: JSONError.self) { try parseJSON(nested(513)) }
        #expect(throws: JSONError.self) { try parseJSON(nested(200_000)) }
        #expect(throws: JSONError.self) { try parseJSON(nested(3), limits: JSONLimits(maximumDepth: 2)) }
        #expect(throws: Never.self) { try parseJSON("[[1],[2],[3],{}]", limits: JSONLimits(maximumDepth: 2)) }
    }

    @Test func readsNoMoreBytesThanAllowed() {
        #expect(throws: Never.self) { try parseJSON("[1]", limits: JSONLimits(maximumBytes: 3)) }
        #expect(throws: JSONError.self) { try parseJSON("[12]", limits: JSONLimits(maximumBytes: 3)) }
    }

    @Test(arguments: [
        ("{\n  \"a\": tru\n}", 9, "2:8"), ("[1,]", 3, "1:4"), ("", 0, "1:1"), ("[\"\u{e9}\u{e9}\" x]", 8, "1:7"),
        ("1 x", 2, "1:3"),
    ])
    func saysWhereTheMistakeIs(_ text: String, _ offset: Int, _ position: String) throws {
        let error = try #require(throws: JSONError.self) { try parseJSON(text) }
        #expect(error.offset == offset)
        #expect(error.position.description == position)
        #expect(error.description == "\(error.message) at \(position)")
    }
}
