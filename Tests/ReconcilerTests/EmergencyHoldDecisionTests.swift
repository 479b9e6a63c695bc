import Manifest
import Reconciler
import Testing

/// Which revision is to be enforced, by what was read, what was known, and the clock.
@Suite struct EmergencyHoldDecisionTests {
    typealias Decision = EmergencyHoldDecision

    private static let start = Timestamp(microsecondsSinceEpoch: 1_772_366_400_000_000)
    private static func at(_ minutes: Int64) -> Timestamp { start.advanced(by: .seconds(minutes * 60)) }

    private static func hold(
        _ digit: Character = "a", until minutes: Int64 = 60, setAt: Int64 = 0, instance: String = "default",
        cluster: String? = nil
    ) -> EmergencyHold {
        EmergencyHold(
            instance: instance, cluster: cluster, revision: String(repeating: digit, count: 40), until: at(minutes),
            because: "why", setBy: "alice", setAt: at(setAt))
    }

    private static func reading(_ hold: EmergencyHold, end: EmergencyHoldEnd? = nil) -> EmergencyHoldReading {
        .record(EmergencyHoldRecord(hold: hold, end: end))
    }

    private static func active(_ hold: EmergencyHold) -> EmergencyHoldMemory {
        EmergencyHoldMemory(hold: hold, isOver: false)
    }

    private static func over(_ hold: EmergencyHold) -> EmergencyHoldMemory {
        EmergencyHoldMemory(hold: hold, isOver: true)
    }

    private static let failure = ClusterError(kind: .busy, status: 500, message: "overloaded")
    private static let refusal = ClusterError(kind: .forbidden, status: 403, message: "may not")

    private func decide(
        _ reading: EmergencyHoldReading, known: EmergencyHoldMemory? = nil, isOutdated: Bool = false,
        unreadFor: Duration = .zero, at minutes: Int64 = 10
    ) -> Decision {
        Decision(
            reading, known: known, isOutdated: isOutdated, instance: "default", cluster: "eu", unreadFor: unreadFor,
            at: Self.at(minutes))
    }

    // MARK: After another replica

    @Test func whatWasKnownBeforeAnotherReplicaLedIsNoProof() {
        let hold = Self.hold()
        for reading in [EmergencyHoldReading.forbidden(Self.refusal), .flawed("no hold")] {
            let decision = decide(reading, known: Self.active(hold), isOutdated: true)
            #expect(decision.order == .follow && decision.memory == nil)
            #expect(decision.tellings == [.ended(hold, .unproven)])
        }
        let unread = decide(.failed(Self.failure), known: Self.active(hold), isOutdated: true)
        #expect(unread.order == .wait(Self.failure) && unread.memory == Self.active(hold))
        let long = decide(
            .failed(Self.failure), known: Self.active(hold), isOutdated: true, unreadFor: Decision.patience)
        #expect(long.order == .follow && long.tellings == [.ended(hold, .unproven)])
    }

    @Test func whatIsReadAfterAnotherReplicaLedCounts() {
        let hold = Self.hold()
        let decision = decide(Self.reading(hold), known: Self.active(hold), isOutdated: true)
        #expect(decision.order == .hold(hold) && decision.tellings.isEmpty)
        let gone = decide(.none, known: Self.active(hold), isOutdated: true)
        #expect(gone.order == .follow && gone.tellings == [.ended(hold, .removed)])
    }

    // MARK: A hold's life

    @Test func withoutAHoldTheBranchIsFollowed() {
        let decision = decide(.none)
        #expect(decision.order == .follow)
        #expect(decision.tellings.isEmpty && decision.memory == nil)
        #expect(decision.ignored == nil && decision.unread == nil)
    }

    @Test func aHoldBeginsOnce() {
        let hold = Self.hold()
        let first = decide(Self.reading(hold))
        #expect(first.order == .hold(hold))
        #expect(first.tellings == [.began(hold)])
        #expect(first.memory == Self.active(hold))
        let second = decide(Self.reading(hold), known: first.memory)
        #expect(second.order == .hold(hold))
        #expect(second.tellings.isEmpty)
    }

    @Test func extendingItOrNamingAnotherRevisionIsAChange() {
        let hold = Self.hold()
        for later in [Self.hold(until: 120, setAt: 5), Self.hold("b", setAt: 5)] {
            let decision = decide(Self.reading(later), known: Self.active(hold))
            #expect(decision.order == .hold(later))
            #expect(decision.tellings == [.changed(from: hold, to: later)])
            #expect(decision.memory == Self.active(later))
        }
    }

    @Test func itEndsByItself() {
        let hold = Self.hold()
        let end = decide(Self.reading(hold), known: Self.active(hold), at: 60)
        #expect(end.order == .follow)
        #expect(end.tellings == [.ended(hold, .timeIsOver)])
        #expect(end.memory == Self.over(hold))
        #expect(decide(Self.reading(hold), known: end.memory, at: 61).tellings.isEmpty)
    }

    @Test func aHoldThatEndedStaysEndedAlsoWhereAClockGoesBack() {
        let hold = Self.hold()
        let decision = decide(Self.reading(hold), known: Self.over(hold), at: 10)
        #expect(decision.order == .follow)
        #expect(decision.tellings.isEmpty)
        let anew = Self.hold(until: 90, setAt: 9)
        #expect(decide(Self.reading(anew), known: Self.over(hold)).tellings == [.began(anew)])
    }

    @Test func somebodyEndsIt() {
        let hold = Self.hold()
        let early = EmergencyHoldEnd(at: Self.at(9), by: "bob", because: "merged")
        let decision = decide(Self.reading(hold, end: early), known: Self.active(hold))
        #expect(decision.order == .follow)
        #expect(decision.tellings == [.ended(hold, .ended(early))])
        #expect(decide(Self.reading(hold, end: early), known: decision.memory).tellings.isEmpty)
        // Nobody had seen it before it ended.
        let unseen = decide(Self.reading(hold, end: early))
        #expect(unseen.order == .follow && unseen.tellings.isEmpty)
        #expect(decide(Self.reading(hold), known: unseen.memory).order == .follow, "it stays ended")
    }

    @Test func deletingItEndsIt() {
        let hold = Self.hold()
        let decision = decide(.none, known: Self.active(hold))
        #expect(decision.order == .follow)
        #expect(decision.tellings == [.ended(hold, .removed)])
        #expect(decide(.none, known: Self.active(hold), at: 60).tellings == [.ended(hold, .timeIsOver)])
        #expect(decide(.none, known: Self.over(hold)).tellings.isEmpty)
    }

    @Test func aHoldThatWasOverBeforeAnybodyLookedIsToldOnce() {
        let hold = Self.hold(until: 5)
        let decision = decide(Self.reading(hold))
        #expect(decision.order == .follow)
        #expect(decision.tellings == [.missed(hold)])
        #expect(decide(Self.reading(hold), known: decision.memory).tellings.isEmpty)
    }

    @Test func shorteningItIntoThePastIsAChangeAndItsEnd() {
        let hold = Self.hold()
        let shorter = Self.hold(until: 9, setAt: 1)
        let decision = decide(Self.reading(shorter), known: Self.active(hold))
        #expect(decision.order == .follow)
        #expect(decision.tellings == [.changed(from: hold, to: shorter), .ended(shorter, .timeIsOver)])
    }

    // MARK: What is no hold for us

    @Test(arguments: [
        reading(hold(instance: "other")), reading(hold(cluster: "us")), reading(hold(until: 120, setAt: 90)),
        .flawed("revision is missing"),
    ])
    func whatIsNoHoldForUsIsToldAndChangesNothing(_ reading: EmergencyHoldReading) {
        let decision = decide(reading)
        #expect(decision.order == .follow)
        #expect(decision.ignored != nil)
        #expect(decision.tellings.isEmpty)
        let hold = Self.hold("b")
        let known = decide(reading, known: Self.active(hold))
        #expect(known.order == .hold(hold), "overwriting a hold with rubbish does not end it")
        #expect(known.tellings.isEmpty)
        #expect(decide(reading, known: Self.active(hold), at: 60).tellings == [.ended(hold, .timeIsOver)])
    }

    @Test func aClusterThatIsNamedMustBeOurs() {
        #expect(decide(Self.reading(Self.hold(cluster: "eu"))).order == .hold(Self.hold(cluster: "eu")))
    }

    @Test func aClockThatIsALittleAheadDoesNoHarm() {
        let hold = Self.hold(until: 90, setAt: 14)
        #expect(decide(Self.reading(hold)).order == .hold(hold))
    }

    // MARK: What cannot be read

    @Test(arguments: [failure, refusal])
    func whatWasKnownStaysUntilItsOwnEnd(_ error: ClusterError) {
        let hold = Self.hold()
        let reading: EmergencyHoldReading = error.kind == .forbidden ? .forbidden(error) : .failed(error)
        let decision = decide(reading, known: Self.active(hold), unreadFor: .seconds(1500))
        #expect(decision.order == .hold(hold))
        #expect(decision.unread == error)
        #expect(decision.tellings.isEmpty)
        let later = decide(reading, known: Self.active(hold), unreadFor: Decision.patience, at: 60)
        #expect(later.order == .follow)
        #expect(later.tellings == [.ended(hold, .timeIsOver)])
    }

    @Test func whereWeMayNotLookTheBranchIsFollowed() {
        let decision = decide(.forbidden(Self.refusal))
        #expect(decision.order == .follow)
        #expect(decision.unread == Self.refusal)
    }

    @Test func aFailedReadIsNoAnswerForAWhile() {
        for known in [nil, Self.over(Self.hold())] {
            #expect(decide(.failed(Self.failure), known: known).order == .wait(Self.failure))
            let patience = Decision.patience
            #expect(
                decide(.failed(Self.failure), known: known, unreadFor: patience - .seconds(1)).order
                    == .wait(Self.failure))
            #expect(decide(.failed(Self.failure), known: known, unreadFor: patience).order == .follow)
        }
    }

    /// It may have been extended since.
    @Test func aHoldIsNotOverWhileItCannotBeRead() {
        let hold = Self.hold()
        let decision = decide(.failed(Self.failure), known: Self.active(hold), at: 60)
        #expect(decision.order == .wait(Self.failure))
        #expect(decision.tellings.isEmpty)
        #expect(decision.memory == Self.active(hold))
    }
}
