import JSON
import Manifest
import Shipping
import Testing

@Suite struct LokiRequestTests {
    private let receiver = LokiReceiver(address: ReceiverAddress(url: "http://loki:3100"))

    private func streams(_ entries: [ShippedEntry], _ receiver: LokiReceiver? = nil) throws -> [Tree] {
        let request = try (receiver ?? self.receiver).request(delivering: entries, at: Sample.noon)
        #expect(request.url == "http://loki:3100/loki/api/v1/push")
        #expect(header("Content-Type", of: request) == "application/json")
        return try #require(try parseJSON(request.body)["streams"]?.array)
    }

    @Test func labelsAreFewAndLinesAreTheEntries() throws {
        let streams = try streams([Sample.entry(1), Sample.entry(2, isIncident: true), Sample.entry(3)])
        #expect(streams.count == 2)
        #expect(
            streams[0]["stream"]
                == ["job": "bylaw", "instance": "prod", "cluster": "eu-1", "incident": "false"] as Tree)
        #expect(streams[1]["stream"]?["incident"]?.string == "true")
        let values = try #require(streams[0]["values"]?.array)
        #expect(values.map { $0.array?.count } == [2, 2])
        #expect(values[0].array?[0].string == "1772366400123456000")
        #expect(values[1].array?[1].string == Sample.entry(3).document.jsonText())
    }

    @Test func aStreamIsInTheOrderOfTimeEvenWhereTheClockWentBack() throws {
        let times: [Int64] = [500, 300, 500, 400]
        let entries = times.enumerated().map { index, time in
            Sample.entry(Int64(index + 1), at: Timestamp(microsecondsSinceEpoch: time))
        }
        let values = try #require(try streams(entries)[0]["values"]?.array)
        #expect(values.compactMap { $0.array?[0].string } == ["300000", "400000", "500000", "500000"])
        let sequences = try values.map { try parseJSON(try #require($0.array?[1].string))["sequence"]?.integer }
        #expect(sequences == [2, 4, 1, 3])
    }

    @Test(
        arguments: [
            (0, "0"), (1, "1000"), (-1, "-1000"), (Int64.max, "9223372036854775807000"),
            (Int64.min, "-9223372036854775808000"),
        ] as [(Int64, String)])
    func timesAreWholeNanosecondsInDigits(_ micro: Int64, _ text: String) throws {
        let entry = Sample.entry(1, at: Timestamp(microsecondsSinceEpoch: micro))
        #expect(try streams([entry])[0]["values"]?.array?[0].array?[0].string == text)
    }

    @Test func structuredMetadataIsSentWhereAskedForAndHoldsStringsAlone() throws {
        var receiver = receiver
        receiver.sendsStructuredMetadata = true
        let value = try streams([Sample.entry(.max)], receiver)[0]["values"]?.array?[0].array
        #expect(value?.count == 3)
        #expect(value?[2] == ["sequence": .string("9223372036854775807"), "journal": .string(Sample.journal)] as Tree)
    }

    @Test(arguments: Sample.hostileTexts)
    func hostileNamesStayWhereTheyBelong(_ text: String) throws {
        let streams = try streams([Sample.hostile(text), Sample.entry(8)])
        #expect(streams.count == 2)
        let label = try #require(streams[0]["stream"]?["cluster"]?.string)
        #expect(label.utf8.count <= 2048)
        #expect(label.hasPrefix(text.prefix(100)))
        let line = try #require(streams[0]["values"]?.array?[0].array?[1].string)
        #expect(try parseJSON(line)["message"] == .string(text))
        #expect(!line.utf8.contains(0x0a))
    }

    @Test func aLineThatIsTooLongLeavesItsObjectsOutOneByOne() throws {
        var receiver = receiver
        receiver.maximumLineBytes = 4096
        let big = Tree.string(String(repeating: "x", count: 3000))
        let entry = Sample.entry(1, extra: ["before": big, "after": big, "patch": ["a": 1]])
        let line = try #require(try streams([entry], receiver)[0]["values"]?.array?[0].array?[1].string)
        #expect(line.utf8.count <= 4096)
        let tree = try parseJSON(line)
        #expect(tree["before"] == nil && tree["after"] == big && tree["patch"] == ["a": 1] as Tree)
        #expect(tree["omitted"] == ["before"] as Tree)
    }
}

@Suite struct LokiAnswerTests {
    private let receiver = LokiReceiver(address: ReceiverAddress(url: "http://loki:3100"))

    @Test(arguments: [
        (204, "go on"), (200, "retry"), (202, "retry"), (260, "stop"), (302, "stop"), (400, "rejected"), (401, "stop"),
        (403, "stop"), (404, "stop"), (413, "rejected"), (422, "rejected"), (429, "retry"), (500, "retry"),
        (503, "retry"),
    ])
    func onlyNoContentIsDelivered(_ status: Int, _ expected: String) {
        let outcome = receiver.outcome(
            of: Sample.answer(status, text: "entry for stream '{}' has timestamp too old"), to: Sample.entries(4...6))
        #expect(word(outcome.next) == expected)
        #expect(outcome.deliveredThrough == (status == 204 ? 6 : nil))
    }

    @Test func aPauseIsHonoured() {
        let outcome = receiver.outcome(of: Sample.answer(429, retryAfter: "120"), to: Sample.entries(1...1))
        #expect(word(outcome.next) == "retry after 120.0 seconds")
    }

    @Test func metadataThatIsNotAllowedIsNoFaultOfTheEntry() {
        let text = "stream '{}' includes structured metadata, but this feature is disallowed."
        let answer = Sample.answer(400, text: text)
        #expect(word(receiver.outcome(of: answer, to: Sample.entries(1...1)).next) == "rejected")
        let sending = LokiReceiver(address: receiver.address, sendsStructuredMetadata: true)
        #expect(word(sending.outcome(of: answer, to: Sample.entries(1...1)).next) == "stop")
    }
}
