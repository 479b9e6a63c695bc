import Arguments

/// Finds links, anchors and names of runbooks that lead nowhere.
struct LinkCheck {
    private(set) var findings: [RunbookFinding] = []
    private let file: String
    private let text: RunbookText
    private let files: [String: RunbookText]
    private let reasons: Set<String>

    /// - Parameters:
    ///   - files: All runbooks of the folder, by their names.
    ///   - linked: What a relative path leads to, seen from the folder.
    init(
        _ file: String, _ text: RunbookText, among files: [String: RunbookText], reasons: [String],
        linked: (String) -> LinkTarget
    ) {
        self.file = file
        self.text = text
        self.files = files
        self.reasons = Set(reasons)
        for paragraph in text.prose {
            let reading = LinkReading(paragraph)
            for link in reading.links { check(link, linked) }
            for line in reading.plainAddresses { reportPlainAddress(line) }
            checkNames(in: reading.rest, from: paragraph.line)
        }
        for span in text.codeSpans { checkNames(in: span.text, from: span.line) }
        for block in text.codeBlocks { checkNames(in: block.text, from: block.line) }
        for paragraph in text.paragraphs { checkMentions(paragraph) }
    }

    private mutating func report(_ line: Int, _ message: String, _ hint: String) {
        findings.append(RunbookFinding(rule: .link, file: file, line: line, message: message, hint: hint))
    }

    private mutating func reportPlainAddress(_ line: Int) {
        report(line, "an address begins with http://", "Link to the same page by https.")
    }

    // MARK: Links

    private mutating func check(_ link: LinkReading.Link, _ linked: (String) -> LinkTarget) {
        let target = link.target
        if target.isEmpty { return report(link.line, "a link leads nowhere", "Name its target, or take it out.") }
        if let scheme = Self.scheme(of: target) {
            switch scheme {
            case "https":
                if target.dropFirst("https://".count).prefix(while: { $0 != "/" }).isEmpty {
                    report(link.line, "the link \(target) names no host", "Write the whole address.")
                }
            case "mailto": break
            case "http": reportPlainAddress(link.line)
            default: report(link.line, "the link \(target) is no https address", "Link to a page by https.")
            }
            return
        }
        if target.hasPrefix("//") {
            return report(link.line, "the link \(target) is no https address", "Link to a page by https.")
        }
        if target.hasPrefix("/") {
            return report(
                link.line, "the link \(target) has no folder to begin at", "Write it relative to the runbook's folder.")
        }
        let parts = target.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
        let anchor = parts.count > 1 ? String(parts[1]) : nil
        var path = decoded(String(parts.first ?? ""))
        while path.hasPrefix("./") { path.removeFirst(2) }
        guard !path.isEmpty else { return check(anchor, in: text, of: "this runbook", link.line) }
        if let other = files[path] { return check(anchor, in: other, of: path, link.line) }
        switch linked(path) {
        case .missing:
            report(link.line, "the link \(path) leads to no file", "Correct its path, or take it out.")
        case .folder: break
        case .file(let content):
            guard path.hasSuffix(".md"), let content else { return }
            let lines = RunbookFile(name: path, text: content).lines
            check(anchor, in: RunbookText(lines, from: FormCheck.bodyStart(lines)), of: path, link.line)
        }
    }

    private mutating func check(_ anchor: String?, in text: RunbookText, of name: String, _ line: Int) {
        guard let anchor else { return }
        let wanted = decoded(anchor).lowercased()
        guard !text.anchors.contains(wanted) else { return }
        let nearest = nearestWord(to: wanted, among: text.anchors.sorted())
        report(
            line, "\(name) has no heading #\(anchor)",
            nearest.map { "Did you mean #\($0)?" } ?? "Name one of its headings in small letters, with - for a space.")
    }

    /// The scheme that a target begins with, in small letters; nil for a path.
    private static func scheme(of target: String) -> String? {
        guard let colon = target.firstIndex(of: ":"), target.first?.isLetter == true else { return nil }
        let scheme = target[..<colon]
        return scheme.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "+-.".contains($0)) }
            ? scheme.lowercased() : nil
    }

    // MARK: Names

    /// Looks at names of files such as `DriftCorrected.md`, in this folder or a folder `Runbooks`.
    private mutating func checkNames(in text: String, from first: Int) {
        for (line, words) in Self.words(of: text, from: first) {
            for word in words where word.hasSuffix(".md") {
                let parts = word.split(separator: "/")
                guard let name = parts.last, Self.isReason(name.dropLast(3)),
                    parts.count == 1 || parts.dropLast().last?.lowercased() == "runbooks",
                    files[String(name)] == nil
                else { continue }
                let nearest = nearestWord(to: String(name), among: files.keys.sorted())
                report(
                    line, "there is no runbook \(name)",
                    nearest.map { "Did you mean \($0)?" } ?? "See bylaw runbook list.")
            }
        }
    }

    /// Looks at sentences such as "by the runbook DriftCorrected".
    private mutating func checkMentions(_ paragraph: RunbookText.Paragraph) {
        for (line, words) in Self.words(of: paragraph.text, from: paragraph.line) {
            for (before, word) in zip(words, words.dropFirst())
            where ["runbook", "runbooks"].contains(before.lowercased()) && Self.isReason(word) {
                guard !reasons.contains(String(word)), files["\(word).md"] == nil else { continue }
                let nearest = nearestWord(to: String(word), among: reasons.sorted())
                report(
                    line, "there is no runbook \(word)",
                    nearest.map { "Did you mean \($0)?" } ?? "See bylaw runbook list.")
            }
        }
    }

    /// The words of each line: letters, digits, and what stands in paths.
    private static func words(of text: String, from first: Int) -> [(line: Int, words: [Substring])] {
        text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated().map { offset, line in
            let words = line.split { !($0.isLetter || $0.isNumber || "./_-".contains($0)) }
            return (first + offset, words.map { Self.withoutFullStop($0) })
        }
    }

    private static func withoutFullStop(_ word: Substring) -> Substring {
        var word = word
        while word.last == "." { word = word.dropLast() }
        return word
    }

    /// Whether a word is written as reasons are: several words in one, each with a capital letter.
    private static func isReason(_ word: Substring) -> Bool {
        guard let first = word.first, first.isUppercase, word.allSatisfy({ $0.isASCII && $0.isLetter }) else {
            return false
        }
        return word.contains(where: \.isLowercase) && word.dropFirst().contains(where: \.isUppercase)
    }
}

/// The links of a paragraph, and what is left without them.
private struct LinkReading {
    struct Link {
        var target: String
        var line: Int
    }

    private(set) var links: [Link] = []
    /// The lines with an address by http that is not the target of a link.
    private(set) var plainAddresses: [Int] = []
    /// The text without the targets of links.
    private(set) var rest = ""

    private let characters: [Character]
    private var index = 0
    private var line: Int

    init(_ paragraph: RunbookText.Paragraph) {
        characters = Array(paragraph.text)
        line = paragraph.line
        var isLineStart = true
        while index < characters.count {
            if isLineStart, let length = definitionLength() {
                index += length
                readTarget(endingAt: nil)
                isLineStart = false
            } else if has("](") {
                index += 2
                rest.append(" ")
                readTarget(endingAt: ")")
            } else if has("http://"), index == 0 || !characters[index - 1].isLetter {
                plainAddresses.append(line)
                index += "http://".count
            } else {
                let character = characters[index]
                if character.isNewline { line += 1 }
                isLineStart = character.isNewline || (isLineStart && character == " ")
                rest.append(character)
                index += 1
            }
        }
    }

    private func has(_ text: String) -> Bool {
        let end = index + text.count
        return end <= characters.count && characters[index..<end].elementsEqual(text)
    }

    /// How long the beginning of a definition is, such as `[manual]: `; nil where none begins here.
    private func definitionLength() -> Int? {
        guard characters[index] == "[" else { return nil }
        for end in (index + 1)..<max(min(index + 200, characters.count), index + 1) {
            if characters[end].isNewline || characters[end] == "[" { return nil }
            guard characters[end] == "]" else { continue }
            return end + 1 < characters.count && characters[end + 1] == ":" ? end + 2 - index : nil
        }
        return nil
    }

    /// Reads a target up to a white space or, in a link, the bracket that closes it; a title after it stays in the text.
    private mutating func readTarget(endingAt closer: Character?) {
        while index < characters.count, characters[index] == " " { index += 1 }
        var target = ""
        var depth = 0
        let isBracketed = index < characters.count && characters[index] == "<"
        if isBracketed { index += 1 }
        while index < characters.count {
            let character = characters[index]
            if character.isNewline || (isBracketed ? character == ">" : character == " ") { break }
            if !isBracketed, character == "(" { depth += 1 }
            if !isBracketed, character == closer {
                if depth == 0 { break }
                depth -= 1
            }
            target.append(character)
            index += 1
        }
        links.append(Link(target: target, line: line))
    }
}

/// Text with `%20` and the like replaced by what they stand for.
private func decoded(_ text: String) -> String {
    guard text.contains("%") else { return text }
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
        if byte == UInt8(ascii: "%"), rest.count >= 2,
            let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
        {
            rest = rest.dropFirst(2)
            bytes.append(value)
        } else {
            bytes.append(byte)
        }
    }
    return String(decoding: bytes, as: UTF8.self)
}
