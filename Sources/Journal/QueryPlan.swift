import Manifest
import Reconciler
import SQLite

/// How a query is answered: its conditions, and the index that leads to the fewest rows.
///
/// SQLite knows only the average selectivity of an index, and the journal's values are anything but average: nearly all
/// entries have one outcome, and the rare reason is the one that is looked for. So each index that could serve is asked
/// how many rows the value has, up to a limit, which reads a few pages, and the smallest is named in the query.
struct QueryPlan {
    /// One condition, and the index that finds its rows in the order of their sequence.
    private struct Term {
        var sql: String
        var values: [SQLValue]
        var index: String?
        /// Whether the rows that the index gives for it are in the order of their sequence.
        var isOrdered = true
    }

    private var terms: [Term] = []
    /// The index that leads; nil for the table itself.
    private var index: String?
    /// The words that are looked for, as an expression of FTS5, and whether the text index leads.
    private var text: String?
    private var textLeads = false
    private var hasBeginning = false
    /// Nothing can match, so nothing has to be looked at.
    private(set) var isEmpty = false

    /// Counting stops here: beyond it a filter is common, and matches are found soon whatever the way.
    private static let maximumCount: Int64 = 50_000
    private static let maximumAuthors: Int64 = 10_000
    private static let maximumRevisions = 64

    init(_ query: JournalQuery, on connection: Connection) throws(DatabaseError) {
        if let instance = query.instance { add("instance = ?", [.text(instance)], nil) }
        if let cluster = query.cluster { add("cluster = ?", [.text(cluster)], nil) }
        addObject(query)
        if let reason = query.reason { add("reason = ?", [.text(reason)], "entries_reason") }
        if query.isIncidentOnly { add("is_incident = 1", [], "entries_incident") }
        if let action = query.action { addUnusual("action", action.rawValue, usual: "update", "entries_action") }
        if let outcome = query.outcome {
            addUnusual("outcome", outcome.rawValue, usual: "succeeded", "entries_unusual")
        }
        if let revision = query.revision {
            addChoice("revision", try Self.revisions(beginningWith: revision, on: connection), "entries_revision")
        }
        if let author = query.author {
            addChoice("author", try Self.authors(containing: author, on: connection), "entries_author")
        }
        switch (query.since, query.until) {
        case (let since?, let until?):
            add("time >= ? AND time < ?", [.text(since.description), .text(until.description)], "entries_time", false)
        case (let since?, nil): add("time >= ?", [.text(since.description)], "entries_time", false)
        case (nil, let until?): add("time < ?", [.text(until.description)], "entries_time", false)
        case (nil, nil): break
        }
        text = query.text?.expression
        hasBeginning = query.text?.hasBeginning ?? false
        guard !isEmpty else { return }
        try chooseIndex(after: query.afterSequence, on: connection)
        if let after = query.afterSequence { add("sequence > ?", [.integer(after)], nil) }
    }

    private mutating func add(_ sql: String, _ values: [SQLValue], _ index: String?, _ isOrdered: Bool = true) {
        terms.append(Term(sql: sql, values: values, index: index, isOrdered: isOrdered))
    }

    /// The second condition lets SQLite see that the partial index holds every match.
    private mutating func addUnusual(_ column: String, _ word: String, usual: String, _ index: String) {
        if word == usual {
            add("\(column) = ?", [.text(word)], nil)
        } else {
            add("\(column) = ? AND \(column) <> '\(usual)'", [.text(word)], index)
        }
    }

    private mutating func addObject(_ query: JournalQuery) {
        if let kind = query.objectKind, let namespace = query.namespace, let name = query.name {
            add(
                "name = ? AND namespace = ? AND object_kind = ?", [.text(name), .text(namespace), .text(kind)],
                "entries_object")
            return
        }
        if let name = query.name { add("name = ?", [.text(name)], "entries_object", false) }
        if let namespace = query.namespace { add("namespace = ?", [.text(namespace)], "entries_namespace") }
        if let kind = query.objectKind { add("object_kind = ?", [.text(kind)], "entries_kind") }
    }

    private mutating func addChoice(_ column: String, _ choices: [String], _ index: String) {
        switch choices.count {
        case 0: isEmpty = true
        case 1: add("\(column) = ?", [.text(choices[0])], index)
        default:
            let marks = choices.map { _ in "?" }.joined(separator: ", ")
            add("\(column) IN (\(marks))", choices.map(SQLValue.text), index, false)
        }
    }

    private mutating func chooseIndex(after: Int64?, on connection: Connection) throws(DatabaseError) {
        var fewest = Int64.max
        if let after {
            let last = try connection.firstRow("SELECT max(sequence) FROM entries") { (row) throws(DatabaseError) in
                try row.optionalInteger(0)
            }
            fewest = max(0, (last.flatMap { $0 } ?? 0).subtractingReportingOverflow(after).partialValue)
        }
        if let text {
            let count =
                try connection.firstRow(
                    "SELECT count(*) FROM (SELECT 1 FROM entries_text WHERE entries_text MATCH ? LIMIT ?)",
                    [.text(text), .integer(Self.maximumCount)]
                ) { (row) throws(DatabaseError) in try row.integer(0) } ?? 0
            isEmpty = count == 0
            guard !isEmpty else { return }
            if count < fewest {
                fewest = count
                textLeads = true
            }
        }
        for term in terms {
            guard let candidate = term.index else { continue }
            let count = try connection.firstRow(
                "SELECT count(*) FROM (SELECT 1 FROM entries INDEXED BY \(candidate) WHERE \(term.sql) LIMIT ?)",
                term.values + [.integer(Self.maximumCount)]
            ) { (row) throws(DatabaseError) in try row.integer(0) }
            // Where both are common, the window of time wins: it is read from its end, and nothing outside is looked at.
            guard let count, count < fewest || count == fewest && candidate == "entries_time" else { continue }
            fewest = count
            index = candidate
            textLeads = false
            if count == 0 {
                isEmpty = true
                return
            }
        }
    }

    // MARK: SQL

    private var source: String {
        // Its rows come in the order of their number, so the newest are found without looking at all.
        guard !textLeads else {
            return """
                (SELECT rowid AS found FROM entries_text WHERE entries_text MATCH ?)
                CROSS JOIN entries NOT INDEXED ON sequence = found
                """
        }
        return index.map { "entries INDEXED BY \($0)" } ?? "entries NOT INDEXED"
    }

    private var condition: String { condition(includingText: !textLeads) }
    private var values: [SQLValue] {
        guard textLeads, let text else { return values(includingText: true) }
        return [.text(text)] + values(includingText: false)
    }

    private func condition(includingText: Bool) -> String {
        var conditions = terms.map(\.sql)
        if includingText, text != nil {
            // One look for each candidate, unless one look is dear.
            conditions.append(
                hasBeginning
                    ? "sequence IN (SELECT rowid FROM entries_text WHERE entries_text MATCH ?)"
                    : "EXISTS (SELECT 1 FROM entries_text WHERE entries_text MATCH ? AND rowid = entries.sequence)")
        }
        return conditions.isEmpty ? "1" : conditions.joined(separator: " AND ")
    }

    private func values(includingText: Bool) -> [SQLValue] {
        terms.flatMap(\.values) + (includingText ? text.map { [.text($0)] } ?? [] : [])
    }

    /// The entries themselves: the inner query looks at small columns only, the outer one reads what is shown.
    func selection(_ query: JournalQuery) -> (sql: String, values: [SQLValue]) {
        let direction = query.order == .newestFirst ? "DESC" : "ASC"
        // Within a window of time the order of time is the index's own; it differs from the sequence only where the
        // clock was set back. Whoever continues after a number must not miss such an entry.
        let order =
            index == "entries_time" && query.afterSequence == nil
            ? "time \(direction), sequence \(direction)" : "\(textLeads ? "found" : "sequence") \(direction)"
        let limit = Int64(min(max(1, query.limit), JournalQuery.maximumLimit))
        return (
            """
            SELECT \(EntryColumns.selection(includesContent: query.includesContent)) FROM entries WHERE sequence IN
            (SELECT sequence FROM \(source) WHERE \(condition) ORDER BY \(order) LIMIT ?)
            ORDER BY sequence \(direction)
            """, values + [.integer(limit)]
        )
    }

    /// How many entries match; where one index holds all that is asked, the table is not read.
    var counting: (sql: String, values: [SQLValue]) {
        ("SELECT count(*) FROM \(source) WHERE \(condition)", values)
    }

    /// How many of the matches have each outcome but the usual one: few, so they are looked at one by one.
    var countingUnusual: (sql: String, values: [SQLValue]) {
        (
            """
            SELECT outcome, count(*) FROM entries INDEXED BY entries_unusual
            WHERE outcome <> 'succeeded' AND \(condition(includingText: true)) GROUP BY outcome
            """, values(includingText: true)
        )
    }

    // MARK: Choices

    /// The commits in the journal that begin with a text; normally one.
    static func revisions(
        beginningWith prefix: String, on connection: Connection
    ) throws(DatabaseError) -> [String] {
        let prefix = prefix.lowercased()
        guard !prefix.isEmpty, prefix.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
        else { return [] }
        var found: [String] = []
        var last = ""
        while found.count < maximumRevisions {
            let next = try connection.firstRow(
                "SELECT min(revision) FROM entries WHERE revision > ? AND revision >= ? AND revision < ?",
                [.text(last), .text(prefix), .text(prefix + "g")]
            ) { (row) throws(DatabaseError) in try row.optionalText(0) }
            guard let next = next.flatMap({ $0 }) else { break }
            found.append(next)
            last = next
        }
        return found
    }

    /// The authors in the journal whose name or address contains a text.
    private static func authors(containing text: String, on connection: Connection) throws(DatabaseError) -> [String] {
        let all = try connection.rows(
            """
            WITH RECURSIVE author(name) AS (
                SELECT min(author) FROM entries
                UNION ALL
                SELECT (SELECT min(author) FROM entries WHERE author > author.name) FROM author WHERE name IS NOT NULL
            )
            SELECT name FROM author WHERE name IS NOT NULL LIMIT ?
            """, [.integer(maximumAuthors)]
        ) { (row) throws(DatabaseError) in try row.text(0) }
        let wanted = text.lowercased()
        return Array(all.filter { $0.lowercased().contains(wanted) }.prefix(1000))
    }
}
