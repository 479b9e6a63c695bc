import Arguments

/// Finds the calls of `bylaw` and `kubectl` in a runbook that cannot work, and shell text that a shell would refuse.
struct CommandCheck {
    private(set) var findings: [RunbookFinding] = []
    private let file: String
    private let bylaw: BylawCalls
    /// How each placeholder is written, by its canonical name, where it stood first.
    private var forms: [String: String] = [:]

    init(_ file: String, _ text: RunbookText, _ knowledge: RunbookKnowledge) {
        self.file = file
        bylaw = BylawCalls(knowledge)
        for block in text.codeBlocks where block.mayHaveCommands {
            let shell = ShellText(commandText(of: block), line: block.line)
            if block.isShell {
                for problem in shell.problems {
                    report(.shell, problem.line, problem.message, "A shell would refuse it: correct the quotation.")
                }
            }
            for command in shell.commands { check(command, isInline: false) }
        }
        for span in text.codeSpans where Self.isCall(span.text) {
            let shell = ShellText(span.text, line: span.line)
            for problem in shell.problems {
                report(.shell, problem.line, problem.message, "A shell would refuse it: correct the quotation.")
            }
            for command in shell.commands { check(command, isInline: true) }
        }
    }

    /// Whether inline code is a call of one of the two programs.
    private static func isCall(_ text: String) -> Bool {
        let words = text.split(separator: " ")
        return words.count > 1 && (words[0] == "bylaw" || words[0] == "kubectl")
    }

    private mutating func report(_ rule: RunbookFinding.Rule, _ line: Int, _ message: String, _ hint: String) {
        findings.append(RunbookFinding(rule: rule, file: file, line: line, message: message, hint: hint))
    }

    private mutating func check(_ command: ShellText.Command, isInline: Bool) {
        guard let call = ProgramCall(command) else { return }
        let mistakes: [UsageMistake]
        switch call.program {
        case "bylaw": mistakes = bylaw.mistakes(in: call.words, isInline: isInline)
        case "kubectl": mistakes = kubectlMistakes(in: call.words)
        default: return
        }
        for mistake in mistakes { report(.command, command.line, mistake.message, mistake.hint) }
        for placeholder in call.words.flatMap(Placeholder.all(in:)) where placeholder != Placeholder.expansion {
            let name = Placeholder.canonical(placeholder)
            if let form = forms[name], form != placeholder {
                report(
                    .placeholder, command.line, "\(placeholder) is written \(form) elsewhere in this runbook",
                    "Write it in one form.")
            } else {
                forms[name] = placeholder
            }
        }
    }
}

/// A simple command without what stands before the program's name: a prompt, reserved words, variables, `sudo`.
struct ProgramCall {
    var program: String
    /// The words after the program's name.
    var words: [String]

    private static let reservedWords: Set<String> = [
        "$", "!", "{", "if", "then", "elif", "else", "while", "until", "do", "time",
    ]
    /// Programs that run what their words name.
    private static let carriers: Set<String> = [
        "sudo", "watch", "xargs", "env", "timeout", "nohup", "command", "exec", "nice",
    ]

    /// - Returns: nil where no program is called.
    init?(_ command: ShellText.Command) {
        var rest = command.words[...]
        while let word = rest.first, Self.reservedWords.contains(word) || Self.isAssignment(word) { rest.removeFirst() }
        if let first = rest.first, Self.carriers.contains(first),
            let own = rest.firstIndex(where: { ["bylaw", "kubectl"].contains(Self.name($0)) })
        {
            rest = rest[own...]
        }
        guard let first = rest.popFirst() else { return nil }
        program = Self.name(first)
        words = Array(rest)
    }

    private static func name(_ word: String) -> String { word.split(separator: "/").last.map(String.init) ?? word }

    private static func isAssignment(_ word: String) -> Bool {
        guard let equals = word.firstIndex(of: "="), equals != word.startIndex else { return false }
        return word[..<equals].allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
    }
}

/// Reads calls of the program as the program itself would.
struct BylawCalls {
    private let commands: [CommandDescription]
    private let reasons: [String]
    private let journalReasons: [String]
    private let longestName: Int

    init(_ knowledge: RunbookKnowledge) {
        commands = knowledge.commands
        reasons = knowledge.reasons
        journalReasons = knowledge.journalReasons
        longestName = knowledge.commands.map { $0.name.split(separator: " ").count }.max() ?? 1
    }

    /// What is wrong with a call.
    ///
    /// - Parameters:
    ///   - words: The words after `bylaw`.
    ///   - isInline: In a sentence the name alone means the command, and is no call of it.
    func mistakes(in words: [String], isInline: Bool) -> [UsageMistake] {
        guard let first = words.first else {
            return [UsageMistake(message: "bylaw alone does nothing", hint: "Name a command; see bylaw --help.")]
        }
        if ["--help", "-h", "--version"].contains(first) { return [] }
        if first == "help" {
            let asked = words.dropFirst().joined(separator: " ")
            let isKnown = asked.isEmpty || commands.contains { $0.name == asked || $0.name.hasPrefix(asked + " ") }
            return isKnown ? [] : [unknown(asked)]
        }
        for length in (1...max(longestName, 1)).reversed() where words.count >= length {
            let name = words.prefix(length).joined(separator: " ")
            if let command = commands.first(where: { $0.name == name }) {
                return mistakes(in: Array(words.dropFirst(length)), of: command, isInline: isInline)
            }
        }
        if Placeholder.isIn(first) { return [] }
        let family = commands.map(\.name).filter { $0.hasPrefix(first + " ") }
        guard !family.isEmpty else { return [unknown(first)] }
        guard words.count > 1 else {
            let choice = family.map { "bylaw \($0)" }.joined(separator: ", ")
            return isInline
                ? [] : [UsageMistake(message: "bylaw \(first) is no command", hint: "Say which: \(choice).")]
        }
        return ["--help", "-h"].contains(words[1]) || Placeholder.isIn(words[1])
            ? [] : [unknown("\(first) \(words[1])")]
    }

    private func unknown(_ name: String) -> UsageMistake {
        let nearest = nearestWord(to: name, among: commands.map(\.name))
        return UsageMistake(
            message: "bylaw \(name) is not a command",
            hint: nearest.map { "Did you mean bylaw \($0)?" } ?? "See bylaw --help.")
    }

    private func mistakes(
        in words: [String], of command: CommandDescription, isInline: Bool
    ) -> [UsageMistake] {
        if words.contains("--help") || words.contains("-h") || (isInline && words.isEmpty) { return [] }
        do throws(UsageMistakes) {
            let parsed = try parse(words, for: command)
            return reasonMistakes(parsed, command)
        } catch {
            return error.all
        }
    }

    /// Reads the words twice: first to see which flags have a placeholder for a value, then with every other value checked.
    private func parse(
        _ words: [String], for command: CommandDescription
    ) throws(UsageMistakes) -> ParsedArguments {
        var open = command
        let more = words.count { $0 == Placeholder.anythingMore }
        if more > 0 {
            for index in open.positionals.indices { open.positionals[index].isRequired = false }
            for _ in 0..<more { open.positionals.append(PositionalDescription(name: "MORE", isRequired: false)) }
        }
        var anyValue = open
        for index in anyValue.flags.indices where anyValue.flags[index].kind != .isSet {
            anyValue.flags[index].kind = .text
        }
        let first = try parseArguments(words, for: anyValue, environment: [:])
        for index in open.flags.indices where open.flags[index].kind != .isSet {
            if first.all(open.flags[index].name).contains(where: Placeholder.isIn) { open.flags[index].kind = .text }
        }
        return try parseArguments(words, for: open, environment: [:])
    }

    /// The journal and the runbooks know a closed set of reasons.
    private func reasonMistakes(_ parsed: ParsedArguments, _ command: CommandDescription) -> [UsageMistake] {
        if command.name == "runbook show", let reason = parsed.positionals.first, !Placeholder.isIn(reason),
            !reasons.contains(reason)
        {
            return [unknownReason(reason, "there is no runbook \(reason)", among: reasons)]
        }
        if let reason = parsed.text("reason"), !Placeholder.isIn(reason),
            !journalReasons.contains(where: { $0.lowercased() == reason.lowercased() })
        {
            return [unknownReason(reason, "no entry has the reason \(reason)", among: journalReasons)]
        }
        return []
    }

    private func unknownReason(_ reason: String, _ message: String, among reasons: [String]) -> UsageMistake {
        let nearest = nearestWord(to: reason, among: reasons)
        return UsageMistake(
            message: message, hint: nearest.map { "Did you mean \($0)?" } ?? "See bylaw runbook list.")
    }
}
