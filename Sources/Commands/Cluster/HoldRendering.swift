import KubeClient
import Manifest
import Reconciler

/// An emergency hold as a part of a JSON answer.
func holdTree(_ hold: EmergencyHold) -> Tree {
    [
        "revision": .string(hold.revision), "until": .string(hold.until.description), "because": .string(hold.because),
        "setBy": .string(hold.setBy), "setAt": .string(hold.setAt.description),
    ]
}

/// An emergency hold on one line for people.
func renderHold(_ hold: EmergencyHold, on terminal: Terminal) -> String {
    let by = hold.setBy.isEmpty ? "" : ", set by \(printable(hold.setBy)) (by its own word)"
    return terminal.styled("hold", .yellow)
        + " of revision \(printable(String(hold.revision.prefix(12)))) until \(hold.until)\(by): \(printable(hold.because))"
}

/// What `bylaw hold` tells of what is kept in the place of holds.
struct HoldAnswer {
    var place: HoldConfigMap
    var instance: String
    var reading: EmergencyHoldReading
    var now: Timestamp

    /// The hold that counts now; the controller alone knows whether its revision could be enforced.
    var active: EmergencyHold? {
        guard case .record(let record) = reading, record.end == nil, record.hold.until > now,
            record.hold.instance == instance
        else { return nil }
        return record.hold
    }

    /// What is there and counts for nothing.
    private var problem: String? {
        switch reading {
        case .flawed(let message): message
        case .record(let record) where record.hold.instance != instance:
            "it is for the instance \(record.hold.instance)"
        default: nil
        }
    }

    private var record: EmergencyHoldRecord? {
        guard case .record(let record) = reading else { return nil }
        return record
    }

    var tree: Tree {
        let hold = record.map { holdTree($0.hold) }
        let configMap: Tree = ["namespace": .string(place.namespace), "name": .string(place.configMap)]
        var ended = Tree.null
        if let end = record?.end {
            ended = ["at": .string(end.at.description), "by": .string(end.by), "because": .string(end.because)]
        }
        return answerTree(
            kind: "Hold",
            [
                ("instance", .string(instance)), ("configMap", configMap),
                ("isActive", .bool(active != nil)), ("revision", hold?["revision"] ?? .null),
                ("cluster", record?.hold.cluster.map(Tree.string) ?? .null),
                ("until", hold?["until"] ?? .null), ("because", hold?["because"] ?? .null),
                ("setBy", hold?["setBy"] ?? .null), ("setAt", hold?["setAt"] ?? .null),
                ("ended", ended),
                ("problem", problem.map(Tree.string) ?? .null),
            ])
    }

    func render(on terminal: Terminal) -> String {
        if let active {
            return renderHold(active, on: terminal) + "\n"
                + "  in \(place.name); bylaw status says whether the controller keeps to it, and what waits behind it\n"
        }
        if let problem { return "What is in \(place.name) is not honoured: \(printable(problem))\n" }
        guard let record else { return "There is no hold in \(place.name).\n" }
        guard let end = record.end else { return "There is no hold: the last one was over at \(record.hold.until).\n" }
        let by = end.by.isEmpty ? "" : " by \(printable(end.by)) (by its own word)"
        return "There is no hold: the last one was ended at \(end.at)\(by)"
            + (end.because.isEmpty ? "" : ": \(printable(end.because))") + "\n"
    }
}
