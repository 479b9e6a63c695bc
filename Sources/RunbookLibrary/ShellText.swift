/// Shell text as far as the checks look at it: the words of its simple commands, and quotes and brackets left open.
///
/// Reserved words stay where they are, so `if bylaw status` is the command `if bylaw status`. What stands in a substitution
/// is a command of its own, and ``Placeholder/expansion`` in the word that it is a part of. Redirections are left out.
struct ShellText {
    struct Command: Equatable {
        var words: [String]
        var line: Int
    }

    struct Problem: Equatable {
        var message: String
        var line: Int
    }

    private(set) var commands: [Command]
    private(set) var problems: [Problem]

    /// - Parameter line: The number of its first line.
    init(_ text: String, line: Int) {
        var reader = ShellReader(text, line: line)
        reader.readCommands(until: nil)
        commands = reader.commands
        problems = reader.problems
    }
}

private struct ShellReader {
    var commands: [ShellText.Command] = []
    var problems: [ShellText.Problem] = []
    private let characters: [Character]
    private var index = 0
    private var line: Int
    private var depth = 0
    /// The delimiters of here-documents whose text begins with the next line.
    private var delimiters: [String] = []
    /// In a `case`, patterns end with a bracket that nothing opened.
    private var hasCase = false
    /// Substitutions nest; so deep that nobody means it, they end the reading.
    private static let maximumDepth = 50

    init(_ text: String, line: Int) {
        characters = Array(text)
        self.line = line
    }

    private var next: Character? { index < characters.count ? characters[index] : nil }
    private func character(after offset: Int) -> Character? {
        index + offset < characters.count ? characters[index + offset] : nil
    }

    /// Steps over one character and counts lines.
    @discardableResult
    private mutating func take() -> Character? {
        guard let character = next else { return nil }
        index += 1
        if character == "\n" { line += 1 }
        return character
    }

    private mutating func report(_ message: String, line: Int) {
        problems.append(ShellText.Problem(message: message, line: line))
    }

    // MARK: Commands

    /// Reads commands up to a closing character, which is taken, or to the end of the text.
    mutating func readCommands(until closer: Character?, from opening: Int = 0) {
        guard depth < Self.maximumDepth else {
            report("it is nested too deeply", line: line)
            index = characters.count
            return
        }
        depth += 1
        defer { depth -= 1 }
        var words: [String] = []
        var first = line
        func end(_ reader: inout ShellReader) {
            if !words.isEmpty { reader.commands.append(ShellText.Command(words: words, line: first)) }
            words = []
        }
        while let character = next {
            if character == closer {
                end(&self)
                take()
                return
            }
            switch character {
            case "\n":
                end(&self)
                take()
                skipHereDocuments()
            case "\\" where self.character(after: 1) == "\n":
                take()
                take()
            case " ", "\t": take()
            case "#": while let character = next, character != "\n" { take() }
            case "&" where self.character(after: 1) == ">": readRedirection()
            case ";", "|", "&":
                end(&self)
                take()
            case "(":
                end(&self)
                let opened = line
                take()
                readCommands(until: ")", from: opened)
            case ")":
                // In a `case`, what follows a pattern is a command of its own.
                end(&self)
                if !hasCase { report("a bracket ) closes nothing", line: line) }
                take()
            case "<" where Placeholder.bracketedLength(characters, at: index) == nil: readRedirection()
            case ">": readRedirection()
            default:
                if words.isEmpty { first = line }
                let word = readWord(until: closer)
                if word == "case" { hasCase = true }
                // The number of a stream, as in `2>`.
                if ["<", ">"].contains(next ?? " "), !word.isEmpty, word.allSatisfy(\.isNumber) { continue }
                words.append(word)
            }
        }
        end(&self)
        if let closer { report("\(closer == "`" ? "a backquote" : "a bracket (") is not closed", line: opening) }
    }

    private mutating func readRedirection() {
        var sign = ""
        while let character = next, "<>&|".contains(character), sign.count < 3 {
            sign.append(character)
            take()
        }
        if next == "(" { return }
        if sign == "<<", next == "-" { take() }
        while next == " " || next == "\t" { take() }
        guard let character = next, character != "\n" else { return report("nothing stands after \(sign)", line: line) }
        let target = readWord(until: nil)
        if sign == "<<" { delimiters.append(target) }
    }

    private mutating func skipHereDocuments() {
        while !delimiters.isEmpty {
            let delimiter = delimiters.removeFirst()
            while next != nil {
                var text = ""
                while let character = next, character != "\n" {
                    text.append(character)
                    take()
                }
                take()
                if text.drop(while: { $0 == "\t" }) == delimiter { break }
            }
        }
    }

    // MARK: Words

    private mutating func readWord(until closer: Character?) -> String {
        var word = ""
        let begin = index
        while let character = next, character != closer {
            switch character {
            case " ", "\t", "\n", ";", "|", "&", "(", ")", ">":
                // A word has at least one character, so that whoever reads words comes to an end.
                if index == begin { take() }
                return word
            case "<":
                guard let length = Placeholder.bracketedLength(characters, at: index) else {
                    if index == begin { take() }
                    return word
                }
                for _ in 0..<length { if let part = take() { word.append(part) } }
            case "'": word += readQuoted(by: "'", hasEscapes: false)
            case "\"": word += readDoubleQuoted()
            case "\\":
                take()
                if let escaped = take(), escaped != "\n" { word.append(escaped) }
            case "`": word += readSubstitution(closedBy: "`")
            case "$": word += readExpansion()
            default:
                word.append(character)
                take()
            }
        }
        return word
    }

    private mutating func readQuoted(by quote: Character, hasEscapes: Bool) -> String {
        let opened = line
        take()
        var text = ""
        while let character = take() {
            if character == quote { return text }
            if hasEscapes, character == "\\", let escaped = take() {
                text.append(escaped)
            } else {
                text.append(character)
            }
        }
        report("a quotation mark \(quote) is not closed", line: opened)
        return text
    }

    private mutating func readDoubleQuoted() -> String {
        let opened = line
        take()
        var text = ""
        while let character = next {
            switch character {
            case "\"":
                take()
                return text
            case "\\":
                take()
                if let escaped = take(), escaped != "\n" { text.append(escaped) }
            case "`": text += readSubstitution(closedBy: "`")
            case "$": text += readExpansion()
            default:
                text.append(character)
                take()
            }
        }
        report("a quotation mark \" is not closed", line: opened)
        return text
    }

    private mutating func readSubstitution(closedBy closer: Character) -> String {
        let opened = line
        take()
        readCommands(until: closer, from: opened)
        return Placeholder.expansion
    }

    /// Reads what begins with a dollar sign.
    private mutating func readExpansion() -> String {
        let opened = line
        take()
        guard let character = next else { return "$" }
        switch character {
        case "(": return readSubstitution(closedBy: ")")
        case "'": return readQuoted(by: "'", hasEscapes: true)
        case "{":
            while let character = take() { if character == "}" { return Placeholder.expansion } }
            report("a bracket { is not closed", line: opened)
            return Placeholder.expansion
        case _ where character.isASCII && (character.isLetter || character == "_"):
            while let character = next, character.isASCII, character.isLetter || character.isNumber || character == "_"
            {
                take()
            }
            return Placeholder.expansion
        case _ where "0123456789@*#?!$-".contains(character):
            take()
            return Placeholder.expansion
        default: return "$"
        }
    }
}
