import Arguments
import Journal
import Manifest
import Reconciler

/// The flags that choose entries of the journal.
let journalFilterFlags: [FlagDescription] = [
    FlagDescription("since", .text, valueName: "TIME", "entries of this moment or later"),
    FlagDescription("until", .text, valueName: "TIME", "entries before this moment"),
    FlagDescription("kind", .text, valueName: "KIND", "the object's kind, such as RoleBinding"),
    FlagDescription("namespace", short: "n", .text, valueName: "NS", "the object's namespace"),
    FlagDescription("name", .text, valueName: "NAME", "the object's name"),
    FlagDescription("revision", .text, valueName: "COMMIT", "the revision it belongs to; a beginning is enough"),
    FlagDescription("author", .text, valueName: "TEXT", "the revision's author"),
    FlagDescription("reason", .text, valueName: "REASON", "such as DriftCorrected"),
    FlagDescription(
        "search", .text, valueName: "WORDS",
        "words in messages, names, people and contents; \"in quotes\" they stand together, and sec* is a beginning"),
    FlagDescription("outcome", .choice(EntryOutcome.allCases.map(\.rawValue)), valueName: "O", "how it ended"),
    FlagDescription("incidents", .isSet, "only what a person may have to act on"),
    FlagDescription("limit", .number(1...100_000), valueName: "N", "at most so many entries", default: "100"),
]

/// The query that the filter flags ask for.
///
/// A word that no entry can have is an error: an auditor must not take a slip of the pen for an empty journal.
func journalQuery(_ arguments: ParsedArguments) throws(CommandFailure) -> JournalQuery {
    var query = JournalQuery()
    query.since = try arguments.text("since").map { text throws(CommandFailure) in
        try journalMoment(text, flag: "since")
    }
    query.until = try arguments.text("until").map { text throws(CommandFailure) in
        try journalMoment(text, flag: "until")
    }
    query.objectKind = try arguments.text("kind").map { text throws(CommandFailure) in
        try known(text, among: Resource.managed.map(\.kind), flag: "kind")
    }
    query.namespace = arguments.text("namespace")
    query.name = arguments.text("name")
    query.revision = try arguments.text("revision").map { text throws(CommandFailure) in
        guard text.utf8.count <= 40, text.allSatisfy({ $0.isASCII && $0.isHexDigit }) else {
            throw CommandFailure(
                message: "--revision: \"\(text)\" is no beginning of a commit's id",
                hint: "Write its first digits, as bylaw journal list shows them.")
        }
        return text.lowercased()
    }
    query.author = arguments.text("author")
    query.reason = try arguments.text("reason").map { text throws(CommandFailure) in
        try known(text, among: EntryReason.all.map(\.word), flag: "reason")
    }
    query.text = try arguments.text("search").map { text throws(CommandFailure) in
        guard let search = TextSearch(text) else {
            throw CommandFailure(
                message:
                    "--search: \"\(text.prefix(60))\" has no word in it, or more than \(TextSearch.maximumBytes) bytes",
                hint: "Write words of letters and digits, such as --search 'payroll secrets'.")
        }
        return search
    }
    query.outcome = arguments.text("outcome").flatMap(EntryOutcome.init(rawValue:))
    query.isIncidentOnly = arguments.isSet("incidents")
    query.limit = arguments.number("limit") ?? 100
    return query
}

/// The word itself, in the letter case that the journal knows.
private func known(_ text: String, among words: [String], flag: String) throws(CommandFailure) -> String {
    if let word = words.first(where: { $0.lowercased() == text.lowercased() }) { return word }
    let near = nearestWord(to: text.lowercased(), among: words.map { $0.lowercased() })
    let suggestion = words.first { $0.lowercased() == near }
    throw CommandFailure(
        message: "--\(flag): \"\(text)\" is not known",
        hint: suggestion.map { "Did you mean \($0)?" } ?? "Use one of: \(words.sorted().joined(separator: ", ")).")
}

/// A moment as people give it: a time, a day, or how long ago.
func journalMoment(_ text: String, flag: String) throws(CommandFailure) -> Timestamp {
    if let moment = Timestamp(text) ?? Timestamp(text + "T00:00:00Z") { return moment }
    if let ago = parseDuration(text) { return systemNow().advanced(by: .zero - ago) }
    throw CommandFailure(
        message: "--\(flag): \"\(text)\" is no time",
        hint: "Write 2026-03-01T00:00:00Z, 2026-03-01 (in UTC), or how long ago, such as 24h.")
}
