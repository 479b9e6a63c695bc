import JSON
import Manifest
import Shipping
import Testing

@Suite struct ElasticsearchRequestTests {
    private let receiver = ElasticsearchReceiver(
        address: ReceiverAddress(
            url: "https://es.example:9200/", headers: [DeliveryHeader("Authorization", "ApiKey k")]),
        index: "logs-bylaw-default")

    @Test func createsEachEntryUnderAnIDOfItsOwn() throws {
        let request = try receiver.request(delivering: Sample.entries(1...2), at: Sample.noon)
        #expect(request.url == "https://es.example:9200/_bulk")
        #expect(request.method == "POST")
        #expect(header("Content-Type", of: request) == "application/x-ndjson")
        #expect(header("Authorization", of: request) == "ApiKey k")
        let lines = try lines(request.body)
        #expect(lines.count == 4)
        #expect(
            lines[0] == ["create": ["_index": "logs-bylaw-default", "_id": .string("\(Sample.journal)-1")]] as Tree)
        #expect(lines[2]["create"]?["_id"]?.string == "\(Sample.journal)-2")
        #expect(lines[3]["@timestamp"]?.string == "2026-03-01T12:00:00.123456Z")
        #expect(lines[3]["bylaw"] == Sample.entry(2).document)
    }

    @Test(arguments: [
        ("succeeded", "success"), ("failed", "failure"), ("held", "unknown"), ("", "unknown"),
    ])
    func saysTheOutcomeInTheWordsOfTheSchema(_ outcome: String, _ word: String) throws {
        let entry = Sample.entry(3, isIncident: true, outcome: outcome, actor: "jane")
        let document = try lines(try receiver.request(delivering: [entry], at: Sample.noon).body)[1]
        #expect(document["event"]?["outcome"]?.string == word)
        #expect(document["event"]?["kind"]?.string == "alert")
        #expect(document["event"]?["action"]?.string == "DriftCorrected")
        #expect(document["event"]?["sequence"]?.integer == 3)
        #expect(document["message"]?.string == "words")
        #expect(document["user"]?["name"]?.string == "jane")
    }

    @Test func sendsObjectsAsTextSoThatTheirFieldsCannotConflict() throws {
        let object: Tree = ["spec": ["port": 80]]
        let entry = Sample.entry(1, extra: ["before": object, "patch": .null])
        let sent = try lines(try receiver.request(delivering: [entry], at: Sample.noon).body)[1]["bylaw"]
        #expect(try parseJSON(try #require(sent?["before"]?.string)) == object)
        var values = receiver
        values.sendsObjectsAsText = false
        #expect(
            try lines(try values.request(delivering: [entry], at: Sample.noon).body)[1]["bylaw"]?["before"] == object)
    }

    @Test(arguments: Sample.hostileTexts)
    func hostileNamesMakeNoLineOfTheirOwn(_ text: String) throws {
        let request = try receiver.request(delivering: [Sample.hostile(text), Sample.entry(8)], at: Sample.noon)
        let lines = try lines(request.body)
        #expect(lines.count == 4)
        #expect(lines[1]["bylaw"]?["message"] == .string(text))
        #expect(lines[0]["create"]?["_id"] == .string("\(text)-7"))
    }

    @Test func whatIsNoJSONStaysInItsOwnDocument() throws {
        var entry = Sample.entry(1)
        entry.json = Array("{\"a\":\n}}".utf8) + [0xFF, 0x0a]
        let lines = try lines(try receiver.request(delivering: [entry, Sample.entry(2)], at: Sample.noon).body)
        #expect(lines.count == 4)
        #expect(lines[1]["bylaw"]?["unreadable"]?.string == "{\"a\":\n}}\u{FFFD}\n")
    }

    @Test func extremesAreWritten() throws {
        for sequence in [Int64.min, .max] {
            let time = Timestamp(microsecondsSinceEpoch: sequence)
            let lines = try lines(try receiver.request(delivering: [Sample.entry(sequence, at: time)], at: time).body)
            #expect(lines[1]["event"]?["sequence"]?.integer == sequence)
            #expect(Timestamp(try #require(lines[1]["@timestamp"]?.string)) != nil)
        }
    }

    @Test func nothingMakesNoRequest() {
        #expect(throws: DeliveryRefusal.nothingToDeliver) { try receiver.request(delivering: [], at: Sample.noon) }
    }
}

@Suite struct ElasticsearchAnswerTests {
    private let receiver = ElasticsearchReceiver(address: ReceiverAddress(url: "https://es.example"), index: "logs")

    private func item(_ status: Int64, _ type: String? = nil, id: String? = nil) -> Tree {
        var result: Tree = ["status": .integer(status)]
        if let type { result.set(["error"], to: ["type": .string(type), "reason": "because\nof"]) }
        if let id { result.set(["_id"], to: .string(id)) }
        return ["create": result]
    }

    private func outcome(_ items: [Tree], count: Int64? = nil, retryAfter: String? = nil) -> DeliveryOutcome {
        let answer = Sample.answer(200, ["took": 3, "errors": true, "items": .array(items)], retryAfter: retryAfter)
        return receiver.outcome(of: answer, to: Sample.entries(1...(count ?? Int64(items.count))))
    }

    @Test func createdAndCreatedBeforeAreDelivered() {
        let conflict = item(409, "version_conflict_engine_exception")
        #expect(outcome([item(201), conflict, item(200)]) == DeliveryOutcome(deliveredThrough: 3, next: .goOn))
    }

    @Test(
        arguments: [
            (429, "es_rejected_execution_exception", "retry"), (503, "unavailable_shards_exception", "retry"),
            (500, "exception", "retry"), (409, "something_else", "retry"),
            (400, "mapper_parsing_exception", "rejected 2"), (400, "document_parsing_exception", "rejected 2"),
            (413, "too_large", "rejected 2"), (400, "index_closed_exception", "stop"),
            (400, "validation_exception", "stop"),
            (403, "cluster_block_exception", "stop"), (401, "security_exception", "stop"),
            (404, "index_not_found_exception", "stop"), (0, "nonsense", "retry"), (204, "nonsense", "retry"),
        ] as [(Int64, String, String)])
    func nothingBehindTheFirstItemThatFailedCounts(_ status: Int64, _ type: String, _ expected: String) {
        let outcome = outcome([item(201), item(status, type), item(201)])
        #expect(outcome.deliveredThrough == 1)
        #expect(word(outcome.next) == expected)
        #expect(why(outcome.next).contains("\(type): because of"))
    }

    @Test func thePauseOfTheReceiverIsKept() {
        #expect(word(outcome([item(429)], retryAfter: "7").next) == "retry after 7.0 seconds")
    }

    @Test func anAnswerThatDoesNotFitTheRequestDeliversNothing() {
        #expect(outcome([item(201)], count: 2).deliveredThrough == nil)
        #expect(outcome([], count: 1).deliveredThrough == nil)
        #expect(outcome([item(201, id: "\(Sample.journal)-1"), item(201, id: "other")]).deliveredThrough == 1)
        #expect(outcome([["index": ["status": 201]]]).deliveredThrough == nil)
        #expect(outcome([.null]).deliveredThrough == nil)
    }

    @Test(arguments: ["", "OK", "{}", "[]", "{\"errors\":false}", "{\"items\":[{\"create\":{\"status\":201}}"])
    func aSuccessWithoutItemsDeliversNothing(_ text: String) {
        let outcome = receiver.outcome(of: Sample.answer(200, text: text), to: Sample.entries(1...1))
        #expect(outcome.deliveredThrough == nil)
        #expect(word(outcome.next) == "retry")
    }

    @Test func aPageInsteadOfAnAnswerStops() {
        let outcome = receiver.outcome(of: Sample.answer(200, text: "\n <html>Log in"), to: Sample.entries(1...1))
        #expect(outcome.deliveredThrough == nil)
        #expect(word(outcome.next) == "stop")
    }

    @Test(arguments: [
        (201, "retry"), (301, "stop"), (400, "rejected"), (401, "stop"), (403, "stop"), (404, "stop"), (406, "stop"),
        (408, "retry"), (413, "rejected"), (429, "retry"), (500, "retry"), (502, "retry"), (503, "retry"), (0, "retry"),
        (-1, "retry"), (999, "retry"),
    ])
    func theStatusOfTheWholeCountsWhereThereAreNoItems(_ status: Int, _ expected: String) {
        let body: Tree = ["error": ["type": "x_exception", "reason": "words"], "status": .integer(Int64(status))]
        let outcome = receiver.outcome(of: Sample.answer(status, body), to: Sample.entries(1...3))
        #expect(outcome.deliveredThrough == nil)
        #expect(word(outcome.next) == expected)
    }
}
