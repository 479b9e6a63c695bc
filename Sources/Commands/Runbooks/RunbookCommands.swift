import Arguments
import Manifest
import RunbookLibrary

let runbookListCommand = Command(
    description: CommandDescription(
        name: "runbook list", summary: "the runbooks, one for each kind of incident and finding", flags: [Flags.output],
        exitStatuses: [(0, "always")])
) { invocation in
    if invocation.arguments.text("output") == "json" {
        invocation.terminal.write(
            renderAnswer(
                kind: "RunbookList",
                [
                    (
                        "runbooks",
                        .array(
                            allRunbooks.map {
                                [
                                    "reason": .string($0.reason), "severity": .string($0.severity),
                                    "path": .string($0.path), "title": .string($0.title),
                                ]
                            })
                    )
                ]))
    } else {
        for runbook in allRunbooks {
            let reason = runbook.reason + String(repeating: " ", count: max(1, 24 - runbook.reason.count))
            let severity = runbook.severity + String(repeating: " ", count: max(1, 10 - runbook.severity.count))
            invocation.terminal.write("\(reason)\(severity)\(runbook.title)\n")
        }
    }
    return ExitStatus.success
}

let runbookShowCommand = Command(
    description: CommandDescription(
        name: "runbook show", summary: "what an incident means and what to do",
        positionals: [PositionalDescription(name: "REASON", isRequired: true)], flags: [Flags.output],
        examples: ["bylaw runbook show DriftCorrected"],
        exitStatuses: [(0, "it was shown"), (2, "there is no such runbook")])
) { invocation in
    let reason = invocation.arguments.positionals.first ?? ""
    guard let runbook = runbook(named: reason) else {
        let nearest = nearestWord(to: reason, among: allRunbooks.map(\.reason))
        throw CommandFailure(
            message: "there is no runbook \"\(reason)\"",
            hint: nearest.map { "Did you mean \($0)?" } ?? "See bylaw runbook list.")
    }
    if invocation.arguments.text("output") == "json" {
        invocation.terminal.write(
            renderAnswer(
                kind: "Runbook",
                [
                    ("reason", .string(runbook.reason)), ("severity", .string(runbook.severity)),
                    ("path", .string(runbook.path)), ("text", .string(runbook.text)),
                ]))
    } else {
        invocation.terminal.write(runbook.text)
    }
    return ExitStatus.success
}
