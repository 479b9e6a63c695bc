package import Manifest
package import Planning

/// Which object is looked at next: a pure state machine without a clock.
///
/// It holds names, never reasons or events: whoever takes a name decides anew from the state of that moment. A name that
/// comes again while it is worked on is worked on once more afterwards, never twice at once. Drift is urgent and waits for
/// nothing, though what a plan put behind it waits for it; the names of a new revision go by ``Stage``, within each namespace on its own. What failed before comes after
/// what takes something away, and only so many of those are worked on at once: a thousand objects that fail slowly must
/// not keep a revocation, or drift, waiting.
///
///     add ──> blocked (behind another object) ──> parked (behind an earlier stage) ──> ready ──> running ──> gone
///      │                                                                               ^  ^         │
///      ├──> urgent ────────────────────────────────────────────────────────────────────┘  │         └─ added meanwhile: urgent
///      └──> delayed ── due ──> retry ─────────────────────────────────────────────────────┘
package struct WorkQueue: Sendable {
    private enum State { case blocked, parked, ready, delayed, running }

    private struct Item {
        var state: State
        /// Nil for what waits for no stage.
        var stage: Stage?
        /// Tells a list element that is out of date from the one that counts.
        var ticket: UInt64
        var isAddedAgain = false
        /// It was added again as urgent, and not by a plan.
        var isUrgentAgain = false
        /// It comes ahead of every stage, now or when it is due.
        var isUrgent = false
        /// It was delayed, and comes back behind what takes away.
        var isRetry = false
    }

    private struct Waiting {
        var id: ObjectID
        var ticket: UInt64
    }

    private struct Delay {
        var due: Duration
        var isUrgent: Bool
        /// When it comes back where it was added again while it was worked on.
        var dueIfAdded: Duration
    }

    /// The open work of one namespace, or of the cluster-wide objects.
    private struct Scope {
        var openByStage = [Int](repeating: 0, count: Stage.allCases.count)
        var parkedByStage = [[Waiting]](repeating: [], count: Stage.allCases.count)
    }

    private var items: [ObjectID: Item] = [:]
    private var urgent = FirstInFirstOut<Waiting>()
    private var retries = FirstInFirstOut<Waiting>()
    private let maximumRetries: Int
    private var runningRetries = 0
    private var readyByStage = [FirstInFirstOut<Waiting>](
        repeating: FirstInFirstOut<Waiting>(), count: Stage.allCases.count)
    private var scopes: [String: Scope] = [:]
    private var blockedBehind: [ObjectID: [Waiting]] = [:]
    /// By due time, the latest first, so that the next one is taken off the end.
    private var delayed: [(due: Duration, waiting: Waiting)] = []
    /// Waits that were asked for while the object was worked on.
    private var pendingDelays: [ObjectID: Delay] = [:]
    private var lastTicket: UInt64 = 0

    /// - Parameter maximumRetries: How many of the names that were delayed are worked on at one time.
    package init(maximumRetries: Int = .max) { self.maximumRetries = max(1, maximumRetries) }

    /// How many names are in the queue or worked on, those that wait for a due time left out.
    package var activeCount: Int { items.count - delayedCount }
    package private(set) var delayedCount = 0

    /// Whether a name waits for its due time.
    package func isDelayed(_ id: ObjectID) -> Bool { items[id]?.state == .delayed }

    /// The moment at which the next delayed name is due.
    package var nextDue: Duration? { delayed.last { isCurrent($0.waiting, .delayed) }?.due }

    /// Asks for a look at an object as soon as possible, ahead of every stage.
    ///
    /// What a plan wanted behind it still waits until the work on it has ended.
    package mutating func addUrgent(_ id: ObjectID) {
        if items[id]?.state == .running {
            items[id]?.isAddedAgain = true
            items[id]?.isUrgentAgain = true
            return
        }
        let stage = items[id]?.stage
        leavePlace(id)
        urgent.append(ticket(id, state: .ready, stage: stage))
    }

    /// Asks for a look at an object in the order of a plan.
    ///
    /// - Parameter predecessor: An object that has to be worked on before, if it is in the queue at all.
    package mutating func add(_ id: ObjectID, stage: Stage, after predecessor: ObjectID? = nil) {
        let item = items[id]
        // What runs has to look again, with the state of then.
        if item?.state == .running { items[id]?.isAddedAgain = true }
        guard item?.stage != stage else { return }
        // Counted in its new stage before it leaves the old one: what waits for it must not slip through in between.
        open(stage, in: id.scopeNamespace)
        defer { close(item?.stage, in: id.scopeNamespace) }
        // What is urgent stays so, unless it is to open something.
        if let item, item.state == .running || item.state == .ready && item.isUrgent && stage != .loosen {
            items[id]?.stage = stage
            return
        }
        leavePlace(id)
        if let predecessor, predecessor != id, let item = items[predecessor], item.state != .delayed {
            let waiting = ticket(id, state: .blocked, stage: stage)
            blockedBehind[predecessor, default: []].append(waiting)
        } else {
            parkOrRelease(ticket(id, state: .parked, stage: stage), stage: stage)
        }
    }

    /// Asks for a look at an object at a later moment; what is waiting already keeps its place.
    ///
    /// - Parameters:
    ///   - isUrgent: Whether it is urgent then; else it comes back as a retry.
    ///   - dueIfAdded: When it comes back where it was added again, and not as urgent, while it was worked on; nil: at once.
    ///     Whoever writes an object all the time must not have it tried without a pause.
    package mutating func addDelayed(
        _ id: ObjectID, due: Duration, isUrgent: Bool = false, dueIfAdded: Duration? = nil
    ) {
        let delay = Delay(due: due, isUrgent: isUrgent, dueIfAdded: min(due, dueIfAdded ?? .zero))
        guard let item = items[id] else {
            insertDelayed(id, delay)
            return
        }
        // The one who works on it asks for another look: it takes effect when the work is finished.
        if item.state == .running { pendingDelays[id] = delay }
    }

    /// Takes the next name, if one may be worked on now.
    package mutating func next(at now: Duration) -> ObjectID? {
        while let last = delayed.last, last.due <= now || !isCurrent(last.waiting, .delayed) {
            delayed.removeLast()
            guard isCurrent(last.waiting, .delayed) else { continue }
            delayedCount -= 1
            items[last.waiting.id]?.state = .ready
            if items[last.waiting.id]?.isUrgent == true {
                urgent.append(last.waiting)
            } else {
                items[last.waiting.id]?.isRetry = true
                retries.append(last.waiting)
            }
        }
        if let id = Self.runFirst(of: &urgent, in: &items) { return id }
        if let id = Self.runFirst(of: &readyByStage[Stage.revoke.rawValue], in: &items) { return id }
        if runningRetries < maximumRetries, let id = Self.runFirst(of: &retries, in: &items) {
            runningRetries += 1
            return id
        }
        for stage in readyByStage.indices {
            if let id = Self.runFirst(of: &readyByStage[stage], in: &items) { return id }
        }
        return nil
    }

    /// Marks the first name of a list as worked on, places that are out of date left out.
    private static func runFirst(
        of list: inout FirstInFirstOut<Waiting>, in items: inout [ObjectID: Item]
    ) -> ObjectID? {
        while let waiting = list.removeFirst() {
            guard let item = items[waiting.id], item.ticket == waiting.ticket, item.state == .ready else { continue }
            items[waiting.id]?.state = .running
            return waiting.id
        }
        return nil
    }

    /// Says that the work on a name has ended; it is worked on again at once if it was added meanwhile.
    package mutating func finish(_ id: ObjectID) {
        guard let item = items[id], item.state == .running else { return }
        if item.isRetry { runningRetries -= 1 }
        var delay = pendingDelays.removeValue(forKey: id)
        if item.isAddedAgain, !item.isUrgentAgain, let soonest = delay?.dueIfAdded, soonest > .zero {
            delay?.due = soonest
        } else if item.isAddedAgain {
            // It keeps its stage: what waits for it waits for the second look as well.
            if let stage = item.stage, !item.isUrgentAgain {
                parkOrRelease(ticket(id, state: .parked, stage: stage), stage: stage)
            } else {
                urgent.append(ticket(id, state: .ready, stage: item.stage))
            }
            return
        }
        items[id] = nil
        close(item.stage, in: id.scopeNamespace)
        for waiting in blockedBehind.removeValue(forKey: id) ?? [] where isCurrent(waiting, .blocked) {
            guard let stage = items[waiting.id]?.stage else { continue }
            items[waiting.id]?.state = .parked
            parkOrRelease(waiting, stage: stage)
        }
        if let delay { insertDelayed(id, delay) }
    }

    // MARK: Steps

    /// Takes a name that is not worked on out of the list it waits in; the count of its stage is left to the caller.
    private mutating func leavePlace(_ id: ObjectID) {
        if items.removeValue(forKey: id)?.state == .delayed { delayedCount -= 1 }
    }

    private mutating func ticket(_ id: ObjectID, state: State, stage: Stage?) -> Waiting {
        lastTicket += 1
        var item = Item(state: state, stage: stage, ticket: lastTicket)
        item.isUrgent = state == .ready
        items[id] = item
        return Waiting(id: id, ticket: lastTicket)
    }

    private func isCurrent(_ waiting: Waiting, _ state: State) -> Bool {
        guard let item = items[waiting.id] else { return false }
        return item.ticket == waiting.ticket && item.state == state
    }

    private mutating func insertDelayed(_ id: ObjectID, _ delay: Delay) {
        let due = delay.due
        let waiting = ticket(id, state: .delayed, stage: nil)
        items[id]?.isUrgent = delay.isUrgent
        delayedCount += 1
        var low = 0
        var high = delayed.count
        while low < high {
            let middle = (low + high) / 2
            if delayed[middle].due > due { low = middle + 1 } else { high = middle }
        }
        delayed.insert((due, waiting), at: low)
    }

    private mutating func parkOrRelease(_ waiting: Waiting, stage: Stage) {
        let scope = scopes[waiting.id.scopeNamespace] ?? Scope()
        if scope.openByStage[..<stage.rawValue].allSatisfy({ $0 == 0 }) {
            items[waiting.id]?.state = .ready
            readyByStage[stage.rawValue].append(waiting)
        } else {
            scopes[waiting.id.scopeNamespace, default: Scope()].parkedByStage[stage.rawValue].append(waiting)
        }
    }

    private mutating func open(_ stage: Stage, in namespace: String) {
        scopes[namespace, default: Scope()].openByStage[stage.rawValue] += 1
    }

    /// Takes a name out of its scope's count, and lets go what waited for it there.
    private mutating func close(_ stage: Stage?, in namespace: String) {
        guard let stage, var scope = scopes[namespace] else { return }
        scope.openByStage[stage.rawValue] -= 1
        for later in stage.rawValue..<scope.openByStage.count {
            guard scope.openByStage[..<later].allSatisfy({ $0 == 0 }) else { break }
            for waiting in scope.parkedByStage[later] where isCurrent(waiting, .parked) {
                items[waiting.id]?.state = .ready
                readyByStage[later].append(waiting)
            }
            scope.parkedByStage[later] = []
        }
        scopes[namespace] = scope.openByStage.allSatisfy { $0 == 0 } ? nil : scope
    }
}

/// A list that is filled at its end and emptied at its front, each in constant time.
private struct FirstInFirstOut<Element: Sendable>: Sendable {
    private var elements: [Element?] = []
    private var head = 0

    mutating func append(_ element: Element) { elements.append(element) }

    mutating func removeFirst() -> Element? {
        guard head < elements.count else { return nil }
        let element = elements[head]
        elements[head] = nil
        head += 1
        if head > 64, head * 2 > elements.count {
            elements.removeFirst(head)
            head = 0
        }
        return element
    }
}
