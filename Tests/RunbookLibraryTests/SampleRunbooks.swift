import Arguments
import RunbookLibrary

/// A runbook that nothing is wrong with, and what it is held against.
enum SampleRunbook {
    static let name = "DoorOpened.md"
    static let text = """
        ---
        reason: DoorOpened
        severity: warning
        ---

        # Somebody opened a door

        ## Meaning

        A door is open. See [the manual](https://example.com/doors) and the runbook DoorClosed.

        ## Impact

        None for [others](DoorClosed.md#undo), as [below](#undo) says.

        ## Diagnosis

        Look with `bylaw journal list --limit N1 --reason DoorOpened`:

        ```sh
        bylaw journal list --reason DoorOpened --limit 5
        bylaw journal show SEQ
        kubectl -n NAMESPACE get pods -o jsonpath='{.items[*]}' | sort > FILE
        ```

        ## Mitigation

        Close it.

        ## Undo

        Nothing to undo.

        """

    static var file: RunbookFile { RunbookFile(name: name, text: text) }

    static let other = RunbookFile(
        name: "DoorClosed.md",
        text: text.split(separator: "\n", omittingEmptySubsequences: false).map {
            $0.hasPrefix("reason:") ? "reason: DoorClosed" : String($0)
        }.joined(separator: "\n"))

    static let knowledge = RunbookKnowledge(
        reasons: ["DoorOpened", "DoorClosed"], journalReasons: ["DoorOpened", "Synced"],
        commands: [
            CommandDescription(name: "status", summary: ""),
            CommandDescription(
                name: "who-can", summary: "",
                positionals: [
                    PositionalDescription(name: "VERB", isRequired: true),
                    PositionalDescription(name: "RESOURCE", isRequired: true),
                ],
                flags: [FlagDescription("file", short: "f", .text, "", isRepeatable: true)]),
            CommandDescription(
                name: "journal list", summary: "",
                flags: [
                    FlagDescription("reason", .text, ""), FlagDescription("namespace", short: "n", .text, ""),
                    FlagDescription("limit", .number(1...100), ""), FlagDescription("age", .duration, ""),
                    FlagDescription("outcome", .choice(["failed", "succeeded"]), ""),
                    FlagDescription("incidents", .isSet, ""),
                ]),
            CommandDescription(
                name: "journal show", summary: "",
                positionals: [PositionalDescription(name: "SEQ", isRequired: true)]),
            CommandDescription(
                name: "runbook show", summary: "",
                positionals: [PositionalDescription(name: "REASON", isRequired: true)]),
        ])

    /// What is found in the sound runbook after one change of its text.
    static func findings(replacing old: String, with new: String) -> [RunbookFinding] {
        findings(in: text.replacing(old, with: new, maxReplacements: 1))
    }

    static func findings(in text: String) -> [RunbookFinding] {
        check([RunbookFile(name: name, text: text), other])
    }

    /// What is found in a line of a block of commands, or of another language.
    static func findings(inBlock lines: String, language: String = "sh") -> [RunbookFinding] {
        findings(replacing: "Close it.", with: "```\(language)\n\(lines)\n```")
    }

    static func check(_ files: [RunbookFile]) -> [RunbookFinding] {
        checkRunbooks(files, against: knowledge) { path in
            switch path {
            case "../README.md": .file(text: "# The house\n\n## Doors & windows\n")
            case "image.png": .file(text: nil)
            case "..": .folder
            default: .missing
            }
        }
    }
}
