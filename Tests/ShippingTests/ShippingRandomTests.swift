import Manifest
import Shipping
import TestSupport
import Testing

/// Whole journals, against receivers that answer by chance, through crashes.
@Suite struct ShippingRandomTests {
    /// A journal, a machine and a receiver, and what must hold after each action.
    private struct Run {
        var generator: SplitMix64
        var receiver: ScriptedReceiver
        let journal: [ShippedEntry]
        let limits: ShippingLimits
        var machine: ShippingMachine
        /// How much of the journal has been written so far.
        var written = 0
        var stored: Int64?
        var reported: Set<Int64> = []
        var lostRanges: [ClosedRange<Int64>] = []

        init(seed: UInt64, kind: ScriptedReceiver.Kind) {
            var generator = SplitMix64(seed: seed)
            var sequence: Int64 = 0
            var journal: [ShippedEntry] = []
            var poisoned: Set<Int64> = []
            let share: Double = [0.0, 0.02, 0.2, 1.0].randomElement(using: &generator) ?? 0
            for _ in 0..<Int.random(in: 1...120, using: &generator) {
                sequence += Int64.random(in: 1...3, using: &generator)
                let length = Bool.random(using: &generator) ? 10 : 3000
                journal.append(Sample.entry(sequence, message: String(repeating: "x", count: length)))
                if Double.random(in: 0..<1, using: &generator) < share { poisoned.insert(sequence) }
            }
            limits = ShippingLimits(
                maximumEntries: Int.random(in: 1...40, using: &generator),
                maximumBytes: Int.random(in: 1...20_000, using: &generator))
            receiver = ScriptedReceiver(kind: kind, poisoned: poisoned)
            self.journal = journal
            self.generator = generator
            machine = ShippingMachine(cursor: nil, limits: limits)
        }

        /// Whether an entry has been dealt with.
        func isSettled(_ sequence: Int64) -> Bool {
            receiver.taken.contains(sequence) || reported.contains(sequence)
                || lostRanges.contains { $0.contains(sequence) }
        }

        mutating func chance() -> Double { Double.random(in: 0..<1, using: &generator) }

        /// Performs actions until the journal is written and sent; gives up after far more steps than that takes.
        mutating func finish() throws -> Int {
            var actions = machine.start()[...]
            var steps = 0
            while steps < 20_000 {
                guard let action = actions.popFirst() else {
                    Issue.record("the machine waits for nothing")
                    return steps
                }
                steps += 1
                // Not while the cursor is about to go back: receiver and sender crash one at a time.
                var goesBack = false
                if case .store(let cursor) = action, let stored { goesBack = cursor < stored }
                if !goesBack, Int.random(in: 0..<60, using: &generator) == 0 {
                    // A crash: all that is left is what was stored.
                    receiver.loseSender()
                    machine = ShippingMachine(cursor: stored, limits: limits)
                    actions = machine.start()[...]
                    continue
                }
                switch action {
                case .read(let cursor, let count):
                    #expect(cursor == stored)
                    written = min(journal.count, written + Int.random(in: 0...30, using: &generator))
                    let found = journal.prefix(written).filter { entry in cursor.map { entry.sequence > $0 } ?? true }
                    actions +=
                        chance() < 0.05
                        ? machine.failToRead("locked", randomness: chance()) : machine.take(Array(found.prefix(count)))
                case .send(let batch):
                    check(batch)
                    let outcome = receiver.receive(batch, &generator)
                    actions += machine.receive(outcome, randomness: chance())
                case .wait(let pause):
                    #expect(pause > .zero && pause <= limits.longestRequestedPause)
                    actions += machine.resume()
                case .awaitEntries:
                    if receiver.kind == .unacknowledging, chance() < 0.3,
                        let sequence = receiver.loseConnection(&generator)
                    {
                        actions += machine.lose(after: sequence, "reset", randomness: chance())
                        continue
                    }
                    guard written < journal.count else { return steps }
                    actions += machine.wake()
                case .store(let cursor):
                    let isForward = stored.map { $0 < cursor } ?? true
                    #expect(isForward || receiver.kind == .unacknowledging, "the cursor goes forward")
                    for entry in journal where entry.sequence <= cursor && !isSettled(entry.sequence) {
                        Issue.record("the cursor passed \(entry.sequence)")
                    }
                    stored = cursor
                case .report(.undeliverable(let sequence, _)):
                    #expect(receiver.poisoned.contains(sequence), "a sound entry was given up")
                    reported.insert(sequence)
                case .report(.undeliverableAmong(let first, let last, _, _)): lostRanges.append(first...last)
                case .report: break
                }
            }
            Issue.record("no end")
            return steps
        }

        /// A batch is what comes next in the journal, without a gap, within the limits.
        private func check(_ batch: [ShippedEntry]) {
            let next = journal.filter { entry in stored.map { entry.sequence > $0 } ?? true }
            #expect(batch == Array(next.prefix(batch.count)))
            #expect(!batch.isEmpty && batch.count <= limits.maximumEntries)
            #expect(batch.count == 1 || batch.reduce(0) { $0 + $1.json.count } <= limits.maximumBytes)
        }
    }

    @Test(arguments: ScriptedReceiver.Kind.allCases, 0..<40 as Range<UInt64>)
    func everythingArrivesInOrderOrIsReported(_ kind: ScriptedReceiver.Kind, _ seed: UInt64) throws {
        var run = Run(seed: seed, kind: kind)
        _ = try run.finish()
        #expect(run.stored == run.journal.last?.sequence)
        for entry in run.journal {
            if run.receiver.poisoned.contains(entry.sequence) {
                #expect(run.isSettled(entry.sequence))
            } else {
                #expect(run.receiver.taken.contains(entry.sequence))
            }
        }
        // Receivers that take a batch by items, or the sound part of one, may have a later entry before an earlier one.
        if [.whole, .naming, .dropping, .unacknowledging].contains(kind) {
            #expect(run.receiver.firstTaken == run.receiver.firstTaken.sorted())
        }
    }
}
