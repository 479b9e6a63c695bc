import Commands
import Testing

/// What looks at a file find, each as one letter; what is judged of them.
struct SettlingContentTests {
    private func judged(_ looks: String, needed: Int) -> String {
        var content = SettlingContent<Character>(judged: "a", neededLooks: needed)
        return String(looks.filter { content.isToBeJudged($0) })
    }

    @Test(arguments: [
        ("aaaa", ""), ("ab", ""), ("abb", "b"), ("abbbbb", "b"), ("abcbcbc", ""), ("abba", "b"), ("abbaa", "ba"),
        ("abaab", ""), ("abccbb", "cb"),
    ])
    func anotherContentIsJudgedOnceItIsTheSameTwice(_ looks: String, _ expected: String) {
        #expect(judged(looks, needed: 2) == expected)
    }

    /// A writer that pauses at the ends of lines.
    @Test(arguments: [("abbbbb", ""), ("abbbbbccccc", ""), ("abbbbbccccccc", "c"), ("abbbbbb", "b")])
    func whatIsWrittenInPlaceIsLookedAtLonger(_ looks: String, _ expected: String) {
        #expect(judged(looks, needed: 6) == expected)
    }

    @Test func whatSomebodyAskedForIsNotJudgedAgain() {
        var content = SettlingContent<Character>(judged: "a", neededLooks: 2)
        content.noteJudged("b")
        let looks = ["b", "b", "a", "a"].map { content.isToBeJudged($0) }
        #expect(looks == [false, false, false, true])
    }
}
