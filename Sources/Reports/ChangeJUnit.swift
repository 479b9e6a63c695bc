package import Analysis
import Manifest
import Policy

/// A report as JUnit XML, as Jenkins and GitLab read it: a suite for each area, a case for each finding.
///
/// Names of cases are unique, since GitLab leaves out the second of two.
///
/// - Parameter failOn: Findings at least as grave fail their case; the others pass it and are told in its output.
package func renderChangeJUnit(_ report: ChangeReport, failOn: Severity) -> String {
    var names = CaseNames()
    var suites = FindingArea.allCases.map { area in
        let findings = report.findings.filter { $0.area == area }
        return Suite(
            name: "bylaw.\(area.rawValue)", cases: findings.map { caseText($0, names.name(of: $0), failOn: failOn) },
            failures: findings.count { $0.severity >= failOn })
    }
    suites.removeAll { $0.cases.isEmpty }
    if suites.isEmpty {
        let name = attribute("name", ChangeReport.nothingChanged)
        let passed = "    <testcase\(attribute("classname", "bylaw"))\(name) time=\"0\"/>\n"
        suites = [Suite(name: "bylaw", cases: [passed], failures: 0)]
    }
    let cases = suites.reduce(0) { $0 + $1.cases.count }
    let failures = suites.reduce(0) { $0 + $1.failures }
    var xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    xml += "<testsuites name=\"bylaw\" tests=\"\(cases)\" failures=\"\(failures)\" errors=\"0\" time=\"0\">\n"
    for suite in suites { xml += suiteText(suite, of: report) }
    return xml + "</testsuites>\n"
}

private struct Suite {
    var name: String
    var cases: [String]
    var failures: Int
}

/// Gives each finding a name that no other has.
private struct CaseNames {
    private var uses: [String: Int] = [:]

    /// The number stands behind the reason, which is one word, so that no name of a subject can imitate it.
    mutating func name(of finding: ChangeFinding) -> String {
        let rest = printable("for \(finding.subject.description) in \(finding.scope)")
        let use = uses["\(finding.reason.rawValue) \(rest)", default: 0] + 1
        uses["\(finding.reason.rawValue) \(rest)"] = use
        return use == 1 ? "\(finding.reason.rawValue) \(rest)" : "\(finding.reason.rawValue) \(use) \(rest)"
    }
}

private func suiteText(_ suite: Suite, of report: ChangeReport) -> String {
    var xml = "  <testsuite\(attribute("name", suite.name)) tests=\"\(suite.cases.count)\""
    xml += " failures=\"\(suite.failures)\" errors=\"0\" skipped=\"0\" time=\"0\">\n    <properties>\n"
    for (name, value) in [("base", report.base), ("head", report.head)] + report.notes.map({ ("note", $0) }) {
        xml += "      <property\(attribute("name", name))\(attribute("value", value))/>\n"
    }
    return xml + "    </properties>\n" + suite.cases.joined() + "  </testsuite>\n"
}

private func caseText(_ finding: ChangeFinding, _ name: String, failOn: Severity) -> String {
    var xml = "    <testcase" + attribute("classname", "bylaw.\(finding.area.rawValue).\(finding.reason.rawValue)")
    xml += attribute("name", name)
    if let origin = primaryCause(of: finding)?.origin {
        xml += attribute("file", origin.file) + attribute("line", String(max(1, origin.line)))
    }
    xml += " time=\"0\">\n"
    let content = xmlText(plainText(finding), keepsLines: true)
    if finding.severity >= failOn {
        xml += "      <failure\(attribute("message", finding.message))\(attribute("type", finding.severity.rawValue))>"
        xml += content + "</failure>\n"
    } else {
        xml += "      <system-out>\(content)</system-out>\n"
    }
    return xml + "    </testcase>\n"
}

private func attribute(_ name: String, _ value: String) -> String {
    " \(name)=\"\(xmlText(value, keepsLines: false))\""
}

/// Text as XML content or the value of an attribute.
///
/// - Parameter keepsLines: Whether the text is ours, made of printable lines whose ends must stay.
private func xmlText(_ text: String, keepsLines: Bool) -> String {
    var result = ""
    for scalar in (keepsLines ? text : printable(text)).unicodeScalars {
        switch scalar {
        case "&": result += "&amp;"
        case "<": result += "&lt;"
        case ">": result += "&gt;"
        case "\"": result += "&quot;"
        case "'": result += "&apos;"
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result
}
