import JSON
import KubeProtocol
import Manifest
import Testing

@Suite struct WatchEventDecodingTests {
    private func decode(_ json: String, of resource: Resource = .role) throws -> WatchEvent {
        try decodeWatchEvent(Array(json.utf8)[...], of: resource)
    }

    @Test func readsAnErrorEventWithTheMeaningOfItsStatus() throws {
        let event = try decode(
            """
            {"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",
            "message":"too old resource version: 1 (500)","reason":"Expired","code":410}}
            """)
        guard case .failed(let failure) = event else {
            Issue.record("no failure: \(event)")
            return
        }
        #expect(failure.kind == .expired)
        #expect(failure.status == 410)
        #expect(failure.message == "too old resource version: 1 (500)")
    }

    @Test(arguments: [#"{"type":"ERROR","object":{}}"#, #"{"type":"ERROR","object":{"kind":"Status","code":"x"}}"#])
    func anErrorWithoutACodeIsStillAnError(_ json: String) throws {
        guard case .failed = try decode(json) else {
            Issue.record("no failure")
            return
        }
    }

    @Test func aBookmarkNeedsNothingButAVersion() throws {
        let event = try decode(#"{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"77"}}}"#)
        guard case .bookmark("77") = event else {
            Issue.record("no bookmark: \(event)")
            return
        }
    }

    @Test func theKindComesFromTheRequest() throws {
        let event = try decode(
            """
            {"type":"ADDED","object":{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1",
            "metadata":{"name":"n","namespace":"a","uid":"u","resourceVersion":"3"}}}
            """, of: .networkPolicy)
        guard case .upserted(let object) = event else {
            Issue.record("no object: \(event)")
            return
        }
        #expect(object.id == ObjectID(.networkPolicy, namespace: "a", name: "n"))
        #expect(object.tree["kind"] == "NetworkPolicy")
        #expect(object.tree["apiVersion"] == "networking.k8s.io/v1")
    }

    @Test(arguments: [
        "", "[]", "3", #"{"type":"ADDED"}"#, #"{"object":{}}"#, #"{"type":"CHANGED","object":{}}"#,
        #"{"type":"ADDED","object":{"metadata":{"name":"n"}}}"#, #"{"type":"BOOKMARK","object":{"metadata":{}}}"#,
        #"{"type":"ADDED","object":"text"}"#, #"{"type":7,"object":{}}"#, #"{"type":"ADDED","object":{}"#,
    ])
    func whatIsNoEventIsRefused(_ json: String) {
        #expect(throws: DecodingFailure.self) { try decode(json) }
    }
}

/// Events are JSON values in a stream whose chunks end anywhere (rule C21).
@Suite struct WatchStreamSplitterTests {
    private static let values = [
        #"{"type":"ADDED","object":{"a":"} \" { ] \\"}}"#, #"{"name":"renée 🔒","list":[{},[]]}"#, "{}", #"["x"]"#,
    ]

    private func texts(_ values: [ArraySlice<UInt8>]) -> [String] { values.map { String(decoding: $0, as: UTF8.self) } }

    @Test(arguments: [1, 2, 3, 7, 1000])
    func findsTheSameValuesHoweverTheyAreCut(_ size: Int) throws {
        let bytes = Array(Self.values.joined(separator: "\n").utf8)
        var splitter = WatchStreamSplitter()
        var found: [String] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            found += texts(try splitter.append(Array(bytes[start..<min(start + size, bytes.count)])))
        }
        #expect(found.map { $0.drop(while: \.isWhitespace) } == Self.values.map { $0[...] })
        for value in found { _ = try parseJSON(value) }
    }

    @Test func givesNothingForAnEmptyChunkOrForWhiteSpace() throws {
        var splitter = WatchStreamSplitter()
        #expect(try splitter.append([]).isEmpty)
        #expect(try splitter.append(Array(" \n\n".utf8)).isEmpty)
    }

    @Test func anEventMayHaveMoreThanAMegabyte() throws {
        let text = #"{"x":""# + String(repeating: "y", count: 3 << 20) + #""}"#
        var splitter = WatchStreamSplitter()
        #expect(try splitter.append(Array(text.utf8)).first?.count == text.utf8.count)
    }

    @Test(arguments: [#"{"x":"#, "", #"{"x":""#])
    func anEventWithoutAnEndIsGivenUp(_ beginning: String) throws {
        var splitter = WatchStreamSplitter(maximumEventBytes: 10_000)
        _ = try splitter.append(Array(beginning.utf8))
        #expect(throws: DecodingFailure.self) {
            for _ in 0..<100 { _ = try splitter.append(Array(repeating: UInt8(ascii: "y"), count: 1000)) }
        }
    }

    @Test(arguments: ["}", "]", "{}}"])
    func aClosingBraceTooManyIsRefused(_ text: String) {
        #expect(throws: DecodingFailure.self) {
            var splitter = WatchStreamSplitter()
            _ = try splitter.append(Array(text.utf8))
        }
    }
}
