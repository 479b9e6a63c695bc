import JSON
package import Manifest

/// Elasticsearch and OpenSearch, by their bulk API ("Bulk API", `POST /_bulk`).
///
/// Each entry is created under an id of its own, so that one that arrives twice is answered with a version conflict and
/// is not kept twice. In a data stream that holds for as long as the stream writes to the same backing index.
package struct ElasticsearchReceiver: LogReceiver {
    package var address: ReceiverAddress
    /// An index or a data stream; a data stream takes `create` alone and wants `@timestamp`.
    package var index: String
    /// Whether the objects in an entry (`before`, `after`, `patch`) are sent as text.
    ///
    /// As values they would be given a field for each path in them: the number of fields is limited to a thousand, and a
    /// port that is a number in one object and a name in the next makes the second entry one that is rejected for good.
    /// Without this the index needs a mapping made for them, such as `flattened`.
    package var sendsObjectsAsText: Bool

    package init(address: ReceiverAddress, index: String, sendsObjectsAsText: Bool = true) {
        self.address = address
        self.index = index
        self.sendsObjectsAsText = sendsObjectsAsText
    }

    package func request(
        delivering entries: [ShippedEntry], at time: Timestamp
    ) throws(DeliveryRefusal) -> DeliveryRequest {
        guard !entries.isEmpty else { throw .nothingToDeliver }
        var body: [UInt8] = []
        for entry in entries {
            let action: Tree = ["create": ["_index": .string(index), "_id": .string(entry.deliveryID)]]
            body += action.jsonBytes()
            body.append(0x0a)
            body += document(entry).jsonBytes()
            // The last line ends with a line feed as well.
            body.append(0x0a)
        }
        return try address.post(to: "/_bulk", contentType: "application/x-ndjson", body: body)
    }

    /// The entry itself under `bylaw`, and around it the fields of the Elastic Common Schema that dashboards go by.
    private func document(_ entry: ShippedEntry) -> Tree {
        var content = entry.document
        if sendsObjectsAsText {
            for key in ["before", "after", "patch"] {
                if let object = content[key] { content.set([key], to: .string(object.jsonText())) }
            }
        }
        var document: Tree = [
            "@timestamp": .string(entry.time.writable.description),
            "bylaw": content,
            "ecs": ["version": "8.11.0"],
            "event": [
                "kind": entry.isIncident ? "alert" : "event", "action": .string(entry.reason),
                "outcome": .string(Self.ecsOutcome(entry.outcome)), "dataset": "bylaw.journal",
                "id": .string(entry.deliveryID), "sequence": .integer(entry.sequence),
            ],
            "message": .string(entry.message),
            "orchestrator": ["type": "kubernetes", "cluster": ["name": .string(entry.cluster)]],
            "service": ["name": "bylaw", "node": ["name": .string(entry.instance)]],
        ]
        if let actor = entry.actor { document.set(["user", "name"], to: .string(actor)) }
        return document
    }

    /// The schema knows these three words alone (ECS field reference, `event.outcome`).
    private static func ecsOutcome(_ outcome: String) -> String {
        switch outcome {
        case "succeeded": "success"
        case "failed": "failure"
        default: "unknown"
        }
    }
}
