import ChildProcess
import Foundation
import JSON
import Manifest
import TestSupport
import Testing

/// The built program with a folder of its own for its journal, cache and home.
final class Program: Sendable {
    let folder: ScratchDirectory
    let path: String

    /// Where the journal is; in the mount namespace of the launcher, where there is one.
    let journal: String
    /// The program and its first arguments that start ours, such as one that takes rights away.
    private let launcher: [String]
    var environment: [String: String] {
        [
            "HOME": folder.path, "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin",
            "GIT_CONFIG_GLOBAL": "/dev/null", "NO_PROXY": "127.0.0.1,localhost",
        ]
    }

    /// `BYLAW_E2E_PROGRAM`, else the one that was built together with the tests.
    init(launcher: [String] = [], journal: String? = nil) throws {
        folder = try ScratchDirectory(named: "bylaw-e2e")
        self.launcher = launcher
        self.journal = journal ?? folder.path + "/journal.sqlite"
        if let given = ProcessInfo.processInfo.environment["BYLAW_E2E_PROGRAM"] {
            path = given
        } else {
            path = sourceRoot + "/.build/debug/bylaw"
        }
        try #require(
            FileManager.default.isExecutableFile(atPath: path),
            "\(path) is missing: build it, or name it with BYLAW_E2E_PROGRAM")
    }

    /// What starts the program with some arguments.
    func commandLine(_ arguments: [String]) -> (program: String, arguments: [String]) {
        launcher.isEmpty ? (path, arguments) : ("/usr/bin/env", launcher + [path] + arguments)
    }

    /// Runs a command to its end.
    func run(
        _ arguments: [String], input: [UInt8] = [], extraEnvironment: [String: String] = [:],
        deadline: Duration = .seconds(120)
    ) async throws -> Outcome {
        let line = commandLine(arguments)
        let result = try await runChildProcess(
            line.program, line.arguments, environment: environment.merging(extraEnvironment) { $1 },
            directory: folder.path,
            input: input, maximumOutputBytes: 64 << 20, deadline: deadline)
        guard case .exited(let status) = result.ending else {
            throw Failure(message: "\(arguments) ended by \(result.ending): \(result.errorText)")
        }
        return Outcome(status: status, output: result.outputText, errors: result.errorText)
    }

    struct Outcome {
        var status: Int32
        var output: String
        var errors: String
    }

    struct Failure: Error {
        var message: String
    }

    /// The flags that every command of one test shares.
    func flags(repository: PolicyRepository, cluster: ClusterUnderTest, instance: String) -> [String] {
        [
            "--repo", repository.path, "--kubeconfig", cluster.kubeconfig, "--instance", instance,
            "--journal", journal, "--cache", folder.path + "/cache",
        ]
    }

    /// A namespace, and the flags of an instance, that no other run on the same cluster has used.
    func ofThisRun(
        _ name: String, repository: PolicyRepository, cluster: ClusterUnderTest
    ) -> (namespace: String, flags: [String]) {
        let name = "\(name)-\(UUID().uuidString.prefix(8).lowercased())"
        return ("e2e-" + name, flags(repository: repository, cluster: cluster, instance: name))
    }

    /// The journal's entries that fit some filters, oldest first.
    func entries(_ filters: [String] = []) async throws -> [Tree] {
        let outcome = try await run(
            ["journal", "list", "--journal", journal, "-o", "json", "--limit", "100000"] + filters)
        try #require(outcome.status == 0, "\(outcome.errors)")
        return try #require(try parseJSON(Array(outcome.output.utf8))["items"]?.array)
    }
}

/// A process that goes on until it is told to stop, with its output in a file.
final class RunningProgram: @unchecked Sendable {
    // The first two are set once in the initializer; the others are only touched by the test that owns this.
    let processID: Int32
    let output: String
    private var process: ChildProcess
    private var ending: ChildProcess.Ending?
    private var hasEnded = false

    init(_ program: Program, _ arguments: [String], named name: String = "run") throws {
        output = program.folder.path + "/\(name)-\(UUID().uuidString).log"
        try Data().write(to: URL(fileURLWithPath: output))
        let line = program.commandLine(arguments)
        // A shell sets up the streams and becomes the program.
        process = try ChildProcess(
            "sh", ["-c", #"exec "$@" < /dev/null > "$0" 2>&1"#, output, line.program] + line.arguments,
            environment: program.environment)
        processID = process.processID
    }

    var text: String { (try? String(contentsOfFile: output, encoding: .utf8)) ?? "" }
    var isRunning: Bool { !process.hasExited }

    /// How many lines of its output hold all of some texts.
    func count(_ words: String...) -> Int {
        text.split(separator: "\n").count { line in words.allSatisfy { line.contains($0) } }
    }

    /// How it ended: its exit status, or the signal that ended it; -1 while it runs.
    var status: Int32 {
        if ending == nil, process.hasExited { ending = process.end(within: .seconds(1)) }
        return switch ending {
        case .exited(let status): status
        case .killed(let signal): signal
        case .unknown, nil: -1
        }
    }

    /// Waits until its output holds a text.
    func untilItSays(_ words: String, within limit: Duration = .seconds(120)) async throws {
        try await eventually(within: limit, "\"\(words)\" in:\n\(text)") { text.contains(words) || !isRunning }
        #expect(text.contains(words), "it ended with: \(text)")
    }

    /// Waits until a pass of one revision has ended, whether or not others have before.
    func untilItSynced(_ commit: String, within limit: Duration = .seconds(120)) async throws {
        try await eventually(within: limit, "the end of a pass of \(commit) in:\n\(text)") {
            !isRunning
                || text.split(separator: "\n").contains { $0.contains("Synced ") && $0.contains("revision=\(commit)") }
        }
        #expect(isRunning, "it ended with: \(text)")
    }

    /// Tells it to stop, and waits until it has.
    func stop() async throws {
        guard !hasEnded else { return }
        hasEnded = true
        kill(processID, SIGTERM)
        try await eventually(within: .seconds(30), "the program ends after SIGTERM") { !isRunning }
    }

    /// Ends it at once, as a crash would.
    func crash() async throws {
        hasEnded = true
        kill(processID, SIGKILL)
        try await eventually(within: .seconds(10), "the program ends after SIGKILL") { !isRunning }
    }
}

/// The folder of the checkout.
let sourceRoot = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path
