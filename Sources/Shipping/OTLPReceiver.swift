import JSON
package import Manifest

/// Any receiver of OpenTelemetry logs: OTLP over HTTP, as JSON ("OpenTelemetry Protocol Specification", OTLP/HTTP).
///
/// The body of a record is the entry's JSON as a string, not as a list of keys and values: so every receiver keeps it as
/// it was written, and the digits and types in it survive.
package struct OTLPReceiver: LogReceiver {
    package var address: ReceiverAddress

    package init(address: ReceiverAddress) { self.address = address }

    package func request(
        delivering entries: [ShippedEntry], at time: Timestamp
    ) throws(DeliveryRefusal) -> DeliveryRequest {
        guard !entries.isEmpty else { throw .nothingToDeliver }
        var resources: [(first: ShippedEntry, records: [Tree])] = []
        for entry in entries {
            // A run of entries of one source is one resource; order is kept where the source changes.
            if let last = resources.last, last.first.instance == entry.instance, last.first.cluster == entry.cluster {
                resources[resources.count - 1].records.append(record(entry))
            } else {
                resources.append((entry, [record(entry)]))
            }
        }
        let body: Tree = [
            "resourceLogs": .array(
                resources.map { resource in
                    [
                        "resource": [
                            "attributes": [
                                text("service.name", "bylaw"),
                                text("service.instance.id", resource.first.instance),
                                text("k8s.cluster.name", resource.first.cluster),
                            ]
                        ],
                        "scopeLogs": [["scope": ["name": "bylaw.journal"], "logRecords": .array(resource.records)]],
                    ]
                })
        ]
        return try address.post(to: "/v1/logs", contentType: "application/json", body: body.jsonBytes())
    }

    private func record(_ entry: ShippedEntry) -> Tree {
        let (number, name): (Int64, String) =
            switch entry.severity {
            case .informational: (9, "INFO")
            case .warning: (13, "WARN")
            case .error: (17, "ERROR")
            }
        var attributes: [Tree] = [
            // 64-bit integers are strings in the JSON of protocol buffers.
            ["key": "bylaw.sequence", "value": ["intValue": .string(String(entry.sequence))]],
            text("bylaw.journal", entry.journal), text("bylaw.reason", entry.reason),
            text("bylaw.outcome", entry.outcome),
            ["key": "bylaw.incident", "value": ["boolValue": .bool(entry.isIncident)]],
        ]
        if let object = entry.objectDescription { attributes.append(text("bylaw.object", object)) }
        if let actor = entry.actor { attributes.append(text("bylaw.actor", actor)) }
        let time = nanoseconds(entry.time)
        return [
            "timeUnixNano": .string(time), "observedTimeUnixNano": .string(time),
            "severityNumber": .integer(number), "severityText": .string(name),
            "eventName": .string("bylaw." + entry.reason),
            "body": ["stringValue": .string(entry.document.jsonText())], "attributes": .array(attributes),
        ]
    }

    private func text(_ key: String, _ value: String) -> Tree {
        ["key": .string(key), "value": ["stringValue": .string(value)]]
    }

    /// An unsigned number of 64 bits, in which 0 stands for an unknown time (`logs.proto`).
    private func nanoseconds(_ time: Timestamp) -> String {
        guard let micro = UInt64(exactly: time.microsecondsSinceEpoch) else { return "0" }
        let (nano, isTooFar) = micro.multipliedReportingOverflow(by: 1000)
        return isTooFar ? "0" : String(nano)
    }
}

extension OTLPReceiver {
    /// Reads an answer: the statuses that may be tried again are few, and a partial success must not be.
    ///
    /// An empty body is the default message in the binary form, which some receivers answer whatever they were sent
    /// (Loki with 204): it promises as much as `{}`.
    package func outcome(of answer: DeliveryAnswer, to entries: [ShippedEntry]) -> DeliveryOutcome {
        let tree = answer.tree
        let why = address.words(tree?["message"]?.string, of: answer)
        switch answer.status {
        case 200..<300 where answer.body.isEmpty: return .delivered(entries)
        case 200..<300:
            guard let members = tree?.members else {
                return DeliveryOutcome(next: unexpectedSuccess(answer, why: why))
            }
            return partialSuccess(members["partialSuccess"], answer, entries)
        case 429, 502, 503, 504: return DeliveryOutcome(next: .retry(after: answer.pause, why: why))
        case 400, 408, 425, 500, 501, 505...599: return DeliveryOutcome(next: .rejected(sequence: nil, why: why))
        default: return DeliveryOutcome(next: meaning(of: answer, why: why))
        }
    }

    private func partialSuccess(
        _ partial: Tree?, _ answer: DeliveryAnswer, _ entries: [ShippedEntry]
    ) -> DeliveryOutcome {
        guard let partial, !partial.isNull else { return .delivered(entries) }
        let field = partial["rejectedLogRecords"]
        let why = address.words(partial["errorMessage"]?.string ?? "", of: answer)
        guard let count = field.map({ $0.integer ?? $0.string.flatMap { Int64($0) } }) ?? 0, count >= 0 else {
            return DeliveryOutcome(next: unexpectedSuccess(answer, why: why))
        }
        // A message without a count is advice about something that was taken.
        guard count > 0 else { return .delivered(entries) }
        return DeliveryOutcome(deliveredThrough: nil, next: .dropped(count: count, why: why))
    }
}
