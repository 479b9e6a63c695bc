import Manifest
import Shipping
import Testing

/// What the machine wants, in words that a test can compare.
func words(_ actions: [ShippingAction]) -> [String] {
    actions.map { action in
        switch action {
        case .read(let cursor, let count): "read after \(cursor.map(String.init) ?? "nothing") at most \(count)"
        case .send(let entries): "send " + entries.map { String($0.sequence) }.joined(separator: ",")
        case .wait(let pause): "wait \(pause)"
        case .awaitEntries: "await"
        case .store(let cursor): "store \(cursor)"
        case .report(.undeliverable(let sequence, _)): "undeliverable \(sequence)"
        case .report(.undeliverableAmong(let first, let last, let count, _)): "\(count) of \(first)...\(last) lost"
        case .report(.delayed(let failures, _)): "delayed \(failures)"
        case .report(.stopped): "stopped"
        case .report(.recovered): "recovered"
        }
    }
}

extension ShippingMachine {
    mutating func answer(_ through: Int64?, _ next: DeliveryOutcome.Next = .goOn, randomness: Double = 0) -> [String] {
        words(receive(DeliveryOutcome(deliveredThrough: through, next: next), randomness: randomness))
    }

    mutating func reject(_ sequence: Int64? = nil, through: Int64? = nil) -> [String] {
        answer(through, .rejected(sequence: sequence, why: "no"))
    }

    static func sending(_ range: ClosedRange<Int64>, limits: ShippingLimits = ShippingLimits()) -> ShippingMachine {
        var machine = ShippingMachine(cursor: range.lowerBound - 1, limits: limits)
        _ = machine.start()
        _ = machine.take(Sample.entries(range))
        return machine
    }
}

@Suite struct ShippingMachineTests {
    @Test func readsSendsStoresAndReadsOn() {
        var machine = ShippingMachine(cursor: nil)
        #expect(words(machine.start()) == ["read after nothing at most 500"])
        #expect(words(machine.take(Sample.entries(1...3))) == ["send 1,2,3"])
        #expect(machine.answer(3) == ["store 3", "read after 3 at most 500"])
        #expect(words(machine.take([])) == ["await"])
        #expect(words(machine.wake()) == ["read after 3 at most 500"])
    }

    @Test func entriesAddedWhileReadingAreNotMissed() {
        var machine = ShippingMachine(cursor: 3)
        _ = machine.start()
        #expect(machine.wake() == [])
        #expect(words(machine.take([])) == ["read after 3 at most 500"])
        #expect(words(machine.take([])) == ["await"])
    }

    @Test func theRestOfABatchIsSentAgain() {
        var machine = ShippingMachine.sending(1...4)
        #expect(machine.answer(2) == ["store 2", "send 3,4"])
        #expect(machine.answer(3, .retry(after: nil, why: "busy")) == ["store 3", "delayed 1", "wait 0.5 seconds"])
        #expect(words(machine.resume()) == ["send 4"])
        #expect(machine.answer(4) == ["recovered", "store 4", "read after 4 at most 500"])
    }

    @Test func aLostConnectionTakesBackWhatItMayHaveTaken() {
        var machine = ShippingMachine.sending(1...4, limits: ShippingLimits(maximumEntries: 2))
        #expect(machine.answer(2) == ["store 2", "send 3,4"])
        #expect(machine.answer(nil, .lost(after: 1, why: "reset")) == ["store 1", "delayed 1", "wait 0.5 seconds"])
        #expect(words(machine.resume()) == ["read after 1 at most 2"])
        #expect(words(machine.take(Sample.entries(2...3))) == ["send 2,3"])
        #expect(machine.answer(3) == ["recovered", "store 3", "read after 3 at most 2"])
        #expect(words(machine.take([])) == ["await"])
        #expect(words(machine.lose(after: 9, "reset", randomness: 0)) == ["delayed 1", "wait 0.5 seconds"])
        #expect(words(machine.lose(after: 0, "again", randomness: 0)) == [], "it is lost already")
        #expect(machine.cursor == 3, "it never goes forward by a loss")
    }

    @Test func troubleOfAnEarlierMachineEnds() {
        var machine = ShippingMachine(cursor: 3, isInTrouble: true)
        _ = machine.start()
        #expect(words(machine.take([])) == ["recovered", "await"])
    }

    @Test func moreThanWasSentIsNotDelivered() {
        var machine = ShippingMachine.sending(1...4, limits: ShippingLimits(maximumEntries: 2))
        #expect(machine.answer(.max) == ["store 2", "send 3,4"])
        #expect(machine.answer(2) == ["delayed 1", "wait 0.5 seconds"])
        _ = machine.resume()
        #expect(machine.answer(.min, .goOn) == ["delayed 2", "wait 1.0 seconds"])
    }

    @Test func whatIsReadIsPutInOrderOnce() {
        var machine = ShippingMachine(cursor: 2)
        _ = machine.start()
        #expect(words(machine.take([5, 3, 2, 1, 5, 4].map { Sample.entry($0) })) == ["send 3,4,5"])
        var last = ShippingMachine(cursor: .min)
        _ = last.start()
        #expect(words(last.take([.max, .min, 0].map { Sample.entry($0) })) == ["send 0,\(Int64.max)"])
    }

    @Test func eventsOutOfPlaceChangeNothing() {
        var machine = ShippingMachine(cursor: nil)
        #expect(machine.resume() == [] && machine.take(Sample.entries(1...1)) == [] && machine.answer(1) == [])
        _ = machine.start()
        #expect(machine.start() == [] && machine.answer(1) == [])
        _ = machine.take(Sample.entries(1...2))
        #expect(machine.take(Sample.entries(5...6)) == [] && machine.resume() == [])
        #expect(machine.failToRead("late", randomness: 0) == [])
        #expect(machine.answer(2) == ["store 2", "read after 2 at most 500"])
    }

    @Test func aJournalThatCannotBeReadIsReadAgain() {
        var machine = ShippingMachine(cursor: 1)
        _ = machine.start()
        #expect(words(machine.failToRead("locked", randomness: 0)) == ["delayed 1", "wait 0.5 seconds"])
        #expect(words(machine.resume()) == ["read after 1 at most 500"])
        #expect(words(machine.take([])) == ["recovered", "await"])
    }

    @Test func aStopIsTriedSlowly() {
        var machine = ShippingMachine.sending(1...2)
        #expect(
            machine.answer(nil, .stop(why: "401", hint: "token"), randomness: 1) == ["stopped", "wait 300.0 seconds"])
        #expect(words(machine.resume()) == ["send 1,2"])
    }

    @Test func whatWasThrownAwayIsToldAndNotSentAgain() {
        var machine = ShippingMachine.sending(1...4)
        #expect(
            machine.answer(nil, .dropped(count: 2, why: "old"))
                == ["2 of 1...4 lost", "store 4", "read after 4 at most 500"])
        _ = machine.take(Sample.entries(5...6))
        #expect(
            machine.answer(nil, .dropped(count: .max, why: "old"))
                == ["undeliverable 5", "undeliverable 6", "store 6", "read after 6 at most 500"])
    }
}

@Suite struct ShippingBatchTests {
    @Test func batchesKeepToTheCount() {
        var machine = ShippingMachine.sending(1...5, limits: ShippingLimits(maximumEntries: 2))
        #expect(machine.answer(2) == ["store 2", "send 3,4"])
        #expect(machine.answer(4) == ["store 4", "send 5"])
        #expect(ShippingLimits(maximumEntries: -3).maximumEntries == 1)
    }

    @Test func batchesKeepToTheBytesAndALargeEntryGoesAlone() {
        let large = Sample.entry(3, message: String(repeating: "x", count: 5000))
        let size = Sample.entry(1).json.count
        var machine = ShippingMachine(cursor: nil, limits: ShippingLimits(maximumBytes: size * 2))
        _ = machine.start()
        let entries = [Sample.entry(1), Sample.entry(2), large, Sample.entry(4)]
        #expect(words(machine.take(entries)) == ["send 1,2"])
        #expect(machine.answer(2) == ["store 2", "send 3"])
        #expect(machine.answer(3) == ["store 3", "send 4"])
    }

    @Test func aBatchIsOfOneJournal() {
        var machine = ShippingMachine(cursor: nil)
        _ = machine.start()
        let entries = [Sample.entry(1), Sample.entry(2, journal: "other"), Sample.entry(3, journal: "other")]
        #expect(words(machine.take(entries)) == ["send 1"])
        #expect(machine.answer(1) == ["store 1", "send 2,3"])
    }
}

@Suite struct RejectedBatchTests {
    @Test func halvesFindTheEntryAtFault() {
        var machine = ShippingMachine.sending(1...8)
        #expect(machine.reject() == ["send 1,2,3,4"])
        #expect(machine.answer(4) == ["store 4", "send 5,6,7,8"])
        #expect(machine.reject() == ["send 5,6"])
        #expect(machine.reject() == ["send 5"])
        #expect(machine.answer(5) == ["store 5", "send 6"])
        #expect(machine.reject() == ["undeliverable 6", "store 6", "send 7,8"])
        #expect(machine.answer(8) == ["store 8", "read after 8 at most 500"])
    }

    @Test func oneThatIsNamedComesAloneAfterThoseBeforeIt() {
        var machine = ShippingMachine.sending(1...6)
        #expect(machine.reject(4) == ["send 1,2,3"])
        #expect(machine.answer(3) == ["store 3", "send 4"])
        #expect(machine.reject(4) == ["undeliverable 4", "store 4", "send 5,6"])
    }

    @Test func oneThatIsNamedAtTheHeadIsLeftOutAtOnce() {
        var machine = ShippingMachine.sending(1...6)
        #expect(machine.reject(3, through: 2) == ["store 2", "undeliverable 3", "store 3", "send 4,5,6"])
    }

    @Test func aNameThatIsNotInTheBatchIsNoName() {
        var machine = ShippingMachine.sending(1...4)
        #expect(machine.reject(99) == ["send 1,2"])
        #expect(machine.reject(-1, through: 1) == ["store 1", "undeliverable 2", "store 2", "send 3,4"])
    }

    @Test func aRejectionOfWhatArrivedIsNone() {
        var machine = ShippingMachine.sending(1...2)
        #expect(machine.reject(through: 2) == ["store 2", "read after 2 at most 500"])
    }

    @Test func aPauseInTheMiddleKeepsTheParts() {
        var machine = ShippingMachine.sending(1...4)
        #expect(machine.reject() == ["send 1,2"])
        #expect(machine.answer(nil, .retry(after: .seconds(9), why: "busy")) == ["delayed 1", "wait 9.0 seconds"])
        #expect(words(machine.resume()) == ["send 1,2"])
        #expect(machine.answer(2) == ["recovered", "store 2", "send 3,4"])
    }

    /// With a wrong setting every entry is rejected: the journal must not be given up at the speed of the network.
    @Test func whereAllAreRejectedThereAreLongPauses() {
        var machine = ShippingMachine.sending(1...8, limits: ShippingLimits(maximumEntries: 1, maximumSkipsInARow: 2))
        #expect(machine.reject() == ["undeliverable 1", "store 1", "send 2"])
        #expect(machine.reject() == ["undeliverable 2", "store 2", "send 3"])
        #expect(machine.reject() == ["stopped", "wait 150.0 seconds"])
        #expect(words(machine.resume()) == ["send 3"])
        #expect(machine.reject() == ["undeliverable 3", "store 3", "send 4"])
        // Twice as many as were given up so far, then the next pause.
        for sequence in Int64(4)...6 {
            #expect(machine.reject().first == "undeliverable \(sequence)")
        }
        #expect(machine.reject() == ["stopped", "wait 150.0 seconds"])
        #expect(words(machine.resume()) == ["send 7"])
        #expect(machine.answer(7) == ["recovered", "store 7", "send 8"])
        #expect(machine.reject().first == "undeliverable 8", "one that arrives ends the suspicion")
    }

    @Test func theSecondTryOfOneAtTheHeadOfABatchIsMadeAlone() {
        var machine = ShippingMachine.sending(1...3, limits: ShippingLimits(maximumSkipsInARow: 0))
        #expect(machine.reject(1) == ["stopped", "wait 150.0 seconds"])
        #expect(words(machine.resume()) == ["send 1"])
        #expect(machine.answer(nil, .retry(after: nil, why: "busy")) == ["delayed 2", "wait 1.0 seconds"])
        #expect(words(machine.resume()) == ["send 1"])
        #expect(machine.reject(1) == ["undeliverable 1", "store 1", "send 2,3"])
    }
}

@Suite struct ShippingPauseTests {
    private func pauses(_ count: Int, randomness: Double, after: Duration? = nil) -> [Duration] {
        var machine = ShippingMachine.sending(1...1)
        return (0..<count).compactMap { _ in
            let actions = machine.receive(
                DeliveryOutcome(next: .retry(after: after, why: "busy")), randomness: randomness)
            _ = machine.resume()
            for case .wait(let pause) in actions { return pause }
            return nil
        }
    }

    @Test func doubleUpToTheLongest() {
        let seconds = pauses(11, randomness: 1).map { $0.components.seconds }
        #expect(seconds == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300])
    }

    @Test func chanceTakesOffUpToAHalf() {
        #expect(pauses(1, randomness: 0) == [.milliseconds(500)])
        #expect(pauses(1, randomness: 0.5) == [.milliseconds(750)])
    }

    @Test(arguments: [Double.nan, .infinity, -.infinity, -7, 1e300])
    func noChanceIsTooStrange(_ randomness: Double) {
        #expect(pauses(100, randomness: randomness).allSatisfy { $0 >= .milliseconds(500) && $0 <= .seconds(300) })
    }

    @Test func whatTheReceiverAsksForIsGivenWithinBounds() {
        #expect(pauses(1, randomness: 0, after: .seconds(60)) == [.seconds(60)])
        #expect(pauses(1, randomness: 0, after: .seconds(Int64.max)) == [.seconds(3600)])
        #expect(pauses(1, randomness: 0, after: .seconds(-5)) == [.milliseconds(500)])
    }
}
