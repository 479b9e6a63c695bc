import JSON
package import Manifest

/// Loki, by its push API ("Loki HTTP API", `POST /loki/api/v1/push`).
///
/// A line that arrives twice with the same labels and the same time is kept once, so sending again does no harm.
package struct LokiReceiver: LogReceiver {
    package var address: ReceiverAddress
    /// Whether the sequence and the journal are sent beside the line as well.
    ///
    /// Off: a Loki refuses all of a push that has them unless its schema is 13 or later and `allow_structured_metadata`
    /// is on, which is the default since 3.0 only; and the line has the sequence anyway.
    package var sendsStructuredMetadata: Bool
    /// Loki's `max_line_size`, 256 KB by default, beyond which it refuses a line; what makes it too long is left out.
    package var maximumLineBytes: Int

    package init(
        address: ReceiverAddress, sendsStructuredMetadata: Bool = false, maximumLineBytes: Int = 256 << 10
    ) {
        self.address = address
        self.sendsStructuredMetadata = sendsStructuredMetadata
        self.maximumLineBytes = maximumLineBytes
    }

    package func request(
        delivering entries: [ShippedEntry], at time: Timestamp
    ) throws(DeliveryRefusal) -> DeliveryRequest {
        guard !entries.isEmpty else { throw .nothingToDeliver }
        var streams: [Labels: [ShippedEntry]] = [:]
        var order: [Labels] = []
        for entry in entries {
            let labels = Labels(entry)
            if streams[labels] == nil { order.append(labels) }
            streams[labels, default: []].append(entry)
        }
        let body: Tree = [
            "streams": .array(
                order.map { labels in
                    // A clock may have been set back between two entries, and a stream is to be in the order of time.
                    let entries = (streams[labels] ?? []).sorted { ($0.time, $0.sequence) < ($1.time, $1.sequence) }
                    return ["stream": labels.tree, "values": .array(entries.map(value))]
                })
        ]
        return try address.post(to: "/loki/api/v1/push", contentType: "application/json", body: body.jsonBytes())
    }

    private func value(_ entry: ShippedEntry) -> Tree {
        let line = entry.text(fitting: max(maximumLineBytes, 1024)).text
        var value: [Tree] = [.string(entry.time.epochNanosecondsText), .string(line)]
        if sendsStructuredMetadata {
            // Nothing but strings is allowed here.
            value.append(["sequence": .string(String(entry.sequence)), "journal": .string(entry.journal)])
        }
        return .array(value)
    }

    /// Each set of labels is a stream with chunks of its own, so only what has few values may be one.
    private struct Labels: Hashable {
        var instance: String
        var cluster: String
        var isIncident: Bool

        init(_ entry: ShippedEntry) {
            // Loki takes 2048 bytes at most.
            instance = entry.instance.bounded(toBytes: 1024)
            cluster = entry.cluster.bounded(toBytes: 1024)
            isIncident = entry.isIncident
        }

        var tree: Tree {
            [
                "job": "bylaw", "instance": .string(instance), "cluster": .string(cluster),
                "incident": isIncident ? "true" : "false",
            ]
        }
    }
}

extension LokiReceiver {
    /// Reads an answer: 204 and nothing else says that all of it was taken.
    ///
    /// Another success may be a tenant whose ingestion is blocked, which Loki can be told to answer with any status
    /// (`block_ingestion_status_code`, 260 by default). With 400 the lines that are sound have been taken and only the
    /// others (too far behind, too old, too long) were not; which ones is told in words only, so they are found by halves.
    package func outcome(of answer: DeliveryAnswer, to entries: [ShippedEntry]) -> DeliveryOutcome {
        let why = address.words(nil, of: answer)
        switch answer.status {
        case 204: return .delivered(entries)
        case 260:
            return DeliveryOutcome(next: .stop(why: why, hint: "Have the tenant's ingestion unblocked in Loki."))
        case 400 where sendsStructuredMetadata && answer.mentions("structured metadata"):
            let hint = "Allow structured metadata in Loki, with schema 13 or later, or switch it off here."
            return DeliveryOutcome(next: .stop(why: why, hint: hint))
        default: return DeliveryOutcome(next: meaning(of: answer, why: why))
        }
    }
}

extension DeliveryAnswer {
    /// Whether the beginning of the body has these words; only where a protocol tells causes apart by nothing else.
    fileprivate func mentions(_ words: String) -> Bool {
        let text = Array(body.prefix(4096))
        let words = Array(words.utf8)
        return text.indices.contains { text[$0...].starts(with: words) }
    }
}
