package import Journal
import Manifest
import Reconciler

/// The table that `bylaw journal list` prints, one entry a line, with a heading.
///
/// Texts that others wrote cannot move the cursor or break a line: what would is escaped.
///
/// - Parameters:
///   - width: The columns of the terminal, which long texts are cut to; nil where there is none, and nothing is cut.
///   - isColoured: Whether outcomes and incidents stand out by colour.
package func renderEntryTable(_ entries: [JournalEntry], width: Int?, isColoured: Bool) -> String {
    var table = JournalTable(
        headings: ["SEQ", "TIME", "WHAT", "OBJECT", "REASON", "OUTCOME", "ACTOR/AUTHOR", "REVISION"],
        // Who did it can be looked up; which object it was is what the eye looks for.
        flexible: [(column: 6, least: 8), (column: 3, least: 16), (column: 4, least: 10)])
    for entry in entries {
        table.rows.append([
            .init("\(entry.sequence)"), .init(entry.time.wholeSeconds), .init(entry.what),
            .init(entry.object?.description ?? "-"), .init(entry.reason, entry.isIncident ? .yellow : nil),
            .init(entry.outcome.rawValue, entry.outcomeColour), .init(entry.who), .init(entry.shortRevision),
        ])
    }
    return table.text(width: width, isColoured: isColoured)
}

extension JournalEntry {
    /// What was done, or what kind of entry it is where nothing was.
    fileprivate var what: String { action?.rawValue ?? kind.rawValue }

    /// The actor of a drift, else the author of the revision.
    fileprivate var who: String {
        if let actor { return actor.displayName }
        guard let author = revision?.author, !author.isEmpty else { return "-" }
        // `Name <address>`: the name is enough here.
        guard let bracket = author.firstIndex(of: "<"), bracket > author.startIndex else { return author }
        let name = author[..<bracket]
        return String(name.hasSuffix(" ") ? name.dropLast() : name)
    }

    fileprivate var shortRevision: String { revision.map { String($0.commit.prefix(10)) } ?? "-" }

    fileprivate var outcomeColour: Terminal.Style? {
        switch outcome {
        case .succeeded: nil
        case .failed: .red
        case .held, .abandoned: .yellow
        }
    }
}

extension Timestamp {
    /// RFC 3339 without the fraction, for tables.
    fileprivate var wholeSeconds: String {
        let whole = description
        guard let dot = whole.firstIndex(of: ".") else { return whole }
        return whole[..<dot] + "Z"
    }
}

extension Terminal.Style {
    func wrap(_ text: String) -> String { "\u{1b}[\(rawValue)m\(text)\u{1b}[0m" }
}

/// Columns under headings.
struct JournalTable {
    struct Cell {
        var text: String
        var colour: Terminal.Style?

        init(_ text: String, _ colour: Terminal.Style? = nil) {
            self.text = printable(text)
            self.colour = colour
        }
    }

    var headings: [String]
    /// The columns that may be cut, in the order in which they are, and how much of them has to stay.
    var flexible: [(column: Int, least: Int)]
    var rows: [[Cell]] = []

    func text(width: Int?, isColoured: Bool) -> String {
        let widths = columnWidths(within: width)
        var lines = [line(headings.map { Cell($0) }, widths, isColoured: false)]
        lines += rows.map { line($0, widths, isColoured: isColoured) }
        return lines.map { $0 + "\n" }.joined()
    }

    private func columnWidths(within width: Int?) -> [Int] {
        var widths = headings.map(\.count)
        for row in rows {
            for (column, cell) in row.enumerated() where column < widths.count {
                widths[column] = max(widths[column], cell.text.count)
            }
        }
        guard let width else { return widths }
        var excess = widths.reduce(0, +) + 2 * (widths.count - 1) - width
        for (column, least) in flexible where excess > 0 {
            let cut = min(excess, max(0, widths[column] - max(least, headings[column].count)))
            widths[column] -= cut
            excess -= cut
        }
        return widths
    }

    private func line(_ cells: [Cell], _ widths: [Int], isColoured: Bool) -> String {
        var line = ""
        for (column, (cell, width)) in zip(cells, widths).enumerated() {
            let text = cell.text.count > width ? cell.text.prefix(max(0, width - 1)) + "…" : cell.text
            line += isColoured ? cell.colour?.wrap(text) ?? text : text
            // No blanks at the end of a line: they would wrap on a narrow terminal.
            if column < cells.count - 1 { line += String(repeating: " ", count: width - text.count + 2) }
        }
        return line
    }
}

extension Actor {
    /// The name to show: one that says so where there is none.
    var displayName: String {
        guard name.isEmpty else { return name }
        return certainty == .unknown ? "unknown" : "(unnamed)"
    }
}
