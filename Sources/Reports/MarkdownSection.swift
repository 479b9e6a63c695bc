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
    private let omission: (_ count: Int, _ isAll: Bool) -> String
    private let closing: String
    private var shown: [String] = []
    private var leftOut: Int

    /// - Parameters:
    ///   - omission: What says how many findings are left out, and whether that is all of them; never longer for fewer.
    init(
        _ blocks: [Block], opening: String, closing: String = "",
        omission: @escaping (_ count: Int, _ isAll: Bool) -> String
    ) {
        self.blocks = blocks
        self.opening = opening
        self.closing = closing
        self.omission = omission
        leftOut = blocks.reduce(0) { $0 + $1.count }
    }

    /// What it takes without a single block: nothing where there are none.
    var fixedLength: Int {
        guard !blocks.isEmpty else { return 0 }
        let longest = max(omission(leftOut, true).utf16.count, omission(leftOut, false).utf16.count)
        return (opening + closing).utf16.count + longest
    }

    /// Takes blocks in their order until one does not fit.
    ///
    /// - Parameter share: The part of the room that may be taken: one of this many.
    mutating func fill(_ room: inout Int, share: Int = 1) {
        var own = room / share
        for block in blocks {
            let text = block.text()
            let length = text.utf16.count
            guard length <= own else { return }
            own -= length
            room -= length
            shown.append(text)
            leftOut -= block.count
        }
    }

    /// Whether nothing is left out.
    var isWhole: Bool { leftOut == 0 }

    var text: String {
        guard !blocks.isEmpty else { return "" }
        return opening + shown.joined() + (leftOut > 0 ? omission(leftOut, shown.isEmpty) : "") + closing
    }
}
