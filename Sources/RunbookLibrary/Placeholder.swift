/// How runbooks write the values that a reader fills in.
///
/// A capital letter with more capital letters, digits and `_` after it (`NAMESPACE`, `ServiceAccount:NAMESPACE/NAME`), a word in angle
/// brackets (`<name>`), or `...` for anything more. `HEAD` is Git's own word.
package enum Placeholder {
    /// What stands for any number of further words.
    static let anythingMore = "..."
    /// What a variable or a substitution of the shell is read as: its value is known only when it runs.
    static let expansion = "EXPANDED_BY_THE_SHELL"
    private static let wordsOfOthers: Set<String> = ["HEAD"]

    /// Whether a word is a placeholder or has one in it.
    static func isIn(_ word: String) -> Bool { word == anythingMore || !all(in: word).isEmpty }

    /// The placeholders in a text, in their order, as they are written.
    package static func all(in text: String) -> [String] {
        var found: [String] = []
        let characters = Array(text)
        var index = 0
        while index < characters.count {
            if let length = bracketedLength(characters, at: index) {
                found.append(String(characters[index..<index + length]))
                index += length
                continue
            }
            guard isWordCharacter(characters[index]) else {
                index += 1
                continue
            }
            var end = index
            while end < characters.count, isWordCharacter(characters[end]) { end += 1 }
            let word = String(characters[index..<end])
            if isCapitals(word), !wordsOfOthers.contains(word) { found.append(word) }
            index = end
        }
        return found
    }

    /// A text with some of its placeholders replaced, by the way they are written.
    package static func replacing(_ values: [String: String], in text: String) -> String {
        var answer = ""
        let characters = Array(text)
        var index = 0
        while index < characters.count {
            var end = index + 1
            if let length = bracketedLength(characters, at: index) {
                end = index + length
            } else if isWordCharacter(characters[index]) {
                while end < characters.count, isWordCharacter(characters[end]) { end += 1 }
            }
            let word = String(characters[index..<end])
            answer += values[word] ?? word
            index = end
        }
        return answer
    }

    /// One spelling for both forms: `<my-name>` and `MY_NAME` mean the same.
    static func canonical(_ placeholder: String) -> String {
        let name = placeholder.hasPrefix("<") ? placeholder.dropFirst().dropLast() : placeholder[...]
        return String(name.uppercased().map { $0 == "-" || $0 == "." ? "_" : $0 })
    }

    /// How long a `<name>` is that begins here; nil where none does.
    static func bracketedLength(_ characters: [Character], at index: Int) -> Int? {
        guard characters[index] == "<", index + 1 < characters.count, isLetter(characters[index + 1]) else {
            return nil
        }
        for end in (index + 1)..<min(index + 60, characters.count) {
            if characters[end] == ">" { return end - index + 1 }
            guard isWordCharacter(characters[end]) || characters[end] == "-" || characters[end] == "." else {
                return nil
            }
        }
        return nil
    }

    private static func isLetter(_ character: Character) -> Bool { character.isASCII && character.isLetter }

    private static func isWordCharacter(_ character: Character) -> Bool {
        character.isASCII && (character.isLetter || character.isNumber || character == "_")
    }

    private static func isCapitals(_ word: String) -> Bool {
        word.count >= 2 && word.first.map(isLetter) == true && !word.contains(where: \.isLowercase)
    }
}
