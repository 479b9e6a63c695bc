import Manifest
import Shipping
import Testing

@Suite struct DeliveryRequestTests {
    private func request(_ address: ReceiverAddress) throws -> DeliveryRequest {
        try OTLPReceiver(address: address).request(delivering: [Sample.entry(1)], at: Sample.noon)
    }

    @Test(arguments: [
        ("https://a", "https://a/v1/logs"), ("https://a/", "https://a/v1/logs"),
        ("https://a/x//", "https://a/x/v1/logs"),
        ("https://a/v1/logs", "https://a/v1/logs"), ("https://a/v1/logs/", "https://a/v1/logs"),
        ("https://a/x?k=v", "https://a/x/v1/logs?k=v"), ("", "/v1/logs"),
    ])
    func thePathIsJoinedOnce(_ url: String, _ expected: String) throws {
        #expect(try request(ReceiverAddress(url: url)).url == expected)
    }

    @Test(arguments: [
        ("X-Scope-OrgID", "tenant\r\nX-Evil: 1"), ("X-Scope-OrgID", "nul\u{0}"), ("", "value"), ("na me", "value"),
        ("na:me", "value"), ("Ü", "value"),
    ])
    func aHeaderThatWouldBreakTheRequestIsRefused(_ name: String, _ value: String) {
        let address = ReceiverAddress(url: "https://a", headers: [DeliveryHeader(name, value)])
        #expect(throws: DeliveryRefusal.unusableHeader(name: name)) { try request(address) }
        let outcome = DeliveryRefusal.unusableHeader(name: name).outcome
        #expect(word(outcome.next) == "stop")
        #expect(!why(outcome.next).contains("tenant"))
    }

    @Test func theProtocolsOwnHeadersAreNotReplaced() throws {
        let address = ReceiverAddress(
            url: "https://a", headers: [DeliveryHeader("content-type", "text/plain"), DeliveryHeader("X-A", "b")])
        let headers = try request(address).headers
        #expect(headers.map(\.name) == ["Content-Type", "X-A"])
        #expect("\(headers)".contains("X-A: (redacted)"))
        #expect("\(headers)".contains("Content-Type: application/json"))
    }

    @Test(
        arguments: [
            ("0", .seconds(0)), ("120", .seconds(120)), (" 5 ", .seconds(5)), ("99999999", .seconds(86_400)),
            ("99999999999999999999999", .seconds(86_400)), ("-1", nil), ("1.5", nil), ("", nil), (nil, nil), ("٣", nil),
            ("Wed, 21 Oct 2026 07:28:00 GMT", nil),
        ] as [(String?, Duration?)])
    func pausesAreReadInSeconds(_ value: String?, _ pause: Duration?) {
        #expect(DeliveryAnswer(status: 429, retryAfter: value).pause == pause)
    }
}

@Suite struct QuotationTests {
    private func said(_ text: String, headers: [DeliveryHeader] = []) -> String {
        let receiver = LokiReceiver(address: ReceiverAddress(url: "http://loki", headers: headers))
        return why(receiver.outcome(of: Sample.answer(500, text: text), to: Sample.entries(1...1)).next)
    }

    @Test func wordsAreOneLineWithoutControlCharacters() {
        #expect(said("a\r\n\u{1B}[31mb\u{0}\u{202E}c\u{2028}d\n") == "HTTP 500: a [31mb c d")
        #expect(said(" \n ") == "HTTP 500")
    }

    @Test func wordsAreBounded() {
        for text in [String(repeating: "x", count: 100_000), String(repeating: "👩‍👩‍👧‍👦", count: 1000)] {
            #expect(said(text).utf8.count <= 500 + "HTTP 500: ".utf8.count)
        }
    }

    @Test func noTokenIsRepeated() {
        let headers = [DeliveryHeader("Authorization", "Bearer s3cret-token")]
        #expect(said("you sent Bearer s3cret-token", headers: headers) == "HTTP 500: you sent (redacted)")
        #expect(said("bad token: s3cret-token!", headers: headers) == "HTTP 500: bad token: (redacted)!")
    }

    /// Half a token at the place where a long answer is cut would still be half a token.
    @Test func noPartOfATokenIsLeftAtACut() {
        let token = String(repeating: "Q", count: 3000)
        let headers = [DeliveryHeader("Authorization", "Bearer \(token)")]
        for padding in [0, 100, 450, 480, 65_536 - 1500] {
            let text = said(String(repeating: "-", count: padding) + token + token, headers: headers)
            #expect(!text.contains("Q"), "\(padding)")
        }
    }
}
