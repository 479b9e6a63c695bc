/// The number of the pull request that a commit came from, as hosts write it.
///
/// GitHub and Gitea: `Merge pull request #12 from ...`, `Merge pull request 'x' (#12)`, `Subject (#12)`; GitLab:
/// `See merge request group/project!12` in the body; Bitbucket: `Merged in x (pull request #12)`.
package func pullRequestNumber(subject: String, message: String) -> Int? {
    func number(after prefix: String, in text: String) -> Int? {
        var rest = text[...]
        var found: Int?
        while let start = range(of: prefix, in: rest) {
            rest = rest[start...].dropFirst(prefix.count)
            if let value = Int(rest.prefix { $0.isASCII && $0.isNumber }) { found = value }
        }
        return found
    }
    if let merged = number(after: "pull request #", in: subject) { return merged }
    if subject.hasPrefix("Merge pull request '"), let merged = number(after: "' (#", in: subject) { return merged }
    if subject.hasSuffix(")"), let squashed = number(after: "(#", in: subject) { return squashed }
    if subject.hasSuffix(")"), let merged = number(after: "(!", in: subject) { return merged }
    guard let line = message.split(separator: "\n").first(where: { $0.hasPrefix("See merge request ") }) else {
        return nil
    }
    return number(after: "!", in: String(line))
}

private func range(of needle: String, in text: Substring) -> String.Index? {
    var index = text.startIndex
    while index < text.endIndex {
        if text[index...].hasPrefix(needle) { return index }
        index = text.index(after: index)
    }
    return nil
}
