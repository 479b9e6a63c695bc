/// What to do about one kind of incident, carried inside the program so that it is there when it is needed.
package struct Runbook: Sendable, Equatable {
    /// The reason it is for; also the name of its file.
    package var reason: String
    /// `critical`, `warning` or `info`.
    package var severity: String
    /// One line: what has happened.
    package var title: String
    /// The whole text, without the front matter.
    package var text: String

    package var path: String { "Runbooks/\(reason).md" }
}

/// Every runbook, in the order of their reasons.
package let allRunbooks: [Runbook] = embeddedRunbookTexts.compactMap(parseRunbook)

/// What only an alert and the log tell, since whoever would record it is not there, does not know, or is about to change.
package let alertReasons = ["ConfigurationRefused", "ControllerDown", "SeveralLeaders"]

/// The runbook of a reason.
package func runbook(named reason: String) -> Runbook? { allRunbooks.first { $0.reason == reason } }

/// Reads a runbook's file: front matter between two lines of `---`, then Markdown that begins with a heading.
///
/// - Returns: nil where the file has not this form.
package func parseRunbook(_ file: String) -> Runbook? {
    let parts = file.split(separator: "---\n", maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0].isEmpty else { return nil }
    var facts: [String: String] = [:]
    for line in parts[1].split(separator: "\n") {
        guard let colon = line.firstIndex(of: ":") else { return nil }
        facts[String(line[..<colon])] = line[line.index(after: colon)...].drop { $0 == " " }.description
    }
    let text = String(parts[2].drop { $0 == "\n" })
    guard let reason = facts["reason"], let severity = facts["severity"], facts.count == 2,
        let heading = text.split(separator: "\n").first, heading.hasPrefix("# ")
    else { return nil }
    return Runbook(reason: reason, severity: severity, title: String(heading.dropFirst(2)), text: text)
}
