import Manifest
import Testing
import Tracing

@Suite struct SpanTests {
    static func span(_ number: UInt64, status: Span.Status = .unset) -> Span {
        let begin = Timestamp(microsecondsSinceEpoch: 1_772_366_400_123_456)
        return Span(
            trace: TraceID(1, 2), id: SpanID(number), name: "fetch", begin: begin, end: begin, status: status)
    }

    @Test(
        arguments: [
            (0, 0, "00000000000000000000000000000001"), (0, 5, "00000000000000000000000000000005"),
            (0xAB, 0, "00000000000000ab0000000000000000"), (.max, .max, "ffffffffffffffffffffffffffffffff"),
        ] as [(UInt64, UInt64, String)])
    func aTraceIDHas32DigitsAndIsNeverZero(_ high: UInt64, _ low: UInt64, _ text: String) {
        #expect(TraceID(high, low).description == text)
    }

    @Test(
        arguments: [(0, "0000000000000001"), (0xF00, "0000000000000f00"), (.max, "ffffffffffffffff")]
            as [(UInt64, String)])
    func aSpanIDHas16DigitsAndIsNeverZero(_ bits: UInt64, _ text: String) {
        #expect(SpanID(bits).description == text)
    }

    @Test func aSpanDoesNotEndBeforeItsBeginning() {
        let late = Timestamp(microsecondsSinceEpoch: 2)
        let early = Timestamp(microsecondsSinceEpoch: 1)
        let span = Span(trace: TraceID(1, 1), id: SpanID(1), name: "plan", begin: late, end: early)
        #expect(span.end == late)
    }

    @Test func longTextsAreCutBetweenCharacters() {
        let words = String(repeating: "ä", count: 2000)
        let cut = String(repeating: "ä", count: 512)
        #expect(SpanAttribute("a", words).value == .text(cut))
        #expect(Self.span(1, status: .failed(words)).status == .failed(cut))
        #expect(SpanAttribute("a", "ä").value == .text("ä"))
    }
}

@Suite struct SpanQueueTests {
    private func spans(_ numbers: ClosedRange<UInt64>) -> [Span] { numbers.map { SpanTests.span($0) } }

    private func take(_ count: Int, from queue: inout SpanQueue) -> [SpanID] { queue.takeBatch(of: count).map(\.id) }

    @Test func theOldestGoFirstWhereThereIsNoRoom() {
        var queue = SpanQueue(capacity: 3)
        let dropped = [queue.add(spans(1...2)), queue.add(spans(3...5))]
        #expect(dropped == [0, 2])
        #expect(queue.count == 3)
        let taken = [take(2, from: &queue), take(2, from: &queue)]
        #expect(taken == [[SpanID(3), SpanID(4)], [SpanID(5)]])
        #expect(queue.isEmpty)
    }

    @Test func whatIsPutBackComesFirstAgainAsFarAsThereIsRoom() {
        var queue = SpanQueue(capacity: 3)
        _ = queue.add(spans(1...3))
        let batch = queue.takeBatch(of: 2)
        let dropped = queue.putBack(batch)
        #expect(dropped == 0)
        let first = take(1, from: &queue)
        #expect(first == [SpanID(1)])
        _ = queue.add(spans(4...4))
        let droppedNow = queue.putBack(spans(1...1))
        #expect(droppedNow == 1)
        let left = take(3, from: &queue)
        #expect(left == [SpanID(2), SpanID(3), SpanID(4)])
    }
}

@Suite struct SpanAllowanceTests {
    @Test func theFirstAreKeptAndOfTheOthersSomeThatFail() {
        var allowance = SpanAllowance(detailed: 2, failed: 1)
        var admitted: [Bool] = []
        for _ in 1...3 { admitted.append(allowance.admit()) }
        #expect(admitted == [true, true, false])
        var afterwards: [Bool] = []
        for isFailed in [false, true, true] { afterwards.append(allowance.admit(afterFailure: isFailed)) }
        #expect(afterwards == [false, true, false])
        #expect(allowance.leftOut == 2)
    }
}
