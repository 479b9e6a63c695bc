package import Analysis
import JSON
package import Manifest
import Policy

/// A report for programs: one `ChangeReport` of `bylaw.dev/v1`, with every field of every finding.
///
/// What does not apply is left out: a guardrail, a namespace, a group, the file of what comes from a cluster.
package func renderChangeJSON(_ report: ChangeReport) -> String { changeTree(report).indentedJSON() + "\n" }

/// The same as a part of another answer.
package func changeTree(_ report: ChangeReport) -> Tree {
    let counts = Severity.allCases.map { ($0.rawValue, Tree.integer(Int64(report.count($0)))) }
    return [
        "apiVersion": "bylaw.dev/v1", "kind": "ChangeReport", "base": .string(report.base),
        "head": .string(report.head), "changedObjects": .integer(Int64(report.changedObjects)),
        "counts": .object(Members(counts)), "notes": stringTrees(report.notes),
        "findings": .array(report.findings.map(findingTree)),
    ]
}

private func findingTree(_ finding: ChangeFinding) -> Tree {
    var tree: Tree = [
        "reason": .string(finding.reason.rawValue), "severity": .string(finding.severity.rawValue),
        "area": .string(finding.area.rawValue), "direction": .string(finding.direction.rawValue),
        "subject": subjectTree(finding.subject), "scope": .string(finding.scope),
        "message": .string(finding.message), "before": stringTrees(finding.before),
        "after": stringTrees(finding.after), "causes": .array(finding.causes.map(causeTree)),
        "runbook": .string(finding.runbook),
    ]
    if let guardrail = finding.guardrail { tree.set(["guardrail"], to: .string(guardrail.rawValue)) }
    return tree
}

func subjectTree(_ subject: FindingSubject) -> Tree {
    var tree: Tree = ["kind": .string(subject.kind), "name": .string(subject.name)]
    if !subject.namespace.isEmpty { tree.set(["namespace"], to: .string(subject.namespace)) }
    return tree
}

private func causeTree(_ cause: FindingCause) -> Tree {
    var tree: Tree = [
        "kind": .string(cause.object.kind), "name": .string(cause.object.name), "edit": .string(cause.edit.rawValue),
    ]
    if !cause.object.group.isEmpty { tree.set(["group"], to: .string(cause.object.group)) }
    if !cause.object.namespace.isEmpty { tree.set(["namespace"], to: .string(cause.object.namespace)) }
    if let origin = cause.origin {
        tree.set(["file"], to: .string(origin.file))
        tree.set(["line"], to: .integer(Int64(origin.line)))
    }
    if let commit = cause.commit { tree.set(["commit"], to: .string(commit)) }
    return tree
}

func stringTrees(_ texts: [String]) -> Tree { .array(texts.map { .string($0) }) }
