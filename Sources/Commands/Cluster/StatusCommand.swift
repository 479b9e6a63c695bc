import Arguments
import Foundation
import JSON
import Journal
import Manifest
import Reconciler

let statusCommand = Command(
    description: CommandDescription(
        name: "status", summary: "revision, health, drift, held",
        details:
            "Reads the journal, also while `bylaw run` writes it: which revision is enforced, how the last pass ended, "
            + "and which incidents are open.",
        flags: [Flags.journal, Flags.output, Flags.config],
        examples: ["bylaw status --journal /var/lib/bylaw/journal.sqlite"],
        exitStatuses: [
            (0, "a revision is enforced and no incident is open"), (1, "open incidents, or nothing is enforced yet"),
            (2, "an error"),
        ])
) { invocation in
    let wiring = Wiring(invocation)
    let reader = try await JournalReader.open(wiring.journalPath)
    var scopes: [ScopeStatus] = []
    for scope in try await reader.scopes() { scopes.append(try await ScopeStatus(scope, reader: reader)) }
    await reader.close()
    if invocation.arguments.text("output") == "json" {
        invocation.terminal.write(renderAnswer(kind: "Status", [("instances", .array(scopes.map(\.tree)))]))
    } else if scopes.isEmpty {
        invocation.terminal.write("The journal has no entries yet.\n")
    } else {
        invocation.terminal.write(scopes.map { $0.render(on: invocation.terminal) }.joined(separator: "\n"))
    }
    return !scopes.isEmpty && scopes.allSatisfy(\.isHealthy) ? ExitStatus.success : ExitStatus.findings
}

/// What is known of one instance on one cluster.
private struct ScopeStatus {
    var scope: JournalReader.Scope
    var remembered: Tree
    var incidents: [OpenIncident]
    var ownedCount: Int64
    var corrections: Int64

    init(_ scope: JournalReader.Scope, reader: JournalReader) async throws {
        self.scope = scope
        remembered = .object(Members())
        if let text = try await reader.remembered(.status, scope) {
            guard let tree = try? parseJSON(text) else {
                throw CommandFailure(
                    message: "read the journal \(reader.path): what it remembers of \(scope.instance) is damaged",
                    hint: "Let bylaw run or bylaw sync write it anew; bylaw journal list shows the entries.")
            }
            remembered = tree
        }
        incidents = try await reader.openIncidents(scope)
        ownedCount = try await reader.ownedObjectCount(scope)
        var query = JournalQuery()
        query.instance = scope.instance
        query.cluster = scope.cluster
        query.reason = IncidentReason.driftCorrected.rawValue
        query.since = systemNow().advanced(by: .seconds(-86_400))
        corrections = try await reader.outcomeCounts(query).values.reduce(0, +)
    }

    /// Whether a pass of an enforced revision has ended, and nothing is left for a person to look at.
    var isHealthy: Bool {
        incidents.isEmpty && remembered["lastPass"]?["summary"] != nil && remembered["refusedRevision"]?.string == nil
    }

    var tree: Tree {
        [
            "isHealthy": .bool(isHealthy), "instance": .string(scope.instance), "cluster": .string(scope.cluster),
            "enforcedRevision": remembered["enforcedRevision"] ?? .null,
            "enforcedSubject": remembered["enforcedSubject"] ?? .null,
            "restoredRevision": remembered["restoredRevision"] ?? .null,
            "refusedRevision": remembered["refusedRevision"] ?? .null, "lastFetch": remembered["lastFetch"] ?? .null,
            "declared": remembered["declared"] ?? 0, "owned": .integer(ownedCount),
            "held": remembered["held"] ?? 0, "failing": remembered["failing"] ?? 0,
            "driftCorrectedLastDay": .integer(corrections),
            "lastPass": remembered["lastPass"] ?? .null,
            "emergencyHold": remembered["emergencyHold"] ?? .null, "holdsUnread": remembered["holdsUnread"] ?? .null,
            "incidents": .array(
                incidents.map { incident in
                    var tree: Tree = [
                        "sequence": .integer(incident.sequence), "since": .string(incident.since.description),
                        "reason": .string(incident.reason), "message": .string(incident.message),
                        "runbook": .string(incident.runbookPath),
                    ]
                    if let object = incident.object { tree.set(["object"], to: objectTree(object)) }
                    return tree
                }),
        ]
    }

    func render(on terminal: Terminal) -> String {
        let enforced = remembered["enforcedRevision"]?.string
        let health =
            isHealthy
            ? terminal.styled("healthy", .green)
            : terminal.styled(
                incidents.isEmpty
                    ? "no pass has ended yet" : "\(incidents.count) open incident\(incidents.count == 1 ? "" : "s")",
                .yellow)
        var text = "\(terminal.styled(printable("\(scope.instance) on \(scope.cluster)"), .bold)): \(health)\n"
        let subject = remembered["enforcedSubject"]?.string.map { " \"\(printable($0))\"" } ?? ""
        text += "  enforced   \(enforced.map { String($0.prefix(12)) } ?? "nothing yet")\(subject)\n"
        if let restored = remembered["restoredRevision"]?.string {
            text +=
                "             restored the declared state of \(printable(String(restored.prefix(12)))) (equal state digests)\n"
        }
        if let refused = remembered["refusedRevision"]?.string {
            text += "  refused    \(refused.prefix(12)), the newest revision\n"
        }
        text += renderHold()
        text += "  declared   \(remembered["declared"]?.integer ?? 0) objects, \(ownedCount) owned\n"
        text += "  drift      \(corrections) corrected in the last 24 hours\n"
        text += "  held       \(remembered["held"]?.integer ?? 0), failing \(remembered["failing"]?.integer ?? 0)\n"
        if let summary = remembered["lastPass"]?["summary"]?.string {
            text += "  last pass  \(printable(summary))\(age(remembered["lastPass"]?["endedAt"]?.string))\n"
        }
        // The controller says nothing here while it does not run: the age of its last fetch tells.
        if let fetch = remembered["lastFetch"]?.string { text += "  last fetch \(fetch)\(age(fetch))\n" }
        var shown: [String: Int] = [:]
        for incident in incidents {
            shown[incident.reason, default: 0] += 1
            // One cause may have many of them, such as an outage one for each kind.
            guard shown[incident.reason, default: 0] <= Self.shownPerReason else { continue }
            let object = incident.object.map { "\(printable($0.description)): " } ?? ""
            text +=
                terminal.styled("  ! \(incident.reason)", .yellow) + " since \(incident.since) [\(incident.sequence)]\n"
            text += "      \(object)\(printable(incident.message))\n      see: bylaw runbook show \(incident.reason)\n"
        }
        for (reason, count) in shown.sorted(by: { $0.key < $1.key }) where count > Self.shownPerReason {
            text += "  and \(count - Self.shownPerReason) more of \(reason): bylaw journal list --reason \(reason)\n"
        }
        return text
    }

    /// The emergency hold, and what waits behind it.
    private func renderHold() -> String {
        var text = ""
        if let hold = remembered["emergencyHold"], let until = hold["until"]?.string {
            let by = hold["setBy"]?.string ?? ""
            let isOver = Timestamp(until).map { $0 <= systemNow() } ?? false
            text +=
                "  hold       of \(printable(String((hold["revision"]?.string ?? "").prefix(12)))) until \(printable(until))"
                + (isOver ? ", which the controller has not looked at since" : "") + "\n"
                + "             \(printable(hold["because"]?.string ?? ""))"
                + (by.isEmpty ? "" : " (\(printable(by)), by its own word)") + "\n"
            if let refusal = hold["refusal"]?.string {
                text += "             it is not enforced: \(printable(refusal))\n"
            }
            if let waiting = hold["waitingRevision"]?.string {
                text +=
                    "             waiting behind it: \(printable(String(waiting.prefix(12)))) "
                    + "\"\(printable(hold["waitingSubject"]?.string ?? ""))\"\n"
            }
        }
        if let unread = remembered["holdsUnread"]?.string {
            text += "  holds      cannot be read: \(printable(unread))\n"
        }
        return text
    }

    private static let shownPerReason = 5
}

/// How long ago a moment was, for people; empty where it cannot be told.
private func age(_ text: String?) -> String {
    guard let moment = text.flatMap(Timestamp.init) else { return "" }
    let seconds = max(0, (systemNow().microsecondsSinceEpoch - moment.microsecondsSinceEpoch) / 1_000_000)
    let words =
        switch seconds {
        case ..<120: "\(seconds) s"
        case ..<7200: "\(seconds / 60) min"
        case ..<172_800: "\(seconds / 3600) h"
        default: "\(seconds / 86_400) d"
        }
    return ", \(words) ago"
}
