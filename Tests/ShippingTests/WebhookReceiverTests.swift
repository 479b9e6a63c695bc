import JSON
import Manifest
import Shipping
import Synchronization
import Testing

@Suite struct WebhookRequestTests {
    private let address = ReceiverAddress(url: "https://hook.example/in?team=a")

    /// No real code, but one that depends on the message and the key.
    private func receiver(key: String = "key") -> WebhookReceiver {
        WebhookReceiver(address: address, key: Secret(key)) { message, key in
            var code = [UInt8](repeating: UInt8(truncatingIfNeeded: key.count), count: 32)
            for (index, byte) in message.enumerated() { code[index % 32] = code[index % 32] &* 31 &+ byte }
            return code
        }
    }

    @Test func theBatchSaysWhatIsInIt() throws {
        let request = try receiver().request(delivering: Sample.entries(5...7), at: Sample.noon)
        #expect(request.url == "https://hook.example/in?team=a")
        let body = try parseJSON(request.body)
        #expect(body["apiVersion"]?.string == "bylaw.dev/v1")
        #expect(body["kind"]?.string == "JournalEntryBatch")
        #expect(body["journal"]?.string == Sample.journal)
        #expect(body["firstSequence"]?.integer == 5)
        #expect(body["lastSequence"]?.integer == 7)
        #expect(body["entries"] == .array(Sample.entries(5...7).map(\.document)))
        #expect(header("X-Bylaw-Delivery", of: request) == "\(Sample.journal)-5-7")
        #expect(header("X-Bylaw-Timestamp", of: request) == "1772366400")
    }

    @Test func theSignatureCoversTheTimeAndTheBody() throws {
        let seen = Mutex<[[UInt8]]>([])
        let receiver = WebhookReceiver(address: address, key: Secret("geheim")) { message, key in
            seen.withLock { $0 = [message, key] }
            return Array(0..<32)
        }
        let request = try receiver.request(delivering: [Sample.entry(1)], at: Sample.noon)
        #expect(seen.withLock { $0 } == [Array("1772366400.".utf8) + request.body, Array("geheim".utf8)])
        #expect(
            header("X-Bylaw-Signature-256", of: request)
                == "sha256=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f")
    }

    @Test(arguments: [nil, [], [1, 2, 3], [UInt8](repeating: 0, count: 33)] as [[UInt8]?])
    func nothingGoesOutUnsigned(_ code: [UInt8]?) {
        let receiver = WebhookReceiver(address: address, key: Secret("key")) { _, _ in code }
        #expect(throws: DeliveryRefusal.unsigned) {
            try receiver.request(delivering: [Sample.entry(1)], at: Sample.noon)
        }
    }

    @Test func anEmptyKeySignsNothing() {
        #expect(throws: DeliveryRefusal.unsigned) {
            try receiver(key: "").request(delivering: [Sample.entry(1)], at: Sample.noon)
        }
        #expect(word(DeliveryRefusal.unsigned.outcome.next) == "stop")
    }

    @Test(arguments: Sample.hostileTexts)
    func hostileNamesReachNoHeader(_ text: String) throws {
        let request = try receiver().request(delivering: [Sample.hostile(text)], at: Sample.noon)
        let delivery = try #require(header("X-Bylaw-Delivery", of: request))
        #expect(delivery.utf8.allSatisfy { "0123456789abcdefABCDEF-".utf8.contains($0) })
        #expect(delivery.hasSuffix("-7-7"))
        #expect(try parseJSON(request.body)["journal"] == .string(text))
    }

    @Test(
        arguments: [(-1, "-1"), (0, "0"), (999_999, "0"), (-1_000_000, "-1"), (Int64.min, "-9223372036855")]
            as [(Int64, String)])
    func secondsAreRoundedDown(_ micro: Int64, _ seconds: String) throws {
        let time = Timestamp(microsecondsSinceEpoch: micro)
        let request = try receiver().request(delivering: [Sample.entry(1)], at: time)
        #expect(header("X-Bylaw-Timestamp", of: request) == seconds)
    }

    @Test(arguments: [
        (200, "go on"), (202, "go on"), (204, "go on"), (301, "stop"), (308, "stop"), (400, "rejected"), (401, "stop"),
        (403, "stop"), (404, "stop"), (408, "retry"), (409, "rejected"), (410, "rejected"), (413, "rejected"),
        (415, "rejected"), (422, "rejected"), (429, "retry"), (500, "retry"), (503, "retry"), (0, "retry"),
    ])
    func theStatusIsAllThatCounts(_ status: Int, _ expected: String) {
        let outcome = receiver().outcome(of: Sample.answer(status, text: "<html>"), to: Sample.entries(1...2))
        #expect(word(outcome.next) == expected)
        #expect(outcome.deliveredThrough == (expected == "go on" ? 2 : nil))
    }
}
