import JSON
import Manifest
import Reconciler
import Testing

/// What is kept in the place of holds, by whatever client it was written.
@Suite struct EmergencyHoldTests {
    private static let revision = String(repeating: "a1", count: 20)
    private static let whole = [
        "instance": "default", "cluster": "eu", "revision": revision, "until": "2026-03-01T14:00:00Z",
        "because": "The shop lost its egress", "setBy": "alice", "setAt": "2026-03-01T12:00:00Z",
    ]

    private func read(_ changes: [String: String?]) throws(EmergencyHoldFlaw) -> EmergencyHoldRecord? {
        var data = Self.whole
        for (key, value) in changes { data[key] = value }
        return try EmergencyHoldRecord(data: data)
    }

    private func flaw(_ changes: [String: String?]) -> String? {
        do throws(EmergencyHoldFlaw) {
            _ = try read(changes)
            return nil
        } catch {
            return error.message
        }
    }

    @Test func whatIsWrittenIsReadAgain() throws {
        var record = try #require(try read([:]))
        #expect(record.hold.revision == Self.revision)
        #expect(record.hold.until == Timestamp("2026-03-01T14:00:00Z"))
        #expect(record.hold.setBy == "alice")
        #expect(record.end == nil)
        #expect(try EmergencyHoldRecord(data: record.data) == record)
        record.hold.cluster = nil
        record.end = EmergencyHoldEnd(at: record.hold.until, by: "bob", because: "The revert is merged")
        #expect(try EmergencyHoldRecord(data: record.data) == record)
        let memory = EmergencyHoldMemory(hold: record.hold, isOver: true)
        #expect(EmergencyHoldMemory(try parseJSON(memory.tree.jsonText())) == memory)
        #expect(EmergencyHoldMemory(["hold": [:], "isOver": true]) == nil)
    }

    @Test func anEmptyConfigMapIsNoHold() throws {
        #expect(try EmergencyHoldRecord(data: [:]) == nil)
    }

    @Test func whoSetItNeedNotBeSaid() throws {
        #expect(try read(["setBy": nil, "cluster": nil])?.hold.setBy == "")
    }

    @Test(arguments: ["instance", "revision", "until", "because", "setAt"])
    func nothingElseMayBeMissing(_ key: String) {
        #expect(flaw([key: nil]) == "\(key) is missing")
        #expect(flaw([key: ""]) == "\(key) is missing")
    }

    @Test(arguments: [
        ("revision", "a1a1a1a1"), ("revision", String(repeating: "A1", count: 20)), ("revision", "HEAD"),
        ("until", "tomorrow"), ("until", "2026-03-01T12:00:00Z"), ("until", "2026-03-02T12:00:01Z"),
        ("until", "2099-01-01T00:00:00Z"), ("setAt", "noon"), ("setAt", "2026-03-01T14:00:00Z"),
        ("because", "two\nlines"), ("because", "red \u{1b}[31m"), ("because", "  "),
        ("because", String(repeating: "x", count: 1025)), ("setBy", "a\u{0}b"), ("setBy", "line\u{2028}break"),
        ("setBy", String(repeating: "x", count: 257)), ("instance", String(repeating: "x", count: 257)),
        ("endedAt", "noon"), ("endedAt", ""),
    ])
    func whatIsBeyondTheBoundsIsAFlaw(_ key: String, _ value: String) {
        #expect(flaw([key: value])?.contains(key) == true)
    }

    @Test func aWholeDayIsTheLongest() {
        #expect(flaw(["until": "2026-03-02T12:00:00Z"]) == nil)
        #expect(flaw(["because": String(repeating: "x", count: 1024)]) == nil)
    }
}
