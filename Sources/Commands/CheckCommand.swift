import Arguments
import Manifest
import Policy
import PolicyFiles

let checkCommand = Command(
    description: CommandDescription(
        name: "check", summary: "is this repository valid? offline",
        details: "Reads every manifest below PATH and judges it as the API server would, and by the rules of a policy "
            + "repository. Nothing is sent anywhere. What passes here is not refused by the server for its form.",
        positionals: [PositionalDescription(name: "PATH", isRequired: false)],
        flags: [
            Flags.output, FlagDescription("strict", .isSet, "warnings count as findings too"),
        ],
        examples: [
            "bylaw check", "bylaw check policies/production --strict", "bylaw check -o json | jq '.findings[]'",
        ],
        exitStatuses: [(0, "valid"), (1, "findings"), (2, "it could not be read")])
) { invocation in
    let path = invocation.arguments.positionals.first ?? "."
    let load: DirectoryLoad
    do throws(DirectoryError) {
        load = try loadDirectory(at: path)
    } catch {
        throw CommandFailure(message: "\(path): \(error.message)", hint: error.hint)
    }
    let errors = load.findings.count { $0.severity == .error }
    let warnings = load.findings.count - errors
    let terminal = invocation.terminal
    if invocation.arguments.text("output") == "json" {
        terminal.write(
            renderAnswer(
                kind: "CheckReport",
                [
                    ("path", .string(path)), ("files", .integer(Int64(load.verdicts.count))),
                    ("objects", .integer(Int64(load.state.objects.count))), ("errors", .integer(Int64(errors))),
                    ("warnings", .integer(Int64(warnings))), ("findings", findingTrees(load.findings)),
                ]))
    } else {
        terminal.write(renderFindings(load.findings, on: terminal))
        let verdict = errors == 0 ? terminal.styled("valid", .green) : terminal.styled("not valid", .red)
        terminal.write(
            "\(printable(path)): \(verdict): \(load.state.objects.count) objects in \(load.verdicts.count) files, "
                + "\(errors) errors, \(warnings) warnings\n")
    }
    let counted = errors + (invocation.arguments.isSet("strict") ? warnings : 0)
    return counted == 0 ? ExitStatus.success : ExitStatus.findings
}
