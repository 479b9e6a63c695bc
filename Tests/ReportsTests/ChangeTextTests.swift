import Analysis
import Reports
import Testing

@Suite struct ChangeTextTests {
    @Test func isPinned() throws {
        try expectGolden(renderChangeText(sampleReport, colour: false), "report.txt")
    }

    @Test func differsInColoursOnly() {
        let plain = renderChangeText(sampleReport, colour: false)
        let coloured = renderChangeText(sampleReport, colour: true)
        #expect(coloured.contains("\u{1b}[1;31mCRITICAL\u{1b}[0m"))
        var bare = coloured
        for style in ["\u{1b}[1;31m", "\u{1b}[31m", "\u{1b}[33m", "\u{1b}[32m", "\u{1b}[1m", "\u{1b}[0m"] {
            bare = bare.replacing(style, with: "")
        }
        #expect(bare == plain)
    }

    @Test func hasNothingThatATerminalObeysOrHides() {
        let text = renderChangeText(hostileReport, colour: false)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        for line in lines { #expect(printable(String(line)) == line) }
        #expect(!text.contains("\n#"))
        #expect(text.contains("\\u{202e}txt.exe"))
    }

    @Test func tellsManyOfOneCauseOnce() {
        let text = renderChangeText(sharedCauseReport(200), colour: false)
        #expect(text.matches(of: /access\/roles.yaml:12/).count == 1)
        #expect(text.matches(of: /can newly get secrets/).count == 200)
    }

    @Test func saysThatNothingChangedInMeaning() {
        #expect(
            renderChangeText(emptyReport, colour: true)
                == "No change in what this grants, reaches or admits. "
                + "(0 objects changed between main and feature/readme)\n"
        )
    }

    @Test(arguments: [
        ("plain words", "plain words"), ("a\nb\tc", "a\\nb\\tc"), ("\u{1b}[31m", "\\u{1b}[31m"),
        ("\u{200b}\u{feff}\u{ad}", "\\u{200b}\\u{feff}\\u{ad}"), ("\u{202e}\u{2066}", "\\u{202e}\\u{2066}"),
        ("\u{7f}\u{9b}", "\\u{7f}\\u{9b}"), ("\u{2028}\u{2029}", "\\u{2028}\\u{2029}"), ("a\u{a0}b", "a\\u{a0}b"),
        ("\u{fe0f}\u{e0041}\u{115f}", "\\u{fe0f}\\u{e0041}\\u{115f}"), ("\u{fffe}\u{e000}", "\\u{fffe}\\u{e000}"),
        ("\u{fff9}\u{600}", "\\u{fff9}\\u{600}"), ("größer 日本 🙂", "größer 日本 🙂"), ("\r\n", "\\u{d}\\n"), ("", ""),
    ])
    func makesVisibleWhatWouldHideOrMove(_ text: String, _ visible: String) {
        #expect(printable(text) == visible)
    }
}
