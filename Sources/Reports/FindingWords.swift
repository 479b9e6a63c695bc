import Analysis
import Manifest
import Policy

// The words that the forms of a report share, so that people meet the same ones in all of them.

extension Severity {
    /// All of them, the gravest first.
    static let gravestFirst: [Severity] = allCases.sorted(by: >)

    /// `Critical`, as at the beginning of a line.
    var title: String { rawValue.prefix(1).uppercased() + rawValue.dropFirst() }
}

extension FindingArea {
    var title: String {
        switch self {
        case .access: "Access"
        case .network: "Network"
        case .podSecurity: "Pod Security"
        case .baseline: "Baseline"
        }
    }
}

extension ChangeDirection {
    /// What a reader has to know beside the severity; nil where the reason says it.
    var remark: String? {
        switch self {
        case .loosens, .tightens: nil
        case .breaks: "may break what works"
        case .misleads: "does not do what it seems to"
        }
    }
}

extension ChangeReason {
    /// `Secret access granted`: the reason in words.
    var words: String {
        var words = ""
        for character in rawValue {
            if character.isUppercase, !words.isEmpty { words += " " }
            words += words.isEmpty ? String(character) : character.lowercased()
        }
        return words
    }

    /// Where the runbook can be read, below the address that the project is published at; nil without one.
    func runbookAddress(below base: String?) -> String? {
        guard let base, base.hasPrefix("https://") || base.hasPrefix("http://") else { return nil }
        let root = base.hasSuffix("/") ? String(base.dropLast()) : base
        return percentEncoded(root, keeping: addressCharacters) + "/Runbooks/\(rawValue).md"
    }
}

extension ChangeFinding {
    /// Whether the message names the subject and the scope already, so that saying them again would only be longer.
    var namesItsPlace: Bool {
        let message = message.lowercased()
        return message.contains(subject.description.lowercased()) && message.contains(scope.lowercased())
    }
}

extension FindingCause {
    /// `changed in 1a2b3c4`, made printable.
    var editText: String { commit.map { "\(edit.rawValue) in \(shortCommit($0))" } ?? edit.rawValue }
}

/// The first seven digits, as Git shows them; made printable, as nothing here has checked that they are digits.
func shortCommit(_ commit: String) -> String { printable(String(commit.prefix(7))) }

extension ChangeReport {
    /// No change in meaning: what every form says of a report without findings.
    static let nothingChanged = "No change in what this grants, reaches or admits."

    /// `2 critical, 1 high`: how many there are of each severity that there is any of.
    func countsText(of severities: [Severity] = Severity.gravestFirst, conjunction: String = ", ") -> String {
        severities.filter { count($0) > 0 }.map { "\(count($0)) \($0.rawValue)" }.joined(separator: conjunction)
    }

    /// The guardrails that somebody has to approve, in their order.
    var neededApprovals: [Guardrail] {
        let needed = Set(findings.compactMap(\.guardrail))
        return Guardrail.allCases.filter(needed.contains)
    }

    /// The command that shows everything; with placeholders where the names of the sides are not plain words.
    var wholeReportCommand: String {
        guard isPlainRevision(base), isPlainRevision(head) else { return "bylaw diff BASE HEAD" }
        return "bylaw diff \(base) \(head)"
    }
}

/// Whether a shell, Git and Markdown all take the text for one word.
private func isPlainRevision(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.count <= 60 && !text.hasPrefix("-")
        && text.utf8.allSatisfy { byte in
            isLetterOrDigit(byte) || "-._/".utf8.contains(byte)
        }
}

/// Of ASCII.
func isLetterOrDigit(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
}

/// `1 finding`, `2 findings`.
func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }
