import Arguments
import Testing

@Suite struct WordsTests {
    @Test(arguments: [
        ["--repo", "x", "--watch"], ["--watch", "--repo=x"], ["-r", "x", "-w"], ["-rx", "--watch=true"], ["-w", "-rx"],
    ])
    func aFlagHasSeveralSpellings(_ words: [String]) throws {
        let arguments = try parse(words)
        #expect(arguments.text("repo") == "x")
        #expect(arguments.isSet("watch"))
        #expect(arguments.positionals == ["."])
    }

    @Test func flagsAndOtherWordsMayBeMixed() throws {
        let arguments = try parseArguments(["--watch", "a", "-o", "json", "b"], for: sample, environment: [:])
        #expect(arguments.positionals == ["a", "b"])
        #expect(arguments.text("output") == "json")
    }

    @Test func afterTwoDashesNothingIsAFlag() throws {
        let arguments = try parse(["--watch", "--", "--repo"])
        #expect(arguments.positionals == [".", "--repo"])
        #expect(arguments.isSet("watch"))
        #expect(arguments.text("repo") == nil)
        #expect(mistakes(["--", "a", "--"]) == ["\"--\" is one word too many; see bylaw sample --help"])
    }

    @Test func oneDashIsAWordAndAValue() throws {
        #expect(try parse(["-"]).positionals == [".", "-"])
        #expect(try parse(["-f", "-"]).all("file") == ["-"])
    }

    @Test func aValueMayHoldAnything() throws {
        #expect(try parse(["--repo=a=b"]).text("repo") == "a=b")
        #expect(try parse(["--repo=--watch"]).text("repo") == "--watch")
        #expect(try parse(["--file=a,b"]).all("file") == ["a,b"])
        #expect(try parse(["--repo", "a b\nc"]).text("repo") == "a b\nc")
    }

    @Test func aRepeatableFlagKeepsItsValuesInOrder() throws {
        #expect(try parse(["-f", "c", "--file=a", "-fb"]).all("file") == ["c", "a", "b"])
    }

    @Test func anotherFlagIsGivenOnce() {
        #expect(mistakes(["--repo", "a", "-r", "b"]) == ["-r is given twice; give it once"])
        #expect(mistakes(["-w", "--watch"]) == ["--watch is given twice; give it once"])
    }

    @Test(arguments: [["--repo"], ["--repo", "--watch"], ["--repo", "-w"], ["--repo", "--"]])
    func aFlagIsNoValue(_ words: [String]) {
        #expect(mistakes(words) == ["--repo needs a value; write --repo URL"])
    }

    @Test func anEmptyValueIsNone() {
        #expect(mistakes(["--repo="]) == ["--repo: \"\" is empty; give a value or leave it out"])
        #expect(mistakes(["--repo", ""]) == ["--repo: \"\" is empty; give a value or leave it out"])
    }

    @Test func namesTheNearestFlag() {
        #expect(mistakes(["--repp=x"]) == ["--repp is not a flag of bylaw sample; did you mean --repo?"])
        #expect(mistakes(["--repp", "x"]) == ["--repp is not a flag of bylaw sample; did you mean --repo?"])
        #expect(
            mistakes(["--something-else"]) == [
                "--something-else is not a flag of bylaw sample; see bylaw sample --help"
            ])
        #expect(mistakes(["-x"]) == ["-x is not a flag of bylaw sample; see bylaw sample --help"])
        #expect(mistakes(["-o", "jsn"]) == ["-o: \"jsn\" is not known; did you mean json?"])
        #expect(mistakes(["-o", "portable"]) == ["-o: \"portable\" is not known; use one of: text, json"])
    }

    @Test func aMistypedFlagWithoutAValueDoesNotTakeTheNextWord() {
        #expect(
            mistakes(["--wach", "."], path: []) == [
                "--wach is not a flag of bylaw sample; did you mean --watch?"
            ])
    }

    @Test func countsTheOtherWords() {
        #expect(mistakes(["a", "b"]) == ["\"b\" is one word too many; see bylaw sample --help"])
        #expect(mistakes([], path: []) == ["PATH is missing; write bylaw sample PATH REVISION"])
    }

    @Test func reportsAllMistakesTogether() {
        let found = mistakes(
            ["--limit", "x", "--unknown-flag", "-o", "yaml", "--watch=maybe", "--repo", "a", "--repo", "b", "y", "z"],
            environment: ["BYLAW_INTERVAL": "soon"], file: ["intervall": ["1s"], "git-token-file": [""]])
        #expect(
            found.map { String($0.prefix { $0 != ";" }) } == [
                "--limit: \"x\" is no number from 1 to 100", "--unknown-flag is not a flag of bylaw sample",
                "-o: \"yaml\" is not known", "--watch: \"maybe\" is neither true nor false", "--repo is given twice",
                "BYLAW_INTERVAL: \"soon\" is no time such as 15s, 5m, 1h30m or 500ms",
                "bylaw.conf: git-token-file: \"\" is empty", "bylaw.conf: \"intervall\" is not a setting",
                "\"z\" is one word too many",
            ])
    }
}
