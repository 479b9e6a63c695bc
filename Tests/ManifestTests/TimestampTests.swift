import Foundation
import Manifest
import TestSupport
import Testing

@Suite struct TimestampTests {
    @Test(arguments: [
        ("1970-01-01T00:00:00.000000Z", 0), ("1969-12-31T23:59:59.999999Z", -1), ("1970-01-01T00:00:00.000001Z", 1),
        ("2000-02-29T12:00:00.000000Z", 951_825_600_000_000), ("2026-03-01T12:30:00.000250Z", 1_772_368_200_000_250),
        ("9999-12-31T23:59:59.999999Z", 253_402_300_799_999_999),
        ("0001-01-01T00:00:00.000000Z", -62_135_596_800_000_000),
    ])
    func readsWhatItWrites(_ text: String, _ microseconds: Int64) {
        #expect(Timestamp(text)?.microsecondsSinceEpoch == microseconds)
        #expect(Timestamp(microsecondsSinceEpoch: microseconds).description == text)
    }

    @Test(arguments: [
        ("2026-03-01T12:30:00Z", "2026-03-01T12:30:00.000000Z"),
        ("2026-03-01t12:30:00z", "2026-03-01T12:30:00.000000Z"),
        ("2026-03-01 12:30:00Z", "2026-03-01T12:30:00.000000Z"),
        ("2026-03-01T12:30:00.5Z", "2026-03-01T12:30:00.500000Z"),
        ("2026-03-01T12:30:00.1234569Z", "2026-03-01T12:30:00.123456Z"),
        ("2026-03-01T12:30:00.000000000000000000000000001Z", "2026-03-01T12:30:00.000000Z"),
        ("2026-03-01T12:30:00+01:00", "2026-03-01T11:30:00.000000Z"),
        ("2026-03-01T12:30:00.25-09:30", "2026-03-01T22:00:00.250000Z"),
        ("2026-01-01T00:30:00+01:00", "2025-12-31T23:30:00.000000Z"),
        ("2024-02-29T23:59:59-00:01", "2024-03-01T00:00:59.000000Z"),
        ("2026-03-01T12:30:00-00:00", "2026-03-01T12:30:00.000000Z"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000000Z"),
    ])
    func readsEveryFormOfRFC3339(_ text: String, _ written: String) {
        #expect(Timestamp(text)?.description == written)
    }

    @Test(arguments: [
        "", "now", "2026-03-01", "2026-03-01T12:30Z", "2026-03-01T12:30:00", "2026-3-01T12:30:00Z",
        "26-03-01T12:30:00Z", "2026-03-01T12:30:00.Z", "2026-03-01T12:30:00,5Z", "2026-03-01T12:30:00Z ",
        " 2026-03-01T12:30:00Z", "2026-03-01T12:30:00ZZ", "2026-03-01T12:30:00+0100", "2026-03-01T12:30:00+01",
        "2026-03-01T12:30:00+01:0", "2026-03-01T12:30:00+01:000", "2026-03-01T12:30:00.5", "2026-03-01T12:30:00é",
        "2026-00-01T12:30:00Z", "2026-13-01T12:30:00Z", "2026-03-00T12:30:00Z", "2026-03-32T12:30:00Z",
        "2026-03-01T24:00:00Z", "2026-03-01T12:60:00Z", "2026-03-01T12:30:61Z", "+026-03-01T12:30:00Z",
        "2026/03/01T12:30:00Z", "2026-03-01T12-30-00Z", "20260301T123000Z0000",
    ])
    func refusesWhatIsNotRFC3339(_ text: String) {
        #expect(Timestamp(text) == nil)
    }

    @Test(arguments: [
        "2026-02-29T00:00:00Z", "2024-02-30T00:00:00Z", "1900-02-29T00:00:00Z", "2026-04-31T00:00:00Z",
        "2026-03-01T00:00:00+24:00", "2026-03-01T00:00:00-01:60", "2026-03-01T00:00:00+99:99",
    ])
    func refusesDaysAndOffsetsThatDoNotExist(_ text: String) {
        #expect(Timestamp(text) == nil)
    }

    @Test(arguments: ["9999-12-31T23:59:60Z", "9999-12-31T23:59:59-00:01", "0000-01-01T00:00:00+00:01"])
    func refusesWhatInUTCHasNoFourDigits(_ text: String) {
        #expect(Timestamp(text) == nil)
    }

    @Test func movesNotBeyondWhatCanBeWritten() throws {
        let moment = try #require(Timestamp("2026-03-01T12:30:00Z"))
        #expect(moment.advanced(by: .milliseconds(-1500)).description == "2026-03-01T12:29:58.500000Z")
        for seconds: Int64 in [.max, 1_000_000_000 * 86_400, 400_000_000_000] {
            #expect(moment.advanced(by: .seconds(seconds)).description == "9999-12-31T23:59:59.999999Z")
            #expect(moment.advanced(by: .seconds(-seconds)).description == "0000-01-01T00:00:00.000000Z")
        }
    }

    @Test func agreesWithFoundationOverTheCalendar() {
        var random = SplitMix64(seed: 3339)
        for _ in 0..<2000 {
            // From 1600 to 9999: before, Foundation counts by another calendar.
            let seconds = Int64.random(in: -11_676_096_000..<253_402_300_800, using: &random)
            let foundation = Date(timeIntervalSince1970: Double(seconds)).formatted(.iso8601)
            let ours = Timestamp(microsecondsSinceEpoch: seconds * 1_000_000)
            #expect(ours.description == foundation.replacing("Z", with: ".000000Z"))
            #expect(Timestamp(foundation) == ours)
        }
    }

    @Test func itsOrderIsThatOfItsText() {
        var random = SplitMix64(seed: 7)
        let moments = (0..<500).map { _ in
            Timestamp(microsecondsSinceEpoch: .random(in: 0..<253_402_300_800_000_000, using: &random))
        }
        #expect(moments.sorted().map(\.description) == moments.map(\.description).sorted())
    }

    @Test func movesByADurationInBothDirections() {
        let start = Timestamp(microsecondsSinceEpoch: 0)
        #expect(start.advanced(by: .milliseconds(1500)).description == "1970-01-01T00:00:01.500000Z")
        #expect(start.advanced(by: .milliseconds(-1500)).description == "1969-12-31T23:59:58.500000Z")
        #expect(start.advanced(by: .nanoseconds(1999)).microsecondsSinceEpoch == 1)
        #expect(start.advanced(by: .zero) == start)
        #expect(start < start.advanced(by: .microseconds(1)))
    }
}
