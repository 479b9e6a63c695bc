import Arguments
import Foundation
import JSON
import Journal
import Manifest
import Reconciler

let journalListCommand = Command(
    description: CommandDescription(
        name: "journal list", summary: "what happened, newest last",
        details: "Filters combine. Times are RFC 3339, such as 2026-03-01T00:00:00Z, or how long ago, such as 24h.",
        flags: [
            FlagDescription("since", .text, valueName: "TIME", "entries of this moment or later"),
            FlagDescription("until", .text, valueName: "TIME", "entries before this moment"),
            FlagDescription("kind", .text, valueName: "KIND", "the object's kind, such as RoleBinding"),
            FlagDescription("namespace", short: "n", .text, valueName: "NS", "the object's namespace"),
            FlagDescription("name", .text, valueName: "NAME", "the object's name"),
            FlagDescription(
                "revision", .text, valueName: "COMMIT", "the revision it belongs to; a beginning is enough"),
            FlagDescription("author", .text, valueName: "TEXT", "the revision's author"),
            FlagDescription("reason", .text, valueName: "REASON", "such as DriftCorrected"),
            FlagDescription("outcome", .choice(EntryOutcome.allCases.map(\.rawValue)), valueName: "O", "how it ended"),
            FlagDescription("incidents", .isSet, "only what a person may have to act on"),
            FlagDescription("follow", .isSet, "stay, and show what is added"),
            FlagDescription("limit", .number(1...100_000), valueName: "N", "at most so many entries", default: "100"),
            Flags.journal, Flags.output, Flags.config,
        ],
        examples: [
            "bylaw journal list --since 24h --incidents", "bylaw journal list --kind RoleBinding -n payments -o json",
        ],
        exitStatuses: [(0, "also where nothing fits"), (2, "an error")])
) { invocation in
    let wiring = Wiring(invocation)
    let arguments = invocation.arguments
    var query = JournalQuery()
    query.since = try arguments.text("since").map { text throws(CommandFailure) in try moment(text, flag: "since") }
    query.until = try arguments.text("until").map { text throws(CommandFailure) in try moment(text, flag: "until") }
    query.objectKind = arguments.text("kind")
    query.namespace = arguments.text("namespace")
    query.name = arguments.text("name")
    query.revision = arguments.text("revision")
    query.author = arguments.text("author")
    query.reason = arguments.text("reason")
    query.outcome = arguments.text("outcome").flatMap(EntryOutcome.init(rawValue:))
    query.isIncidentOnly = arguments.isSet("incidents")
    query.limit = arguments.number("limit") ?? 100
    let isJSON = arguments.text("output") == "json"
    query.includesContent = isJSON
    let reader = try await openJournal(wiring.journalPath)
    let entries = Array(try await reader.entries(query).reversed())
    let terminal = invocation.terminal
    if isJSON, !arguments.isSet("follow") {
        terminal.write(try entryListTree(entries).indentedJSON() + "\n")
    } else if isJSON {
        for entry in entries { terminal.write(try entryTree(entry).jsonText() + "\n") }
    } else {
        terminal.write(renderEntryTable(entries, width: nil, isColoured: terminal.isColoured))
    }
    if arguments.isSet("follow") {
        let last = try await reader.lastSequence()
        query.afterSequence = entries.last?.sequence ?? last
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
    let word = invocation.arguments.positionals.first ?? ""
    guard let sequence = Int64(word), sequence > 0 else {
        throw CommandFailure(message: "\"\(word)\" is no entry's number", hint: "Take one from bylaw journal list.")
    }
    let reader = try await openJournal(wiring.journalPath)
    let found = try await reader.entry(sequence: sequence)
    await reader.close()
    guard let entry = found else {
        throw CommandFailure(message: "the journal has no entry \(sequence)", hint: "Take one from bylaw journal list.")
    }
    let terminal = invocation.terminal
    terminal.write(
        invocation.arguments.text("output") == "json"
            ? try entryTree(entry).indentedJSON() + "\n" : try renderEntry(entry, isColoured: terminal.isColoured))
    return ExitStatus.success
}

/// A moment as people give it: a time, or how long ago.
private func moment(_ text: String, flag: String) throws(CommandFailure) -> Timestamp {
    if let moment = Timestamp(text) { return moment }
    if let ago = parseDuration(text) { return systemNow().advanced(by: .zero - ago) }
    throw CommandFailure(
        message: "--\(flag): \"\(text)\" is no time", hint: "Write 2026-03-01T00:00:00Z, or how long ago, such as 24h.")
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
