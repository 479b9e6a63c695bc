import Arguments
import Manifest

/// The version of this program; entries of the journal name it as the revision of their runbook.
let bylawVersion = "0.1.0"

let versionCommand = Command(
    description: CommandDescription(
        name: "version", summary: "the version of this program", flags: [Flags.output],
        exitStatuses: [(0, "always")])
) { invocation in
    if invocation.arguments.text("output") == "json" {
        invocation.terminal.write(renderAnswer(kind: "Version", [("version", .string(bylawVersion))]))
    } else {
        invocation.terminal.write("bylaw \(bylawVersion)\n")
    }
    return ExitStatus.success
}
