import JSON
package import Manifest

/// Splunk, by its HTTP Event Collector ("Format events for HTTP Event Collector", `/services/collector/event`).
///
/// What the collector has accepted counts as delivered; it is indexed later. Acknowledgement by the indexer needs a
/// channel and questions of its own and is not used, so a token that insists on it is refused with a hint.
package struct SplunkReceiver: LogReceiver {
    package var address: ReceiverAddress
    /// The default of the token where nil.
    package var index: String?
    private let token: Secret

    package init(address: ReceiverAddress, token: Secret, index: String? = nil) {
        self.address = address
        self.token = token
        self.index = index
    }

    package func request(
        delivering entries: [ShippedEntry], at time: Timestamp
    ) throws(DeliveryRefusal) -> DeliveryRequest {
        guard !entries.isEmpty else { throw .nothingToDeliver }
        var body: [UInt8] = []
        for entry in entries {
            // Events stand one behind the other, not in a list.
            body += event(entry).jsonBytes()
            body.append(0x0a)
        }
        return try address.post(
            to: "/services/collector/event", contentType: "application/json",
            headers: [DeliveryHeader("Authorization", "Splunk \(token.text)")], body: body)
    }

    private func event(_ entry: ShippedEntry) -> Tree {
        var event: Tree = [
            // Seconds with a fraction; a Double tells microseconds apart until the year 2255.
            "time": .double(Double(entry.time.microsecondsSinceEpoch) / 1_000_000),
            "source": "bylaw", "sourcetype": "bylaw:journal", "event": entry.document,
            // Indexed fields must be flat, else the event is refused (code 15).
            "fields": ["journal": .string(entry.journal), "sequence": .string(String(entry.sequence))],
        ]
        if !entry.instance.isEmpty { event.set(["host"], to: .string(entry.instance)) }
        if let index { event.set(["index"], to: .string(index)) }
        return event
    }
}

extension SplunkReceiver {
    /// Reads an answer by its code, which says more than the status ("Troubleshoot HTTP Event Collector", possible error
    /// codes).
    ///
    /// With a batch the number of the first event at fault comes along, from 0. Whether those before it were kept is not
    /// promised, so they count as not delivered and are sent again.
    package func outcome(of answer: DeliveryAnswer, to entries: [ShippedEntry]) -> DeliveryOutcome {
        let tree = answer.tree
        let why = address.words(tree?["text"]?.string, of: answer, hiding: [token.bytes])
        guard let code = tree?["code"]?.integer else {
            return DeliveryOutcome(next: meaning(of: answer, why: why))
        }
        if code == 0, answer.status == 200 { return .delivered(entries) }
        let coded = "\(why) (code \(code))"
        let number = tree?["invalid-event-number"]?.integer.flatMap { Int(exactly: $0) }
        let named = number.flatMap { entries.indices.contains($0) ? entries[$0].sequence : nil }
        switch code {
        case 1, 2, 3, 4, 16:
            return DeliveryOutcome(next: .stop(why: coded, hint: "Check the token and that it is enabled in Splunk."))
        case 7:
            let hint = "Name an index that the token may write to, or add this one to the token in Splunk."
            return DeliveryOutcome(next: .stop(why: coded, hint: hint))
        case 10, 11, 14:
            let hint = "Switch indexer acknowledgement off for the token in Splunk."
            return DeliveryOutcome(next: .stop(why: coded, hint: hint))
        case 5, 6, 12, 13, 15: return DeliveryOutcome(next: .rejected(sequence: named, why: coded))
        // An internal error, busy, queues that are full. Later codes come with a status that says as much.
        case 8, 9, 18, 19, 20: return DeliveryOutcome(next: .retry(after: answer.pause, why: coded))
        default: return DeliveryOutcome(next: meaning(of: answer, why: coded))
        }
    }
}
