import JSON
import Manifest
import Shipping
import Testing

@Suite struct SplunkRequestTests {
    private let receiver = SplunkReceiver(
        address: ReceiverAddress(url: "https://splunk:8088", headers: [DeliveryHeader("authorization", "other")]),
        token: Secret("11111111-2222"), index: "audit")

    @Test func eventsStandOneBehindTheOther() throws {
        let request = try receiver.request(delivering: Sample.entries(1...3), at: Sample.noon)
        #expect(request.url == "https://splunk:8088/services/collector/event")
        #expect(
            request.headers.filter { $0.name.lowercased() == "authorization" }.map(\.value) == ["Splunk 11111111-2222"])
        let events = try lines(request.body)
        #expect(events.count == 3)
        #expect(
            events[1]
                == [
                    "time": .double(1_772_366_400.123456), "host": "prod", "source": "bylaw",
                    "sourcetype": "bylaw:journal", "index": "audit", "event": Sample.entry(2).document,
                    "fields": ["journal": .string(Sample.journal), "sequence": "2"],
                ] as Tree)
    }

    @Test func theTokenIsNowhereButInTheRequest() throws {
        let request = try receiver.request(delivering: [Sample.entry(1)], at: Sample.noon)
        var dumped = ""
        dump(request, to: &dumped)
        dump(receiver, to: &dumped)
        for text in ["\(receiver)", "\(request)", String(reflecting: request), dumped] {
            #expect(!text.contains("11111111-2222"))
        }
    }

    @Test(arguments: Sample.hostileTexts)
    func hostileNamesMakeNoEventOfTheirOwn(_ text: String) throws {
        let events = try lines(try receiver.request(delivering: [Sample.hostile(text)], at: Sample.noon).body)
        #expect(events.count == 1)
        #expect(events[0]["event"]?["message"] == .string(text))
        #expect(events[0]["host"] == (text.isEmpty ? nil : .string(text)))
        #expect(events[0]["fields"]?.members?.allSatisfy { $0.value.string != nil } == true)
    }

    @Test(arguments: [0, -1, Int64.min, .max, 1_500_000])
    func timesAreSecondsWithAFraction(_ micro: Int64) throws {
        let entry = Sample.entry(1, at: Timestamp(microsecondsSinceEpoch: micro))
        let text = String(decoding: try receiver.request(delivering: [entry], at: Sample.noon).body, as: UTF8.self)
        let number = try #require(text.split(separator: "\"time\":").last?.dropLast(2))
        #expect(number.utf8.allSatisfy { "-.0123456789".utf8.contains($0) }, "no exponent: \(number)")
        #expect(Double(number) == Double(micro) / 1_000_000)
    }

    @Test func aTokenWithALineFeedMakesNoRequest() {
        let receiver = SplunkReceiver(address: ReceiverAddress(url: "https://splunk"), token: Secret("secret\nX: y"))
        #expect(throws: DeliveryRefusal.unusableHeader(name: "Authorization")) {
            try receiver.request(delivering: [Sample.entry(1)], at: Sample.noon)
        }
    }
}

@Suite struct SplunkAnswerTests {
    private let receiver = SplunkReceiver(
        address: ReceiverAddress(url: "https://splunk:8088"), token: Secret("11111111-2222"))

    private func outcome(_ status: Int, _ body: Tree) -> DeliveryOutcome {
        receiver.outcome(of: Sample.answer(status, body), to: Sample.entries(11...13))
    }

    @Test func codeZeroIsDelivered() {
        #expect(outcome(200, ["text": "Success", "code": 0]) == DeliveryOutcome(deliveredThrough: 13, next: .goOn))
    }

    @Test(
        arguments: [
            (403, 1, "stop"), (401, 2, "stop"), (401, 3, "stop"), (403, 4, "stop"), (400, 5, "rejected"),
            (400, 6, "rejected"), (400, 7, "stop"), (500, 8, "retry"), (503, 9, "retry"), (400, 10, "stop"),
            (400, 11, "stop"), (400, 12, "rejected"), (400, 13, "rejected"), (400, 14, "stop"), (400, 15, "rejected"),
            (400, 16, "stop"), (503, 18, "retry"), (503, 23, "retry"), (429, 24, "retry"), (400, 99, "rejected"),
            (503, 99, "retry"), (500, 0, "retry"), (200, 9, "retry"),
        ] as [(Int, Int64, String)])
    func theCodeSaysWhatIsWrong(_ status: Int, _ code: Int64, _ expected: String) {
        let outcome = outcome(status, ["text": "words", "code": .integer(code)])
        #expect(outcome.deliveredThrough == nil)
        #expect(word(outcome.next) == expected)
        #expect(why(outcome.next).contains("words (code \(code))"))
    }

    @Test(
        arguments: [
            (0, "rejected 11"), (2, "rejected 13"), (3, "rejected"), (-1, "rejected"), (Int64.max, "rejected"),
        ] as [(Int64, String)])
    func theEventAtFaultIsNamed(_ number: Int64, _ expected: String) {
        let body: Tree = ["text": "Invalid data format", "code": 6, "invalid-event-number": .integer(number)]
        #expect(word(outcome(400, body).next) == expected)
    }

    @Test(arguments: ["", "Success", "{}", "{\"text\":\"Success\"}", "{\"code\":\"0\"}", "{\"code\":0"])
    func aSuccessWithoutACodeDeliversNothing(_ text: String) {
        let outcome = receiver.outcome(of: Sample.answer(200, text: text), to: Sample.entries(1...1))
        #expect(outcome.deliveredThrough == nil)
        #expect(word(outcome.next) == "retry")
    }

    @Test func aTokenThatComesBackIsNotRepeated() {
        let body: Tree = ["text": "Invalid token 11111111-2222", "code": 4]
        #expect(why(outcome(403, body).next) == "HTTP 403: Invalid token (redacted) (code 4)")
    }
}
