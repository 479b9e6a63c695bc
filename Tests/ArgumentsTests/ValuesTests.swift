import Arguments
import Testing

@Suite struct ValuesTests {
    @Test(arguments: [
        ("15s", Duration.seconds(15)), ("5m", .seconds(300)), ("1h30m", .seconds(5400)), ("500ms", .milliseconds(500)),
        ("1d", .seconds(86_400)), ("30m1h", .seconds(5400)), ("1s1s", .seconds(2)),
        ("007s", .seconds(7)),
        ("1000000000d", .seconds(86_400_000_000_000)),
    ])
    func readsTimes(_ text: String, _ duration: Duration) throws {
        #expect(parseDuration(text) == duration)
        #expect(try parse(["--interval", text]).duration("interval") == duration)
    }

    @Test(arguments: [
        "", " ", "5", "s", "5 s", " 5s", "5s ", "-5s", "+5s", "1.5s", "5S", "5sec", "5min", "1h30", "٥s", "5s\u{301}",
        "1e3s",
        "1000000001s", "99999999999999999999s",
    ])
    func refusesWhatIsNoTime(_ text: String) {
        #expect(parseDuration(text) == nil)
    }

    @Test(arguments: [("1", 1), ("100", 100), ("042", 42)])
    func numbersMayStandOnTheirBounds(_ text: String, _ number: Int) throws {
        #expect(try parse(["--limit", text]).number("limit") == number)
    }

    @Test(arguments: ["0", "101", "-1", "1.0", "1e1", "0x10", " 1", "ten", "٤", "99999999999999999999"])
    func refusesNumbersOutsideTheirBounds(_ text: String) {
        #expect(mistakes(["--limit=\(text)"]).count == 1)
    }

    @Test(arguments: ["yes", "1", "True", ""])
    func aFlagIsTrueOrFalse(_ text: String) {
        #expect(
            mistakes(["--watch=\(text)"]) == ["--watch: \"\(text)\" is neither true nor false; write true or false"])
    }

    @Test(arguments: [
        ("statu", "status"), ("sttus", "status"), ("status", "status"), ("synk", "sync"),
        ("journal lst", "journal list"),
        ("xxxxxx", nil), ("", nil),
    ])
    func findsTheNearestWord(_ word: String, _ nearest: String?) {
        #expect(nearestWord(to: word, among: ["status", "sync", "plan", "journal list"]) == nearest)
    }

    @Test func nothingIsNearWhereThereIsNothing() {
        #expect(nearestWord(to: "status", among: []) == nil)
    }
}
