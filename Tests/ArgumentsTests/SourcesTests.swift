import Arguments
import Testing

/// Flags count for more than the environment, that for more than the file, that for more than the default.
@Suite struct SourcesTests {
    @Test func theNearestSourceWins() throws {
        let environment = ["BYLAW_LIMIT": "2"]
        let file = ["limit": ["3"]]
        #expect(try parse(["--limit", "1"], environment: environment, file: file).number("limit") == 1)
        #expect(try parse([], environment: environment, file: file).number("limit") == 2)
        #expect(try parse([], file: file).number("limit") == 3)
        #expect(try parse([]).number("limit") == 20)
    }

    @Test func sourcesOfOneRepeatableFlagAreNotMixed() throws {
        let environment = ["BYLAW_FILE": "b,c"]
        let file = ["file": ["d", "e"]]
        #expect(try parse(["-f", "a"], environment: environment, file: file).all("file") == ["a"])
        #expect(try parse([], environment: environment, file: file).all("file") == ["b", "c"])
        #expect(try parse([], file: file).all("file") == ["d", "e"])
        #expect(try parse([]).all("file") == [])
    }

    @Test func aFlagCanTakeBackWhatTheEnvironmentSets() throws {
        let environment = ["BYLAW_WATCH": "true"]
        #expect(try parse([], environment: environment).isSet("watch"))
        #expect(try !parse(["--watch=false"], environment: environment).isSet("watch"))
        #expect(try !parse([]).isSet("watch"))
        #expect(try parse([], file: ["watch": ["true"]]).isSet("watch"))
    }

    @Test func namesBecomeVariables() throws {
        #expect(try parse([], environment: ["BYLAW_GIT_TOKEN_FILE": "/t"]).text("git-token-file") == "/t")
        #expect(sample.flags.map(\.environmentName).last == "BYLAW_GIT_TOKEN_FILE")
    }

    @Test func anEmptyVariableIsNoneAndForeignOnesDoNotMatter() throws {
        let environment = ["BYLAW_LIMIT": "", "BYLAW_OTHER": "x", "LIMIT": "7", "limit": "8"]
        #expect(try parse([], environment: environment).number("limit") == 20)
    }

    /// What is asked for once is neither passed over in silence where it stands for ever, nor done.
    @Test func whatCountsOnTheCommandLineOnlyIsRefusedElsewhere() throws {
        let once = CommandDescription(
            name: "once", summary: "",
            flags: [FlagDescription("keep-objects", .isSet, "keep them", isForCommandLineOnly: true)], exitStatuses: [])
        func mistakes(_ words: [String], environment: [String: String] = [:], file: [String: [String]] = [:])
            -> [String]
        {
            do throws(UsageMistakes) {
                _ = try parseArguments(words, for: once, environment: environment, file: file, fileName: "bylaw.conf")
                return []
            } catch {
                return error.all.map(\.description)
            }
        }
        let environment = ["BYLAW_KEEP_OBJECTS": "true"]
        let refused = "BYLAW_KEEP_OBJECTS counts on the command line only; take it out"
        #expect(mistakes([], environment: environment) == [refused])
        #expect(mistakes(["--keep-objects"], environment: environment) == [refused])
        #expect(
            mistakes([], file: ["keep-objects": ["true"]]) == [
                "bylaw.conf: \"keep-objects\" counts on the command line only; take it out"
            ])
        #expect(mistakes(["--keep-objects"], environment: ["BYLAW_KEEP_OBJECTS": ""]) == [])
    }

    @Test func oneFileServesAllCommands() throws {
        #expect(try parse([], file: ["journal": ["x"], "limit": ["4"]], known: ["journal"]).number("limit") == 4)
        #expect(
            mistakes([], file: ["lmit": ["4"], "journl": ["x"]], known: ["journal"]) == [
                "bylaw.conf: \"journl\" is not a setting; did you mean \"journal\"?",
                "bylaw.conf: \"lmit\" is not a setting; did you mean \"limit\"?",
            ])
    }

    @Test func aSettingOfTheFileTakesOneValueUnlessItsFlagIsRepeatable() {
        #expect(mistakes([], file: ["limit": ["1", "2"]]) == ["bylaw.conf: \"limit\" takes one value; give one"])
        #expect(mistakes([], file: ["file": ["1", "2"]]) == [])
    }

    @Test func aStrongerSourceSetsARivalAside() throws {
        let environment = ["BYLAW_BRANCH": "main"]
        let file = ["branch": ["old"]]
        let parsed = try parse(["--tag", "v1"], environment: environment, file: file)
        #expect(parsed.text("tag") == "v1")
        #expect(parsed.text("branch") == nil)
        #expect(try parse([], environment: ["BYLAW_TAG": "v1"], file: file).text("branch") == nil)
    }

    @Test func rivalsInOneSourceExcludeEachOther() {
        #expect(
            mistakes(["--tag", "v1", "--branch", "b"]) == ["--branch and --tag exclude each other; give one of them"])
        #expect(
            mistakes([], environment: ["BYLAW_TAG": "v1", "BYLAW_BRANCH": "b"]) == [
                "BYLAW_BRANCH and BYLAW_TAG exclude each other; give one of them"
            ])
        #expect(
            mistakes([], file: ["tag": ["v1"], "branch": ["b"]]) == [
                "bylaw.conf: branch and bylaw.conf: tag exclude each other; give one of them"
            ])
    }

    @Test func aShortFlagTakesItsValueInEveryForm() throws {
        for words in [["-o", "json"], ["-ojson"], ["-o=json"]] {
            #expect(try parse(words).text("output") == "json")
        }
        #expect(mistakes(["-r="]) == ["-r: \"\" is empty; give a value or leave it out"])
    }

    @Test func noTimeIsNoTime() {
        #expect(mistakes(["--interval", "0s"]).count == 1)
        #expect(mistakes(["--interval", "1ms"]).isEmpty)
    }

    @Test func valuesOfEverySourceAreChecked() {
        #expect(mistakes(["--limit=0"]) == ["--limit: \"0\" is no number from 1 to 100; give such a number"])
        #expect(
            mistakes([], environment: ["BYLAW_LIMIT": "many"]) == [
                "BYLAW_LIMIT: \"many\" is no number from 1 to 100; give such a number"
            ])
        #expect(
            mistakes([], file: ["limit": ["101"]]) == [
                "bylaw.conf: limit: \"101\" is no number from 1 to 100; give such a number"
            ])
    }
}
