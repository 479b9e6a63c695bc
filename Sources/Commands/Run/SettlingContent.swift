/// Tells when what a file holds is to be judged: once it has stayed the same for some looks in a row.
///
/// Whoever writes a file in place may pause at the end of a line, and what stands there by then may be sound.
package struct SettlingContent<Content: Equatable> {
    private let neededLooks: Int
    private var judged: Content
    private var seen: (content: Content, looks: Int)

    /// - Parameters:
    ///   - judged: What is in force.
    ///   - neededLooks: At how many looks in a row another content must be the same.
    package init(judged: Content, neededLooks: Int) {
        self.judged = judged
        self.neededLooks = neededLooks
        seen = (judged, 1)
    }

    /// Takes in what a look has found.
    ///
    /// - Returns: Whether it is to be judged now; it is judged once.
    package mutating func isToBeJudged(_ content: Content) -> Bool {
        seen = (content, content == seen.content ? seen.looks + 1 : 1)
        guard content != judged, seen.looks >= neededLooks else { return false }
        judged = content
        return true
    }

    /// Takes in what is judged without waiting, since somebody asked for it.
    package mutating func noteJudged(_ content: Content) {
        judged = content
        seen = (content, 1)
    }
}
