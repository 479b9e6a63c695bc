import Arguments
import JSON
import Journal
import Manifest

let journalMergeCommand = Command(
    description: CommandDescription(
        name: "journal merge", summary: "one history out of the journals of several replicas",
        details:
            "Verifies each JOURNAL first, and writes their entries to FILE in the order of time, which never contradicts the order "
            + "within one journal. The commands that read a journal read FILE; verify and prove hold each entry against "
            + "the signed checkpoints of the journal that it came from. Entries that no checkpoint covers yet are left "
            + "out. The same journals give the same history; an earlier one in FILE is replaced where the new one holds "
            + "all of it. Works beside the controllers that write the journals, and on copies of them.",
        positionals: [PositionalDescription(name: "JOURNAL", isRequired: true, isRepeatable: true)],
        flags: [
            FlagDescription("into", .text, valueName: "FILE", "where the history is written"),
            FlagDescription("unsigned", .isSet, "take entries as well that no checkpoint covers yet"),
            FlagDescription(
                "different-instances", .isSet,
                "merge journals of several instances or clusters, such as those of shards"),
        ] + journalEvidenceFlags + [Flags.output, Flags.config],
        examples: [
            "bylaw journal merge --into history.sqlite bylaw-0.sqlite bylaw-1.sqlite",
            "bylaw journal verify history.sqlite --key bylaw-0.pub --key bylaw-1.pub",
            "bylaw journal list --journal history.sqlite --since 24h",
        ],
        exitStatuses: [(0, "it was written"), (2, "a journal is not what was signed, they do not fit, or an error")])
) { invocation in
    let arguments = invocation.arguments
    guard let path = arguments.text("into") else {
        throw CommandFailure(
            message: "where the history is to be written is missing", hint: "Name it with --into FILE.")
    }
    let report = try await JournalMerge.merge(
        MergeRequest(
            journals: arguments.positionals, verification: try verificationRequest(arguments),
            takesUnsigned: arguments.isSet("unsigned"),
            takesDifferentInstances: arguments.isSet("different-instances")), into: path)
    invocation.terminal.write(
        arguments.text("output") == "json"
            ? mergeTree(report).indentedJSON() + "\n" : renderMerge(report, path: path))
    return ExitStatus.success
}

private func mergeTree(_ report: MergeReport) -> Tree {
    [
        "apiVersion": "bylaw.dev/v1", "kind": "JournalMerge", "entries": .integer(report.entryCount),
        "logs": .array(
            report.logs.map { log in
                [
                    "journal": .string(log.path), "origin": .string(log.origin), "size": .integer(log.size),
                    "unsigned": .integer(log.unsignedCount), "removedThrough": .integer(log.removedThrough),
                ]
            }), "copies": .array(report.copies.map { .string($0) }),
    ]
}

private func renderMerge(_ report: MergeReport, path: String) -> String {
    var lines = ["\(printable(path)): \(report.entryCount) entries of \(report.logs.count) journals"]
    for log in report.logs {
        lines.append("    \(printable(log.path)), up to entry \(log.size): \(printable(log.origin))")
        if log.removedThrough > 0 {
            lines.append("        what retention had removed up to entry \(log.removedThrough) is not in it")
        }
        if log.unsignedCount > 0 {
            lines.append(
                "        its last \(log.unsignedCount) entries are covered by no checkpoint yet, and were left out")
        }
    }
    for copy in report.copies { lines.append("    \(printable(copy)) is an older copy of one of them") }
    return lines.map { $0 + "\n" }.joined()
}
