import Arguments
import Testing

/// What another configuration changes for a process that goes on.
@Suite struct ConfigurationChangeTests {
    private func change(
        _ words: [String] = [], from old: [String: [String]], to new: [String: [String]],
        effect: [String: FlagEffect] = [:]
    ) throws -> (change: ConfigurationChange, effective: ParsedArguments) {
        let (before, after) = (try parse(words, file: old), try parse(words, file: new))
        let change = ConfigurationChange(from: before, to: after) { effect[$0] ?? .anew }
        return (change, change.effective(from: before, to: after))
    }

    @Test func theSameIsNoChange() throws {
        let file = ["limit": ["3"], "file": ["a", "b"]]
        #expect(try change(from: file, to: file).change.isEmpty)
        #expect(try change(from: ["limit": ["20"]], to: [:]).change.isEmpty, "it is the default")
    }

    @Test func flagsAreTakenApartByWhenTheyTakeEffect() throws {
        let effects: [String: FlagEffect] = ["output": .atOnce, "branch": .nextStart, "limit": .nextStart]
        let (change, effective) = try change(
            from: ["repo": ["/a"], "branch": ["main"], "git-token-file": ["/t"]],
            to: ["repo": ["/b"], "output": ["json"], "limit": ["5"], "file": ["x"]], effect: effects)
        #expect(change.atOnce == ["output"])
        #expect(change.anew == ["file", "git-token-file", "repo"])
        #expect(change.nextStart == ["branch", "limit"])
        #expect(change.takingEffect == ["file", "git-token-file", "output", "repo"])
        #expect(!change.isEmpty)
        #expect(effective.text("repo") == "/b")
        #expect(effective.text("output") == "json")
        #expect(effective.text("git-token-file") == nil)
        #expect(effective.text("branch") == "main", "also that it was given stays")
        #expect(effective.number("limit") == 20, "also the default stays")
    }

    @Test func theOrderOfARepeatableFlagCounts() throws {
        #expect(try change(from: ["file": ["a", "b"]], to: ["file": ["b", "a"]]).change.anew == ["file"])
    }

    /// Flags and the environment count for more than the file, before and after.
    @Test func whatTheCommandLineSaysIsNoChange() throws {
        let (change, effective) = try change(["--limit", "7"], from: ["limit": ["1"]], to: ["limit": ["2"]])
        #expect(change.isEmpty)
        #expect(effective.number("limit") == 7)
    }

    /// Both are of one group: what comes takes the place of what was.
    @Test func anotherFlagOfAGroupReplacesTheFirst() throws {
        let (change, effective) = try change(from: ["branch": ["main"]], to: ["tag": ["v1"]])
        #expect(change.anew == ["branch", "tag"])
        #expect(effective.text("branch") == nil)
        #expect(effective.text("tag") == "v1")
    }

    @Test func whatWaitsIsToldAgainUntilItsStart() throws {
        let (old, new) = (try parse([]), try parse(["--limit", "5"]))
        let first = ConfigurationChange(from: old, to: new) { _ in .nextStart }
        let running = first.effective(from: old, to: new)
        #expect(ConfigurationChange(from: running, to: new) { _ in .nextStart } == first)
    }
}
