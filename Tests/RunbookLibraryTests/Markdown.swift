/// What the tests look at in a runbook's text.
struct Markdown {
    /// The headings of the second level.
    private(set) var headings: [String] = []
    /// Those of them under which nothing stands.
    private(set) var emptySections: [String] = []
    private(set) var isEveryFenceClosed = true

    init(_ text: String) {
        var isCode = false
        var isEmpty = false
        for line in text.split(separator: "\n").map(String.init) {
            if line.hasPrefix("```") {
                isCode.toggle()
            } else if isCode {
                isEmpty = false
            } else if line.hasPrefix("## ") {
                if isEmpty, let last = headings.last { emptySections.append(last) }
                headings.append(String(line.dropFirst(3)))
                isEmpty = true
            } else if !line.hasPrefix("#") {
                isEmpty = false
            }
        }
        if isEmpty, let last = headings.last { emptySections.append(last) }
        isEveryFenceClosed = !isCode
    }
}
