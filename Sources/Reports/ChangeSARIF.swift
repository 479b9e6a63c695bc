package import Analysis
import JSON
import Manifest
import Policy

/// What a SARIF log says beside the report itself.
package struct SARIFOptions {
    /// The version of this program.
    package var toolVersion: String
    /// Where this project is published, so that rules link to `<it>/Runbooks/<Reason>.md`; nil for no links.
    package var runbookBaseURL: String?
    /// The file that a finding is shown at where nothing in a file made it, since GitHub refuses one without a place.
    package var fallbackFile: String
    /// How many results the log may hold; GitHub refuses a log with more than the default, with everything in it.
    package var maximumResults: Int
    /// A collision-proof digest of some text, such as SHA-256 in hexadecimal.
    ///
    /// Two findings with one fingerprint are one alert on GitHub: with a weak digest the author of a change could hide
    /// one behind another that was dismissed. It is a parameter because this module has no cryptography.
    package var digest: (String) -> String

    package init(
        toolVersion: String, runbookBaseURL: String? = nil, fallbackFile: String = "bylaw.yaml",
        maximumResults: Int = 25_000, digest: @escaping (String) -> String
    ) {
        self.toolVersion = toolVersion
        self.runbookBaseURL = runbookBaseURL
        self.fallbackFile = fallbackFile
        self.maximumResults = maximumResults
        self.digest = digest
    }
}

/// A report as SARIF 2.1.0, as code scanning reads it.
///
/// What is beyond the limit on results is left out from the end, which is the least grave, and a notification says so.
package func renderChangeSARIF(_ report: ChangeReport, options: SARIFOptions) -> String {
    let findings = Array(report.findings.prefix(max(0, options.maximumResults)))
    let rules = SARIFRules(findings, runbookBaseURL: options.runbookBaseURL)
    var notes = report.notes
    if findings.count < report.findings.count {
        notes.append(
            "\(counted(report.findings.count - findings.count, "finding")) left out, the least grave; see "
                + report.wholeReportCommand)
    }
    let notifications = notes.map { note -> Tree in ["level": "note", "message": ["text": .string(printable(note))]] }
    let driver: Tree = [
        "name": "bylaw", "version": .string(options.toolVersion), "rules": .array(rules.trees),
    ]
    let run: Tree = [
        "tool": ["driver": driver],
        "originalUriBaseIds": ["%SRCROOT%": ["description": ["text": "The root of the policy repository."]]],
        "invocations": [["executionSuccessful": true, "toolExecutionNotifications": .array(notifications)]],
        "results": .array(resultTrees(findings, rules, options)),
        "properties": [
            "base": .string(report.base), "head": .string(report.head),
            "changedObjects": .integer(Int64(report.changedObjects)),
        ],
    ]
    let log: Tree = [
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0", "runs": [run],
    ]
    return log.indentedJSON() + "\n"
}

private func resultTrees(_ findings: [ChangeFinding], _ rules: SARIFRules, _ options: SARIFOptions) -> [Tree] {
    var uses: [String: Int] = [:]
    return findings.map { finding in
        let key = fingerprintText(finding)
        let use = uses[key, default: 0] + 1
        uses[key] = use
        let fingerprint = Tree.string("\(options.digest(key)):\(use)")
        var tree: Tree = [
            "ruleId": .string(finding.reason.rawValue), "level": .string(finding.severity.sarifLevel),
            "message": ["text": .string(resultText(finding))],
            "locations": [location(of: finding, fallbackFile: options.fallbackFile)],
            // The first is the one that GitHub reads, the second says what it is.
            "partialFingerprints": ["primaryLocationLineHash": fingerprint, "bylawFinding/v1": fingerprint],
            "properties": properties(of: finding),
        ]
        if let index = rules.index(of: finding.reason) { tree.set(["ruleIndex"], to: .integer(Int64(index))) }
        let related = relatedLocations(of: finding)
        if !related.isEmpty { tree.set(["relatedLocations"], to: .array(related)) }
        return tree
    }
}

/// What makes a finding the same one in a later run: neither its line nor its wording nor its severity.
///
/// As JSON, because names may hold any separator.
private func fingerprintText(_ finding: ChangeFinding) -> String {
    stringTrees([
        finding.reason.rawValue, finding.subject.kind, finding.subject.namespace, finding.subject.name, finding.scope,
    ]).jsonText()
}

private func resultText(_ finding: ChangeFinding) -> String {
    var text = "\(finding.message)."
    if !finding.namesItsPlace { text += " For \(finding.subject.description) in \(finding.scope)." }
    if let remark = finding.direction.remark { text += " This \(remark)." }
    if let guardrail = finding.guardrail { text += " Needs the approval \(guardrail.rawValue)." }
    if let cause = primaryCause(of: finding) ?? finding.causes.first { text += " Cause: \(causeText(cause))." }
    if finding.causes.count > 1 { text += " And \(finding.causes.count - 1) more." }
    return withoutLinks(printable(text))
}

/// A message may hold links, `[text](target)`: one that comes from a file must stay text.
private func withoutLinks(_ text: String) -> String {
    var result = String.UnicodeScalarView()
    // By scalars: a combining mark makes another character of the parenthesis, but not for those who read the log.
    for scalar in text.unicodeScalars {
        if scalar == "(", result.last == "]" { result.append(" ") }
        result.append(scalar)
    }
    return String(result)
}

private func properties(of finding: ChangeFinding) -> Tree {
    var tree: Tree = [
        "severity": .string(finding.severity.rawValue), "area": .string(finding.area.rawValue),
        "direction": .string(finding.direction.rawValue), "subject": subjectTree(finding.subject),
        "scope": .string(finding.scope), "before": stringTrees(finding.before), "after": stringTrees(finding.after),
        "runbook": .string(finding.runbook),
    ]
    if let guardrail = finding.guardrail { tree.set(["guardrail"], to: .string(guardrail.rawValue)) }
    return tree
}

extension Severity {
    /// The word of SARIF.
    var sarifLevel: String {
        switch self {
        case .critical, .high: "error"
        case .medium: "warning"
        case .low, .info: "note"
        }
    }
}
