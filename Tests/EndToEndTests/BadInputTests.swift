import ChildProcess
import Foundation
import JSON
import Manifest
import TestSupport
import Testing

/// What goes wrong before anything can be done: one clear message with the next step, and the right exit status.
@Suite struct BadInputTests {
    let cluster: ClusterUnderTest
    let program: Program
    let repository: PolicyRepository

    init() async throws {
        cluster = try ClusterUnderTest()
        program = try Program()
        repository = try await PolicyRepository()
        try repository.write(clusterRoleManifest("e2e-bad-input"), to: "role.yaml")
        try await repository.commit("One role")
    }

    private func flags(_ changes: [String: String?] = [:]) -> [String] {
        var flags = program.flags(repository: repository, cluster: cluster, instance: "bad-input")
        for (name, value) in changes {
            guard let index = flags.firstIndex(of: name) else {
                if let value { flags += [name, value] }
                continue
            }
            if let value { flags[index + 1] = value } else { flags.removeSubrange(index...(index + 1)) }
        }
        return flags
    }

    /// A kubeconfig of a server that nobody is.
    private func unreachableKubeconfig(user: String) throws -> String {
        try program.folder.write(
            """
            apiVersion: v1
            kind: Config
            current-context: a
            clusters: [{name: a, cluster: {server: "https://127.0.0.1:1"}}]
            contexts: [{name: a, context: {cluster: a, user: a}}]
            users: [{name: a, user: \(user)}]
            """, to: "unreachable.kubeconfig")
    }

    /// Runs a sync that must fail with status 2, one message and one next step.
    private func expectError(
        _ arguments: [String], saying words: String..., sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let outcome = try await program.run(arguments)
        #expect(outcome.status == 2, "\(outcome.output)\(outcome.errors)", sourceLocation: sourceLocation)
        for word in words {
            #expect(outcome.errors.contains(word), "\(word) in: \(outcome.errors)", sourceLocation: sourceLocation)
        }
        let lines = outcome.errors.split(separator: "\n")
        #expect((1...3).contains(lines.count), "one message: \(outcome.errors)", sourceLocation: sourceLocation)
        print("bad input: \(outcome.errors.replacingOccurrences(of: program.folder.path, with: "..."))", terminator: "")
    }

    @Test func aMissingKubeconfig() async throws {
        try await expectError(["sync"] + flags(["--kubeconfig": "/nowhere/config"]), saying: "/nowhere/config")
    }

    @Test func aKubeconfigThatIsNone() async throws {
        let file = try program.folder.write("clusters: {this is: no list\n", to: "broken.kubeconfig")
        try await expectError(["sync"] + flags(["--kubeconfig": file]), saying: "broken.kubeconfig")
    }

    @Test func aContextThatTheKubeconfigDoesNotHave() async throws {
        try await expectError(["sync"] + flags(["--context": "no-such"]), saying: "no-such")
    }

    /// A launcher that ignores SIGCHLD hands that down, and the system then keeps no exit status for us.
    @Test func aFailingCredentialProgramUnderALauncherThatIgnoresItsChildren() async throws {
        let plugin = try program.folder.writeProgram("#!/bin/sh\nexit 3\n", to: "plugin")
        let file = try unreachableKubeconfig(
            user:
                "{exec: {apiVersion: client.authentication.k8s.io/v1, command: \"\(plugin)\", interactiveMode: Never}}")
        let words = ([program.path, "sync"] + flags(["--kubeconfig": file])).map { "'\($0)'" }.joined(separator: " ")
        let outcome = try await runChildProcess(
            "/bin/sh", ["-c", "trap '' CHLD; exec \(words)"], environment: program.environment, deadline: .seconds(60))
        #expect(outcome.ending == .exited(2))
        #expect(outcome.errorText.contains("exit status 3"), "\(outcome.errorText)")
    }

    @Test func anUnreachableServer() async throws {
        let file = try unreachableKubeconfig(user: "{token: very-secret}")
        try await expectError(["sync"] + flags(["--kubeconfig": file]), saying: "127.0.0.1:1", "API server runs")
        let outcome = try await program.run(["sync"] + flags(["--kubeconfig": file]))
        #expect(!outcome.errors.contains("very-secret"))
    }

    @Test(.enabled(if: ClusterUnderTest.isReal, "\(ClusterUnderTest.absence)"))
    func aTokenThatTheServerDoesNotKnow() async throws {
        let given = try String(contentsOfFile: cluster.kubeconfig, encoding: .utf8)
        let user = try #require(given.range(of: "user: {"))
        let end = try #require(given[user.lowerBound...].firstIndex(of: "}"))
        let changed = given.replacingCharacters(in: user.lowerBound...end, with: "user: {token: wrong-token}")
        let file = try program.folder.write(changed, to: "wrong-token.kubeconfig")
        try await expectError(["sync"] + flags(["--kubeconfig": file]), saying: "Unauthorized", "credentials")
        let outcome = try await program.run(["sync"] + flags(["--kubeconfig": file]))
        #expect(!outcome.errors.contains("wrong-token"))
    }

    @Test func anUnreachableRemote() async throws {
        try await expectError(
            ["sync"] + flags(["--repo": "https://127.0.0.1:1/policies.git"]), saying: "127.0.0.1", "port 1")
        let outcome = try await program.run(
            ["sync"] + flags(["--repo": "https://user:hunter2@127.0.0.1:1/policies.git"]))
        #expect(!outcome.errors.contains("hunter2"))
    }

    @Test func aRepositoryThatIsNotThere() async throws {
        try await expectError(["sync"] + flags(["--repo": "/nowhere/policies"]), saying: "/nowhere/policies")
    }

    @Test func aBranchThatIsNotThere() async throws {
        try await expectError(["sync"] + flags(["--branch": "no-such-branch"]), saying: "no-such-branch")
    }

    @Test func aPathThatIsNotThere() async throws {
        let outcome = try await program.run(["sync"] + flags(["--path": "no/such/path"]))
        #expect(outcome.status == 2)
        #expect(try await program.entries(["--reason", "FetchFailed"]).count == 1)
        #expect(outcome.errors.contains("no/such/path"), "\(outcome.errors)")
    }

    @Test func aJournalThatCannotBeWritten() async throws {
        try await expectError(
            ["sync"] + flags(["--journal": "/proc/journal.sqlite"]), saying: "/proc/journal.sqlite")
    }

    @Test func aJournalThatIsNoDatabase() async throws {
        let file = try program.folder.write(String(repeating: "no database ", count: 400), to: "broken.sqlite")
        try await expectError(["sync"] + flags(["--journal": file]), saying: "broken.sqlite")
        try await expectError(["journal", "list", "--journal", file], saying: "broken.sqlite")
        #expect(try String(contentsOfFile: file, encoding: .utf8).hasPrefix("no database"), "nothing is lost")
    }

    @Test func aFileOfAnotherProgramGetsNoLockBesideIt() async throws {
        let file = try program.folder.write(String(repeating: "no database ", count: 400), to: "foreign.sqlite")
        try await expectError(["sync"] + flags(["--journal": file]), saying: "foreign.sqlite")
        #expect(!FileManager.default.fileExists(atPath: file + ".lock"))
    }

    @Test func aDeviceIsNoJournal() async throws {
        try await expectError(["sync"] + flags(["--journal": "/dev/full"]), saying: "/dev/full", "regular file")
        #expect(!FileManager.default.fileExists(atPath: "/dev/full.lock"))
    }

    @Test func anEmptyJournalIsSaidToBeOne() async throws {
        let file = try program.folder.write("", to: "empty.sqlite")
        try await expectError(["status", "--journal", file], saying: "empty", "bylaw sync")
    }

    @Test(arguments: ["main", "0123abc", "HEAD~1", String(repeating: "g", count: 40)])
    func aCommitThatIsNotNamedWhole(_ commit: String) async throws {
        try await expectError(["sync"] + flags(["--commit": commit]), saying: commit, "40 digits")
    }

    @Test func aProxyThatIsNoneIsNotRepeated() async throws {
        try await expectError(["sync"] + flags(["--git-proxy": "user:hunter2@proxy"]), saying: "--git-proxy")
        let outcome = try await program.run(["sync"] + flags(["--git-proxy": "http://user:hunter2@no host"]))
        #expect(!outcome.errors.contains("hunter2"), "\(outcome.errors)")
    }

    @Test func aFilterThatNothingCanMatch() async throws {
        #expect(try await program.run(["sync"] + flags()).status == 0)
        let list = ["journal", "list", "--journal", program.journal]
        try await expectError(list + ["--reason", "DriftCorected"], saying: "DriftCorrected")
        try await expectError(list + ["--kind", "RoleBindings"], saying: "RoleBinding")
        try await expectError(list + ["--revision", "%"], saying: "%")
        try await expectError(list + ["--since", "yesterday"], saying: "yesterday", "24h")
        // On a shared cluster another test may have made the object: then it was recognised.
        #expect(try await program.entries(["--kind", "clusterrole"]).count == 1)
        #expect(try await program.entries(["--reason", "revisionaccepted"]).count == 1)
        #expect(try await program.entries(["--since", "1000000000d", "--until", "9999-12-31"]).count > 1)
    }

    @Test func anAnswerThatCannotBeWritten() async throws {
        let outcome = try await runChildProcess(
            "/bin/sh", ["-c", "'\(program.path)' version > /dev/full"], environment: program.environment,
            deadline: .seconds(60))
        #expect(outcome.ending == .exited(2))
        #expect(outcome.errorText.contains("No space left"), "\(outcome.errorText)")
    }

    @Test func allMistakesInTheFlagsAreReportedTogether() async throws {
        let outcome = try await program.run(["sync", "--repoo", "x", "--concurrent-writes", "0", "-o", "xml"])
        #expect(outcome.status == 2)
        for word in ["--repoo", "--repo", "concurrent-writes", "xml"] { #expect(outcome.errors.contains(word)) }
    }

    /// Nothing enforced is not healthy, and a cluster that was never reached is an incident.
    @Test func runTellsThatTheClusterWasNeverReached() async throws {
        let file = try unreachableKubeconfig(user: "{token: very-secret}")
        let run = try RunningProgram(program, ["run"] + flags(["--kubeconfig": file]))
        try await run.untilItSays("trying again")
        try await eventually(within: .seconds(60), "the incident is journaled") {
            try await !program.entries(["--reason", "ClusterUnreachable"]).isEmpty
        }
        try await run.stop()
        let status = try await program.run(["status", "--journal", program.journal])
        #expect(status.status == 1)
        #expect(!status.output.contains("healthy"), "\(status.output)")
    }

    @Test func anEmptyRemoteSaysThatItHasNoCommit() async throws {
        let empty = try await PolicyRepository()
        try await expectError(["sync"] + flags(["--repo": empty.path]), saying: "no commit yet")
    }

    @Test func runKeepsTryingWhereTryingCanHelp() async throws {
        let late = try await PolicyRepository()
        let missing = late.path + "/later"
        let run = try RunningProgram(program, ["run", "--interval", "200ms"] + flags(["--repo": missing]))
        try await run.untilItSays("trying again")
        // Half a clone would fail in words of its own, which is an entry of its own.
        let clone = late.path + "/clone"
        try await late.git("clone", "--quiet", repository.path, clone)
        try FileManager.default.moveItem(atPath: clone, toPath: missing)
        try await run.untilItSays("Synced")
        try await run.stop()
        #expect(run.status == 0)
        let reasons = try await program.entries().compactMap { $0["reason"]?.string }
        #expect(reasons.count { $0 == "FetchFailed" } == 1, "one incident, however often it was tried")
    }
}
