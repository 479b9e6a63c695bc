package import Manifest

/// A text that is meant as a label selector, and is none.
package struct SelectorMistake: Error, Equatable, Sendable {
    /// What is wrong, one sentence without a full stop.
    package var message: String
}

extension LabelSelector {
    /// Reads a selector as `kubectl -l` takes it: `region=eu,tier!=dev,env in (a,b),zone notin (c),gpu,!edge`.
    ///
    /// Comparisons by `<` and `>` are not read: labels of clusters are words. A text without a requirement, which kubectl
    /// takes for everything, is a mistake here.
    package init(parsing text: String) throws(SelectorMistake) {
        var parser = SelectorParser(text)
        self.init(requirements: try parser.requirements())
    }
}

private enum SelectorToken: Equatable {
    case word(String)
    case symbol(String)

    var text: String {
        switch self {
        case .word(let text), .symbol(let text): text
        }
    }
}

private struct SelectorParser {
    private var tokens: ArraySlice<SelectorToken>

    init(_ text: String) { tokens = Self.tokens(of: text)[...] }

    mutating func requirements() throws(SelectorMistake) -> [LabelSelector.Requirement] {
        var found = [try requirement()]
        while let token = tokens.popFirst() {
            guard token == .symbol(",") else { throw mistake(token, expected: "a comma") }
            found.append(try requirement())
        }
        return found
    }

    private mutating func requirement() throws(SelectorMistake) -> LabelSelector.Requirement {
        if tokens.first == .symbol("!") {
            tokens.removeFirst()
            return .doesNotExist(key: try key())
        }
        let key = try key()
        switch tokens.first {
        case nil, .symbol(",")?: return .exists(key: key)
        case .symbol("=")?, .symbol("==")?:
            tokens.removeFirst()
            return .isIn(key: key, values: [try value()])
        case .symbol("!=")?:
            tokens.removeFirst()
            return .notIn(key: key, values: [try value()])
        case .word("in")?:
            tokens.removeFirst()
            return .isIn(key: key, values: try values())
        case .word("notin")?:
            tokens.removeFirst()
            return .notIn(key: key, values: try values())
        case let other: throw mistake(other, expected: "=, !=, in or notin")
        }
    }

    private mutating func key() throws(SelectorMistake) -> String {
        guard case .word(let key)? = tokens.first else { throw mistake(tokens.first, expected: "a label's key") }
        tokens.removeFirst()
        if let problem = Names.qualifiedNameProblems(key).first {
            throw SelectorMistake(message: "the key \(quoted(key)): \(problem)")
        }
        return key
    }

    /// A value, which may be empty as in `region=`.
    private mutating func value() throws(SelectorMistake) -> String {
        guard case .word(let value)? = tokens.first else { return "" }
        tokens.removeFirst()
        if let problem = Names.labelValueProblems(value).first {
            throw SelectorMistake(message: "the value \(quoted(value)): \(problem)")
        }
        return value
    }

    private mutating func values() throws(SelectorMistake) -> Set<String> {
        guard tokens.popFirst() == .symbol("(") else { throw SelectorMistake(message: "( must follow in and notin") }
        var found: Set<String> = [try value()]
        while tokens.first == .symbol(",") {
            tokens.removeFirst()
            found.insert(try value())
        }
        guard tokens.first == .symbol(")") else { throw mistake(tokens.first, expected: ")") }
        tokens.removeFirst()
        return found
    }

    private func mistake(_ token: SelectorToken?, expected: String) -> SelectorMistake {
        SelectorMistake(
            message: "\(expected) must stand " + (token.map { "where \(quoted($0.text)) stands" } ?? "at the end"))
    }

    private static func tokens(of text: String) -> [SelectorToken] {
        var tokens: [SelectorToken] = []
        var word = ""
        func endWord() {
            if !word.isEmpty { tokens.append(.word(word)) }
            word = ""
        }
        for scalar in text.unicodeScalars {
            switch scalar {
            case " ", "\t", "\n", "\r": endWord()
            case "=" where word.isEmpty && (tokens.last == .symbol("=") || tokens.last == .symbol("!")):
                tokens.append(.symbol((tokens.popLast()?.text ?? "") + "="))
            case "(", ")", ",", "!", "=", "<", ">":
                endWord()
                tokens.append(.symbol(String(scalar)))
            default: word.unicodeScalars.append(scalar)
            }
        }
        endWord()
        return tokens
    }
}
