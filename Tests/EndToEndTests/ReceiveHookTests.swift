import ChildProcess
import Foundation
import TestSupport
import Testing

/// The hook of a server, with the built program: what is pushed stands in quarantine while it is judged.
@Suite struct ReceiveHookTests {
    @Test func tellsWhoPushesWhatTheChangeMeansAndRefusesWhereAsked() async throws {
        let program = try Program()
        let repository = try await PolicyRepository()
        let server = program.folder.path + "/server.git"
        let bin = program.folder.path + "/bin"
        try FileManager.default.createDirectory(atPath: bin, withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(atPath: bin + "/bylaw", withDestinationPath: program.path)
        try await repository.git("init", "--quiet", "--bare", "--initial-branch=main", server)
        try program.folder.writeProgram(
            try String(contentsOfFile: sourceRoot + "/Deploy/ci/pre-receive", encoding: .utf8),
            to: "server.git/hooks/pre-receive")
        try await repository.git("-C", server, "config", "bylaw.path", "policies")
        func push() async throws -> ChildProcessResult {
            try await runChildProcess(
                "git", ["push", "--quiet", server, "main"],
                environment: [
                    "PATH": bin + ":" + (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"),
                    "HOME": program.folder.path, "GIT_CONFIG_GLOBAL": "/dev/null",
                ], directory: repository.path, deadline: .seconds(60))
        }
        try repository.write(teamManifests("hooked"), to: "policies/team.yaml")
        try await repository.commit("Begin")
        let first = try await push()
        #expect(first.ending == .exited(0), "\(first.errorText)")

        try repository.write(
            teamManifests("hooked").replacingOccurrences(of: "[configmaps]", with: "[configmaps, secrets]"),
            to: "policies/team.yaml")
        try await repository.commit("Read secrets")
        let second = try await push()
        #expect(second.ending == .exited(0), "without a limit it is only told: \(second.errorText)")
        #expect(second.errorText.contains("SecretAccessGranted"), "\(second.errorText)")

        try await repository.git("-C", server, "config", "bylaw.failOn", "high")
        try repository.write(
            teamManifests("hooked").replacingOccurrences(of: "[configmaps]", with: "[configmaps, secrets, pods/exec]")
                .replacingOccurrences(of: "verbs: [get, list, watch]", with: "verbs: [\"*\"]"),
            to: "policies/team.yaml")
        try await repository.commit("Do more")
        let third = try await push()
        #expect(third.ending != .exited(0))
        #expect(third.errorText.contains("have it reviewed"), "\(third.errorText)")

        // With many clusters each is looked at; one is enough to refuse.
        try repository.write(teamManifests("common"), to: "policies/base/team.yaml")
        try repository.write(teamManifests("hooked"), to: "policies/clusters/eu/team.yaml")
        try repository.write(teamManifests("hooked"), to: "policies/clusters/us/team.yaml")
        try await repository.git("rm", "--quiet", "--force", "policies/team.yaml")
        try await repository.commit("Two clusters")
        try await repository.git("-C", server, "config", "--unset", "bylaw.failOn")
        #expect(try await push().ending == .exited(0))
        try await repository.git("-C", server, "config", "bylaw.failOn", "high")
        for cluster in ["eu", "us"] {
            try await repository.git("-C", server, "config", "--add", "bylaw.cluster", cluster)
        }
        try repository.write(
            teamManifests("hooked").replacingOccurrences(of: "[configmaps]", with: "[configmaps, secrets]"),
            to: "policies/clusters/eu/team.yaml")
        try await repository.commit("Read secrets in Europe")
        let fourth = try await push()
        #expect(fourth.ending != .exited(0) && fourth.errorText.contains("SecretAccessGranted"), "\(fourth.errorText)")
        #expect(fourth.errorText.contains("cluster us:"), "\(fourth.errorText)")
    }
}
