/// Brings a journal to one receiver, at least once and in order: a pure state machine.
///
/// It is told what happened and answers what to do; it holds no clock, no connection and no journal, and of the entries
/// only those that were read and not dealt with yet.
///
///     reading ── entries ──> sending ── delivered ──> sending the next, or reading
///        ^  \                   │  └── rejected ──> sending a half of it, or going on without the one at fault
///        │   └─ none ─> idle    └── retry, stop ──> waiting ── resume ──> sending again
///        └────── wake ────┘
///
/// The cursor never passes an entry that was neither delivered nor reported as undeliverable. A batch that is rejected
/// without naming an entry is sent in halves, and they in halves, until the one at fault is alone: so it costs no other
/// entry, and does not hold them up. The price is a rejection per halving.
///
/// Where a protocol has no acknowledgements, a lost connection may turn out to have taken entries with it that counted as
/// delivered: the cursor then goes back, which is the one way in which it ever does, and they are read and sent again.
///
/// Should entry after entry be rejected, then the fault is hardly with all of them: after some there is a long pause and a
/// second try, so that a mistake in the configuration does not give up a whole journal within seconds. After that twice
/// as many may follow before the next pause, since it can be true as well: of a journal that is sent for the first time
/// a receiver may take nothing that is older than a week.
package struct ShippingMachine: Sendable {
    private enum State: Sendable, Equatable {
        case new, reading, idle, waiting
        case sending(count: Int)
    }

    package let limits: ShippingLimits
    /// The last entry dealt with.
    package private(set) var cursor: Int64?

    private var state = State.new
    /// Read and not dealt with yet, in order.
    private var queue: [ShippedEntry] = []
    /// How many entries the next batches have at most, from the head of the queue on: the parts of one that was rejected.
    private var parts: [Int] = []
    private var failuresInARow = 0
    private var skipsInARow = 0
    /// At how many of them there is a pause.
    private var skipsBeforePause: Int
    /// The entry at the head was rejected and is tried a second time.
    private var isSecondTry = false
    private var isInTrouble = false
    /// Entries were added while the journal was being read, perhaps too late to be seen.
    private var hasNews = false

    /// - Parameter isInTrouble: Whether people were told of trouble by an earlier machine, so that they are told when it
    ///   is over.
    package init(cursor: Int64?, limits: ShippingLimits = ShippingLimits(), isInTrouble: Bool = false) {
        self.cursor = cursor
        self.isInTrouble = isInTrouble
        self.limits = limits
        skipsBeforePause = limits.maximumSkipsInARow
    }

    /// Begins.
    package mutating func start() -> [ShippingAction] { state == .new ? goOn() : [] }

    /// Entries were added to the journal.
    package mutating func wake() -> [ShippingAction] {
        guard state == .idle else {
            hasNews = true
            return []
        }
        return goOn()
    }

    /// The journal was read; nothing means that it has been sent to its end.
    ///
    /// The order and the uniqueness of sequences are not taken on trust, since the cursor depends on them.
    package mutating func take(_ entries: [ShippedEntry]) -> [ShippingAction] {
        guard state == .reading else { return [] }
        let cursor = cursor
        for entry in entries.sorted(by: { $0.sequence < $1.sequence })
        where cursor.map({ entry.sequence > $0 }) ?? true && entry.sequence != queue.last?.sequence {
            queue.append(entry)
        }
        guard queue.isEmpty, !hasNews else { return goOn() }
        state = .idle
        return endTrouble() + [.awaitEntries]
    }

    /// The journal could not be read.
    package mutating func failToRead(_ why: String, randomness: Double) -> [ShippingAction] {
        guard state == .reading else { return [] }
        return delay(after: nil, why, randomness)
    }

    /// A pause is over.
    package mutating func resume() -> [ShippingAction] { state == .waiting ? goOn() : [] }

    /// The connection was lost while there was nothing to send: everything after `sequence` is sent again.
    package mutating func lose(after sequence: Int64, _ why: String, randomness: Double) -> [ShippingAction] {
        state == .idle ? rewind(to: sequence, why, randomness) : []
    }

    /// The batch under way has come to an outcome.
    package mutating func receive(_ outcome: DeliveryOutcome, randomness: Double) -> [ShippingAction] {
        guard case .sending(let count) = state else { return [] }
        let batch = queue.prefix(count)
        let arrived = outcome.deliveredThrough.map { last in batch.prefix { $0.sequence <= last }.count } ?? 0
        let actions = arrived > 0 ? deliver(arrived) : []
        let rest = count - arrived
        switch outcome.next {
        case .goOn where rest == 0 || arrived > 0: return actions + goOn()
        case .goOn: return actions + delay(after: nil, "the receiver took nothing of the batch", randomness)
        case .retry(let pause, let why): return actions + delay(after: pause, why, randomness)
        case .lost(let sequence, let why): return actions + rewind(to: sequence, why, randomness)
        case .stop(let why, let hint): return actions + stop(why, hint, randomness)
        case .dropped(let lost, let why): return actions + drop(lost, of: Array(batch), rest: rest, why) + goOn()
        case .rejected(let sequence, let why):
            guard rest > 0 else { return actions + goOn() }
            let place = sequence.flatMap { named in queue.prefix(rest).firstIndex { $0.sequence == named } }
            return actions + reject(place, of: rest, why, randomness)
        }
    }
}

// MARK: What follows from an outcome

extension ShippingMachine {
    private mutating func goOn() -> [ShippingAction] {
        guard !queue.isEmpty else {
            state = .reading
            hasNews = false
            parts = []
            return [.read(after: cursor, maximumCount: limits.maximumEntries)]
        }
        let count = limits.batchCount(queue, atMost: parts.first ?? .max)
        state = .sending(count: count)
        return [.send(Array(queue.prefix(count)))]
    }

    private mutating func deliver(_ count: Int) -> [ShippingAction] {
        skipsInARow = 0
        skipsBeforePause = limits.maximumSkipsInARow
        return endTrouble() + advance(count)
    }

    private mutating func endTrouble() -> [ShippingAction] {
        failuresInARow = 0
        defer { isInTrouble = false }
        return isInTrouble ? [.report(.recovered)] : []
    }

    /// Moves the cursor over entries at the head that have been dealt with.
    private mutating func advance(_ count: Int) -> [ShippingAction] {
        guard count > 0, let last = queue.prefix(count).last else { return [] }
        isSecondTry = false
        cursor = last.sequence
        queue.removeFirst(min(count, queue.count))
        var passed = count
        while let part = parts.first, passed > 0 {
            parts[0] = part - passed
            passed -= part
            if parts[0] <= 0 { parts.removeFirst() }
        }
        return [.store(cursor: last.sequence)]
    }

    /// Goes back to what is known to have arrived; the entries behind it are read anew.
    private mutating func rewind(to sequence: Int64, _ why: String, _ randomness: Double) -> [ShippingAction] {
        queue = []
        parts = []
        isSecondTry = false
        let actions = delay(after: nil, why, randomness)
        guard let last = cursor, sequence < last else { return actions }
        cursor = max(0, sequence)
        return [.store(cursor: max(0, sequence))] + actions
    }

    private mutating func delay(after pause: Duration?, _ why: String, _ randomness: Double) -> [ShippingAction] {
        failuresInARow += 1
        isInTrouble = true
        state = .waiting
        let requested = min(max(pause ?? .zero, .zero), limits.longestRequestedPause)
        let own = limits.pause(afterFailures: failuresInARow, randomness: randomness)
        return [.report(.delayed(failures: failuresInARow, why: why)), .wait(max(requested, own))]
    }

    private mutating func stop(_ why: String, _ hint: String, _ randomness: Double) -> [ShippingAction] {
        failuresInARow += 1
        isInTrouble = true
        state = .waiting
        return [.report(.stopped(why: why, hint: hint)), .wait(limits.jittered(limits.slowPause, randomness))]
    }

    /// The receiver took the batch without some of it: it is not sent again, whatever they were.
    private mutating func drop(
        _ lost: Int64, of batch: [ShippedEntry], rest: Int, _ why: String
    ) -> [ShippingAction] {
        guard let first = batch.first, let last = batch.last else { return [] }
        let reports: [ShippingReport] =
            lost >= Int64(batch.count)
            ? batch.map { .undeliverable(sequence: $0.sequence, why: why) }
            : [.undeliverableAmong(first: first.sequence, last: last.sequence, count: max(1, lost), why: why)]
        failuresInARow = 0
        // Told before the cursor is kept: after a crash between the two it is told again, and not never.
        return reports.map(ShippingAction.report) + (lost < Int64(batch.count) ? deliver(rest) : advance(rest))
    }

    /// - Parameter place: Where the entry at fault stands, if the receiver names it.
    private mutating func reject(
        _ place: Int?, of rest: Int, _ why: String, _ randomness: Double
    ) -> [ShippingAction] {
        guard rest == 1 || place == 0 else {
            // Those before it are sent first, as they would have been, and it comes alone.
            let before = place ?? rest / 2
            let behind = max(0, (parts.first ?? rest) - rest)
            let pieces = place == nil ? [before, rest - before, behind] : [before, 1, rest - before - 1, behind]
            parts = pieces.filter { $0 > 0 } + parts.dropFirst()
            return goOn()
        }
        guard let entry = queue.first else { return goOn() }
        if skipsInARow >= skipsBeforePause, !isSecondTry {
            isSecondTry = true
            parts = [1]
            return stop(
                "\(skipsInARow) entries in a row were rejected, and so is \(entry.sequence): \(why)",
                "Check the kind of receiver and its settings: it is unlikely that all entries are at fault.", randomness
            )
        }
        skipsInARow += 1
        if isSecondTry { skipsBeforePause = skipsInARow * 2 }
        failuresInARow = 0
        return [.report(.undeliverable(sequence: entry.sequence, why: why))] + advance(1) + goOn()
    }
}
