import Arguments
import Foundation
import JSON
import Journal
import Manifest
import Reconciler

let journalListCommand = Command(
    description: CommandDescription(
        name: "journal list", summary: "what happened, newest last",
        details:
            "Filters combine. Times are RFC 3339, such as 2026-03-01T00:00:00Z, a day in UTC, such as 2026-03-01, or "
            + "how long ago, such as 24h.",
        flags: journalFilterFlags + [
            FlagDescription("follow", .isSet, "stay, and show what is added"), Flags.journal, Flags.output,
            Flags.config,
        ],
        examples: [
            "bylaw journal list --since 24h --incidents", "bylaw journal list --kind RoleBinding -n payments -o json",
        ],
        exitStatuses: [(0, "also where nothing fits"), (2, "an error")])
) { invocation in
    let wiring = Wiring(invocation)
    let arguments = invocation.arguments
    var query = try journalQuery(arguments)
    let isJSON = arguments.text("output") == "json"
    query.includesContent = isJSON
    let reader = try await JournalReader.open(wiring.journalPath)
    let (newest, end) = try await reader.entriesAndEnd(query)
    let entries = Array(newest.reversed())
    let terminal = invocation.terminal
    if isJSON, !arguments.isSet("follow") {
        terminal.write(try entryListTree(entries).indentedJSON() + "\n")
    } else if isJSON {
        for entry in entries { terminal.write(try entryTree(entry).jsonText() + "\n") }
    } else {
        terminal.write(renderEntryTable(entries, width: nil, isColoured: terminal.isColoured))
    }
    if arguments.isSet("follow") {
        query.afterSequence = end
        for try await entry in reader.follow(query, wait: waitForMore) {
            terminal.write(
                isJSON
                    ? try entryTree(entry).jsonText() + "\n"
                    : renderEntryTable([entry], width: nil, isColoured: terminal.isColoured))
        }
    }
    await reader.close()
    return ExitStatus.success
}

let journalShowCommand = Command(
    description: CommandDescription(
        name: "journal show", summary: "one entry, with what it changed",
        positionals: [PositionalDescription(name: "SEQ", isRequired: true)],
        flags: [Flags.journal, Flags.output, Flags.config], examples: ["bylaw journal show 42"],
        exitStatuses: [(0, "it was shown"), (2, "there is no such entry, or an error")])
) { invocation in
    let wiring = Wiring(invocation)
    let reader = try await JournalReader.open(wiring.journalPath)
    let entry = try await reader.entry(named: invocation.arguments.positionals.first ?? "")
    let later = try await reader.entries(about: entry.sequence)
    let place = try await reader.place(of: entry.sequence)
    await reader.close()
    let terminal = invocation.terminal
    terminal.write(
        invocation.arguments.text("output") == "json"
            ? try entryAnswer(entry, later: later, place: place).indentedJSON() + "\n"
            : try renderEntry(entry, later: later, place: place, isColoured: terminal.isColoured))
    return ExitStatus.success
}

/// Waits before the journal is looked at again; false once the task is cancelled.
private func waitForMore() async -> Bool {
    do {
        try await Task.sleep(for: .milliseconds(250))
        return true
    } catch {
        return false
    }
}

extension JournalReader {
    /// The entry of a number that a person wrote.
    func entry(named word: String) async throws -> JournalEntry {
        guard let sequence = Int64(word), sequence > 0 else {
            throw CommandFailure(message: "\"\(word)\" is no entry's number", hint: "Take one from bylaw journal list.")
        }
        guard let entry = try await entry(sequence: sequence) else {
            guard sequence > (try await removedThrough()) else {
                throw CommandFailure(
                    message: "the journal has no entry \(sequence) any more: retention has removed it",
                    hint: "bylaw journal list --reason JournalCut tells when; a backup or an export from before has it."
                )
            }
            throw CommandFailure(
                message: "the journal has no entry \(sequence)", hint: "Take one from bylaw journal list.")
        }
        return entry
    }
}
