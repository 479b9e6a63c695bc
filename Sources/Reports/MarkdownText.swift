import Manifest

// Text from files in Markdown. It must neither ping people nor link, nor be markup, on GitHub, GitLab and Gitea alike.
// A backslash is not enough for that: they look for mentions and references in what a text renders to. Nothing of the
// kind happens within code, so whatever is not plain words stands in code.

/// A text as code, cut to a length that no honest name reaches.
func markdownCode(_ text: String, maximumBytes: Int = 300) -> String {
    let text = printable(text).bounded(toBytes: maximumBytes)
    guard !text.isEmpty else { return "(empty)" }
    let fence = String(repeating: "`", count: longestRunOfBackticks(in: text) + 1)
    // One space on each side is taken away again; without it a backtick or space at the end would be taken instead.
    let edges = [text.utf8.first, text.utf8.last]
    let isPadded = edges.contains(UInt8(ascii: "`")) || edges.contains(UInt8(ascii: " "))
    return isPadded ? "\(fence) \(text) \(fence)" : fence + text + fence
}

private func longestRunOfBackticks(in text: String) -> Int {
    var longest = 0
    var run = 0
    for byte in text.utf8 {
        run = byte == UInt8(ascii: "`") ? run + 1 : 0
        longest = max(longest, run)
    }
    return longest
}

/// A sentence with names in it: plain words as they are, everything else as code.
func markdownProse(_ text: String, maximumBytes: Int = 1_000) -> String {
    var parts: [String] = []
    /// Words in a row that stand in one piece of code.
    var code: [Substring] = []
    func endCode() {
        guard !code.isEmpty else { return }
        let text = code.joined(separator: " ")
        // The stop or comma behind a name belongs to the sentence.
        let name = text.utf8.last.map { ".,;:".utf8.contains($0) } ?? false ? String(text.dropLast()) : text
        let rest = name.isEmpty ? "" : text.utf8.count > name.utf8.count ? String(text.suffix(1)) : ""
        parts.append(markdownCode(name.isEmpty ? text : name, maximumBytes: maximumBytes) + rest)
        code = []
    }
    for word in printable(text).bounded(toBytes: maximumBytes).split(separator: " ") {
        if isPlainWord(word) {
            endCode()
            parts.append(String(word))
        } else {
            code.append(word)
        }
    }
    endCode()
    return parts.joined(separator: " ")
}

/// Whether a word is nothing but a word or a small number, perhaps in parentheses and with a stop or comma behind it.
private func isPlainWord(_ word: Substring) -> Bool {
    var bytes = Array(word.utf8)[...]
    if bytes.first == UInt8(ascii: "(") { bytes.removeFirst() }
    while let last = bytes.last, ".,;:)".utf8.contains(last) { bytes.removeLast() }
    let isNumber = bytes.allSatisfy { (0x30...0x39).contains($0) }
    let isOfLetters = bytes.allSatisfy { isLetterOrDigit($0) && !(0x30...0x39).contains($0) }
    guard !bytes.isEmpty, isNumber || isOfLetters else { return false }
    // Seven digits and more of a hexadecimal number are looked up as a commit.
    return bytes.count < 7 || !bytes.allSatisfy(isHexadecimalDigit)
}

private func isHexadecimalDigit(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte | 0x20)
}
