import Manifest
import Reconciler
import Testing

/// A commit's id of one digit.
private func id(_ digit: Character) -> String { String(repeating: digit, count: 40) }

/// What a commit takes back, told by its words, and what it restores, told by its tree.
@Suite struct RevertRecognitionTests {
    typealias Earlier = RevertRecognition.EarlierRevision

    /// A history `0`, `1`, `2`, `3`: `2` undid what `1` did.
    private let history: [String: Earlier] = [
        id("0"): Earlier(tree: "before", firstParent: nil),
        id("1"): Earlier(tree: "opened", firstParent: id("0")),
        id("2"): Earlier(tree: "before", firstParent: id("1")),
        id("3"): Earlier(tree: "more", firstParent: id("2")),
        id("4"): Earlier(tree: nil, firstParent: nil),
        id("5"): Earlier(tree: "begun", firstParent: id("4")),
    ]

    private func recognise(
        _ message: String, _ trailers: [(String, String)] = [], tree: String?
    ) -> RevertRecognition {
        let claims = RevertClaims(
            message: message, trailers: trailers.map { Revision.Trailer(key: $0.0, value: $0.1) })
        return RevertRecognition(claims, tree: tree) { history[$0] }
    }

    @Test func aRevertInGitsOwnWords() {
        let found = recognise("Revert \"Open\"\n\nThis reverts commit \(id("1")).\n", tree: "before")
        #expect(found.reverts == [id("1")])
        #expect(found.restores == id("0"))
        #expect(found.isRevert && found.isExact)
    }

    @Test func aRevertOfARevertBringsTheFirstChangeBack() {
        let found = recognise(
            "Revert \"Revert \"Open\"\"\n\nThis reverts commit \(id("2")).\n", tree: "opened")
        #expect(found.reverts == [id("2")])
        #expect(found.restores == id("1"))
    }

    @Test func aRevertOfAMerge() {
        let found = recognise(
            "Revert \"Merge\"\n\nThis reverts commit \(id("1")), reversing\nchanges made to \(id("0")).\n",
            tree: "before")
        #expect(found.reverts == [id("1")])
        #expect(found.restores == id("0"))
    }

    /// As `git merge --squash` and Git hosts write them, one message within another.
    @Test func squashedReverts() {
        let message = """
            Undo the opening (#12)

            * Revert "More"

            This reverts commit \(id("3")).

            commit 1234
                Revert "Open"

                This reverts commit \(id("1")).
                This reverts commit \(id("1")).
            """
        let found = recognise(message, tree: "before")
        #expect(found.reverts == [id("3"), id("1")])
        #expect(found.restores == id("2"), "what came before the first that it names has the same tree")
    }

    @Test func theTrailersOfARollback() {
        let trailers = [
            ("Bylaw-Reverts", id("3")), ("bylaw-reverts", " \(id("1"))"), ("Bylaw-Restores", id("0")),
            ("Bylaw-Incident", "42 DriftFight"),
        ]
        let found = recognise("Restore the declared state", trailers, tree: "before")
        #expect(found.reverts == [id("3"), id("1")])
        #expect(found.restores == id("0"))
    }

    @Test(arguments: [
        "We thought that This reverts commit \(id("1")). would do",
        "This reverts commit \(id("1")). It was wrong.", "This reverts commit \(id("1"))",
        "This reverts commit \(id("1"))0.", "This reverts commit 1111111.", "this reverts commit \(id("1")).",
        "> This reverts commit \(id("1")).", "This reverts commit \(id("g")).",
        "This reverts commit \(id("1")), reversing\nthe mood", "This reverts commit \(id("1")), reversing",
        "This reverts commit \(id("١")).", "",
    ])
    func wordsThatOnlyMentionARevertAreNone(_ message: String) {
        let found = recognise(message, tree: "before")
        #expect(found.reverts.isEmpty)
        #expect(!found.isRevert)
        #expect(!found.isExact)
    }

    @Test func aForgedTrailerRestoresNothing() {
        let forged = [("Bylaw-Reverts", id("1")), ("Bylaw-Restores", id("0"))]
        let found = recognise("Harmless", forged, tree: "everything open")
        #expect(found.reverts == [id("1")])
        #expect(found.restores == nil)
        #expect(found.isRevert && !found.isExact)
    }

    /// A commit of no known history proves nothing, whatever its tree; nor does a folder that is not there.
    @Test func whatIsNotKnownIsNotRestored() {
        #expect(!recognise("x", [("Bylaw-Restores", id("9"))], tree: "before").isExact)
        #expect(!recognise("x", [("Bylaw-Restores", "0")], tree: "before").isExact)
        #expect(!recognise("x", [("Bylaw-Restores", id("4"))], tree: nil).isExact)
        #expect(!recognise("This reverts commit \(id("5")).", tree: nil).isExact)
        #expect(!recognise("This reverts commit \(id("0")).", tree: "before").isExact, "nothing was before it")
    }

    @Test func noMessageMakesItLookUpWithoutEnd() {
        let lines = (0..<5000).map { number in
            let digits = String(number, radix: 16)
            return "This reverts commit \(String(repeating: "0", count: 40 - digits.count))\(digits)."
        }
        let claims = RevertClaims(message: lines.joined(separator: "\n"), trailers: [])
        #expect(claims.reverts.count == RevertClaims.maximumCount)
    }
}

/// The message that a rollback writes.
@Suite struct RevertMessageTests {
    private func revision(_ digit: Character, _ subject: String) -> Revision {
        let person = Person(name: "Ann", email: "ann@example.com")
        return Revision(
            commit: String(repeating: digit, count: 40), author: person, committer: person,
            committedAt: Timestamp(microsecondsSinceEpoch: 0), subject: subject)
    }

    @Test func ofOneRevert() {
        let one = revision("1", "Open the \"shop\"")
        let message = RevertMessage(
            reverts: [one], restores: String(repeating: "0", count: 40), incident: "42 RiskyGrant",
            because: "It was too much.\n\nSee the minutes.\n")
        #expect(
            message.text == """
                Revert "Open the "shop""

                This reverts commit 1111111111111111111111111111111111111111.

                It was too much.

                See the minutes.

                Bylaw-Reverts: 1111111111111111111111111111111111111111
                Bylaw-Restores: 0000000000000000000000000000000000000000
                Bylaw-Incident: 42 RiskyGrant

                """)
    }

    @Test func ofARange() {
        let message = RevertMessage(reverts: [revision("2", "Two"), revision("1", "One")], restores: nil)
        #expect(
            message.text == """
                Restore the declared state before 111111111111

                This reverts commit 2222222222222222222222222222222222222222.
                This reverts commit 1111111111111111111111111111111111111111.

                Bylaw-Reverts: 2222222222222222222222222222222222222222
                Bylaw-Reverts: 1111111111111111111111111111111111111111

                """)
    }

    /// Who may commit chooses subjects, and who reports an incident its words.
    @Test func noWordsFromOutsideMakeALineOfTheirOwn() {
        let message = RevertMessage(
            reverts: [revision("1", "a\nBylaw-Approved: risky-grant by Bob\r\u{2028}x\u{1b}[2J\u{202e}y")],
            restores: nil, incident: "7 x\n\nBylaw-Approved: deletion-budget by Bob",
            because: "\n\nBylaw-Approved: risky-grant by Bob\n\n")
        let paragraphs = message.text.split(separator: "\n\n")
        let last = paragraphs.last.map(String.init) ?? ""
        #expect(!last.split(separator: "\n").contains { $0.hasPrefix("Bylaw-Approved") }, "\(message.text)")
        #expect(last.hasPrefix("Bylaw-Reverts: 1"))
        #expect(paragraphs.first == "Revert \"a Bylaw-Approved: risky-grant by Bob x [2J y\"")
        #expect(!message.text.unicodeScalars.contains { $0 == "\u{1b}" || $0 == "\u{202e}" || $0 == "\r" })
    }

    @Test func isReadBackAsItWasMeant() {
        let reverts = [revision("2", "Two"), revision("1", "One")]
        let claims = RevertClaims(message: RevertMessage(reverts: reverts, restores: nil).text, trailers: [])
        #expect(claims.reverts == reverts.map(\.commit))
    }

    @Test func isNoLongerThanReadersTake() {
        let message = RevertMessage(
            reverts: [revision("1", String(repeating: "é", count: 100_000))], restores: nil,
            incident: String(repeating: "y", count: 100_000), because: String(repeating: "z\n", count: 100_000))
        #expect(message.text.utf8.count < 16_384)
    }
}
