import JSON
package import Manifest

/// One entry of the journal on its way to a receiver of logs.
package struct ShippedEntry: Sendable, Equatable {
    package var sequence: Int64
    package var time: Timestamp
    package var instance: String
    package var cluster: String
    /// A stable CamelCase word.
    package var reason: String
    package var isIncident: Bool
    /// `succeeded`, `failed`, `held` or `abandoned`; a later version may know more.
    package var outcome: String
    package var objectDescription: String?
    package var actor: String?
    package var message: String
    /// The whole entry as canonical JSON on one line, an object that has the sequence in it.
    package var json: [UInt8]
    /// The id of the journal, 32 hex digits: with the sequence it names an entry for ever.
    package var journal: String

    package init(
        sequence: Int64, time: Timestamp, instance: String, cluster: String, reason: String, isIncident: Bool,
        outcome: String, objectDescription: String? = nil, actor: String? = nil, message: String, json: [UInt8],
        journal: String
    ) {
        self.sequence = sequence
        self.time = time
        self.instance = instance
        self.cluster = cluster
        self.reason = reason
        self.isIncident = isIncident
        self.outcome = outcome
        self.objectDescription = objectDescription
        self.actor = actor
        self.message = message
        self.json = json
        self.journal = journal
    }

    /// What names the entry for ever, in all journals of the world.
    package var deliveryID: String { "\(journal)-\(sequence)" }

    /// The entry as a value, to be built into the documents of receivers.
    ///
    /// It is read and written anew instead of being copied as bytes: a line feed or an open bracket in one entry must not
    /// become part of how its neighbours are read. Canonical JSON comes out as it went in. What is no JSON object is
    /// kept as text, since an entry that cannot be read is still to be delivered.
    package var document: Tree {
        if let tree = try? parseJSON(json), tree.members != nil { return tree }
        return [
            "sequence": .integer(sequence), "message": .string(message),
            "unreadable": .string(String(decoding: json, as: UTF8.self)),
        ]
    }
}

extension ShippedEntry {
    /// How much an entry asks for attention: the one judgement that the scales of all receivers are derived from.
    enum Severity: Sendable { case informational, warning, error }

    var severity: Severity {
        switch outcome {
        case "failed": .error
        case "succeeded": isIncident ? .warning : .informational
        default: .warning
        }
    }
}
