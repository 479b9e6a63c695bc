import ChildProcess
import Foundation
import TestSupport
import Testing

@Suite struct RunToEndTests {
    private func shell(
        _ script: String, input: [UInt8] = [], maximumOutputBytes: Int = 1 << 20, deadline: Duration = .seconds(30)
    ) async throws(ChildProcessError) -> ChildProcessResult {
        try await runChildProcess(
            "sh", ["-c", script], environment: searchPath, input: input, maximumOutputBytes: maximumOutputBytes,
            deadline: deadline)
    }

    /// What a run that must fail says.
    private func failure(
        of program: String, _ arguments: [String] = [], environment: [String: String] = searchPath,
        directory: String? = nil
    ) async -> ChildProcessError? {
        do throws(ChildProcessError) {
            _ = try await runChildProcess(
                program, arguments, environment: environment, directory: directory, deadline: .seconds(30))
            return nil
        } catch {
            return error
        }
    }

    @Test func keepsItsTwoStreamsApart() async throws {
        let result = try await shell("echo out; echo err >&2; echo more")
        #expect(result.outputText == "out\nmore\n")
        #expect(result.errorText == "err\n")
        #expect(result.ending == .exited(0))
    }

    @Test(arguments: [0, 1, 2, 126, 127, 255] as [Int32])
    func givesBackTheExitStatus(_ status: Int32) async throws {
        #expect(try await shell("exit \(status)").ending == .exited(status))
    }

    @Test(arguments: [SIGTERM, SIGKILL, SIGINT, SIGPIPE])
    func tellsASignalFromAnExit(_ signal: Int32) async throws {
        #expect(try await shell("kill -\(signal) $$").ending == .killed(signal: signal))
    }

    @Test func inputAndOutputFlowAtOnceHoweverLarge() async throws {
        let input = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let result = try await runChildProcess(
            "cat", [], environment: searchPath, input: input, maximumOutputBytes: 4 << 20, deadline: .seconds(30))
        #expect(result.output == input)
        #expect(result.ending == .exited(0))
    }

    @Test(arguments: ["exit 3", "exec <&-; exit 3", "head -c 1 >/dev/null; exit 3"])
    func aChildNeedNotReadItsInput(_ script: String) async throws {
        let input = [UInt8](repeating: 0x61, count: 1 << 20)
        #expect(try await shell(script, input: input).ending == .exited(3))
    }

    @Test func withoutInputTheChildSeesTheEndAtOnce() async throws {
        #expect(try await shell("cat; echo done").outputText == "done\n")
    }

    @Test func wordsReachTheProgramAsTheyAre() async throws {
        let words = ["a b", "$HOME", "", "*", "'\"", "\u{e9}", "-n"]
        let result = try await runChildProcess(
            "printf", ["%s\\n"] + words, environment: searchPath, deadline: .seconds(30))
        #expect(result.outputText == words.map { $0 + "\n" }.joined())
    }

    @Test func theEnvironmentIsExactlyTheOneGiven() async throws {
        let result = try await runChildProcess(
            "env", [], environment: ["PATH": "/usr/bin:/bin", "A": "x=y z", "B": ""], deadline: .seconds(30))
        #expect(result.outputText.split(separator: "\n").sorted() == ["A=x=y z", "B=", "PATH=/usr/bin:/bin"])
    }

    @Test func runsInTheFolderItIsGiven() async throws {
        let folder = try ScratchDirectory()
        try folder.write("here", to: "file")
        let result = try await runChildProcess(
            "cat", ["file"], environment: searchPath, directory: folder.path, deadline: .seconds(30))
        #expect(result.outputText == "here")
    }

    @Test func inheritsNoOpenFile() async throws {
        let leaked = dup(2)
        defer { close(leaked) }
        let result = try await runChildProcess("ls", ["/proc/self/fd"], environment: searchPath, deadline: .seconds(30))
        // The fourth is the folder that ls itself reads.
        #expect(result.outputText == "0\n1\n2\n3\n")
    }

    @Test func brokenPipesEndProgramsAsEver() async throws {
        let result = try await shell("yes | head -n 1")
        #expect(result.outputText == "y\n")
        #expect(result.errorText == "")
    }

    @Test func manyRunAtOnceWithoutMixing() async throws {
        let texts = try await withThrowingTaskGroup(of: (Int, String).self) { group in
            for number in 0..<24 {
                group.addTask { (number, try await shell("cat; echo \(number)", input: [0x3A]).outputText) }
            }
            return try await group.reduce(into: [Int: String]()) { $0[$1.0] = $1.1 }
        }
        #expect(texts == Dictionary(uniqueKeysWithValues: (0..<24).map { ($0, ":\($0)\n") }))
    }

    // MARK: Limits

    @Test(arguments: ["", " >&2"])
    func readsAsMuchAsAllowedAndNoMore(_ stream: String) async throws {
        let result = try await shell("head -c 70000 /dev/zero\(stream)", maximumOutputBytes: 70_000)
        #expect(result.output.count + result.errorOutput.count == 70_000)
        for script in ["head -c 70001 /dev/zero\(stream)", "yes\(stream)"] {
            let error = await #expect(throws: ChildProcessError.self) {
                try await shell(script, maximumOutputBytes: 70_000)
            }
            #expect(error?.kind == .tooMuchOutput)
            #expect(error?.description == "run sh: wrote more than 70000 bytes")
        }
    }

    @Test func theDeadlineEndsTheChildAndAllItStarted() async throws {
        let line = try LifeLine()
        let error = await #expect(throws: ChildProcessError.self) {
            try await shell(line.held + "sleep 1000 & sleep 1000 & wait", deadline: .milliseconds(500))
        }
        #expect(error?.kind == .timedOut)
        #expect(error?.program == "sh")
        #expect(await line.isLetGo())
    }

    @Test func theDeadlineHoldsForAChildThatIgnoresPoliteSignals() async throws {
        let error = await #expect(throws: ChildProcessError.self) {
            try await shell("trap '' TERM INT HUP; while :; do :; done", deadline: .milliseconds(200))
        }
        #expect(error?.kind == .timedOut)
    }

    @Test func cancellationEndsTheChildAndAllItStarted() async throws {
        let line = try LifeLine()
        let run = Task { try await shell(line.held + "sleep 1000 & wait") }
        #expect(await line.isTaken())
        run.cancel()
        let error = await #expect(throws: ChildProcessError.self) { try await run.value }
        #expect(error?.kind == .cancelled)
        #expect(await line.isLetGo())
    }

    @Test func whatTheChildLeavesRunningGoesWithIt() async throws {
        let line = try LifeLine()
        let result = try await shell(line.held + "sleep 1000 >/dev/null 2>&1 & exit 5")
        #expect(result.ending == .exited(5))
        #expect(await line.isLetGo())
    }

    @Test func whatTheChildLeavesRunningIsNotWaitedForThoughItHoldsItsStreams() async throws {
        let line = try LifeLine()
        let result = try await shell(line.held + "echo out; sleep 1000 & exit 5", deadline: .seconds(600))
        #expect(result.ending == .exited(5))
        #expect(result.outputText == "out\n")
        #expect(await line.isLetGo())
    }

    @Test func theDeadlineHoldsForAChildThatClosesItsStreams() async throws {
        let error = await #expect(throws: ChildProcessError.self) {
            try await shell("exec >&- 2>&-; sleep 1000", deadline: .milliseconds(500))
        }
        #expect(error?.kind == .timedOut)
    }

    // MARK: Programs that do not start

    @Test(arguments: ["bylaw-no-such-program", "/no/such/program", "", "/etc/passwd"])
    func aMissingProgramIsNamed(_ program: String) async {
        let error = await failure(of: program)
        #expect(error?.kind == .notFound)
        #expect(error?.program == program)
        #expect(error?.description == "run \(program): no such program on the search path")
    }

    @Test func onlyTheGivenSearchPathCounts() async {
        #expect(await failure(of: "sh", environment: ["PATH": "/no/such/folder"])?.kind == .notFound)
        #expect(await failure(of: "true", environment: [:]) == nil)
    }

    @Test func aFolderOnTheSearchPathIsNoProgram() async throws {
        let folder = try ScratchDirectory()
        try folder.write("", to: "true/file")
        #expect(await failure(of: "true", environment: ["PATH": "\(folder.path):/usr/bin:/bin"]) == nil)
    }

    @Test func whatCannotBeStartedSaysWhy() async throws {
        let folder = try ScratchDirectory()
        let text = try folder.write("no program", to: "text")
        #expect(chmod(text, 0o755) == 0)
        #expect(await failure(of: text)?.kind == .notStarted)
        let missing = await failure(of: "true", directory: "/no/such/folder")
        #expect(missing?.kind == .notStarted)
        #expect(missing?.detail.contains("No such file or directory") == true)
    }
}
