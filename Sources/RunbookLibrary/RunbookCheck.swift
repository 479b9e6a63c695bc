package import Arguments

/// A file of a folder of runbooks.
package struct RunbookFile: Sendable, Equatable {
    /// Without its folder, such as `DriftCorrected.md`.
    package var name: String
    /// The whole text, front matter included.
    package var text: String

    package init(name: String, text: String) {
        self.name = name
        self.text = text
    }

    /// Whether it is an index of the folder, which only has to have sound commands and links.
    var isIndex: Bool { name == "README.md" }
    var lines: [String] {
        text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map(String.init)
    }
}

/// Something in a runbook that would fail whoever reads it in a hurry.
package struct RunbookFinding: Sendable, Equatable {
    /// What is wrong, in one stable word.
    package enum Rule: String, Sendable, CaseIterable {
        /// The lines between `---` at the top.
        case frontMatter
        /// A title or one of the five headings.
        case heading
        /// A reason without a runbook, or a file that nothing leads to.
        case reason
        /// A call of `bylaw` or `kubectl` that cannot work, or a Diagnosis without a command.
        case command
        /// Text that a shell would refuse.
        case shell
        /// A placeholder that is written in two forms.
        case placeholder
        /// A link, an anchor or the name of a runbook that leads nowhere.
        case link
    }

    package var rule: Rule
    /// The file's name without its folder; also of one that is missing.
    package var file: String
    /// Counted from 1.
    package var line: Int
    package var message: String
    /// The reader's next step, one sentence.
    package var hint: String

    package init(rule: Rule, file: String, line: Int, message: String, hint: String) {
        self.rule = rule
        self.file = file
        self.line = line
        self.message = message
        self.hint = hint
    }
}

/// What runbooks are held against.
package struct RunbookKnowledge: Sendable {
    /// Everything that has a runbook.
    package var reasons: [String]
    /// The reasons that entries of the journal have.
    package var journalReasons: [String]
    /// The program's own commands.
    package var commands: [CommandDescription]

    package init(reasons: [String], journalReasons: [String], commands: [CommandDescription]) {
        self.reasons = reasons
        self.journalReasons = journalReasons
        self.commands = commands
    }
}

/// What a relative link leads to.
package enum LinkTarget: Sendable, Equatable {
    case missing
    /// The text is nil where it is no text, or too much of it.
    case file(text: String?)
    case folder
}

/// The runbooks that the program carries, as the files that they were.
package let builtInRunbookFiles: [RunbookFile] = embeddedRunbookTexts.map { text in
    RunbookFile(name: (parseRunbook(text)?.reason ?? "unreadable") + ".md", text: text)
}

/// Finds what would fail a reader of runbooks: dead commands and links, missing headings, files that nothing leads to.
///
/// Deterministic, sorted by file and line. Nothing is run and nothing is read but what is given.
///
/// - Parameters:
///   - files: All Markdown files of one folder; `README.md` is no runbook.
///   - linked: What a relative path leads to, seen from that folder; runbooks among `files` are not asked for.
package func checkRunbooks(
    _ files: [RunbookFile], against knowledge: RunbookKnowledge, linked: (String) -> LinkTarget
) -> [RunbookFinding] {
    var texts: [String: RunbookText] = [:]
    var findings: [RunbookFinding] = []
    for file in files {
        let form = FormCheck(file, reasons: knowledge.reasons)
        findings += form.findings
        texts[file.name] = form.text
    }
    for file in files {
        guard let text = texts[file.name] else { continue }
        findings += CommandCheck(file.name, text, knowledge).findings
        findings += LinkCheck(file.name, text, among: texts, reasons: knowledge.reasons, linked: linked).findings
    }
    for reason in Set(knowledge.reasons) where texts["\(reason).md"] == nil {
        findings.append(
            RunbookFinding(
                rule: .reason, file: "\(reason).md", line: 1, message: "the reason \(reason) has no runbook",
                hint: "Write \(reason).md; bylaw runbook show \(reason) prints the built-in one, where there is one."))
    }
    return findings.enumerated().sorted {
        ($0.element.file, $0.element.line, $0.offset) < ($1.element.file, $1.element.line, $1.offset)
    }.map(\.element)
}

/// Shell text of a runbook, for a shell that reads it without running it.
package struct ShellBlock: Sendable, Equatable {
    package var file: String
    /// The number of its first line in the file.
    package var line: Int
    /// With placeholders in angle brackets replaced, which a shell would take for redirections.
    package var text: String

    package init(file: String, line: Int, text: String) {
        self.file = file
        self.line = line
        self.text = text
    }
}

/// The blocks of a runbook that are marked as shell text, as far as quotes and brackets in them are closed.
package func shellBlocks(of file: RunbookFile) -> [ShellBlock] {
    RunbookText(file.lines, from: FormCheck.bodyStart(file.lines)).codeBlocks
        .filter { $0.isShell && $0.isClosed }
        .map { ShellBlock(file: file.name, line: $0.line, text: commandText(of: $0)) }
        .filter { ShellText($0.text, line: $0.line).problems.isEmpty }
        .map { block in
            var block = block
            let names = Placeholder.all(in: block.text).filter { $0.hasPrefix("<") }
            let values = Dictionary(names.map { ($0, Placeholder.canonical($0)) }) { first, _ in first }
            block.text = Placeholder.replacing(values, in: block.text)
            return block
        }
}

/// One command of a runbook, with everything that belongs to its line.
package struct RunbookCommand: Sendable, Hashable {
    /// `bylaw`, `kubectl` or another program.
    package var program: String
    /// As it is written, lines that are continued included.
    package var text: String
    package var line: Int
}

/// The commands in the code blocks of a runbook's section, in their order.
package func commands(of file: RunbookFile, under section: String) -> [RunbookCommand] {
    var commands: [RunbookCommand] = []
    for block in RunbookText(file.lines, from: FormCheck.bodyStart(file.lines)).codeBlocks
    where block.section == section && block.mayHaveCommands {
        var pending = ""
        var first = block.line
        for (offset, line) in commandText(of: block).split(separator: "\n", omittingEmptySubsequences: false)
            .enumerated()
        {
            if pending.isEmpty { first = block.line + offset }
            pending += pending.isEmpty ? String(line) : "\n" + line
            if line.hasSuffix("\\") { continue }
            if let call = ShellText(pending, line: first).commands.first, let program = ProgramCall(call)?.program {
                commands.append(RunbookCommand(program: program, text: pending, line: first))
            }
            pending = ""
        }
    }
    return commands
}

/// What of a block is typed: in a transcript the lines after a prompt, else all of it.
func commandText(of block: RunbookText.CodeBlock) -> String {
    guard ["console", "shell-session"].contains(block.language) else { return block.text }
    return block.text.split(separator: "\n", omittingEmptySubsequences: false)
        .map { $0.hasPrefix("$ ") ? String($0.dropFirst(2)) : "" }.joined(separator: "\n")
}
