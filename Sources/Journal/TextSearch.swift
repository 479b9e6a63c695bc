/// Words that are looked for in the texts of entries: messages, names, people, and the contents before and after.
///
/// All of them have to be there, in any order; letter case and accents play no part. Words in quotes stand together, and a
/// word that ends in `*` is a beginning. What is no letter and no digit separates words, also in a name such as `team-a`.
package struct TextSearch: Sendable, Equatable {
    package static let maximumBytes = 1024

    /// The expression for FTS5: only phrases, so that nothing in a person's text is an operator.
    let expression: String
    /// Whether a beginning is looked for, which costs much each time it is looked for.
    let hasBeginning: Bool

    /// - Returns: Nil where there is no word in it, and where it is longer than ``maximumBytes``.
    package init?(_ text: String) {
        guard text.utf8.count <= Self.maximumBytes else { return nil }
        var phrases: [String] = []
        for (index, part) in text.split(separator: "\"", omittingEmptySubsequences: false).enumerated() {
            // Between quotes stands one phrase, outside each word is one.
            let words = index % 2 == 1 ? [part] : part.split(whereSeparator: \.isWhitespace)
            phrases += words.compactMap(Self.phrase)
        }
        guard !phrases.isEmpty else { return nil }
        expression = phrases.joined(separator: " ")
        hasBeginning = phrases.contains { $0.hasSuffix("*") }
    }

    private static func phrase(_ text: Substring) -> String? {
        guard text.unicodeScalars.contains(where: { $0.properties.isAlphabetic || $0.properties.numericType != nil })
        else { return nil }
        let isBeginning = text.last == "*"
        // NUL would end the expression.
        let words = text.unicodeScalars.map { $0.value == 0 ? " " : String($0) }.joined()
        return isBeginning ? "\"\(words.dropLast())\" *" : "\"\(words)\""
    }
}
