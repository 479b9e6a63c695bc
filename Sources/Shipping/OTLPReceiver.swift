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
                                OTLPValues.attribute("service.name", "bylaw"),
                                OTLPValues.attribute("service.instance.id", resource.first.instance),
                                OTLPValues.attribute("k8s.cluster.name", resource.first.cluster),
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
            OTLPValues.attribute("bylaw.sequence", entry.sequence),
            OTLPValues.attribute("bylaw.journal", entry.journal), OTLPValues.attribute("bylaw.reason", entry.reason),
            OTLPValues.attribute("bylaw.outcome", entry.outcome),
            OTLPValues.attribute("bylaw.incident", entry.isIncident),
        ]
        if let object = entry.objectDescription { attributes.append(OTLPValues.attribute("bylaw.object", object)) }
        if let actor = entry.actor { attributes.append(OTLPValues.attribute("bylaw.actor", actor)) }
        let time = OTLPValues.nanoseconds(entry.time)
        return [
            "timeUnixNano": .string(time), "observedTimeUnixNano": .string(time),
            "severityNumber": .integer(number), "severityText": .string(name),
            "eventName": .string("bylaw." + entry.reason),
            "body": ["stringValue": .string(entry.document.jsonText())], "attributes": .array(attributes),
        ]
    }

    package func outcome(of answer: DeliveryAnswer, to entries: [ShippedEntry]) -> DeliveryOutcome {
        let next = address.meaning(ofOTLP: answer, rejected: "rejectedLogRecords").next
        return next == .goOn ? .delivered(entries) : DeliveryOutcome(next: next)
    }
}
