import Arguments
import Foundation

/// The exit statuses of every command, as in `grep` and `kubectl diff`.
enum ExitStatus {
    static let success: Int32 = 0
    /// There is something to look at: differences, findings, something held or failed.
    static let findings: Int32 = 1
    static let failure: Int32 = 2
    /// The lease of `run --leader-elect` was lost: to be started anew.
    static let leaseLost: Int32 = 3
}

/// A command that cannot do its work: one message with the next step.
package struct CommandFailure: Error {
    package var message: String
    package var hint: String
    /// The incident reason whose runbook says more.
    package var runbook: String?
}

/// A command's description with what it does.
struct Command: Sendable {
    var description: CommandDescription
    var run: @Sendable (Invocation) async throws -> Int32
}

/// What a command is called with.
struct Invocation: Sendable {
    var arguments: ParsedArguments
    var environment: [String: String]
    var terminal: Terminal
    /// Where one is given.
    var configuration: ConfigurationFile?
}

/// What each command is called with, in the order of the help.
var commandDescriptions: [CommandDescription] { commands.map(\.description) }

/// Every command, in the order of the help.
private let commands: [Command] = [
    runCommand, syncCommand, planCommand, statusCommand, checkCommand, diffCommand, rollbackCommand, holdCommand,
    whoCanCommand,
    canCommand,
    reachCommand, podsCheckCommand,
    snapshotCommand, commentCommand,
    guardrailsCommand, rightsCommand, uninstallCommand,
    journalListCommand, journalShowCommand, journalVerifyCommand, journalProveCommand, journalExportCommand,
    journalCheckpointCommand, journalKeyCommand, journalStateCommand, journalBackupCommand, journalMergeCommand,
    journalCutCommand,
    journalShipCommand,
    journalRestoreCommand,
    runbookListCommand, runbookShowCommand, runbookCheckCommand, demoCommand, versionCommand,
]

/// Runs the program.
///
/// - Parameter words: The words after the program's name.
/// - Returns: The exit status.
package func runBylaw(_ words: [String], environment: [String: String]) async -> Int32 {
    let terminal = Terminal(environment: environment)
    guard let first = words.first, first != "help", first != "--help", first != "-h" else {
        let asked = words.dropFirst().joined(separator: " ")
        let matching = commands.map(\.description).filter { $0.name == asked || $0.name.hasPrefix(asked + " ") }
        guard !matching.isEmpty || asked.isEmpty || words.first != "help" else { return refuse(asked, terminal) }
        terminal.write(
            matching.isEmpty || asked.isEmpty
                ? overview() : matching.map { renderHelp(for: $0) }.joined(separator: "\n"))
        return words.isEmpty ? ExitStatus.failure : terminal.status(ExitStatus.success)
    }
    if first == "--version" { return await run(versionCommand, [], environment, terminal) }
    // The longest name that fits: `journal list` before a command `journal`.
    for length in [2, 1] where words.count >= length {
        let name = words.prefix(length).joined(separator: " ")
        if let command = commands.first(where: { $0.description.name == name }) {
            return await run(command, Array(words.dropFirst(length)), environment, terminal)
        }
    }
    let family = commands.map(\.description.name).filter { $0.hasPrefix(first + " ") }
    if !family.isEmpty {
        if ["--help", "-h"].contains(words.dropFirst().first) {
            for command in commands.map(\.description) where family.contains(command.name) {
                terminal.write(renderHelp(for: command) + "\n")
            }
            return terminal.status(ExitStatus.success)
        }
        terminal.writeError("bylaw \(first): say which: \(family.map { "bylaw \($0)" }.joined(separator: ", "))\n")
        return ExitStatus.failure
    }
    return refuse(first, terminal)
}

private func refuse(_ name: String, _ terminal: Terminal) -> Int32 {
    let nearest = nearestWord(to: name, among: commands.map(\.description.name))
    terminal.writeError(
        "bylaw: \"\(printable(name))\" is not a command; "
            + (nearest.map { "did you mean bylaw \($0)?" } ?? "see bylaw --help") + "\n")
    return ExitStatus.failure
}

extension Terminal {
    /// The exit status of a command, unless its answer could not be written: then that is the error.
    fileprivate func status(_ status: Int32) -> Int32 {
        guard let outputFailure else { return status }
        writeError("bylaw: write the answer: \(outputFailure)\n    Make room where it is written to, and ask again.\n")
        return ExitStatus.failure
    }
}

private func run(
    _ command: Command, _ words: [String], _ environment: [String: String], _ terminal: Terminal
) async -> Int32 {
    let name = command.description.name
    if words.contains("--help") || words.contains("-h") {
        terminal.write(renderHelp(for: command.description))
        return terminal.status(ExitStatus.success)
    }
    do {
        let file = try configurationFile(words, for: command.description, environment: environment)
        let arguments =
            try file.map { try $0.arguments($0.content) }
            ?? parseArguments(words, for: command.description, environment: environment)
        return terminal.status(
            try await command.run(
                Invocation(
                    arguments: arguments, environment: environment, terminal: terminal, configuration: file)))
    } catch let mistakes as UsageMistakes {
        for mistake in mistakes.all { terminal.writeError("bylaw \(name): \(printable(mistake.description))\n") }
        return ExitStatus.failure
    } catch {
        terminal.showProgress(nil)
        let failure = commandFailure(error)
        terminal.writeError("bylaw \(name): \(printable(failure.message))\n")
        if !failure.hint.isEmpty { terminal.writeError("    \(printable(failure.hint))\n") }
        if let runbook = failure.runbook { terminal.writeError("    see: bylaw runbook show \(runbook)\n") }
        return ExitStatus.failure
    }
}

/// Reads the configuration file that the words of a command or the environment name; nil where none is named.
private func configurationFile(
    _ words: [String], for command: CommandDescription, environment: [String: String]
) throws -> ConfigurationFile? {
    guard command.flags.contains(where: { $0.name == "config" }), let path = configurationPath(words, environment)
    else { return nil }
    return try ConfigurationFile(
        path, words: words, command: command, environment: environment,
        knownKeys: Set(commands.flatMap { $0.description.flags.map(\.name) }))
}

private func configurationPath(_ words: [String], _ environment: [String: String]) -> String? {
    for (index, word) in words.enumerated() {
        if word == "--" { break }
        if word.hasPrefix("--config=") { return String(word.dropFirst(9)) }
        if word == "--config", index + 1 < words.count { return words[index + 1] }
    }
    return environment["BYLAW_CONFIG"].flatMap { $0.isEmpty ? nil : $0 }
}

private func overview() -> String {
    var text = """
        Bylaw keeps a Kubernetes cluster's security policy equal to what a Git repository declares.

        Usage: bylaw COMMAND [FLAGS]

        Commands:

        """
    let width = (commands.map(\.description.name.count).max() ?? 0) + 2
    for command in commands {
        let name = command.description.name
        text += "    \(name.padding(toLength: width, withPad: " ", startingAt: 0))\(command.description.summary)\n"
    }
    return text + """

        Try it without a cluster:   bylaw demo
        Judge a repository offline: bylaw check PATH
        Help for one command:       bylaw COMMAND --help

        Exit status: 0 nothing to report, 1 differences or findings, 2 an error.

        """
}
