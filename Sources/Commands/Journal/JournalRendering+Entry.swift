import JSON
package import Journal
import Manifest
package import Reconciler

/// What `bylaw journal show` prints: every fact of an entry, then what it changed, path by path.
///
/// - Parameters:
///   - later: The entries that refer to it: those that undo it, and those that say more about it.
///   - place: Where it was written, in a merged history.
/// - Throws: ``JournalError`` where the kept content cannot be read.
package func renderEntry(
    _ entry: JournalEntry, later: [JournalEntry] = [], place: MergedPlace? = nil, isColoured: Bool = false
) throws(JournalError) -> String {
    let content = try entry.content()
    var facts = FactList()
    facts.add("Entry", "\(entry.sequence)")
    facts.add("Log", place.map { "\($0.origin), entry \($0.number) there" })
    facts.add("Writer", place?.writer)
    facts.add("Time", entry.time.description)
    facts.add("Instance", "\(entry.instance) on \(entry.cluster)")
    facts.add("What", entry.action.map { "\($0.rawValue) (\(entry.kind.rawValue))" } ?? entry.kind.rawValue)
    facts.add("Object", entry.object.map { "\($0) (\(apiVersion(of: $0, entry.objectVersion)))" })
    facts.add("UID", entry.uid)
    facts.add("Resource version", entry.resourceVersion)
    facts.add("Reason", entry.reason + (entry.isIncident ? " (incident)" : ""))
    facts.add("Outcome", entry.outcome.rawValue)
    facts.add("Duration", entry.duration.map(milliseconds))
    facts.add("Message", entry.message)
    facts.add("Revision", entry.revision?.commit)
    facts.add("Author", entry.revision?.author)
    facts.add("Committer", entry.revision?.committer)
    facts.add("Subject", entry.revision?.subject)
    facts.add("Pull request", entry.revision?.pullRequest.map { "#\($0)" })
    for trailer in entry.revision?.trailers ?? [] { facts.add("Trailer", "\(trailer.key): \(trailer.value)") }
    facts.add("Approver", entry.approver)
    facts.add("Actor", entry.actor.map(sentence))
    facts.add("Audit id", entry.auditID)
    facts.add("Undoes", entry.undoes.map { "entry \($0)" })
    for other in later where other.undoes != nil { facts.add("Undone by", "entry \(other.sequence)") }
    if let runbook = entry.runbook {
        facts.add("Runbook", "\(runbook.path), of bylaw \(runbook.revision)")
        facts.add("", "bylaw runbook show \(entry.reason)")
    }
    var text = facts.text
    let change = renderDifference(from: content.before, to: content.after, isColoured: isColoured)
    if !change.isEmpty { text += "\n" + change }
    if let patch = content.patch {
        text += "\nSent:\n" + DifferenceLine.lines(patch, at: .root, sign: " ").map { "  \($0.text)\n" }.joined()
    }
    for other in later where other.undoes == nil {
        text += "see also    [\(other.sequence)] \(printable(other.message))\n"
    }
    return text
}

private func apiVersion(of object: ObjectID, _ version: String?) -> String {
    [object.group, version ?? ""].filter { !$0.isEmpty }.joined(separator: "/")
}

private func milliseconds(_ duration: Duration) -> String {
    let (seconds, attoseconds) = duration.components
    let micro = attoseconds / 1_000_000_000_000
    let fraction = String(micro % 1_000)
    let (whole, overflows) = seconds.multipliedReportingOverflow(by: 1_000)
    guard !overflows, seconds >= 0, micro >= 0 else { return "\(seconds) s" }
    return "\(whole + micro / 1_000).\(String(repeating: "0", count: 3 - fraction.count) + fraction) ms"
}

/// Says how sure it is as well: a field manager is a name that any client may choose (rule A17).
private func sentence(_ actor: Actor) -> String {
    let name = actor.displayName
    let how = [actor.operation, actor.time.map { "at \($0)" } ?? ""].filter { !$0.isEmpty }.joined(separator: " ")
    let certainty =
        switch actor.certainty {
        case .proven: "proven by the API server's audit log"
        case .likely: "likely, by the API server's audit log: others may have been it"
        case .claimed: "claimed: a field manager's name, which any client may choose"
        case .unknown: "unknown: the object does not tell"
        }
    return "\(name)\(how.isEmpty ? "" : ", \(how)") (\(certainty))"
}

/// Names and values in two columns.
private struct FactList {
    private var facts: [(name: String, value: String)] = []

    mutating func add(_ name: String, _ value: String?) {
        if let value { facts.append((name, value)) }
    }

    var text: String {
        let width = facts.map(\.name.count).max() ?? 0
        let indent = String(repeating: " ", count: width + 3)
        return facts.map { name, value in
            // By scalar: a line break that is one character with what stands before it breaks a line all the same.
            let lines = value.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map {
                printable(String($0))
            }
            let label = name.isEmpty ? String(repeating: " ", count: width + 1) : name + ":"
            let padding = String(repeating: " ", count: width + 3 - label.count)
            return label + padding + lines.joined(separator: "\n" + indent) + "\n"
        }.joined()
    }
}
