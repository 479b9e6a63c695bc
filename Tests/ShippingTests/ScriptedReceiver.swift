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
    }

    let kind: Kind
    let poisoned: Set<Int64>
    private(set) var taken: Set<Int64> = []
    /// In the order in which they came for the first time.
    private(set) var firstTaken: [Int64] = []

    init(kind: Kind, poisoned: Set<Int64>) {
        self.kind = kind
        self.poisoned = poisoned
    }

    mutating func receive(
        _ batch: [ShippedEntry], _ generator: inout SplitMix64
    ) -> DeliveryOutcome {
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
        case .whole: return DeliveryOutcome(next: .rejected(sequence: nil, why: "400"))
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
        for entry in entries where taken.insert(entry.sequence).inserted { firstTaken.append(entry.sequence) }
    }
}
