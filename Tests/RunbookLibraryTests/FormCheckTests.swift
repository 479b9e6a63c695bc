import RunbookLibrary
import Testing

/// Front matter, headings, and the names of files.
@Suite struct FormCheckTests {
    struct Change: CustomTestStringConvertible {
        var testDescription: String
        var old: String
        var new: String
        var rule: RunbookFinding.Rule
        var line: Int
        /// A part of the message.
        var message: String
    }

    @Test func nothingIsFoundInASoundRunbook() {
        #expect(SampleRunbook.check([SampleRunbook.file, SampleRunbook.other]) == [])
    }

    @Test func theBuiltInRunbooksHaveTheFormOfRunbooks() {
        let knowledge = RunbookKnowledge(reasons: allReasons, journalReasons: allReasons, commands: [])
        let findings = checkRunbooks(builtInRunbookFiles, against: knowledge) { _ in .missing }
        // Without the program's commands every call of it is unknown; the end-to-end tests hold them against the real ones.
        #expect(findings.filter { $0.rule != .command } == [])
        #expect(builtInRunbookFiles.map(\.name) == allReasons.map { "\($0).md" }.sorted())
    }

    @Test(arguments: [
        Change(
            testDescription: "no front matter", old: "---\nreason: DoorOpened\nseverity: warning\n---\n", new: "",
            rule: .frontMatter, line: 1, message: "no front matter"),
        Change(
            testDescription: "front matter that does not end", old: "warning\n---\n", new: "warning\n",
            rule: .frontMatter, line: 1, message: "no front matter"),
        Change(
            testDescription: "no reason", old: "reason: DoorOpened\n", new: "", rule: .frontMatter, line: 1,
            message: "names no reason"),
        Change(
            testDescription: "no severity", old: "severity: warning\n", new: "", rule: .frontMatter, line: 1,
            message: "names no severity"),
        Change(
            testDescription: "an unknown severity", old: "severity: warning", new: "severity: high",
            rule: .frontMatter, line: 3, message: "\"high\" is not known"),
        Change(
            testDescription: "a fact twice", old: "severity: warning", new: "severity: info\nseverity: info",
            rule: .frontMatter, line: 4, message: "given twice"),
        Change(
            testDescription: "an unknown fact", old: "severity: warning", new: "severity: info\nowner: me",
            rule: .frontMatter, line: 4, message: "\"owner\" is not known"),
        Change(
            testDescription: "no fact", old: "severity: warning", new: "severity: info\nnothing", rule: .frontMatter,
            line: 4, message: "\"nothing\" is no fact"),
        Change(
            testDescription: "no title", old: "# Somebody opened a door\n\n", new: "", rule: .heading, line: 6,
            message: "does not begin with a title"),
        Change(
            testDescription: "a missing heading", old: "## Impact\n", new: "", rule: .heading, line: 32,
            message: "the heading Impact is missing"),
        Change(
            testDescription: "a misspelt heading", old: "## Impact\n", new: "## Impacts\n", rule: .heading, line: 12,
            message: "the heading Impact is missing"),
        Change(
            testDescription: "a heading twice", old: "Close it.", new: "Close it.\n\n## Mitigation\n\nBolt it.",
            rule: .heading, line: 30, message: "the heading Mitigation stands there twice"),
        Change(
            testDescription: "an empty section", old: "Close it.\n\n", new: "", rule: .heading, line: 26,
            message: "nothing stands under Mitigation"),
        Change(
            testDescription: "an empty last section", old: "Nothing to undo.\n", new: "", rule: .heading, line: 30,
            message: "nothing stands under Undo"),
        Change(
            testDescription: "headings out of order", old: "## Meaning\n\nA door is open.",
            new: "## Undo\n\nNo.\n\n## Meaning\n\nA door is open.", rule: .heading, line: 12,
            message: "Meaning stands after Undo"),
        Change(
            testDescription: "a block that is not closed", old: "Nothing to undo.", new: "```yaml\nno: end",
            rule: .heading, line: 32, message: "a block of code is not closed"),
        Change(
            testDescription: "a diagnosis without a command", old: "```sh\nbylaw journal list", new: "```yaml\nlist",
            rule: .command, line: 16, message: "Diagnosis shows no command"),
    ])
    func findsWhatIsWrongWithTheForm(_ change: Change) {
        let findings = SampleRunbook.findings(replacing: change.old, with: change.new)
        let found = findings.contains {
            $0.rule == change.rule && $0.line == change.line && $0.message.contains(change.message)
                && $0.file == SampleRunbook.name && !$0.hint.isEmpty
        }
        #expect(found, "\(findings)")
    }

    @Test func aMisspeltHeadingIsNamedInTheHint() {
        let findings = SampleRunbook.findings(replacing: "## Undo", with: "## undo")
        #expect(findings.map(\.hint) == ["Write ## Undo in place of ## undo."])
    }

    @Test(arguments: [
        ("Close it.", "Close it.\n\n### By hand\n\nPush."),
        ("Close it.", "Close it.\n\n## Contacts\n\nThe porter."),
        ("Close it.", "### By hand\n\nPush."), ("Close it.", "```yaml\n## Meaning\n```"),
        ("\n", "\r\n"), ("severity: warning", "severity: critical"), ("severity: warning", "severity: info"),
        ("## Undo", "## Undo ##"),
    ])
    func takesWhatTeamsAdd(_ change: (old: String, new: String)) {
        let text = SampleRunbook.text.replacing(change.old, with: change.new)
        #expect(SampleRunbook.findings(in: text) == [])
    }

    @Test func aReasonWithoutARunbookIsFound() {
        #expect(
            SampleRunbook.check([SampleRunbook.other]).map { [$0.rule.rawValue, $0.file, $0.message] }.contains(
                ["reason", "DoorOpened.md", "the reason DoorOpened has no runbook"]))
    }

    @Test func aFileThatNothingLeadsToIsFound() {
        let stray = RunbookFile(
            name: "DoorPainted.md",
            text: SampleRunbook.text.replacing("reason: DoorOpened", with: "reason: DoorPainted"))
        let findings = SampleRunbook.check([SampleRunbook.file, SampleRunbook.other, stray])
        #expect(findings.map(\.rule) == [.reason])
        #expect(findings.map(\.file) == ["DoorPainted.md"])
        #expect(findings.map(\.line) == [2])
    }

    @Test func aFileOfAnotherNameIsFound() {
        let renamed = RunbookFile(name: "Doors.md", text: SampleRunbook.text)
        let findings = SampleRunbook.check([SampleRunbook.file, SampleRunbook.other, renamed])
        #expect(findings.map(\.hint) == ["Name it DoorOpened.md."])
        #expect(findings.map(\.rule) == [.reason])
    }

    @Test func anIndexIsNoRunbook() {
        let index = RunbookFile(name: "README.md", text: "# Doors\n\nSee [one](DoorOpened.md).\n")
        #expect(SampleRunbook.check([SampleRunbook.file, SampleRunbook.other, index]) == [])
        let dead = RunbookFile(name: "README.md", text: "# Doors\n\nSee [one](DoorShut.md), `bylaw statsu now`.\n")
        let findings = SampleRunbook.check([SampleRunbook.file, SampleRunbook.other, dead])
        #expect(findings.map(\.rule) == [.command, .link])
        #expect(findings.map(\.line) == [3, 3])
    }

    @Test func findingsAreInTheOrderOfFilesAndLines() {
        let text = SampleRunbook.text.replacing("severity: warning", with: "severity: x")
            .replacing("Nothing to undo.", with: "[x](gone.md)")
        let findings = SampleRunbook.findings(in: text)
        #expect(findings.map(\.line) == [3, 32])
    }

    @Test(arguments: [
        "", "\n", "---", "---\n", "---\n---", "---\n---\n", "---\n---\n#", "```", "`", "``", "[", "](", "[a]:", "](<",
        "<",
        "    bylaw ", "## ", "~~~sh", "```sh\n'", "```sh\n<", "```sh\n$(", "```sh\n\\", "```sh\n<<", "```sh\nbylaw -",
        "---\n:\n---\n", "[x](%)", "[x](%f)", "[x](#)", "[x](https://)", "🚪 `bylaw 🚪`",
    ])
    func nothingMakesItStop(_ text: String) {
        #expect(!SampleRunbook.findings(in: text).isEmpty)
    }

    @Test func deepNestingEnds() {
        let deep = String(repeating: "$(", count: 100_000)
        #expect(SampleRunbook.findings(inBlock: "echo " + deep).contains { $0.message.contains("too deeply") })
    }
}
