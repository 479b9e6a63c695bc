import Arguments

/// Holds one file against the form of a runbook: front matter, title, and the five headings.
struct FormCheck {
    static let headings = ["Meaning", "Impact", "Diagnosis", "Mitigation", "Undo"]
    static let severities = ["critical", "warning", "info"]

    private(set) var findings: [RunbookFinding] = []
    let text: RunbookText
    private let file: RunbookFile
    private let lines: [String]

    init(_ file: RunbookFile, reasons: [String]) {
        self.file = file
        lines = file.lines
        let start = Self.bodyStart(lines)
        text = RunbookText(lines, from: start)
        for block in text.codeBlocks where !block.isClosed {
            report(.heading, block.line - 1, "a block of code is not closed", "Close it with the marks that open it.")
        }
        guard !file.isIndex else { return }
        checkFrontMatter(start, reasons)
        checkTitle(start)
        checkHeadings()
        checkDiagnosis()
    }

    /// How many lines the front matter takes, its marks included; 0 where there is none.
    static func bodyStart(_ lines: [String]) -> Int {
        guard lines.first == "---", let end = lines.dropFirst().firstIndex(of: "---") else { return 0 }
        return end + 1
    }

    private mutating func report(_ rule: RunbookFinding.Rule, _ line: Int, _ message: String, _ hint: String) {
        findings.append(RunbookFinding(rule: rule, file: file.name, line: line, message: message, hint: hint))
    }

    // MARK: Front matter

    private mutating func checkFrontMatter(_ start: Int, _ reasons: [String]) {
        guard start > 0 else {
            return report(
                .frontMatter, 1, "there is no front matter",
                "Begin the file with a line ---, reason: REASON, severity: SEVERITY, and a line ---.")
        }
        var facts: [String: (value: String, line: Int)] = [:]
        for index in 1..<max(start - 1, 1) {
            let line = lines[index]
            guard let colon = line.firstIndex(of: ":") else {
                report(.frontMatter, index + 1, "\"\(line)\" is no fact", "Write NAME: VALUE.")
                continue
            }
            let name = String(line[..<colon])
            let value = String(line[line.index(after: colon)...].drop { $0 == " " })
            if facts[name] != nil {
                report(.frontMatter, index + 1, "\(name) is given twice", "Give it once.")
            } else if !["reason", "severity"].contains(name) {
                report(
                    .frontMatter, index + 1, "\"\(name)\" is not known in front matter",
                    "It has reason and severity; put the rest into the text.")
            }
            facts[name] = (value, index + 1)
        }
        checkReason(facts["reason"], reasons)
        guard let severity = facts["severity"] else {
            return report(
                .frontMatter, 1, "the front matter names no severity",
                "Add severity: \(Self.severities.joined(separator: ", ")).")
        }
        if !Self.severities.contains(severity.value) {
            report(
                .frontMatter, severity.line, "the severity \"\(severity.value)\" is not known",
                "Use one of: \(Self.severities.joined(separator: ", ")).")
        }
    }

    private mutating func checkReason(_ reason: (value: String, line: Int)?, _ reasons: [String]) {
        guard let reason else {
            return report(
                .frontMatter, 1, "the front matter names no reason", "Add reason: with the name of the file.")
        }
        if !reasons.contains(reason.value) {
            let nearest = nearestWord(to: reason.value, among: reasons)
            report(
                .reason, reason.line,
                "no incident and no finding has the reason \"\(reason.value)\": nothing leads here",
                nearest.map { "Did you mean \($0)?" } ?? "Delete the file, or see bylaw runbook list.")
        }
        if file.name != "\(reason.value).md" {
            report(
                .reason, reason.line, "the file is for \(reason.value) and has another name",
                "Name it \(reason.value).md.")
        }
    }

    // MARK: Headings

    private mutating func checkTitle(_ start: Int) {
        let first = lines.indices.dropFirst(start).first { lines[$0].contains { !$0.isWhitespace } }
        let isTitle = first.map { lines[$0].hasPrefix("# ") && lines[$0].contains(where: \.isLetter) } ?? false
        if !isTitle {
            report(
                .heading, (first ?? start) + 1, "the text does not begin with a title",
                "Begin it with a line such as: # What has happened")
        }
    }

    private mutating func checkHeadings() {
        let sections = text.headings.filter { $0.level == 2 }
        let others = sections.map(\.text).filter { !Self.headings.contains($0) }
        var latest: (order: Int, name: String)?
        for name in Self.headings {
            let found = sections.filter { $0.text == name }
            if found.isEmpty {
                let slip = nearestWord(to: name.lowercased(), among: others.map { $0.lowercased() })
                    .flatMap { word in sections.first { $0.text.lowercased() == word } }
                report(
                    .heading, slip?.line ?? lines.count, "the heading \(name) is missing",
                    slip.map { "Write ## \(name) in place of ## \($0.text)." }
                        ?? "Add ## \(name): every runbook has \(Self.headings.joined(separator: ", ")).")
            }
            for repeated in found.dropFirst() {
                report(.heading, repeated.line, "the heading \(name) stands there twice", "Put both into one.")
            }
            for heading in found where heading.isEmpty {
                report(
                    .heading, heading.line, "nothing stands under \(name)",
                    "Say it, even where it is: Nothing to undo.")
            }
        }
        for section in sections {
            guard let order = Self.headings.firstIndex(of: section.text) else { continue }
            if let latest, order < latest.order {
                report(
                    .heading, section.line, "\(section.text) stands after \(latest.name)",
                    "Put them in this order: \(Self.headings.joined(separator: ", ")).")
            } else {
                latest = (order, section.text)
            }
        }
    }

    private mutating func checkDiagnosis() {
        guard let diagnosis = text.headings.first(where: { $0.level == 2 && $0.text == "Diagnosis" }),
            !diagnosis.isEmpty, commands(of: file, under: "Diagnosis").isEmpty
        else { return }
        report(
            .command, diagnosis.line, "Diagnosis shows no command",
            "Show at least one in a block of code, such as bylaw journal show SEQ.")
    }
}
