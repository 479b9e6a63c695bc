import Analysis
import Manifest
import Policy

/// How findings stand in the lists of a Markdown report.
struct MarkdownItems {
    let report: ChangeReport
    let runbookBaseURL: String?

    /// A finding that somebody has to understand: what it is, then for whom, why, and what it needs.
    func long(_ group: FindingGroup) -> String {
        let finding = group.lead
        var lines = ["- \(heading(finding)): \(markdownProse(finding.message))"]
        if !finding.namesItsPlace {
            lines.append("  - for \(markdownCode(finding.subject.description)), in \(markdownProse(finding.scope))")
        }
        if !group.others.isEmpty { lines.append("  - " + othersText(group)) }
        for cause in finding.causes.prefix(3) { lines.append("  - because of \(causeText(cause))") }
        if finding.causes.count > 3 {
            lines.append("  - and because of \(counted(finding.causes.count - 3, "more object"))")
        }
        if let guardrail = finding.guardrail { lines.append("  - **needs approval**: `\(guardrail.rawValue)`") }
        return lines.joined(separator: "\n") + "\n"
    }

    /// A finding among many that are less grave, on one line.
    func short(_ group: FindingGroup) -> String {
        let finding = group.lead
        var line = "- \(heading(finding)): \(markdownProse(finding.message))"
        if let cause = primaryCause(of: finding) ?? finding.causes.first { line += ", from \(causeText(cause))" }
        if let guardrail = finding.guardrail { line += "; **needs approval**: `\(guardrail.rawValue)`" }
        if !group.others.isEmpty { line += "\n  - " + othersText(group) }
        return line + "\n"
    }

    /// What held before and what holds afterwards.
    func details(_ finding: ChangeFinding) -> String {
        var text = "`\(finding.reason.rawValue)`, \(markdownCode(finding.subject.description)), in "
        text += "\(markdownProse(finding.scope)):\n\n```diff\n"
        // A sign stands before each line, so that none can be taken for the end of the fence.
        for (sign, lines) in [("-", finding.before), ("+", finding.after)] {
            for line in lines.prefix(25) { text += "\(sign) \(printable(line).bounded(toBytes: 500))\n" }
            if lines.count > 25 { text += "\(sign) and \(lines.count - 25) more lines\n" }
        }
        return text + "```\n"
    }

    private func heading(_ finding: ChangeFinding) -> String {
        var reason = "`\(finding.reason.rawValue)`"
        if let address = finding.reason.runbookAddress(below: runbookBaseURL) {
            reason = "[\(finding.reason.rawValue)](\(address))"
        }
        let remark = finding.direction.remark.map { " (\($0))" } ?? ""
        return "**\(finding.severity.title)** \(reason)\(remark)"
    }

    /// Whom the same edit concerns as well, and how many are not named.
    private func othersText(_ group: FindingGroup) -> String {
        let named = group.others.prefix(5).map { other in
            markdownCode(other.subject.description, maximumBytes: 150)
                + (other.scope == group.lead.scope ? "" : " in \(markdownProse(other.scope, maximumBytes: 150))")
        }
        let rest = group.others.count - named.count
        return "and the same for \(group.others.count) more: \(named.joined(separator: ", "))"
            + (rest > 0 ? " and \(rest) others, which `\(report.wholeReportCommand)` lists" : "")
    }

    private func causeText(_ cause: FindingCause) -> String {
        var edit = cause.edit.rawValue
        if let commit = cause.commit { edit += " in \(markdownCode(shortCommit(commit)))" }
        let object = markdownCode(cause.object.description)
        guard let origin = cause.origin else { return "\(object), \(edit)" }
        return "\(markdownCode(origin.description)) (\(object), \(edit))"
    }
}
