import Manifest
import Testing

@Suite struct ResourceVersionTests {
    @Test(arguments: [
        ("9", "10"), ("99", "100"), ("1", "2"), ("0", "1"), ("007", "8"), ("7", "0008"), ("", "1"),
        ("9223372036854775807", "9223372036854775808"), ("18446744073709551615", "18446744073709551616"),
        // Beyond the whole numbers that a Double holds: as one, the two would be equal.
        ("9007199254740992", "9007199254740993"),
        ("99999999999999999999999999999999999999", "100000000000000000000000000000000000000"),
    ])
    func comparesAsNumbersOfAnyWidth(_ older: String, _ newer: String) {
        #expect(isOlder(older, than: newer))
        #expect(!isOlder(newer, than: older))
    }

    @Test(arguments: [("5", "5"), ("05", "5"), ("0", "000"), ("abc", "abc"), ("", "")])
    func isNotOlderThanItself(_ left: String, _ right: String) {
        #expect(!isOlder(left, than: right))
        #expect(!isOlder(right, than: left))
    }

    /// Whichever of the two has the odd form, what comes must count as news.
    @Test(arguments: [("abc", "5"), ("12a", "13"), ("-1", "5"), ("1.5", "2"), ("٣", "2"), ("a", "b"), (" 1", "1")])
    func whatIsNoNumberNeverMakesNewsOld(_ odd: String, _ other: String) {
        #expect(isOlder(odd, than: other))
        #expect(isOlder(other, than: odd))
    }
}
