import Foundation
import JSON
import Manifest
import TestSupport
import Testing

/// One repository for two clusters, through the built program.
@Suite struct ClusterCommandTests {
    private let program: Program
    private let repository: PolicyRepository

    init() async throws {
        program = try Program()
        repository = try await PolicyRepository()
        try repository.write(clusterRoleManifest("e2e-clusters-all"), to: "base/all.yaml")
        try repository.write(clusterRoleManifest("e2e-clusters-eu"), to: "clusters/eu/own.yaml")
        try repository.write(clusterRoleManifest("e2e-clusters-us"), to: "clusters/us/own.yaml")
        try await repository.commit("Two clusters")
    }

    @Test func checkLooksAtEveryClusterOrAtOne() async throws {
        let all = try await program.run(["check", repository.path])
        #expect(all.status == 0, "\(all.output)\(all.errors)")
        #expect(all.output.contains("eu: valid: 2 objects, 0 errors, 0 warnings\n"), "\(all.output)")
        #expect(all.output.contains("4 objects for 2 clusters in 3 files"), "\(all.output)")
        try repository.write("kind: [", to: "clusters/us/broken.yaml")
        let json = try await program.run(["check", repository.path, "-o", "json"])
        #expect(json.status == 1)
        let answer = try parseJSON(Array(json.output.utf8))
        #expect(
            answer["clusters"] == [
                ["name": "eu", "objects": 2, "errors": 0, "warnings": 0],
                ["name": "us", "objects": 0, "errors": 1, "warnings": 0],
            ])
        #expect(answer["findings"]?.array?.count == 1)
        let one = try await program.run(["check", repository.path, "--cluster", "eu"])
        #expect(one.status == 0, "\(one.output)\(one.errors)")
        #expect(one.output.contains("2 objects in 4 files"), "\(one.output)")
    }

    @Test func aNameThatIsNoneIsToldWhichThereAre() async throws {
        let check = try await program.run(["check", repository.path, "--cluster", "asia"])
        #expect(check.status == 1)
        #expect(check.output.contains("This repository is for eu, us."), "\(check.output)")
        let plain = try ScratchDirectory()
        try plain.write(clusterRoleManifest("a"), to: "a.yaml")
        #expect(try await program.run(["check", plain.path, "--cluster", "asia"]).status == 0, "the journal's name")
    }

    @Test func aChangeMeansSomethingForOneClusterAtATime() async throws {
        try repository.write(
            clusterRoleManifest("e2e-clusters-us").replacingOccurrences(of: "nodes", with: "secrets"),
            to: "clusters/us/own.yaml")
        try await repository.commit("Read secrets")
        func changes(_ cluster: String) async throws -> Int64? {
            let outcome = try await program.run([
                "diff", "HEAD~1", "HEAD", "--repo", repository.path, "--cluster", cluster, "-o", "json",
            ])
            return try parseJSON(Array(outcome.output.utf8))["changedObjects"]?.integer
        }
        #expect(try await changes("us") == 1)
        #expect(try await changes("eu") == 0)
        let unnamed = try await program.run(["diff", "HEAD~1", "HEAD", "--repo", repository.path])
        #expect(unnamed.status == 2)
        #expect(unnamed.errors.contains("Name one with --cluster: eu, us."), "\(unnamed.errors)")
    }

    @Test func aSyncWritesWhatTheNamedClusterGets() async throws {
        let cluster = try ClusterUnderTest()
        let flags = program.flags(repository: repository, cluster: cluster, instance: "clusters") + ["-o", "json"]
        let unnamed = try await program.run(["plan"] + flags)
        #expect(unnamed.status == 1)
        #expect(unnamed.output.contains("Name one with --cluster: eu, us."), "\(unnamed.output)\(unnamed.errors)")
        let sync = try await program.run(["sync", "--cluster", "eu"] + flags)
        #expect(sync.status == 0, "\(sync.output)\(sync.errors)")
        #expect(try parseJSON(Array(sync.output.utf8))["declared"]?.integer == 2)
        let written = try await cluster.versions(prefix: "e2e-clusters-").keys.map(\.name).sorted()
        #expect(written == ["e2e-clusters-all", "e2e-clusters-eu"])

        // Each alone leaves a repository that could be read as one cluster's.
        for folder in ["clusters", "base"] {
            try await repository.git("rm", "-r", "--quiet", folder)
            try await repository.commit("Lose \(folder)")
            let lost = try await program.run(["sync", "--cluster", "eu"] + flags)
            #expect(lost.status == 1, "\(lost.output)\(lost.errors)")
            let kept = try await cluster.versions(prefix: "e2e-clusters-").keys.map(\.name).sorted()
            #expect(kept == written, "\(lost.output)\(lost.errors)")
            try await repository.git("revert", "--no-edit", "HEAD")
        }
        try await repository.git("rm", "-r", "--quiet", "clusters")
        try await repository.commit("Lose clusters again")
        let lost = try parseJSON(Array(try await program.run(["sync", "--cluster", "eu"] + flags).output.utf8))
        #expect(
            lost["findings"]?.array?.first?["message"]?.string?.contains("was for many clusters") == true, "\(lost)")
        try repository.write(
            """
            apiVersion: bylaw.dev/v1
            kind: Configuration
            clusters: [{name: eu, folders: [base]}]

            """, to: "bylaw.yaml")
        try await repository.commit("Say that it is meant")
        #expect(try await program.run(["sync", "--cluster", "eu"] + flags).status == 0)
        let left = try await cluster.versions(prefix: "e2e-clusters-").keys.map(\.name)
        #expect(left == ["e2e-clusters-all"])
    }
}
