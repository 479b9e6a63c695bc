import Reconciler
import Synchronization
import Testing

/// Rule K8: nothing may be written from the renewal deadline on.
@Suite struct WriteFenceTests {
    private final class Clock: Sendable {
        private let passed = Mutex(Duration.zero)
        let start = ContinuousClock.now
        var now: ContinuousClock.Instant { start + passed.withLock { $0 } }
        func turn(by duration: Duration) { passed.withLock { $0 += duration } }
    }

    private let clock = Clock()
    private let fence: WriteFence

    init() {
        let clock = clock
        fence = WriteFence { clock.now }
    }

    @Test func nothingPassesBeforeItIsOpened() { #expect(fence.deadline == nil) }

    @Test func aWriteMayLastUntilTheDeadline() {
        fence.open(until: clock.start + .seconds(10))
        clock.turn(by: .seconds(9))
        #expect(fence.deadline == clock.start + .seconds(10))
        fence.open(until: clock.start + .seconds(19))
        clock.turn(by: .seconds(9))
        #expect(fence.deadline == clock.start + .seconds(19))
    }

    /// As when the process was stopped, or the machine slept, and the answer to a renewal lay waiting.
    @Test(arguments: [false, true]) func afterThePauseOfALeaderNothingOpensItAgain(_ wasAsked: Bool) {
        fence.open(until: clock.start + .seconds(10))
        clock.turn(by: .seconds(20))
        if wasAsked { #expect(fence.deadline == nil) }
        #expect(!fence.open(until: clock.now + .seconds(10)))
        #expect(fence.deadline == nil)
    }

    /// Else the lease would be held for ever by one that may not write.
    @Test func anAnswerToTheFirstRequestThatCameTooLateLeavesTheNextOneItsChance() {
        let end = clock.start + .seconds(10)
        clock.turn(by: .seconds(20))
        #expect(!fence.open(until: end))
        #expect(fence.deadline == nil)
        #expect(fence.open(until: clock.now + .seconds(10)))
        #expect(fence.deadline == clock.now + .seconds(10))
    }

    @Test func whatIsClosedStaysClosed() {
        fence.open(until: clock.start + .seconds(10))
        fence.close()
        #expect(!fence.open(until: clock.start + .seconds(20)))
        #expect(fence.deadline == nil)
    }

    /// Renewals may be answered in another order than they were sent.
    @Test func anEarlierRenewalTakesNothingAway() {
        fence.open(until: clock.start + .seconds(12))
        fence.open(until: clock.start + .seconds(10))
        #expect(fence.deadline == clock.start + .seconds(12))
    }
}
