import Arguments

/// A command with a flag of each kind.
let sample = CommandDescription(
    name: "sample", summary: "does a sample", details: "It does what a sample does.\n\nNothing else.",
    positionals: [
        PositionalDescription(name: "PATH", isRequired: true),
        PositionalDescription(name: "REVISION", isRequired: false),
    ],
    flags: [
        FlagDescription("watch", short: "w", .isSet, "look again"),
        FlagDescription("repo", short: "r", .text, valueName: "URL", "the policy repository"),
        FlagDescription("limit", .number(1...100), valueName: "N", "how many", default: "20"),
        FlagDescription("interval", .duration, valueName: "TIME", "how often", default: "1m"),
        FlagDescription(
            "output", short: "o", .choice(["text", "json"]), valueName: "FORMAT", "the form", default: "text"),
        FlagDescription("file", short: "f", .text, valueName: "FILE", "a manifest", isRepeatable: true),
        FlagDescription("branch", .text, valueName: "B", "a branch", group: "reference"),
        FlagDescription("tag", .text, valueName: "T", "a tag", group: "reference"),
        FlagDescription("git-token-file", .text, valueName: "FILE", "where the token is"),
    ],
    examples: ["bylaw sample ."], exitStatuses: [(0, "all is well"), (2, "an error")])

/// Reads the words of the sample command, with its one required word before them.
func parse(
    _ words: [String], environment: [String: String] = [:], file: [String: [String]] = [:], known: Set<String> = [],
    path: [String] = ["."]
) throws(UsageMistakes) -> ParsedArguments {
    try parseArguments(
        path + words, for: sample, environment: environment, file: file, fileName: "bylaw.conf", knownFileKeys: known)
}

/// The messages of everything that is wrong with such a call.
func mistakes(
    _ words: [String], environment: [String: String] = [:], file: [String: [String]] = [:], known: Set<String> = [],
    path: [String] = ["."]
) -> [String] {
    do throws(UsageMistakes) {
        _ = try parse(words, environment: environment, file: file, known: known, path: path)
        return []
    } catch {
        return error.all.map(\.description)
    }
}
