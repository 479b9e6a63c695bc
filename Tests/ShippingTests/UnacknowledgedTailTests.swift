import Shipping
import Testing

@Suite struct UnacknowledgedTailTests {
    @Test func whatWasWrittenOfLateIsTakenBack() {
        var tail = UnacknowledgedTail()
        #expect(tail.lose(at: .zero) == nil, "nothing was written")
        tail.note(Sample.entries(1...10), at: .zero)
        tail.note(Sample.entries(11...20), at: .seconds(30))
        tail.note(Sample.entries(21...30), at: .seconds(59))
        var later = tail
        #expect(tail.lose(at: .seconds(59)) == 0)
        #expect(later.lose(at: .seconds(60)) == 10, "a minute settles")
        #expect(later.lose(at: .seconds(60)) == nil, "it is taken back once")
    }

    @Test func anIdleConnectionTakesNothingBack() {
        var tail = UnacknowledgedTail()
        tail.note(Sample.entries(1...10), at: .zero)
        #expect(tail.lose(at: .seconds(600)) == nil)
    }

    @Test func itIsBounded() {
        var tail = UnacknowledgedTail()
        for start in stride(from: Int64(1), to: 20_001, by: 500) {
            tail.note(Sample.entries(start...start + 499), at: .seconds(1))
        }
        #expect(tail.lose(at: .seconds(1)) == 10_000)
        var one = UnacknowledgedTail()
        one.note(Sample.entries(1...10_600), at: .zero)
        #expect(one.lose(at: .zero) == 600)
    }

    /// Each connection takes 300 messages, then ends.
    @Test func aReceiverThatEndsEveryConnectionGetsAllInTheEnd() {
        var tail = UnacknowledgedTail()
        var cursor: Int64 = 0
        var newest: Int64 = 0
        var losses = 0
        while newest < 2_000, losses < 200 {
            for _ in 0..<3 {
                tail.note(Sample.entries(cursor + 1...cursor + 100), at: .zero)
                cursor += 100
            }
            newest = max(newest, cursor)
            losses += 1
            cursor = tail.lose(at: .zero) ?? cursor
        }
        #expect(newest >= 2_000, "after \(losses) losses at \(newest)")
    }
}

@Suite struct StallWatchTests {
    @Test func peopleAreToldOnceForEachStandstill() {
        var watch = StallWatch(patience: .seconds(900))
        #expect(watch.due == nil)
        watch.fail(at: .seconds(10))
        watch.fail(at: .seconds(400))
        #expect(watch.due == .seconds(910), "it counts from the first failure")
        #expect(watch.isToBeTold(at: .seconds(909)) == false)
        #expect(watch.isToBeTold(at: .seconds(910)) == true)
        #expect(watch.isToBeTold(at: .seconds(5000)) == false)
        #expect(watch.due == nil)
        watch.fail(at: .seconds(5000))
        #expect(watch.due == nil)
        #expect(watch.succeed() == true)
        watch.fail(at: .seconds(5001))
        #expect(watch.due == .seconds(5901))
    }

    @Test func whatIsOverSoonIsNotTold() {
        var watch = StallWatch(patience: .seconds(900))
        watch.fail(at: .zero)
        #expect(watch.succeed() == false)
        watch.fail(at: .seconds(899))
        #expect(watch.isToBeTold(at: .seconds(1000)) == false)
    }

    @Test func anEarlierRunsStandstillIsNotToldAgain() {
        var watch = StallWatch(patience: .seconds(900), isTold: true)
        watch.fail(at: .zero)
        #expect(watch.due == nil)
        #expect(watch.succeed() == true)
        #expect(watch.succeed() == false)
    }

    @Test func whatCouldNotBeToldIsTriedAgain() {
        var watch = StallWatch(patience: .seconds(900))
        watch.fail(at: .zero)
        #expect(watch.isToBeTold(at: .seconds(900)) == true)
        watch.failToTell(at: .seconds(901))
        #expect(watch.due == .seconds(961) && !watch.isTold)
    }
}
