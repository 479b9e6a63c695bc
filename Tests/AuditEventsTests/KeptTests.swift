import AuditEvents
import JSON
import Manifest
import TestSupport
import Testing

/// Events that are kept over a restart are the same events after it.
@Suite struct KeptTests {
    private static let samples: [Sample] = [
        Sample(version: "105"), Sample(level: "Metadata", verb: "update", impersonated: "bob", condition: "100"),
        Sample(verb: "create", name: "", query: "?dryRun=all;x", code: 201, version: "105"),
        Sample(request: ["metadata": ["resourceVersion": "100"]], version: "105", isTerminating: true),
        Sample.deletion(by: "al\u{0}ice\n\"é"), Sample(level: "Metadata", verb: "delete"),
        Sample(
            verb: "deletecollection", name: "",
            response: [
                "items": [["metadata": ["uid": "u1"]], ["metadata": ["uid": "u2"]]], "metadata": ["continue": "x"],
            ]),
    ]

    @Test(arguments: samples.indices) func whatIsKeptIsReadAgain(_ index: Int) throws {
        let event = try #require(Self.samples[index].event)
        let text = event.kept.jsonBytes()
        #expect(AuditEvent(kept: try parseJSON(text)) == event)
        #expect(!text.contains(0x0a), "one line")
    }

    @Test func theLargestEventThatIsReadCanBeKept() throws {
        let long = String(repeating: "é", count: 5000)
        var tree = Sample(version: "105").tree
        for path in [["userAgent"], ["user", "uid"], ["requestURI"], ["auditID"], ["user", "username"]] {
            tree.set(path, to: .string(long))
        }
        tree.set(["user", "groups"], to: .array((0..<40).map { _ in .string(long) }))
        tree.set(["sourceIPs"], to: .array((0..<40).map { _ in .string(long) }))
        let event = try #require(AuditReader(ourUser: nil).readList(list([tree])).events.first)
        let text = event.kept.jsonBytes()
        #expect(text.count < 1 << 18)
        #expect(AuditEvent(kept: try parseJSON(text)) == event)
    }

    @Test func theMemoryTellsTheSameOfKeptEvents() throws {
        let samples = [
            Sample(verb: "update", condition: "100", version: "105"), Sample(level: "Metadata", user: "bob"),
        ]
        let before = memory(samples)
        var after = AuditMemory()
        after.add(before.all.compactMap { AuditEvent(kept: $0.kept) }, at: moment(60))
        #expect(after.all == before.all && after.count == 2)
        #expect(after.attribute(change()) == before.attribute(change()))
        #expect(after.attribute(change())?.certainty == .proven)
    }

    /// An impersonated user that cannot be read would leave the impersonator to be blamed.
    @Test func whatMissesAMemberOrHasAnotherTypeIsNoEvent() throws {
        let whole = try #require(Sample(impersonated: "bob", version: "105").event).kept
        let optional: Set<String> = ["condition", "decision", "reason", "impersonated", "answer"]
        for key in try #require(whole.members).map(\.key) {
            var tree = whole
            tree.set([key], to: .integer(1 << 40))
            if !optional.contains(key), key != "code" { #expect(AuditEvent(kept: tree) == nil, "\(key)") }
            tree.set([key], to: nil)
            if !optional.contains(key) { #expect(AuditEvent(kept: tree) == nil, "\(key)") }
        }
        for key in ["impersonated", "answer", "user", "target"] {
            var tree = whole
            tree.set([key], to: ["name": 1])
            #expect(AuditEvent(kept: tree) == nil, "\(key)")
        }
    }

    @Test func changedBytesAreSurvived() throws {
        let whole = try #require(Sample(impersonated: "bob", version: "105").event).kept.jsonBytes()
        var random = SplitMix64(seed: 7)
        for _ in 0..<5000 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            guard let tree = try? parseJSON(bytes), let event = AuditEvent(kept: tree) else { continue }
            #expect(event.kept.jsonBytes().count < 2 * whole.count)
        }
    }
}
