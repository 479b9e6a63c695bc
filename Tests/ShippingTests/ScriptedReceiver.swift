import Shipping
import TestSupport

/// A receiver that answers by chance, and knows better than its answers what it took.
///
/// It does not imitate any protocol: it gives every outcome that one could come to.
struct ScriptedReceiver {
    /// How it treats a batch with an entry that it does not take.
    enum Kind: CaseIterable {
        /// Takes all or nothing and names nobody, as a webhook.
        case whole
        /// Names the first at fault and takes nothing, as Splunk.
        case naming
        /// Takes each entry by itself and names the first at fault, as Elasticsearch.
        case itemwise
        /// Takes the sound ones of a batch and says only that some were not, as Loki.
        case silent
        /// Throws away what it does not take, as OTLP.
        case dropping
        /// Takes what is written to it, acknowledges nothing, and may lose the last of it with the connection, as syslog.
        case unacknowledging
    }

    let kind: Kind
    let poisoned: Set<Int64>
    private(set) var taken: Set<Int64> = []
    /// In the order in which they came for the first time.
    private(set) var firstTaken: [Int64] = []
    private var seen: Set<Int64> = []
    /// What the sender of an unacknowledging one remembers, and when what it has was written.
    private var tail = UnacknowledgedTail()
    private var unsettled: [(sequence: Int64, at: Duration)] = []
    private var now = Duration.zero

    init(kind: Kind, poisoned: Set<Int64>) {
        self.kind = kind
        // Who answers nothing refuses nothing.
        self.poisoned = kind == .unacknowledging ? [] : poisoned
    }

    /// The sender crashed: what it wrote is still read.
    mutating func loseSender() {
        tail = UnacknowledgedTail()
        unsettled = []
    }

    /// The connection is lost, with whatever was not read of it.
    ///
    /// - Returns: What the sender makes of it.
    mutating func loseConnection(_ generator: inout SplitMix64) -> Int64? {
        unsettled.removeAll { now - $0.at >= UnacknowledgedTail.settledAfter }
        for (sequence, _) in unsettled.suffix(Int.random(in: 0...unsettled.count, using: &generator)) {
            taken.remove(sequence)
        }
        unsettled = []
        return tail.lose(at: now)
    }

    private mutating func write(_ batch: [ShippedEntry], _ generator: inout SplitMix64) -> DeliveryOutcome {
        now += .seconds(Int.random(in: 0...20, using: &generator))
        guard Int.random(in: 0..<12, using: &generator) > 0 else {
            let arrived = batch.prefix(Int.random(in: 0...batch.count, using: &generator))
            take(Array(arrived))
            unsettled += arrived.map { ($0.sequence, now) }
            return loseConnection(&generator).map { DeliveryOutcome(next: .lost(after: $0, why: "reset")) }
                ?? .unanswered("reset")
        }
        take(batch)
        unsettled += batch.map { ($0.sequence, now) }
        tail.note(batch, at: now)
        return .delivered(batch)
    }

    mutating func receive(
        _ batch: [ShippedEntry], _ generator: inout SplitMix64
    ) -> DeliveryOutcome {
        guard kind != .unacknowledging else { return write(batch, &generator) }
        switch Int.random(in: 0..<12, using: &generator) {
        case 0: return DeliveryOutcome(next: .retry(after: .seconds(1), why: "busy"))
        case 1: return DeliveryOutcome(next: .stop(why: "401", hint: "token"))
        case 2:
            // The answer is lost, whatever was taken.
            _ = judge(batch)
            return .unanswered("reset")
        case 3 where kind == .itemwise:
            // The queue of the receiver is full from some item on, but takes one behind it again.
            let place = Int.random(in: 0..<batch.count, using: &generator)
            let outcome = judge(Array(batch.prefix(place)))
            _ = judge(Array(batch.dropFirst(place + 1)))
            guard case .goOn = outcome.next else { return outcome }
            return DeliveryOutcome(
                deliveredThrough: place > 0 ? batch[place - 1].sequence : nil, next: .retry(after: nil, why: "429"))
        default: return judge(batch)
        }
    }

    private mutating func judge(_ batch: [ShippedEntry]) -> DeliveryOutcome {
        let sound = batch.filter { !poisoned.contains($0.sequence) }
        guard let bad = batch.first(where: { poisoned.contains($0.sequence) }) else {
            take(batch)
            return .delivered(batch)
        }
        switch kind {
        case .whole, .unacknowledging: return DeliveryOutcome(next: .rejected(sequence: nil, why: "400"))
        case .naming: return DeliveryOutcome(next: .rejected(sequence: bad.sequence, why: "400"))
        case .itemwise:
            take(sound)
            return DeliveryOutcome(
                deliveredThrough: batch.prefix { $0.sequence < bad.sequence }.last?.sequence,
                next: .rejected(sequence: bad.sequence, why: "400"))
        case .silent:
            take(sound)
            return DeliveryOutcome(next: .rejected(sequence: nil, why: "400"))
        case .dropping:
            take(sound)
            return DeliveryOutcome(next: .dropped(count: Int64(batch.count - sound.count), why: "old"))
        }
    }

    private mutating func take(_ entries: [ShippedEntry]) {
        for entry in entries {
            taken.insert(entry.sequence)
            if seen.insert(entry.sequence).inserted { firstTaken.append(entry.sequence) }
        }
    }
}
