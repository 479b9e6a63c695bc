import Arguments
import JSON
import Journal
import Manifest
import Reconciler

let journalExportCommand = Command(
    description: CommandDescription(
        name: "journal export", summary: "the entries for other programs, oldest first",
        details:
            "Without a filter, lines of JSON with every entry, the public keys and the checkpoints: bylaw journal verify reads "
            + "that on a machine without the journal. With a filter, or as CSV, only what was asked for, which cannot be "
            + "verified; prove single entries with bylaw journal prove. A CSV has no contents, and a cell that a "
            + "spreadsheet would take for a formula begins with an apostrophe.",
        flags: journalFilterFlags.filter { $0.name != "limit" } + [
            FlagDescription(
                "format", .choice(["json", "csv"]), valueName: "FORMAT", "lines of JSON, or CSV", default: "json"),
            Flags.journal, Flags.config,
        ],
        examples: [
            "bylaw journal export > journal.jsonl", "bylaw journal export --since 2026-03-01 --incidents --format csv",
        ],
        exitStatuses: [(0, "it was written"), (2, "an error")])
) { invocation in
    let arguments = invocation.arguments
    var query = try journalQuery(arguments)
    let isCSV = arguments.text("format") == "csv"
    let isWhole = !isCSV && !query.isFiltered
    let reader = try await JournalReader.open(Wiring(invocation).journalPath)
    let terminal = invocation.terminal
    // Entries that come meanwhile belong to the next export.
    let (end, last, cut) = isWhole ? try await reader.exportEnd() : ([], try await reader.lastSequence(), 0)
    var after: Int64 = 0
    if isWhole {
        while let page = try await reader.exportPage(after: after, through: last, cut: cut) {
            terminal.write(String(decoding: page.lines, as: UTF8.self))
            after = page.last
        }
        terminal.write(String(decoding: end, as: UTF8.self))
        await reader.close()
        return ExitStatus.success
    }
    query.order = .oldestFirst
    query.limit = 500
    query.includesContent = !isCSV
    if isCSV { terminal.write(csvHeader) }
    while after < last {
        query.afterSequence = after
        let entries = try await reader.entries(query)
        for entry in entries where entry.sequence <= last {
            terminal.write(isCSV ? csvLine(entry) : try entryTree(entry).jsonText() + "\n")
        }
        guard entries.count == query.limit, let end = entries.last?.sequence else { break }
        after = end
    }
    await reader.close()
    return ExitStatus.success
}

// MARK: CSV

private let csvColumns: [(name: String, value: @Sendable (JournalEntry) -> String?)] = [
    ("sequence", { String($0.sequence) }), ("time", { $0.time.description }), ("instance", { $0.instance }),
    ("cluster", { $0.cluster }), ("type", { $0.kind.rawValue }), ("reason", { $0.reason }),
    ("incident", { String($0.isIncident) }), ("outcome", { $0.outcome.rawValue }), ("action", { $0.action?.rawValue }),
    ("group", { $0.object?.group }), ("version", { $0.objectVersion }), ("kind", { $0.object?.kind }),
    ("namespace", { $0.object?.namespace }), ("name", { $0.object?.name }), ("uid", { $0.uid }),
    ("resourceVersion", { $0.resourceVersion }), ("commit", { $0.revision?.commit }),
    ("author", { $0.revision?.author }), ("committer", { $0.revision?.committer }),
    ("subject", { $0.revision?.subject }), ("pullRequest", { $0.revision?.pullRequest.map(String.init) }),
    ("approver", { $0.approver }), ("actor", { $0.actor?.name }), ("actorOperation", { $0.actor?.operation }),
    ("actorTime", { $0.actor?.time }), ("actorCertainty", { $0.actor?.certainty.rawValue }),
    ("runbook", { $0.runbook?.path }),
    ("durationMicroseconds", { $0.durationMicroseconds.map(String.init) }),
    ("auditID", { $0.auditID }), ("message", { $0.message }),
]

private let csvHeader = csvColumns.map(\.name).joined(separator: ",") + "\r\n"

/// RFC 4180.
private func csvLine(_ entry: JournalEntry) -> String {
    csvColumns.map { csvCell($0.value(entry) ?? "") }.joined(separator: ",") + "\r\n"
}

private func csvCell(_ text: String) -> String {
    // Names and messages are other people's: a spreadsheet must not run them.
    var bytes = Array(text.utf8)
    if let first = bytes.first, "=+-@\t\r".utf8.contains(first) { bytes.insert(UInt8(ascii: "'"), at: 0) }
    guard bytes.contains(where: { "\",\n\r".utf8.contains($0) }) else { return String(decoding: bytes, as: UTF8.self) }
    // By bytes: a quote with a combining mark behind it is another character, and closes the cell all the same.
    let quoted = bytes.flatMap { $0 == UInt8(ascii: "\"") ? [$0, $0] : [$0] }
    return "\"" + String(decoding: quoted, as: UTF8.self) + "\""
}
