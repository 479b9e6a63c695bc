import Arguments
import ChildProcess
import Foundation
import Manifest
import Policy
import Reconciler
import RunbookLibrary

let runbookCheckCommand = Command(
    description: CommandDescription(
        name: "runbook check", summary: "would each step of these runbooks work?",
        details:
            "Reads the Markdown files of DIR, or the built-in runbooks, and finds what would fail a reader: a missing, "
            + "repeated, misplaced or empty heading (Meaning, Impact, Diagnosis, Mitigation, Undo), front matter that is "
            + "not right, a reason without a runbook and a file that no reason leads to, commands of bylaw and kubectl "
            + "that do not exist or have a wrong flag, text that a shell would refuse, and links, anchors and names of "
            + "runbooks that lead nowhere. Nothing of them is run. More headings than the five may be there, and a "
            + "README.md. Folders below DIR are not read. "
            + "Commands are looked at in blocks between fences that are marked sh, bash, console or not at all, and in "
            + "inline code that begins with bylaw or kubectl. What a reader fills in is a placeholder: a capital letter "
            + "with more capital letters, digits and _ after it (NAMESPACE, ServiceAccount:NAMESPACE/NAME), a word in "
            + "angle brackets (<name>), or ... for anything more. A runbook writes each in one form.",
        positionals: [PositionalDescription(name: "DIR", isRequired: false)], flags: [Flags.output],
        examples: ["bylaw runbook check", "bylaw runbook check Runbooks", "bylaw runbook check docs/runbooks -o json"],
        exitStatuses: [(0, "nothing to report"), (1, "findings"), (2, "they could not be read")])
) { invocation in
    let folder = invocation.arguments.positionals.first
    let terminal = invocation.terminal
    let files = try folder.map(readRunbooks) ?? builtInRunbookFiles
    var findings = checkRunbooks(files, against: runbookKnowledge()) { path in
        folder.map { linkTarget($0 + "/" + path) } ?? .missing
    }
    let refusals = await shellRefusals(in: files, environment: invocation.environment)
    if let refusals {
        findings = (findings + refusals).sorted { ($0.file, $0.line) < ($1.file, $1.line) }
    } else {
        terminal.writeError(
            "bylaw runbook check: there is no bash: of shell text only quotes and brackets were looked at\n")
    }
    let place = folder.map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 } ?? "Runbooks"
    if invocation.arguments.text("output") == "json" {
        terminal.write(
            renderAnswer(
                kind: "RunbookReport",
                [
                    ("path", .string(place)), ("isBuiltIn", .bool(folder == nil)),
                    ("runbooks", .integer(Int64(files.count { $0.name != "README.md" }))),
                    ("findings", .array(findings.map { findingTree($0, in: place) })),
                ]))
    } else {
        for finding in findings {
            let position = terminal.styled("\(printable(place))/\(printable(finding.file)):\(finding.line)", .bold)
            terminal.write("\(position): \(finding.rule.rawValue): \(printable(finding.message))\n")
            if !finding.hint.isEmpty { terminal.write("    \(printable(finding.hint))\n") }
        }
        let count = findings.count == 1 ? "1 finding" : "\(findings.count) findings"
        terminal.write("\(printable(place)): \(files.count { $0.name != "README.md" }) runbooks, \(count)\n")
    }
    return findings.isEmpty ? ExitStatus.success : ExitStatus.findings
}

private func findingTree(_ finding: RunbookFinding, in place: String) -> Tree {
    [
        "rule": .string(finding.rule.rawValue), "file": .string("\(place)/\(finding.file)"),
        "line": .integer(Int64(finding.line)), "message": .string(finding.message), "hint": .string(finding.hint),
    ]
}

/// What this program's runbooks are for, and what it can be called with.
private func runbookKnowledge() -> RunbookKnowledge {
    RunbookKnowledge(
        reasons: IncidentReason.allCases.map(\.rawValue) + ChangeReason.allCases.map(\.rawValue) + alertReasons,
        journalReasons: EntryReason.all.map(\.word), commands: commandDescriptions)
}

// MARK: Reading

/// How much is read of one file, and how many files of a folder.
private enum RunbookLimits {
    static let maximumBytes = 256 << 10
    static let maximumFiles = 2_000
}

/// The Markdown files of a folder, in the order of their names.
private func readRunbooks(in folder: String) throws(CommandFailure) -> [RunbookFile] {
    let names: [String]
    do {
        names = try FileManager.default.contentsOfDirectory(atPath: folder)
            .filter { $0.hasSuffix(".md") && !$0.hasPrefix(".") }.sorted()
    } catch {
        throw CommandFailure(
            message: "\(folder): \(error.localizedDescription)", hint: "Name a folder of runbooks that can be read.")
    }
    guard !names.isEmpty else {
        throw CommandFailure(
            message: "\(folder): there is no runbook in it", hint: "Name a folder whose files end in .md.")
    }
    guard names.count <= RunbookLimits.maximumFiles else {
        throw CommandFailure(
            message: "\(folder): it has \(names.count) runbooks, more than \(RunbookLimits.maximumFiles)",
            hint: "Name the folder of the runbooks alone.")
    }
    var files: [RunbookFile] = []
    for name in names {
        guard let text = smallText(at: "\(folder)/\(name)") else {
            throw CommandFailure(
                message: "\(folder)/\(name): it is no file of UTF-8 text of at most 256 KiB that can be read",
                hint: "Correct it, or take it out of the folder.")
        }
        files.append(RunbookFile(name: name, text: text))
    }
    return files
}

/// The text of a regular file; nil where it is none, is too large, or cannot be read.
private func smallText(at path: String) -> String? {
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size <= RunbookLimits.maximumBytes,
        let data = FileManager.default.contents(atPath: path)
    else { return nil }
    return String(validating: data, as: UTF8.self)
}

private func linkTarget(_ path: String) -> LinkTarget {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { return .missing }
    return isFolder.boolValue ? .folder : .file(text: smallText(at: path))
}

// MARK: Bash

/// What bash would refuse of the blocks that are marked as shell text; nil where there is no bash.
///
/// Nothing is run: `bash -n` only reads. All blocks are read together first, and one by one only where that fails.
private func shellRefusals(in files: [RunbookFile], environment: [String: String]) async -> [RunbookFinding]? {
    let blocks = files.flatMap(shellBlocks)
    guard let all = await bashRefusal(of: blocks.map(\.text).joined(separator: "\n"), environment) else { return nil }
    guard all.isRefused else { return [] }
    var findings: [RunbookFinding] = []
    for block in blocks {
        guard let refusal = await bashRefusal(of: block.text, environment), refusal.isRefused else { continue }
        findings.append(
            RunbookFinding(
                rule: .shell, file: block.file, line: block.line + max(refusal.line - 1, 0),
                message: "bash refuses it: \(refusal.message)", hint: "Correct the command."))
    }
    return findings
}

private struct BashRefusal {
    var isRefused: Bool
    /// Counted from 1 within what was read.
    var line = 1
    var message = ""
}

private func bashRefusal(of text: String, _ environment: [String: String]) async -> BashRefusal? {
    let own = ["PATH": environment["PATH"] ?? "/usr/bin:/bin", "LC_ALL": "C"]
    guard
        let result = try? await runChildProcess(
            "bash", ["-n"], environment: own, input: Array((text + "\n").utf8), deadline: .seconds(30)),
        case .exited(let status) = result.ending, status != 127
    else { return nil }
    guard status != 0 else { return BashRefusal(isRefused: false) }
    // Such as: bash: line 3: syntax error near unexpected token `)'
    let words = result.errorText.split(separator: "\n").first.map(String.init) ?? "it is not right"
    guard let match = words.firstMatch(of: /line ([0-9]+): (.*)/) else {
        return BashRefusal(isRefused: true, message: words)
    }
    return BashRefusal(isRefused: true, line: Int(match.1) ?? 1, message: String(match.2))
}
