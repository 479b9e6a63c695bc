import Analysis
import Arguments
import Guardrails
import Manifest
import Policy

let guardrailsCommand = Command(
    description: CommandDescription(
        name: "guardrails", summary: "what has to be approved, and how",
        details:
            "Lists the kinds of risk with the guardrail that a trailer names to approve them, from which severity on "
            + "they are held and reported, and their runbooks. bylaw.yaml may set another decision for each.",
        flags: [Flags.output], examples: ["bylaw guardrails"], exitStatuses: [(0, "always")])
) { invocation in
    if invocation.arguments.text("output") == "json" {
        let rows: [Tree] = riskTable.map { row in
            [
                "risk": .string(row.reason.rawValue), "guardrail": .string(row.guardrail.rawValue),
                "heldFrom": row.heldFrom.map { .string($0.rawValue) } ?? .null,
                "reportedFrom": row.reportedFrom.map { .string($0.rawValue) } ?? .null,
                "summary": .string(row.reason.summary), "runbook": .string(row.runbook),
            ]
        }
        invocation.terminal.write(
            renderAnswer(
                kind: "Guardrails",
                [
                    ("risks", .array(rows)),
                    ("guardrails", .array(Guardrail.allCases.map { .string($0.rawValue) })),
                ]))
        return ExitStatus.success
    }
    let width = riskTable.map(\.reason.rawValue.count).max() ?? 0
    let guardrailWidth = riskTable.map(\.guardrail.rawValue.count).max() ?? 0
    var text = ""
    for row in riskTable {
        func words(_ severity: Severity?, _ verb: String) -> String {
            severity.map { "\(verb) from \($0.rawValue)" } ?? ""
        }
        let decisions = [words(row.heldFrom, "held"), words(row.reportedFrom, "reported")].filter { !$0.isEmpty }
        text +=
            row.reason.rawValue.padded(to: width) + "  " + row.guardrail.rawValue.padded(to: guardrailWidth) + "  "
            + decisions.joined(separator: ", ").padded(to: 38) + "  " + row.reason.summary + "\n"
    }
    let others = Guardrail.allCases.filter { !Guardrail.ofRisks.contains($0) }.map(\.rawValue)
    text += "\nAlways held: \(others.joined(separator: ", "))\n"
    text += "To approve: \(Approval.trailerKey): GUARDRAIL [OBJECT] by NAME, in a commit or a merge\n"
    invocation.terminal.write(text)
    return ExitStatus.success
}

extension String {
    fileprivate func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
