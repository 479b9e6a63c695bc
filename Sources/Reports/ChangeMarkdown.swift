package import Analysis
import Policy

/// A report as a comment on a pull request.
///
/// A headline with the verdict, how much there is of what, the critical and high findings, then folded the others and
/// what held before and afterwards, and last what was not looked at. Whatever comes from a file can neither ping people
/// nor be markup.
///
/// - Parameters:
///   - runbookBaseURL: Where this project is published, so that reasons link to their runbooks; nil for no links.
///   - maximumCharacters: The bound on the whole comment, in UTF-16 units, which are at least as many as characters
///     however a host counts. What does not fit is left out by whole lines and blocks, details first, then the least
///     grave, and what is left out is counted.
package func renderChangeMarkdown(
    _ report: ChangeReport, runbookBaseURL: String? = nil, maximumCharacters: Int = 60_000
) -> String {
    var page = MarkdownPage(report, runbookBaseURL: runbookBaseURL)
    guard page.fixedLength > maximumCharacters else {
        page.fill(maximumCharacters - page.fixedLength)
        return page.text
    }
    let candidates = [
        "\(page.headline)\n`\(report.wholeReportCommand)` shows the report, which has no room here.\n",
        "\(page.verdict): \(report.countsText()). Run bylaw diff to see it.\n", page.verdict,
    ]
    let fitting = candidates.first { $0.utf16.count <= maximumCharacters }
    // The verdict is plain ASCII, without markup that a cut could leave open.
    return fitting ?? String(page.verdict.prefix(max(0, maximumCharacters)))
}

/// The parts of a comment in their order, filled in the order of their worth.
private struct MarkdownPage {
    let report: ChangeReport
    /// `Bylaw: 2 critical, 1 high`: a line without markup.
    let verdict: String
    let headline: String
    private var grave: MarkdownSection
    private var moderate: MarkdownSection
    private var tightening: MarkdownSection
    private var details: MarkdownSection
    private var notes: MarkdownSection

    init(_ report: ChangeReport, runbookBaseURL: String?) {
        self.report = report
        verdict = verdictText(report)
        headline = headlineText(report, verdict)
        let items = MarkdownItems(report: report, runbookBaseURL: runbookBaseURL)
        func groups(_ severities: [Severity]) -> [FindingGroup] {
            grouped(report.findings.filter { severities.contains($0.severity) })
        }
        func blocks(_ severities: [Severity], _ text: @escaping (FindingGroup) -> String) -> [MarkdownSection.Block] {
            groups(severities).map { group in MarkdownSection.Block(count: group.count) { text(group) } }
        }
        let command = report.wholeReportCommand
        func leftOut(_ noun: String) -> (Int, Bool) -> String {
            { count, isAll in "- \(isAll ? "" : "and ")\(count)\(isAll ? "" : " more") \(noun): see `\(command)`\n" }
        }
        grave = MarkdownSection(
            blocks([.critical, .high], items.long), opening: "\n#### \(graveTitle(report))\n\n",
            omission: leftOut("of these findings"))
        moderate = MarkdownSection(
            blocks([.medium, .low], items.short),
            opening: fold(report.countsText(of: [.medium, .low], conjunction: " and ")) + "\n", closing: foldEnd,
            omission: leftOut("of these findings"))
        tightening = MarkdownSection(
            blocks([.info], items.short), opening: fold(informationTitle(report)) + "\n", closing: foldEnd,
            omission: leftOut("of these findings"))
        let detailed = report.findings.filter { !$0.before.isEmpty || !$0.after.isEmpty }
        details = MarkdownSection(
            detailed.map { finding in MarkdownSection.Block(count: 1) { "\n" + items.details(finding) } },
            opening: fold("Before and after"), closing: foldEnd
        ) { count, isAll in
            "\nLeft out for want of room: \(isAll ? "all" : "the other") \(count), see `\(command)`.\n"
        }
        notes = MarkdownSection(
            report.notes.map { note in MarkdownSection.Block(count: 1) { "- \(markdownProse(note))\n" } },
            opening: "\n#### What to know about this report\n\n", omission: leftOut("notes"))
    }

    /// What the comment has whatever is left out of it.
    var fixedLength: Int {
        let sections = [grave, moderate, tightening, details, notes]
        return (headline + tableText(report) + footer).utf16.count + sections.reduce(0) { $0 + $1.fixedLength }
    }

    /// What is worth less gets no room that something worth more would have needed.
    mutating func fill(_ room: Int) {
        var room = room
        grave.fill(&room)
        notes.fill(&room, share: 4)
        guard grave.isWhole else { return }
        moderate.fill(&room)
        guard moderate.isWhole else { return }
        tightening.fill(&room)
        guard tightening.isWhole else { return }
        details.fill(&room)
    }

    var text: String {
        let sections = [grave, moderate, tightening, details, notes].map(\.text).joined()
        return headline + tableText(report) + sections + footer
    }

    private var footer: String {
        report.findings.isEmpty ? "" : "\n`bylaw runbook show REASON` says how to check a finding and how to undo it.\n"
    }
}

// MARK: Words

private func verdictText(_ report: ChangeReport) -> String {
    guard !report.findings.isEmpty else { return "Bylaw: no change in meaning" }
    if !report.neededApprovals.isEmpty { return "Bylaw: this change needs approval" }
    if report.findings.contains(where: { $0.severity >= .high }) { return "Bylaw: this change needs a close look" }
    if report.findings.allSatisfy({ $0.direction == .tightens }) { return "Bylaw: this change only tightens" }
    return "Bylaw: nothing critical or high in this change"
}

private func headlineText(_ report: ChangeReport, _ verdict: String) -> String {
    guard !report.findings.isEmpty else { return ChangeReport.nothingChanged + "\n" }
    let sides =
        "between \(markdownCode(report.base, maximumBytes: 120)) and "
        + markdownCode(report.head, maximumBytes: 120)
    var text = "### \(verdict)\n\n**\(report.countsText())** \(sides); "
    text += "\(counted(report.changedObjects, "object")) changed."
    let approvals = report.neededApprovals.map { "`\($0.rawValue)`" }.joined(separator: ", ")
    if !approvals.isEmpty { text += " Approval needed for: \(approvals)." }
    return text + "\n"
}

/// How many findings of each severity there are in each area; only rows and columns that have any.
private func tableText(_ report: ChangeReport) -> String {
    guard !report.findings.isEmpty else { return "" }
    let areas = FindingArea.allCases.filter { area in report.findings.contains { $0.area == area } }
    var text = "\n| |" + areas.map { " \($0.title) |" }.joined() + "\n|:--|"
    text += String(repeating: "--:|", count: areas.count) + "\n"
    for severity in Severity.gravestFirst where report.count(severity) > 0 {
        let counts = areas.map { area in report.findings.count { $0.area == area && $0.severity == severity } }
        text += "| \(severity.title) |" + counts.map { $0 > 0 ? " \($0) |" : " |" }.joined() + "\n"
    }
    return text
}

private func graveTitle(_ report: ChangeReport) -> String {
    let isBoth = report.count(.critical) > 0 && report.count(.high) > 0
    return isBoth ? "Critical and high" : report.count(.critical) > 0 ? "Critical" : "High"
}

private func informationTitle(_ report: ChangeReport) -> String {
    let findings = report.findings.filter { $0.severity == .info }
    let isTightening = findings.allSatisfy { $0.direction == .tightens }
    return isTightening ? "\(counted(findings.count, "change")) that tighten" : "\(findings.count) for information"
}

private func fold(_ title: String) -> String { "\n<details>\n<summary>\(title)</summary>\n" }
private let foldEnd = "\n</details>\n"
