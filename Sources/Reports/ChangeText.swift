package import Analysis
import Manifest
import Policy

/// A report for people at a terminal: how much there is of what, then the findings, the gravest first.
///
/// Where many findings have one cause, the first is told at length and the others by what changes. Nothing that comes
/// from a file can move the cursor, change colours or begin a line.
///
/// - Parameter colour: Whether to use ANSI colours.
package func renderChangeText(_ report: ChangeReport, colour: Bool) -> String {
    let paint = Paint(isOn: colour)
    let sides = "between \(printable(report.base)) and \(printable(report.head))"
    let objects = "\(counted(report.changedObjects, "object")) changed"
    var text = ""
    if report.findings.isEmpty {
        text += "\(ChangeReport.nothingChanged) (\(objects) \(sides))\n"
    } else {
        let counts = Severity.gravestFirst.filter { report.count($0) > 0 }.map {
            paint("\(report.count($0)) \($0.rawValue)", $0.style)
        }
        text += "\(counts.joined(separator: ", ")) \(sides); \(objects)\n"
        let approvals = report.neededApprovals.map(\.rawValue).joined(separator: ", ")
        if !approvals.isEmpty { text += "needs approval: \(paint(approvals, .bold))\n" }
    }
    for group in grouped(report.findings) { text += "\n" + groupText(group, paint) }
    if !report.notes.isEmpty { text += "\n" }
    for note in report.notes { text += "note: \(printable(note))\n" }
    return text
}

/// One finding at length, without colours: for forms that hold plain text.
func plainText(_ finding: ChangeFinding) -> String {
    groupText(FindingGroup(lead: finding, others: []), Paint(isOn: false))
}

private func groupText(_ group: FindingGroup, _ paint: Paint) -> String {
    let finding = group.lead
    var word = finding.severity.rawValue.uppercased()
    word += String(repeating: " ", count: max(0, 8 - word.utf8.count))
    var text = "\(paint(word, finding.severity.style))  \(finding.reason.rawValue)  "
    text += paint(printable(finding.subject.description), .bold)
    if let remark = finding.direction.remark { text += "  (\(remark))" }
    text += "\n" + indented(printable(finding.message)) + row("scope", printable(finding.scope))
    for line in finding.before { text += indented(paint("- " + printable(line), .red)) }
    for line in finding.after { text += indented(paint("+ " + printable(line), .green)) }
    for other in group.others { text += row("also", printable(other.message)) }
    for cause in finding.causes.prefix(10) { text += row("cause", causeText(cause)) }
    if finding.causes.count > 10 { text += row("", "and \(finding.causes.count - 10) more") }
    if let guardrail = finding.guardrail { text += row("approval", guardrail.rawValue) }
    return text + row("runbook", finding.runbook)
}

/// `access/roles.yaml:12 (changed in 1a2b3c4), ClusterRole reader`.
func causeText(_ cause: FindingCause) -> String {
    let object = printable(cause.object.description)
    guard let origin = cause.origin else { return "\(object) (\(cause.editText))" }
    return "\(printable(origin.description)) (\(cause.editText)), \(object)"
}

private func indented(_ line: String) -> String { "    \(line)\n" }

private func row(_ title: String, _ value: String) -> String {
    indented(title + String(repeating: " ", count: max(1, 10 - title.utf8.count)) + value)
}

/// Puts text in a colour, or leaves it alone.
private struct Paint {
    enum Style: String {
        case bold = "1"
        case boldRed = "1;31"
        case red = "31"
        case yellow = "33"
        case green = "32"
        case plain = ""
    }

    var isOn: Bool

    func callAsFunction(_ text: String, _ style: Style) -> String {
        isOn && style != .plain ? "\u{1b}[\(style.rawValue)m\(text)\u{1b}[0m" : text
    }
}

extension Severity {
    fileprivate var style: Paint.Style {
        switch self {
        case .critical: .boldRed
        case .high: .red
        case .medium: .yellow
        case .low: .plain
        case .info: .green
        }
    }
}
