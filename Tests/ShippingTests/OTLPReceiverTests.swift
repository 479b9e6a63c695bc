import JSON
import Manifest
import Shipping
import Testing

@Suite struct OTLPRequestTests {
    private let receiver = OTLPReceiver(address: ReceiverAddress(url: "http://otel:4318/v1/logs"))

    private func resources(_ entries: [ShippedEntry]) throws -> [Tree] {
        let request = try receiver.request(delivering: entries, at: Sample.noon)
        #expect(request.url == "http://otel:4318/v1/logs", "the path is not added twice")
        #expect(header("Content-Type", of: request) == "application/json")
        return try #require(try parseJSON(request.body)["resourceLogs"]?.array)
    }

    private func records(_ resource: Tree) throws -> [Tree] {
        try #require(resource["scopeLogs"]?.array?.first?["logRecords"]?.array)
    }

    private func attribute(_ key: String, _ owner: Tree?) -> Tree? {
        owner?["attributes"]?.array?.first { $0["key"]?.string == key }?["value"]
    }

    @Test func aRecordHasItsWholeNumbersAsStrings() throws {
        let resource = try resources([Sample.entry(.max, actor: "jane")])[0]
        let record = try records(resource)[0]
        #expect(record["timeUnixNano"]?.string == "1772366400123456000")
        #expect(record["observedTimeUnixNano"]?.string == "1772366400123456000")
        #expect(record["severityNumber"]?.integer == 9)
        #expect(record["severityText"]?.string == "INFO")
        #expect(record["eventName"]?.string == "bylaw.DriftCorrected")
        #expect(record["body"]?["stringValue"]?.string == Sample.entry(.max).document.jsonText())
        #expect(attribute("bylaw.sequence", record) == ["intValue": .string("9223372036854775807")] as Tree)
        #expect(attribute("bylaw.journal", record) == ["stringValue": .string(Sample.journal)] as Tree)
        #expect(attribute("bylaw.incident", record) == ["boolValue": false] as Tree)
        #expect(attribute("bylaw.actor", record) == ["stringValue": "jane"] as Tree)
        #expect(attribute("service.name", resource["resource"]) == ["stringValue": "bylaw"] as Tree)
        #expect(attribute("k8s.cluster.name", resource["resource"]) == ["stringValue": "eu-1"] as Tree)
    }

    @Test(
        arguments: [
            ("succeeded", false, 9), ("succeeded", true, 13), ("held", false, 13), ("failed", false, 17),
            ("failed", true, 17),
            ("unheard-of", false, 13),
        ] as [(String, Bool, Int64)])
    func severityFollowsTheOutcome(_ outcome: String, _ isIncident: Bool, _ number: Int64) throws {
        let entry = Sample.entry(1, isIncident: isIncident, outcome: outcome)
        #expect(try records(try resources([entry])[0])[0]["severityNumber"]?.integer == number)
    }

    @Test func orderIsKeptWhereTheSourceChanges() throws {
        let entries = [("a", 1), ("a", 2), ("b", 3), ("a", 4)].map { Sample.entry(Int64($0.1), cluster: $0.0) }
        let sequences = try resources(entries).map { resource in
            try records(resource).map { attribute("bylaw.sequence", $0)?["intValue"]?.string }
        }
        #expect(sequences == [["1", "2"], ["3"], ["4"]])
    }

    @Test(
        arguments: [
            (Int64.min, "0"), (-1, "0"), (0, "0"), (1, "1000"), (Int64.max, "0"),
            (18_446_744_073_709_551, "18446744073709551000"), (18_446_744_073_709_552, "0"),
        ] as [(Int64, String)])
    func aTimeThatDoesNotFitIsUnknown(_ micro: Int64, _ text: String) throws {
        let entry = Sample.entry(1, at: Timestamp(microsecondsSinceEpoch: micro))
        #expect(try records(try resources([entry])[0])[0]["timeUnixNano"]?.string == text)
    }

    @Test(arguments: Sample.hostileTexts)
    func hostileNamesStayStrings(_ text: String) throws {
        let record = try records(try resources([Sample.hostile(text)])[0])[0]
        #expect(attribute("bylaw.reason", record)?["stringValue"] == .string(text))
        #expect(try parseJSON(try #require(record["body"]?["stringValue"]?.string))["message"] == .string(text))
    }
}

@Suite struct OTLPAnswerTests {
    private let receiver = OTLPReceiver(address: ReceiverAddress(url: "http://otel:4318"))

    private func outcome(_ status: Int, _ text: String) -> DeliveryOutcome {
        receiver.outcome(of: Sample.answer(status, text: text), to: Sample.entries(1...3))
    }

    @Test(arguments: [
        "", "{}", "{\"partialSuccess\":null}", "{\"partialSuccess\":{}}", "{\"unknown\":1}",
        "{\"partialSuccess\":{\"rejectedLogRecords\":\"0\",\"errorMessage\":\"advice\"}}",
    ])
    func theWholeIsDelivered(_ text: String) {
        #expect(outcome(200, text) == DeliveryOutcome(deliveredThrough: 3, next: .goOn))
    }

    @Test(arguments: ["2", "\"2\""])
    func whatWasRejectedInPartIsNotTriedAgain(_ count: String) {
        let outcome = outcome(
            200, "{\"partialSuccess\":{\"rejectedLogRecords\":\(count),\"errorMessage\":\"too\\nold\"}}")
        #expect(outcome.next == .dropped(count: 2, why: "HTTP 200: too old"))
    }

    @Test(arguments: [
        "[]", "OK", "{\"partialSuccess\":{\"rejectedLogRecords\":\"x\"}}", "{\"partialSuccess\"", "\u{0}",
    ])
    func whatIsNotTheAnswerDeliversNothing(_ text: String) {
        let outcome = outcome(200, text)
        #expect(outcome.deliveredThrough == nil)
        #expect(word(outcome.next) == "retry")
    }

    @Test(arguments: [
        (204, "go on"), (302, "stop"), (400, "rejected"), (401, "stop"), (403, "stop"), (404, "stop"),
        (408, "rejected"),
        (413, "rejected"), (415, "stop"), (429, "retry"), (500, "rejected"), (501, "rejected"), (502, "retry"),
        (503, "retry"), (504, "retry"), (505, "rejected"), (0, "retry"),
    ])
    func onlyFourStatusesMayBeTriedAgain(_ status: Int, _ expected: String) {
        #expect(word(outcome(status, "").next) == expected)
    }

    @Test func theMessageOfTheStatusIsQuoted() {
        #expect(why(outcome(400, "{\"code\":3,\"message\":\"bad data\"}").next) == "HTTP 400: bad data")
    }
}
