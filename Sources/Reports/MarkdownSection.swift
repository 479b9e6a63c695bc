/// A part of a page that holds as many of its blocks as there is room for, and says how many it does not.
struct MarkdownSection {
    /// What is shown whole or not at all.
    struct Block {
        /// How many findings it shows.
        var count: Int
        /// Made only where it is looked at.
        var text: () -> String
    }

    private let blocks: [Block]
    private let opening: String
    private let omission: (before: String, after: String)
    private let closing: String
    private var shown: [String] = []
    private var leftOut: Int

    /// - Parameters:
    ///   - omission: What stands before the number of what is left out; `rest` stands behind it.
    init(_ blocks: [Block], opening: String, omission: String, _ rest: String, closing: String = "") {
        self.blocks = blocks
        self.opening = opening
        self.omission = (omission, rest)
        self.closing = closing
        leftOut = blocks.reduce(0) { $0 + $1.count }
    }

    /// What it takes without a single block: nothing where there are none.
    var fixedLength: Int {
        blocks.isEmpty ? 0 : (opening + closing + omissionText).utf16.count
    }

    /// Takes blocks in their order until one does not fit.
    mutating func fill(_ room: inout Int) {
        for block in blocks {
            let text = block.text()
            guard text.utf16.count <= room else { return }
            room -= text.utf16.count
            shown.append(text)
            leftOut -= block.count
        }
    }

    var text: String {
        blocks.isEmpty ? "" : opening + shown.joined() + (leftOut > 0 ? omissionText : "") + closing
    }

    private var omissionText: String { "\(omission.before) \(leftOut) \(omission.after).\n" }
}
