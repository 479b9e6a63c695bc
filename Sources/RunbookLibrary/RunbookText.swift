/// A runbook's Markdown, taken apart as far as the checks look at it.
struct RunbookText {
    struct Heading {
        var level: Int
        var text: String
        var line: Int
        /// Whether nothing but other headings stands under it.
        var isEmpty = true
    }

    /// Lines between two fences, or a single indented command.
    struct CodeBlock {
        /// What stands after the opening fence, such as `sh`; empty where nothing does.
        var language: String
        var text: String
        /// The number of its first line.
        var line: Int
        /// The heading of the second level that it stands under.
        var section: String
        var isClosed = true

        /// Whether all of it is commands; a block without a language may be output too.
        var isShell: Bool { ["sh", "bash", "shell", "zsh", "console", "shell-session"].contains(language) }
        /// Whether commands may be in it: YAML, JSON and other languages are none.
        var mayHaveCommands: Bool { isShell || language.isEmpty }
    }

    /// Lines of prose that stand together.
    struct Paragraph {
        var text: String
        var line: Int
    }

    /// A piece of inline code.
    struct CodeSpan {
        var text: String
        var line: Int
    }

    private(set) var headings: [Heading] = []
    private(set) var codeBlocks: [CodeBlock] = []
    private(set) var paragraphs: [Paragraph] = []
    private(set) var codeSpans: [CodeSpan] = []
    /// The paragraphs with everything in inline code taken out.
    private(set) var prose: [Paragraph] = []

    private var section = ""
    /// The last heading of each level that what comes now stands under.
    private var open: [Int] = []
    private var lastProseLine = 0

    /// - Parameters:
    ///   - lines: The lines of the whole file.
    ///   - start: How many of them belong to the front matter.
    init(_ lines: [String], from start: Int) {
        var index = start
        while index < lines.count {
            let line = lines[index]
            if let fence = Fence(line) {
                index = readBlock(lines, fence, opening: index)
                continue
            }
            if let heading = Self.heading(line, number: index + 1) {
                if heading.level == 2 { section = heading.text }
                open.removeAll { headings[$0].level >= heading.level }
                open.append(headings.count)
                headings.append(heading)
            } else if let command = Self.indentedCommand(line) {
                noteContent()
                codeBlocks.append(CodeBlock(language: "", text: command, line: index + 1, section: section))
            } else if line.contains(where: { !$0.isWhitespace }) {
                noteContent()
                if lastProseLine == index, let last = paragraphs.indices.last {
                    paragraphs[last].text += "\n" + line
                } else {
                    paragraphs.append(Paragraph(text: line, line: index + 1))
                }
                lastProseLine = index + 1
            }
            index += 1
        }
        for paragraph in paragraphs { takeApart(paragraph) }
    }

    /// The names that `#NAME` in a link can mean, as Git hosts make them from headings.
    var anchors: Set<String> {
        var anchors: Set<String> = []
        var counts: [String: Int] = [:]
        for heading in headings {
            let name = String(
                heading.text.lowercased().filter { $0.isLetter || $0.isNumber || "-_ ".contains($0) }
                    .map { $0 == " " ? "-" : $0 })
            let count = counts[name, default: 0]
            counts[name] = count + 1
            anchors.insert(count == 0 ? name : "\(name)-\(count)")
        }
        return anchors
    }

    // MARK: Lines

    private mutating func noteContent() {
        for index in open { headings[index].isEmpty = false }
    }

    /// - Returns: The index of the line after the block.
    private mutating func readBlock(_ lines: [String], _ fence: Fence, opening: Int) -> Int {
        noteContent()
        var block = CodeBlock(language: fence.language, text: "", line: opening + 2, section: section)
        var texts: [String] = []
        for index in (opening + 1)..<max(lines.count, opening + 1) {
            if fence.isClosed(by: lines[index]) {
                block.text = texts.joined(separator: "\n")
                codeBlocks.append(block)
                return index + 1
            }
            let indent = lines[index].prefix { $0 == " " }.count
            texts.append(String(lines[index].dropFirst(min(indent, fence.indent))))
        }
        block.text = texts.joined(separator: "\n")
        block.isClosed = false
        codeBlocks.append(block)
        return lines.count
    }

    private static func heading(_ line: String, number: Int) -> Heading? {
        let level = line.prefix { $0 == "#" }.count
        let rest = line.dropFirst(level)
        guard (1...6).contains(level), rest.isEmpty || rest.first == " " else { return nil }
        var text = rest.drop { $0 == " " }
        while let last = text.last, last.isWhitespace || last == "#" { text = text.dropLast() }
        return Heading(level: level, text: String(text), line: number)
    }

    private static func indentedCommand(_ line: String) -> String? {
        guard line.hasPrefix("    ") else { return nil }
        let text = line.drop { $0 == " " }
        return text.hasPrefix("bylaw ") || text.hasPrefix("kubectl ") ? String(text) : nil
    }

    // MARK: Inline code

    private mutating func takeApart(_ paragraph: Paragraph) {
        let characters = Array(paragraph.text)
        var rest = ""
        var line = paragraph.line
        var index = 0
        while index < characters.count {
            guard characters[index] == "`" else {
                if characters[index].isNewline { line += 1 }
                rest.append(characters[index])
                index += 1
                continue
            }
            let length = Self.backquotes(characters, at: index)
            var end = index + length
            while end < characters.count {
                let closing = Self.backquotes(characters, at: end)
                if closing == length { break }
                end += max(closing, 1)
            }
            guard end < characters.count else {
                rest += String(characters[index..<index + length])
                index += length
                continue
            }
            let text = String(characters[index + length..<end])
            codeSpans.append(CodeSpan(text: String(text.map { $0.isNewline ? " " : $0 }), line: line))
            let breaks = text.count(where: \.isNewline)
            rest += " " + String(repeating: "\n", count: breaks)
            line += breaks
            index = end + length
        }
        prose.append(Paragraph(text: rest, line: paragraph.line))
    }

    private static func backquotes(_ characters: [Character], at index: Int) -> Int {
        characters[index...].prefix { $0 == "`" }.count
    }
}

/// The line that opens a block of code.
private struct Fence {
    var indent: Int
    var language: String
    private var mark: Character
    private var length: Int

    init?(_ line: String) {
        indent = line.prefix { $0 == " " }.count
        let text = line.dropFirst(indent)
        guard let first = text.first, first == "`" || first == "~" else { return nil }
        mark = first
        length = text.prefix { $0 == first }.count
        let rest = text.dropFirst(length)
        guard length >= 3, !rest.contains("`") else { return nil }
        language = rest.split(separator: " ").first.map { $0.lowercased() } ?? ""
    }

    func isClosed(by line: String) -> Bool {
        let text = line.drop { $0 == " " }
        let count = text.prefix { $0 == mark }.count
        return count >= length && text.dropFirst(count).allSatisfy(\.isWhitespace)
    }
}
