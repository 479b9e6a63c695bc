import Arguments
import Manifest
import Policy
import PolicyFiles

let checkCommand = Command(
    description: CommandDescription(
        name: "check", summary: "is this repository valid? offline",
        details: "Reads every manifest below PATH and judges it as the API server would, and by the rules of a policy "
            + "repository. Nothing is sent anywhere. What passes here is not refused by the server for its form. A repository "
            + "for many clusters is checked for each of them.",
        positionals: [PositionalDescription(name: "PATH", isRequired: false)],
        flags: [
            Flags.clusterOfMany, Flags.output,
            FlagDescription("strict", .isSet, "warnings count as findings too"),
        ],
        examples: [
            "bylaw check", "bylaw check policies/production --strict", "bylaw check -o json | jq '.findings[]'",
        ],
        exitStatuses: [(0, "valid"), (1, "findings"), (2, "it could not be read")])
) { invocation in
    let path = invocation.arguments.positionals.first ?? "."
    let load: DirectoryLoad
    do throws(DirectoryError) {
        load = try loadDirectory(at: path, cluster: invocation.arguments.text("cluster"))
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
                    ("objects", .integer(Int64(load.objectCount))), ("errors", .integer(Int64(errors))),
                    ("warnings", .integer(Int64(warnings))), ("findings", findingTrees(load.findings)),
                    ("clusters", .array(load.clusters.map(clusterTree))),
                ]))
    } else {
        terminal.write(renderFindings(load.findings, on: terminal))
        for cluster in load.clusters {
            terminal.write(
                "\(printable(cluster.name)): \(verdict(cluster.findings, on: terminal)): \(cluster.objectCount) objects, "
                    + "\(counts(cluster.findings))\n")
        }
        let place = load.clusters.count > 1 ? "objects for \(load.clusters.count) clusters" : "objects"
        terminal.write(
            "\(printable(path)): \(verdict(load.findings, on: terminal)): \(load.objectCount) \(place) in "
                + "\(load.verdicts.count) files, \(counts(load.findings))\n")
    }
    let counted = errors + (invocation.arguments.isSet("strict") ? warnings : 0)
    return counted == 0 ? ExitStatus.success : ExitStatus.findings
}

private func verdict(_ findings: [Finding], on terminal: Terminal) -> String {
    findings.contains { $0.severity == .error }
        ? terminal.styled("not valid", .red) : terminal.styled("valid", .green)
}

private func counts(_ findings: [Finding]) -> String {
    let errors = findings.count { $0.severity == .error }
    return "\(errors) errors, \(findings.count - errors) warnings"
}

/// One of the `clusters` of a JSON answer.
private func clusterTree(_ cluster: ClusterOutcome) -> Tree {
    let errors = cluster.findings.count { $0.severity == .error }
    return [
        "name": .string(cluster.name), "objects": .integer(Int64(cluster.objectCount)),
        "errors": .integer(Int64(errors)), "warnings": .integer(Int64(cluster.findings.count - errors)),
    ]
}
