import AuditEvents
import JSON
import Manifest
import Testing

@Suite struct ReadingTests {
    struct Example: CustomTestStringConvertible {
        var testDescription: String
        var sample: Sample
        var ignored: AuditBatch.Ignored?
    }

    @Test(arguments: [
        Example(testDescription: "a patch", sample: Sample(version: "105")),
        Example(testDescription: "a list", sample: Sample(verb: "list"), ignored: .notAChange),
        Example(testDescription: "no result yet", sample: Sample(stage: "RequestReceived"), ignored: .otherStage),
        Example(testDescription: "panic", sample: Sample(stage: "Panic", code: 500), ignored: .otherStage),
        Example(testDescription: "refused", sample: Sample(code: 403), ignored: .failedRequest),
        Example(testDescription: "a redirect", sample: Sample(code: 301), ignored: .failedRequest),
        Example(testDescription: "ours", sample: Sample(user: "bylaw"), ignored: .ourOwn),
        Example(
            testDescription: "ours for another", sample: Sample(user: "bylaw", impersonated: "bob"), ignored: .ourOwn),
        Example(testDescription: "another in our name", sample: Sample(user: "bob", impersonated: "bylaw")),
        Example(
            testDescription: "a token", sample: Sample(verb: "create", subresource: "token", code: 201),
            ignored: .notAChange),
        Example(testDescription: "labels by way of the status", sample: Sample(subresource: "status")),
        Example(
            testDescription: "a controller's status",
            sample: Sample(
                user: Sample.namespaceController, groups: Sample.controllerGroups, subresource: "status"),
            ignored: .notAChange),
        Example(
            testDescription: "an update that changed nothing",
            sample: Sample(verb: "update", condition: "105", version: "105"), ignored: .notAChange),
        Example(
            testDescription: "a patch that changed nothing",
            sample: Sample(request: ["metadata": ["resourceVersion": "105"]], version: "105"), ignored: .notAChange),
        Example(
            testDescription: "a JSON patch that changed nothing",
            sample: Sample(
                request: [["op": "replace", "path": "/metadata/resourceVersion", "value": "105"]], version: "105"),
            ignored: .notAChange),
        Example(
            testDescription: "a JSON patch that takes its condition back",
            sample: Sample(
                request: [
                    ["op": "replace", "path": "/metadata/resourceVersion", "value": "105"],
                    ["op": "replace", "path": "/metadata", "value": ["name": "reader"]],
                ], version: "105")),
        Example(testDescription: "a dry run", sample: Sample(query: "?dryRun=All"), ignored: .dryRun),
        Example(
            testDescription: "a dry run, escaped", sample: Sample(query: "?force=true&d%72yRun=%41ll"),
            ignored: .dryRun),
        Example(testDescription: "no dry run", sample: Sample(query: "?fieldManager=dryRun=All")),
        Example(testDescription: "no dry run either", sample: Sample(query: "?DryRun=All&xdryRun=All")),
        Example(testDescription: "an odd dry run", sample: Sample(query: "?dryRun=")),
        Example(testDescription: "a parameter that is dropped", sample: Sample(query: "?dryRun=All;x")),
        Example(
            testDescription: "a dry deletion", sample: Sample(verb: "delete", request: ["dryRun": ["All"]]),
            ignored: .dryRun),
        Example(
            testDescription: "a deletion whose address lies",
            sample: Sample(verb: "delete", query: "?dryRun=All", request: ["propagationPolicy": "Background"])),
        Example(
            testDescription: "a dry deletion without a body", sample: Sample(verb: "delete", query: "?dryRun=All"),
            ignored: .dryRun),
        Example(
            testDescription: "a deletion of which the body is not shown",
            sample: Sample(level: "Metadata", verb: "delete", query: "?dryRun=All")),
    ])
    func takesWhatMayHaveChangedSomething(_ example: Example) {
        let batch = read([example.sample])
        #expect(batch.unreadable == 0)
        #expect(batch.events.count == (example.ignored == nil ? 1 : 0))
        #expect(batch.ignored == example.ignored.map { [$0: 1] } ?? [:])
    }

    @Test(arguments: ["", "null", "7", "[]", "{}", "{\"items\":", "{\"kind\":\"Event\"}", "\u{0}", "{\"items\":["])
    func whatIsNoListIsCountedOnce(_ text: String) {
        let batch = AuditReader(ourUser: nil).readList(Array(text.utf8))
        #expect(batch.events.isEmpty)
        #expect(batch.unreadable == 1)
    }

    @Test func oneBadItemLeavesTheOthersAlone() throws {
        let good = Sample(version: "105").tree.jsonText()
        let deep = String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000)
        let items = [
            good, "7", "null", "\"x\"", "{}", deep, #"{"auditID":"a","stage":"ResponseComplete","verb":"patch"}"#,
            good.replacing("\"level\"", with: "\"x\":[\"]}\\\"\"],\"level\""), #"{"kind":"Pod"}"#, good,
        ]
        let batch = AuditReader(ourUser: nil).readList(Array("{\"items\":[\(items.joined(separator: " ,\n"))]}".utf8))
        #expect(batch.events.count == 3)
        #expect(batch.unreadable == 7)
        #expect(batch.count == items.count)
    }

    @Test func aBodyThatNobodyCouldReadIsSkippedOver() throws {
        // What the client sent is kept by the server byte by byte: nesting must not hide the request.
        let deep = String(repeating: "{\"a\":", count: 5000) + "1" + String(repeating: "}", count: 5000)
        let text = Sample(request: "DEEP", version: "105").tree.jsonText().replacing("\"DEEP\"", with: deep)
        let batch = AuditReader(ourUser: nil).readList(Array("{\"items\":[\(text)]}".utf8))
        #expect(batch.events.first?.object == reader)
    }

    @Test func aBodyThatWasCutHasTheEventsBeforeTheCut() {
        let whole = list([Sample(version: "105").tree, Sample(user: "bob", version: "106").tree])
        for length in 0..<whole.count {
            let batch = AuditReader(ourUser: nil).readList(Array(whole.prefix(length)))
            #expect(batch.events.count + batch.unreadable >= 1)
            #expect(batch.events.count <= 2)
        }
    }

    @Test func changedBytesAreSurvived() {
        let whole = Sample(version: "105").tree.jsonBytes()
        for index in stride(from: 0, to: whole.count, by: 5) {
            for byte in [UInt8(0), 0x22, 0x5c, 0x7b, 0x5d, 0xff] {
                var bytes = whole
                bytes[index] = byte
                #expect(AuditReader(ourUser: nil).readLog(bytes).count <= 2)
            }
        }
    }

    @Test func allIsBounded() throws {
        var tree = Sample(version: "105").tree
        let long = String(repeating: "é", count: 4000)
        tree.set(["userAgent"], to: .string(long))
        tree.set(["user", "groups"], to: .array((0..<5000).map { .string("g\($0)") }))
        tree.set(["sourceIPs"], to: .array((0..<5000).map { .string("10.0.0.\($0)") }))
        let limits = AuditLimits(maximumItems: 2, maximumTextBytes: 101, maximumListLength: 3)
        let batch = AuditReader(ourUser: nil, limits: limits).readList(list([tree, tree, tree, tree, tree]))
        #expect(batch.events.count == 2)
        #expect(batch.beyondLimit == 3)
        let event = try #require(batch.events.first)
        #expect(event.userAgent.utf8.count <= 101)
        #expect(event.userAgent.hasPrefix("éé"))
        #expect(event.user.groups == ["g0", "g1", "g2"])
        // The last address is the only one that is the server's own.
        #expect(event.sourceIPs == ["10.0.0.4997", "10.0.0.4998", "10.0.0.4999"])
    }

    @Test func noBodyIsKept() throws {
        let secret = "c2VjcmV0"
        let event = try #require(
            Sample(
                request: ["data": ["password": .string(secret)]],
                response: [
                    "kind": "Role", "data": ["password": .string(secret)],
                    "metadata": ["name": "reader", "uid": "u1", "resourceVersion": "105"],
                ]
            ).event)
        #expect(!String(reflecting: event).contains(secret))
        #expect(event.answer != .none)
    }

    @Test func anUnfinishedLineIsLeftForTheNextTime() {
        let line = Sample(version: "105").tree.jsonBytes()
        let reader = AuditReader(ourUser: nil)
        let first = reader.readLog(line + [0x0a] + line.prefix(50), isComplete: false)
        #expect(first.events.count == 1)
        #expect(first.unfinishedBytes == 50)
        #expect(first.unreadable == 0)
        #expect(reader.readLog(line + [0x0a, 0x0a, 0x0d, 0x0a] + line.prefix(50)).unreadable == 1)
    }
}
