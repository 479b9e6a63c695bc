import Arguments
import Testing

@Suite struct HelpTests {
    @Test func saysAllThatACallerNeeds() {
        #expect(
            renderHelp(for: sample) == """
                does a sample

                Usage: bylaw sample [FLAGS] PATH [REVISION]

                It does what a sample does.

                Nothing else.

                Examples:
                    bylaw sample .

                Flags (each also as an environment variable, such as --repo as BYLAW_REPO):
                  -w, --watch                     look again
                  -r, --repo URL                  the policy repository
                      --limit N                   how many [default: 20]
                      --interval TIME             how often [default: 1m]
                  -o, --output FORMAT             the form (text, json) [default: text]
                  -f, --file FILE                 a manifest; may be given several times
                      --branch B                  a branch
                      --tag T                     a tag
                      --git-token-file FILE       where the token is

                Exit status:
                    0  all is well
                    2  an error

                """)
    }

    @Test func leavesOutWhatACommandDoesNotHave() {
        let bare = CommandDescription(name: "version", summary: "the version", exitStatuses: [])
        #expect(renderHelp(for: bare) == "the version\n\nUsage: bylaw version\n")
    }

    @Test func saysWhichFlagsNoVariableStandsFor() {
        let once = CommandDescription(
            name: "once", summary: "does it once",
            flags: [
                FlagDescription("confirm", .text, valueName: "NAME", "do it", isForCommandLineOnly: true),
                FlagDescription("journal", .text, valueName: "FILE", "the journal"),
            ], exitStatuses: [])
        #expect(
            renderHelp(for: once).hasSuffix(
                """
                Flags (each also as an environment variable, such as --repo as BYLAW_REPO where it is not
                for the command line only):
                      --confirm NAME              do it; on the command line only
                      --journal FILE              the journal

                """))
    }

    @Test func keepsToNinetyColumnsAndLosesNoWord() {
        let words = (1...60).map { "word\($0)" }
        let long = CommandDescription(
            name: "long", summary: "long", details: words.joined(separator: " "),
            flags: [
                FlagDescription("a", .isSet, words.joined(separator: " ")),
                FlagDescription("a-flag-with-a-long-name", .text, valueName: "LONGVALUE", words.joined(separator: " ")),
            ])
        let help = renderHelp(for: long)
        #expect(help.split(separator: "\n").allSatisfy { $0.count <= 90 })
        #expect(help.split { $0 == " " || $0 == "\n" }.count { $0 == "word60" } == 3)
        #expect(
            help.contains(
                "\n      --a-flag-with-a-long-name LONGVALUE\n" + String(repeating: " ", count: 34) + "word1 "))
    }
}
