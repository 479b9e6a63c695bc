import RunbookLibrary
import Testing

/// Links, anchors, addresses, and the names of runbooks.
@Suite struct LinkCheckTests {
    @Test(arguments: [
        ("[a](gone.txt)", "the link gone.txt leads to no file"), ("[a](DoorShut.md)", "the link DoorShut.md leads"),
        ("![a](gone.png)", "the link gone.png"), ("[a](<gone file.txt>)", "the link gone file.txt"),
        ("[a](gone%20file.txt)", "the link gone file.txt"), ("[a](gone.txt \"Title\")", "the link gone.txt leads"),
        ("[a](gone(1).txt)", "the link gone(1).txt"), ("[a][b]\n\n[b]: gone.txt", "the link gone.txt"),
        ("[a]()", "leads nowhere"), ("[a](/README.md)", "has no folder to begin at"),
        ("[a](#undoing)", "this runbook has no heading #undoing"),
        ("[a](DoorClosed.md#undoing)", "DoorClosed.md has no heading #undoing"),
        ("[a](../README.md#windows)", "../README.md has no heading #windows"),
        ("[a](http://example.com)", "begins with http://"), ("See http://example.com for it.", "begins with http://"),
        ("<http://example.com>", "begins with http://"), ("[a](ftp://example.com/a)", "is no https address"),
        ("[a](//example.com/a)", "is no https address"), ("[a](https:///a)", "names no host"),
        ("See DoorShut.md.", "there is no runbook DoorShut.md"),
        ("See `DoorShut.md`.", "there is no runbook DoorShut.md"),
        ("See Runbooks/DoorShut.md", "there is no runbook DoorShut.md"),
        ("```sh\ncat DoorShut.md\n```", "there is no runbook DoorShut.md"),
        ("By the runbook DoorShut.", "there is no runbook DoorShut"),
        ("By the runbook `DoorShut`.", "there is no runbook DoorShut"),
    ])
    func findsWhatLeadsNowhere(_ example: (text: String, message: String)) {
        let findings = SampleRunbook.findings(replacing: "Close it.", with: example.text)
        #expect(findings.map(\.rule) == [.link], "\(findings)")
        #expect(findings.first?.message.contains(example.message) == true, "\(findings)")
        #expect(findings.first?.hint.isEmpty == false)
    }

    @Test(arguments: [
        "[a](DoorClosed.md)", "[a](./DoorClosed.md#meaning)", "[a](#Undo)", "[a](#somebody-opened-a-door)",
        "[a](../README.md)", "[a](../README.md#doors--windows)", "[a](image.png)", "[a](..)",
        "[a](mailto:a@example.com)",
        "[a](https://example.com/a_(b)#c)", "<https://example.com>", "[a][b]\n\n[b]: https://example.com",
        "`http://localhost:8080` is code", "```sh\ncurl http://localhost\n```", "See DoorClosed.md.", "README.md",
        "docs/OtherThing.md", "By the runbook DoorClosed.", "by the runbook of that right", "[a] is no link (gone.txt)",
        "`[a](gone.txt)` is code",
    ])
    func takesWhatLeadsSomewhere(_ text: String) {
        #expect(SampleRunbook.findings(replacing: "Close it.", with: text) == [])
    }

    @Test func theLineIsThatOfTheLink() {
        let findings = SampleRunbook.findings(
            replacing: "Close it.", with: "One `a\nb`\n[two](gone.txt)\nand\nhttp://example.com")
        #expect(findings.map(\.line) == [30, 32])
    }

    @Test func theHintNamesTheNearestHeading() {
        let findings = SampleRunbook.findings(replacing: "Close it.", with: "[a](#mitigaton)")
        #expect(findings.map(\.hint) == ["Did you mean #mitigation?"])
    }
}
