import Foundation
import JSON
import Manifest
import TestSupport
import Testing

/// What a pipeline sees of a pull request, through the built program and real Git.
@Suite struct DiffCommandTests {
    private let program: Program
    private let repository: PolicyRepository

    init() async throws {
        program = try Program()
        repository = try await PolicyRepository()
        try repository.write(teamManifests("shop"), to: "policies/shop.yaml")
        try await repository.commit("Begin")
    }

    private func diff(_ arguments: String...) async throws -> Program.Outcome {
        try await program.run(["diff"] + arguments + ["--repo", repository.path, "--path", "policies"])
    }

    private func replace(_ old: String, _ new: String) throws {
        let text = teamManifests("shop")
        try #require(text.contains(old))
        try repository.write(text.replacingOccurrences(of: old, with: new), to: "policies/shop.yaml")
    }

    @Test func whatMeansTheSameIsSilent() async throws {
        let documents = teamManifests("shop").components(separatedBy: "---\n")
        try repository.write(documents.reversed().map { $0 + "\n" }.joined(separator: "---\n"), to: "policies/all.yaml")
        try repository.remove("policies/shop.yaml")
        try await repository.commit("Reorder and rename")
        let outcome = try await diff("HEAD~1", "HEAD")
        #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
        #expect(outcome.output.contains("No change in what this grants, reaches or admits."), "\(outcome.output)")
    }

    @Test func namesWhoGainsWhatAndTheCommitThatGaveIt() async throws {
        try replace("resources: [configmaps]", "resources: [configmaps, secrets]")
        let commit = try await repository.commit("Read secrets too")
        try repository.write("notes\n", to: "policies/NOTES.md")
        try await repository.commit("Unrelated")
        let json = try await diff("HEAD~2", "HEAD", "-o", "json")
        #expect(json.status == 1, "\(json.errors)")
        let answer = try parseJSON(json.output)
        #expect(answer["apiVersion"]?.string == "bylaw.dev/v1")
        #expect(answer["kind"]?.string == "ChangeReport")
        let finding = try #require(answer["findings"]?.array?.first)
        #expect(answer["findings"]?.array?.count == 1)
        #expect(finding["reason"]?.string == "SecretAccessGranted")
        #expect(finding["severity"]?.string == "high")
        #expect(finding["guardrail"]?.string == "risky-grant")
        #expect(finding["runbook"]?.string == "Runbooks/SecretAccessGranted.md")
        let cause = try #require(finding["causes"]?.array?.first)
        #expect(cause["file"]?.string == "policies/shop.yaml")
        #expect(cause["commit"]?.string == commit)
        #expect((cause["line"]?.integer ?? 0) > 1)
        #expect(try await diff("HEAD~2", "HEAD", "--fail-on", "critical").status == 0)
        #expect(try await diff("HEAD~2", "HEAD", "--fail-on", "high").status == 1)
    }

    @Test func comparesWithTheBranchPointWhereAsked() async throws {
        try await repository.git("checkout", "--quiet", "-b", "feature")
        try replace("resources: [pods]", "resources: [pods, secrets]")
        try await repository.commit("Gain")
        try await repository.git("checkout", "--quiet", "main")
        try repository.write(clusterRoleManifest("later"), to: "policies/later.yaml")
        try await repository.commit("Meanwhile")
        let merged = try parseJSON(try await diff("main", "feature", "--merge-base", "-o", "json").output)
        #expect(merged["changedObjects"]?.integer == 1)
        let plain = try parseJSON(try await diff("main", "feature", "-o", "json").output)
        #expect(plain["changedObjects"]?.integer == 2)
    }

    @Test func everyFormIsWhatItsReadersTake() async throws {
        try replace("policyTypes: [Ingress, Egress]}", "policyTypes: [Ingress]}")
        try replace("enforce: restricted", "enforce: baseline")
        try await repository.commit("Loosen")
        let sarif = try parseJSON(try await diff("HEAD~1", "HEAD", "-o", "sarif").output)
        #expect(sarif["version"]?.string == "2.1.0")
        #expect(sarif["runs"]?.array?.first?["results"]?.array?.isEmpty == false)
        #expect(try await diff("HEAD~1", "HEAD", "-o", "junit").output.contains("<testsuites"))
        let markdown = try await diff("HEAD~1", "HEAD", "-o", "markdown")
        #expect(markdown.output.contains("PodSecurityLoosened"), "\(markdown.output)")
    }

    @Test func refusesToSpeakOfWhatIsNotValid() async throws {
        try repository.write("apiVersion: v1\nkind: Namespace\nmetadata: {nam: x}\n", to: "policies/bad.yaml")
        try await repository.commit("Break")
        let outcome = try await diff("HEAD~1", "HEAD")
        #expect(outcome.status == 2)
        #expect(outcome.errors.contains("policies/bad.yaml:3"), "\(outcome.errors)")
        #expect(outcome.output.isEmpty)
        let unknown = try await diff("HEAD", "no-such-revision")
        #expect(unknown.status == 2)
        #expect(unknown.errors.contains("no-such-revision"))
        let elsewhere = try await program.run(["diff", "a", "b", "--repo", program.folder.path])
        #expect(elsewhere.status == 2)
        let remote = try await program.run(["diff", "a", "b", "--repo", "https://git.example.com/p"])
        #expect(remote.status == 2)
        #expect(remote.errors.contains("Clone it first"))
    }

    /// A mistyped path must not pass a pipeline.
    @Test func aFolderInNeitherRevisionIsAnError() async throws {
        try await repository.commit("Nothing")
        let outcome = try await program.run(
            ["diff", "HEAD~1", "HEAD", "--repo", repository.path, "--path", "polices"])
        #expect(outcome.status == 2)
        #expect(outcome.errors.contains("neither HEAD~1 nor HEAD has a folder polices"), "\(outcome.errors)")
        let both = try await diff("HEAD~1", "HEAD", "--live", "-f", "snapshot.json")
        #expect(both.status == 2)
    }

    @Test func aFirstRevisionHasNothingBeforeIt() async throws {
        let fresh = try await PolicyRepository()
        try await fresh.commit("Nothing yet")
        try fresh.write(teamManifests("new"), to: "policies/new.yaml")
        try await fresh.commit("Begin")
        let outcome = try await program.run(
            ["diff", "HEAD~1", "HEAD", "--repo", fresh.path, "--path", "policies", "-o", "json"])
        #expect(outcome.status == 1, "\(outcome.errors)")
        #expect(outcome.output.contains("it declares nothing"))
    }
}
