package import Manifest

/// The status of a PolicySync as its definition, `Deploy/components/policy-sync/definition.yaml`, has it.
///
/// A test holds the two together: what the definition does not know, a server drops in silence.
extension PolicySyncState {
    /// Members that change although nothing has happened.
    private static let clocks = ["heartbeatTime", "lastFetchTime", "lastSyncTime"]

    /// The body of the status.
    ///
    /// - Parameters:
    ///   - previous: The one before, which says since when each condition has been as it is.
    ///   - generation: Of the object, as it was read last.
    package func status(over previous: Tree, generation: Int64?, at time: Timestamp) -> Tree {
        var status: Tree = [
            "instance": text(identity.instance, 63), "cluster": text(identity.cluster, 253),
            "repository": text(identity.repository, 512), "reporter": text(identity.reporter, 256),
            "heartbeatTime": .string(time.inWholeSeconds),
            "conditions": .array(
                conditions.map { tree(of: $0, over: previous, generation: generation, at: time) }),
        ]
        if !identity.path.isEmpty { status.set(["path"], to: text(identity.path, 512)) }
        if let generation { status.set(["observedGeneration"], to: .integer(generation)) }
        if let newest { status.set(["newestRevision"], to: tree(of: newest)) }
        if let lastFetch { status.set(["lastFetchTime"], to: .string(lastFetch.inWholeSeconds)) }
        if let lastPass { status.set(["lastSyncTime"], to: .string(lastPass.inWholeSeconds)) }
        if let standing {
            if let enforced = standing.enforcedRevision { status.set(["revision"], to: tree(of: enforced)) }
            status.set(["counts"], to: counts(standing))
        }
        if let lastIncident { status.set(["lastIncident"], to: tree(of: lastIncident)) }
        return status
    }

    /// What of a status says that something has happened: all of it but the times that go on by themselves.
    package static func content(of status: Tree) -> Tree {
        var content = status
        for clock in clocks { content.set([clock], to: nil) }
        return content
    }

    private func tree(
        of condition: PolicySyncCondition, over previous: Tree, generation: Int64?, at time: Timestamp
    ) -> Tree {
        let before = previous["conditions"]?.array?.first { $0["type"]?.string == condition.kind.rawValue }
        let isSame = before?["status"]?.string == condition.status.rawValue
        let since = isSame ? before?["lastTransitionTime"]?.string.flatMap { Timestamp($0) } : nil
        var tree: Tree = [
            "type": .string(condition.kind.rawValue), "status": .string(condition.status.rawValue),
            "reason": text(condition.reason, 128), "message": text(condition.message, 1024),
            "lastTransitionTime": .string((since ?? time).inWholeSeconds),
        ]
        if let generation { tree.set(["observedGeneration"], to: .integer(generation)) }
        return tree
    }

    private func tree(of revision: Revision) -> Tree {
        [
            "commit": text(revision.commit, 64), "abbreviation": text(String(revision.commit.prefix(12)), 12),
            "subject": text(revision.subject, 256), "committedAt": .string(revision.committedAt.inWholeSeconds),
        ]
    }

    private func tree(of incident: Incident) -> Tree {
        var tree: Tree = [
            "reason": text(incident.reason, 128), "message": text(incident.message, 1024),
            "time": .string(incident.at.inWholeSeconds), "runbook": text(incident.runbook, 256),
        ]
        if !incident.object.isEmpty { tree.set(["object"], to: text(incident.object, 512)) }
        return tree
    }

    private func counts(_ standing: ControllerStanding) -> Tree {
        func number(_ count: Int) -> Tree { .integer(Int64(clamping: max(count, 0))) }
        return [
            "declared": number(standing.declaredObjects), "inSync": number(standing.count(.inSync)),
            "drifted": number(standing.openDrifts), "held": number(standing.heldActions),
            "failing": number(standing.count(.failing)), "waiting": number(standing.count(.waiting)),
            "pending": number(standing.count(.pending)), "undeclared": number(standing.strangers),
            "openIncidents": number(standing.openIncidents.values.reduce(0, +)),
        ]
    }

    /// Names and subjects may hold anything, and are shown on terminals.
    private func text(_ value: String, _ maximumBytes: Int) -> Tree {
        var shown = String.UnicodeScalarView()
        for scalar in value.unicodeScalars {
            let hides = scalar.properties.generalCategory == .control || scalar.properties.isBidiControl
            shown.append(hides ? " " : scalar)
        }
        return .string(String(shown).bounded(toBytes: maximumBytes))
    }
}

extension Timestamp {
    /// As Kubernetes writes a `Time`.
    var inWholeSeconds: String { description.prefix(19) + "Z" }
}
