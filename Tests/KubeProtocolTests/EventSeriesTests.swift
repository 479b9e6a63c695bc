import KubeProtocol
import Manifest
import Testing

/// Events as they are written, and which of them are (rules L1 and L3).
@Suite struct EventSeriesTests {
    static let drift = EventContent(
        severity: .warning, reason: "DriftCorrected", action: "Update",
        regarding: ObjectID(.networkPolicy, namespace: "team-a", name: "default-deny"), regardingUID: "u-1",
        note: "once")
    static let made = EventSeries.EventReference(namespace: "team-a", name: "bylaw-1")
    static func time(_ seconds: Int64) -> Timestamp { Timestamp(microsecondsSinceEpoch: seconds * 1_000_000) }

    private func note(_ series: inout EventSeries, _ content: EventContent = drift, at seconds: Int64)
        -> EventSeries.Step
    {
        series.note(content, at: .seconds(seconds), time: Self.time(seconds))
    }

    @Test func theFirstIsMadeTheSecondBeginsASeriesAndLaterOnesAreCounted() {
        var series = EventSeries()
        #expect(note(&series, at: 0) == .make)
        series.made(Self.drift, as: Self.made)
        #expect(note(&series, at: 10) == .count(Self.made, to: 2, lastSeen: Self.time(10)))
        for second in 11..<60 { #expect(note(&series, at: Int64(second)) == .nothing) }
    }

    @Test func theCountIsWrittenAgainAfterHalfAnHour() {
        var series = EventSeries()
        _ = note(&series, at: 0)
        series.made(Self.drift, as: Self.made)
        var steps: [EventSeries.Step] = []
        for second in stride(from: Int64(300), through: 2400, by: 300) { steps.append(note(&series, at: second)) }
        #expect(steps.first == .count(Self.made, to: 2, lastSeen: Self.time(300)))
        #expect(steps.dropFirst().filter { $0 != .nothing } == [.count(Self.made, to: 8, lastSeen: Self.time(2100))])
    }

    @Test func afterSixQuietMinutesTheNextIsMadeAnew() {
        var series = EventSeries()
        _ = note(&series, at: 0)
        series.made(Self.drift, as: Self.made)
        #expect(note(&series, at: 360) == .make)
    }

    @Test func whatWasOnlyCountedIsToldWhenTheSeriesEnds() {
        var series = EventSeries()
        _ = note(&series, at: 0)
        series.made(Self.drift, as: Self.made)
        for second in 1...5 { _ = note(&series, at: Int64(second)) }
        #expect(series.endIdle(at: .seconds(300)).isEmpty)
        let ended = series.endIdle(at: .seconds(365))
        #expect(ended.map(\.step) == [.count(Self.made, to: 6, lastSeen: Self.time(5))])
        #expect(series.endIdle(at: .seconds(9999)).isEmpty)
        #expect(note(&series, at: 366) == .make)
    }

    @Test func theNoteAloneMakesNoOtherSeriesAndEverythingElseDoes() {
        var series = EventSeries()
        _ = note(&series, at: 0)
        series.made(Self.drift, as: Self.made)
        var other = Self.drift
        other.note = "twice"
        #expect(note(&series, other, at: 1) == .count(Self.made, to: 2, lastSeen: Self.time(1)))
        for change: (inout EventContent) -> Void in [
            { $0.severity = .normal }, { $0.reason = "DriftFight" }, { $0.action = "Delete" },
            { $0.regarding.name = "x" }, { $0.regardingUID = "u-2" },
        ] {
            var other = Self.drift
            change(&other)
            #expect(note(&series, other, at: 2) == .make, "\(other)")
        }
    }

    @Test func oneThatCouldNotBeMadeIsTriedAgainWithTheNext() {
        var series = EventSeries()
        #expect(note(&series, at: 0) == .make)
        #expect(note(&series, at: 1) == .nothing, "the answer to the first has not come")
        series.forget(Self.drift)
        #expect(note(&series, at: 2) == .make)
    }

    @Test func thousandsOfObjectsAreNotRememberedForEver() {
        var series = EventSeries()
        for number in 0..<5000 {
            var content = Self.drift
            content.regarding.name = "policy-\(number)"
            #expect(note(&series, content, at: Int64(number / 100)) == .make)
        }
        #expect(note(&series, at: 51) == .make)
        var last = Self.drift
        last.regarding.name = "policy-4999"
        #expect(note(&series, last, at: 51) == .nothing, "the youngest are kept")
    }

    @Test func theBodyIsWithinTheServersLimitsAndTellsOnlyWhatItWasGiven() throws {
        let content = EventContent(
            severity: .normal, reason: String(repeating: "r", count: 300), action: "Update",
            regarding: ObjectID(.clusterRole, name: "system:x"), note: String(repeating: "é", count: 900))
        let body = content.body(
            name: "bylaw-1", namespace: "default", at: Self.time(1), controller: "bylaw.dev/controller",
            instance: String(repeating: "i", count: 200))
        #expect(body["eventTime"]?.string == "1970-01-01T00:00:01.000000Z")
        #expect(body["regarding"]?["apiVersion"]?.string == "rbac.authorization.k8s.io/v1")
        #expect(body["regarding"]?["uid"] == nil)
        #expect(body["regarding"]?["namespace"] == nil)
        #expect(try #require(body["note"]?.string).utf8.count <= 1024)
        for field in ["reason", "reportingInstance"] {
            #expect(try #require(body[field]?.string).utf8.count <= 128, "\(field)")
        }
    }
}
