import ChildProcess
import Foundation
import JSON
import Manifest
import RunbookLibrary
import TestSupport
import Testing

/// The runbooks as the program checks them, and their Diagnosis as a reader types it.
@Suite struct RunbookTests {
    /// Every distinct command under a Diagnosis, as it is written.
    private static let diagnosis: [RunbookCommand] = {
        var seen: Set<String> = []
        return builtInRunbookFiles.flatMap { commands(of: $0, under: "Diagnosis") }.filter {
            seen.insert($0.text).inserted
        }
    }()

    // MARK: bylaw runbook check

    @Test func nothingIsFoundInOurOwnRunbooks() async throws {
        let program = try Program()
        for place in [[], [sourceRoot + "/Runbooks"]] {
            let check = try await program.run(["runbook", "check"] + place)
            #expect(check.status == 0, "\(check.output)\(check.errors)")
            #expect(check.errors == "")
            #expect(check.output.hasSuffix("\(builtInRunbookFiles.count) runbooks, 0 findings\n"), "\(check.output)")
        }
    }

    @Test func aFolderOfCopiesIsChecked() async throws {
        let program = try Program()
        let folder = try ScratchDirectory()
        for file in builtInRunbookFiles { try folder.write(file.text, to: "books/\(file.name)") }
        try folder.write("# House\n\n## Doors\n", to: "house.md")
        let name = "DriftCorrected.md"
        let sound = try #require(builtInRunbookFiles.first { $0.name == name }).text
        try folder.write(sound + "\n## Contacts\n\nSee [the house](../house.md#doors).\n", to: "books/\(name)")
        let before = try await program.run(["runbook", "check", folder.path + "/books/"])
        #expect(before.status == 0, "\(before.output)\(before.errors)")

        let lines = sound.split(separator: "\n", omittingEmptySubsequences: false).count
        let broken = """
            See [the house](../hut.md) and `bylaw journal lst --since 1h`.

            ```sh
            if true; then bylaw status
            ```

            """
        try folder.write(sound + broken, to: "books/\(name)")
        let text = try await program.run(["runbook", "check", folder.path + "/books"])
        #expect(text.status == 1)
        #expect(
            text.output == """
                \(folder.path)/books/\(name):\(lines): command: bylaw journal lst is not a command
                    Did you mean bylaw journal list?
                \(folder.path)/books/\(name):\(lines): link: the link ../hut.md leads to no file
                    Correct its path, or take it out.
                \(folder.path)/books/\(name):\(lines + 4): shell: bash refuses it: syntax error: unexpected end of file
                    Correct the command.
                \(folder.path)/books: \(builtInRunbookFiles.count) runbooks, 3 findings

                """)
        let json = try await program.run(["runbook", "check", folder.path + "/books", "-o", "json"])
        #expect(json.status == 1)
        let answer = try parseJSON(Array(json.output.utf8))
        #expect(answer.members?.keys.sorted() == ["apiVersion", "findings", "isBuiltIn", "kind", "path", "runbooks"])
        #expect(answer["apiVersion"] == "bylaw.dev/v1")
        #expect(answer["kind"] == "RunbookReport")
        #expect(answer["isBuiltIn"] == false)
        #expect(
            answer["findings"]?.array?.first == [
                "rule": "command", "file": .string("\(folder.path)/books/\(name)"), "line": .integer(Int64(lines)),
                "message": "bylaw journal lst is not a command", "hint": "Did you mean bylaw journal list?",
            ])
    }

    @Test func whatCannotBeReadIsAnError() async throws {
        let program = try Program()
        let folder = try ScratchDirectory()
        #expect(try await program.run(["runbook", "check", folder.path + "/nowhere"]).status == 2)
        let empty = try await program.run(["runbook", "check", folder.path])
        #expect(empty.status == 2)
        #expect(empty.errors.contains("there is no runbook in it"), "\(empty.errors)")
        let path = try folder.write("", to: "Broken.md")
        try Data([0xff, 0xfe]).write(to: URL(fileURLWithPath: path))
        let broken = try await program.run(["runbook", "check", folder.path])
        #expect(broken.status == 2)
        #expect(broken.errors.contains("UTF-8"), "\(broken.errors)")
        #expect(mkfifo(folder.path + "/Pipe.md", 0o600) == 0)
        #expect(try await program.run(["runbook", "check", folder.path]).status == 2)
    }

    @Test func withoutBashQuotesAndBracketsAreLookedAt() async throws {
        let check = try await Program().run(["runbook", "check"], extraEnvironment: ["PATH": "/nowhere"])
        #expect(check.status == 0)
        #expect(check.errors.contains("there is no bash"), "\(check.errors)")
    }

    // MARK: Diagnosis

    @Test func everyDiagnosisHasACommandThatCanBeRun() {
        for file in builtInRunbookFiles {
            let own = commands(of: file, under: "Diagnosis").filter { $0.program == "bylaw" || $0.program == "kubectl" }
            #expect(!own.isEmpty, "\(file.name)")
        }
    }

    /// Nothing that stands under Diagnosis may change the cluster.
    @Test func aDiagnosisOnlyLooks() {
        let looking = ["get", "describe", "auth", "version", "api-resources"]
        for command in Self.diagnosis where command.program == "kubectl" {
            let words = command.text.split(separator: " ").dropFirst().map(String.init)
            let isLooking = words.first.map(looking.contains) ?? false
            #expect(isLooking || words.contains("--dry-run=server"), "\(command.text)")
        }
        let writing = ["run", "sync", "demo", "journal restore", "hold --"]
        for command in Self.diagnosis where command.program == "bylaw" {
            #expect(!writing.contains { command.text.hasPrefix("bylaw \($0)") }, "\(command.text)")
        }
    }

    @Test func theBylawCommandsRunAsWrittenOnTheDemoCluster() async throws {
        let reader = try await DemoReader()
        let own = Self.diagnosis.filter { $0.program == "bylaw" }
        #expect(own.count > 80)
        try await forEach(own) { command, number in
            let result = try await reader.run(command.text, number)
            #expect(
                result.ending == .exited(0) || result.ending == .exited(1),
                "\(command.text): \(result.ending): \(result.errorText)")
        }
        try await reader.stop()
    }

    private static let kubectl = ProcessInfo.processInfo.environment["BYLAW_E2E_KUBECTL"]

    @Test(
        .enabled(
            if: ClusterUnderTest.isReal && kubectl != nil,
            "skipped: the kubectl commands of the runbooks are left out without kubectl and a real API server (make e2e has both)"
        ))
    func theKubectlCommandsRunAsWritten() async throws {
        let cluster = try ClusterUnderTest()
        let reader = try KubectlReader(program: try #require(Self.kubectl), kubeconfig: cluster.adminKubeconfig)
        let unknown = try await reader.unknownWords()
        let own = Self.diagnosis.filter { $0.program == "kubectl" }
        let applicable = own.filter { command in !unknown.contains { command.text.contains($0) } }
        #expect(applicable.count * 10 > own.count * 8, "most of them have to be tried")
        try await forEach(applicable) { command, _ in
            let result = try await reader.run(command.text)
            let isUsable = !KubectlReader.usageErrors.contains { result.errorText.contains($0) }
            #expect(isUsable, "\(command.text): \(result.errorText)")
        }
    }

    /// Does something with each command, a few at a time.
    private func forEach(
        _ commands: [RunbookCommand], _ body: @escaping @Sendable (RunbookCommand, Int) async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (number, command) in commands.enumerated() {
                if number >= 4 { try await group.next() }
                group.addTask { try await body(command, number) }
            }
            try await group.waitForAll()
        }
    }
}

/// Somebody who reads a runbook with the demo before him, in a clone of its policy repository.
private final class DemoReader: Sendable {
    private let program: Program
    private let demo: RunningProgram
    private let environment: [String: String]
    private let clone: String
    private let values: [String: String]

    init() async throws {
        program = try Program()
        demo = try RunningProgram(program, ["demo", "--stay", "--policies", sourceRoot + "/PolicyRepo"], named: "demo")
        try await demo.untilItSays("--follow\n")
        let text = demo.text
        let repository = try #require(text.firstMatch(of: /repository +(\S+)/)).1
        let kubeconfig = try #require(text.firstMatch(of: /--kubeconfig (\S+)/)).1
        let journal = try #require(text.firstMatch(of: /--journal (\S+)/)).1

        clone = program.folder.path + "/clone"
        let commands = program.folder.path + "/bin"
        try FileManager.default.createDirectory(atPath: commands, withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(atPath: commands + "/bylaw", withDestinationPath: program.path)
        environment = program.environment.merging([
            "PATH": commands + ":" + (program.environment["PATH"] ?? ""), "KUBECONFIG": String(kubeconfig),
            "BYLAW_JOURNAL": String(journal), "BYLAW_REPO": String(repository),
            "GIT_AUTHOR_NAME": "Ann", "GIT_AUTHOR_EMAIL": "ann@example.com", "GIT_COMMITTER_NAME": "Ann",
            "GIT_COMMITTER_EMAIL": "ann@example.com",
        ]) { $1 }
        let list = try await program.run(["journal", "list", "--journal", String(journal), "--incidents", "-o", "json"])
        let sequence = try #require(
            try parseJSON(Array(list.output.utf8))["items"]?.array?.first?["sequence"]?.integer)
        values = [
            "SEQ": String(sequence), "NAMESPACE": "payments-production", "NAME": "checkout-api", "OPERATOR": "default",
            "PATH": "production", "URL": String(repository), "VERB": "get", "RESOURCE": "pods", "KIND": "RoleBinding",
        ]
        // A change under review, on a branch of its own.
        let file = "production/storefront/access.yaml"
        let setUp = try await shell(
            """
            set -e
            git clone --quiet '\(repository)' '\(clone)'
            cd '\(clone)'
            git checkout --quiet -b change
            sed -i 's/daemonsets\\]/daemonsets, controllerrevisions]/' \(file)
            git commit --quiet --all --message 'Let storefront read its revisions'
            """, in: program.folder.path)
        try #require(setUp.ending == .exited(0), "\(setUp.errorText)")
    }

    /// Types a command with the placeholders filled in.
    ///
    /// - Parameter number: Of a folder for its cache: one process uses a cache folder.
    func run(_ text: String, _ number: Int) async throws -> ChildProcessResult {
        let unknown = Placeholder.all(in: text).filter { values[$0] == nil }
        try #require(unknown.isEmpty, "\(text): the test has no value for \(unknown)")
        let line = Placeholder.replacing(values, in: text)
        return try await shell(line, in: clone, ["BYLAW_CACHE": program.folder.path + "/cache-\(number)"])
    }

    func stop() async throws { try await demo.stop() }

    private func shell(
        _ text: String, in directory: String, _ more: [String: String] = [:]
    ) async throws -> ChildProcessResult {
        try await runChildProcess(
            "bash", ["-o", "pipefail", "-c", text], environment: environment.merging(more) { $1 }, directory: directory,
            maximumOutputBytes: 64 << 20, deadline: .seconds(120))
    }
}

/// Somebody who reads a runbook with a real API server and kubectl before him.
private final class KubectlReader: Sendable {
    /// What not every cluster has: a flag since Kubernetes 1.21, kinds since 1.30, and those of extensions.
    static let optional = [
        "--show-managed-fields", "validatingadmissionpolicies", "validatingadmissionpolicybindings",
        "applications.argoproj.io",
    ]
    /// What kubectl says of a command that it cannot make sense of.
    static let usageErrors = [
        "unknown command", "unknown flag", "unknown shorthand flag", "doesn't have a resource type",
        "flag needs an argument", "invalid argument", "must specify", "unable to parse", "help and examples",
        "Usage:", "not found in",
    ]

    private static let values = [
        "NAMESPACE": "default", "NAME": "default", "KIND": "serviceaccount", "USER": "alice", "VERB": "get",
        "RESOURCE": "pods", "GROUP": "apps",
    ]
    private let folder: ScratchDirectory
    private let environment: [String: String]

    init(program: String, kubeconfig: String) throws {
        folder = try ScratchDirectory(named: "bylaw-e2e-kubectl")
        let commands = folder.path + "/bin"
        try FileManager.default.createDirectory(atPath: commands, withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(atPath: commands + "/kubectl", withDestinationPath: program)
        environment = ["HOME": folder.path, "PATH": commands + ":/usr/bin:/bin", "KUBECONFIG": kubeconfig]
    }

    func run(_ text: String) async throws -> ChildProcessResult {
        let unknown = Placeholder.all(in: text).filter { Self.values[$0] == nil }
        try #require(unknown.isEmpty, "\(text): the test has no value for \(unknown)")
        let line = Placeholder.replacing(Self.values, in: text)
        return try await runChildProcess(
            "bash", ["-c", line], environment: environment, directory: folder.path, maximumOutputBytes: 64 << 20,
            deadline: .seconds(60))
    }

    /// Which of the words in ``optional`` this client and this server do not know.
    func unknownWords() async throws -> [String] {
        let flags = try await run("kubectl get --help").outputText
        let kinds = try await run("kubectl api-resources -o name").outputText
        try #require(flags.contains("--field-selector") && kinds.contains("rolebindings"), "\(flags)\(kinds)")
        return Self.optional.filter { !flags.contains($0) && !kinds.contains($0) }
    }
}
