import Foundation
import JSON
import Manifest
import TestSupport
import Testing

/// `bylaw rollback` through the built program and real Git.
@Suite struct RollbackTests {
    private let program: Program
    private let repository: PolicyRepository

    init() async throws {
        program = try Program()
        repository = try await PolicyRepository()
        try repository.write(teamManifests("shop"), to: "policies/shop.yaml")
        try await repository.commit("Begin")
    }

    private static let author = ["--author", "Rita Revert <rita@example.com>"]

    private func rollback(
        _ arguments: String..., author: [String] = author, extraEnvironment: [String: String] = [:]
    ) async throws -> Program.Outcome {
        try await program.run(
            ["rollback"] + arguments + author + [
                "--repo", repository.path, "--path", "policies", "--cache", program.folder.path + "/cache",
            ], extraEnvironment: extraEnvironment)
    }

    private var clone: String { program.folder.path + "/cache/rollback/repository.git" }

    private func write(_ old: String, _ new: String) throws {
        let text = teamManifests("shop")
        try #require(text.contains(old))
        try repository.write(text.replacingOccurrences(of: old, with: new), to: "policies/shop.yaml")
    }

    /// A commit that gives the team the Secrets.
    private func open(_ message: String = "Open the \"shop\"") async throws -> String {
        try write("resources: [configmaps]", "resources: [configmaps, secrets]")
        return try await repository.commit(message)
    }

    private func branches(in folder: String) async throws -> String {
        try await repository.git("ls-remote", "--heads", folder)
    }

    @Test func makesACommitThatRestoresTheEarlierState() async throws {
        let before = try await repository.git("rev-parse", "HEAD")
        let bad = try await open()
        let outcome = try await rollback(
            bad, "--incident", "Secrets were readable", "--because", "Nobody asked.", "-o", "json")
        #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
        let answer = try parseJSON(outcome.output)
        // A contract: what programs read.
        #expect(
            answer.members?.keys.sorted() == [
                "apiVersion", "branch", "changedFiles", "changes", "clone", "commit", "conflicts", "isExact", "kind",
                "notes", "onto", "outcome", "pushed", "restores", "reverts",
            ])
        #expect(answer["kind"]?.string == "Rollback")
        #expect(answer["outcome"]?.string == "made")
        #expect(answer["reverts"]?.array?.compactMap(\.string) == [bad])
        #expect(answer["restores"]?.string == before)
        #expect(answer["isExact"] == .bool(true))
        #expect(answer["onto"]?.string == bad)
        #expect(answer["pushed"] == .bool(false))
        #expect(answer["changes"]?["changed"]?.array?.count == 1)
        #expect(answer["changes"]?["meaning"]?["kind"]?.string == "ChangeReport")
        #expect(answer["changes"]?["meaning"]?["findings"]?.array?.isEmpty == false)
        #expect(answer["changedFiles"]?.array?.first?["path"]?.string == "policies/shop.yaml")
        let branch = "bylaw/rollback-\(bad.prefix(12))"
        #expect(answer["branch"]?.string == branch)
        #expect(!(try await branches(in: repository.path)).contains("rollback"), "nothing has left the clone")

        let commit = try #require(answer["commit"]?.string)
        try await repository.git("fetch", "--quiet", clone, "\(branch):\(branch)")
        #expect(try await repository.git("rev-parse", branch) == commit)
        #expect(
            try await repository.git("rev-parse", "\(branch)^{tree}", "\(before)^{tree}").split(separator: "\n").count
                == 2)
        #expect(try await repository.git("diff", before, branch).isEmpty)
        #expect(
            try await repository.git("log", "-1", "--format=%an <%ae> %cn%n%B", branch) == """
                Rita Revert <rita@example.com> Rita Revert
                Revert "Open the "shop""

                This reverts commit \(bad).

                Nobody asked.

                Bylaw-Reverts: \(bad)
                Bylaw-Restores: \(before)
                Bylaw-Incident: Secrets were readable
                """)
        let text = try await rollback(bad)
        #expect(text.status == 0, "\(text.errors)")
        #expect(text.output.contains("Restores exactly what \(before.prefix(12)) declared below policies"))
        #expect(text.output.contains("\(commit) was there already on branch \(branch)"), "\(text.output)")
        #expect(text.output.contains("~ Role shop/config"))
        #expect(text.output.contains("RightRevoked") || text.output.contains("secrets"), "\(text.output)")
        #expect(text.output.contains("Nothing has left this machine"))
    }

    @Test func pushesOnRequest() async throws {
        let bad = try await open()
        let outcome = try await rollback(bad, "--push", "--new-branch", "fix/shop")
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.output.contains("Pushed to \(repository.path)"))
        #expect(try await repository.git("rev-parse", "fix/shop^") == bad)
        let again = try parseJSON(try await rollback(bad, "--push", "--new-branch", "fix/shop", "-o", "json").output)
        #expect(again["outcome"]?.string == "wasThere")
        #expect(again["pushed"] == .bool(true))
        let reworded = try await rollback(bad, "--new-branch", "fix/shop", "--because", "a better reason")
        #expect(reworded.output.contains("keeps the message it was made with"), "\(reworded.output)")

        try repository.writeProgram("#!/bin/sh\necho 'ask the board'\nexit 1\n", to: ".git/hooks/pre-receive")
        let refused = try await rollback(bad, "--push", "--new-branch", "fix/two")
        #expect(refused.status == 2)
        #expect(refused.errors.contains("ask the board"), "\(refused.errors)")
        #expect(refused.output.contains("Nothing has left this machine"), "the branch is made all the same")
    }

    @Test func aRangeGoesInOneCommitAndOtherFilesAreNamed() async throws {
        let before = try await repository.git("rev-parse", "HEAD")
        let bad = try await open()
        try repository.write("words", to: "README")
        try repository.write(clusterRoleManifest("later"), to: "policies/later.yaml")
        let later = try await repository.commit("More")
        let outcome = try await rollback(bad, "--to", "HEAD", "--push", "--new-branch", "back")
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.output.contains("Takes back 2 revisions"))
        #expect(outcome.output.contains("Also outside of policies"), "\(outcome.output)")
        #expect(outcome.output.contains("D README"))
        #expect(outcome.output.contains("- ClusterRole later"))
        #expect(outcome.output.contains("Restores exactly what \(before.prefix(12))"))
        let message = try await repository.git("log", "-1", "--format=%B", "back")
        #expect(message.hasPrefix("Restore the declared state before \(bad.prefix(12))\n"))
        #expect(message.contains("This reverts commit \(later).\nThis reverts commit \(bad).\n"))
        #expect(try await repository.git("diff", before, "back").isEmpty)
        let wrongWay = try await rollback("HEAD", "--to", bad)
        #expect(wrongWay.status == 2)
        #expect(wrongWay.errors.contains("first parents"), "\(wrongWay.errors)")
    }

    @Test func whereOtherCommitsStayNothingEarlierIsRestored() async throws {
        let bad = try await open()
        try repository.write(clusterRoleManifest("later"), to: "policies/later.yaml")
        try await repository.commit("More")
        let answer = try parseJSON(try await rollback(bad, "-o", "json").output)
        #expect(answer["isExact"] == .bool(false))
        #expect(answer["restores"] == .null)
        #expect(answer["outcome"]?.string == "made")
    }

    @Test func aMergeIsTakenBackAsAWhole() async throws {
        let before = try await repository.git("rev-parse", "HEAD")
        try await repository.git("checkout", "--quiet", "-b", "side")
        _ = try await open()
        try repository.write(clusterRoleManifest("side"), to: "policies/side.yaml")
        try await repository.commit("And more")
        try await repository.git("checkout", "--quiet", "main")
        try await repository.git("merge", "--quiet", "--no-ff", "--message", "Merge side", "side")
        let outcome = try await rollback("HEAD", "--push", "--new-branch", "back")
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try await repository.git("diff", before, "back").isEmpty)
        #expect(outcome.output.contains("Restores exactly what \(before.prefix(12))"))
    }

    @Test func aConflictNamesFileAndCommitAndMakesNothing() async throws {
        let bad = try await open()
        try write("resources: [configmaps]", "resources: [configmaps, secrets, services]")
        let later = try await repository.commit("And services\u{1b}[2J")
        let outcome = try await rollback(bad, "--push")
        #expect(outcome.status == 1, "\(outcome.errors)")
        #expect(outcome.output.contains("policies/shop.yaml"))
        #expect(outcome.output.contains("\(later.prefix(12)) \"And services"))
        #expect(outcome.output.contains("bylaw rollback \(bad.prefix(12)) --to \(later.prefix(12))"))
        #expect(!outcome.output.contains("\u{1b}"))
        #expect(try await branches(in: clone).isEmpty)
        let answer = try parseJSON(try await rollback(bad, "-o", "json").output)
        #expect(answer["outcome"]?.string == "conflicts")
        #expect(answer["commit"] == .null)
        #expect(answer["conflicts"]?.array?.first?["file"]?.string == "policies/shop.yaml")
        #expect(answer["conflicts"]?.array?.first?["commit"]?.string == later)
        #expect(try await rollback(bad, "--to", later).status == 0)
    }

    @Test func whatIsTakenBackAlreadyIsSaidSo() async throws {
        let bad = try await open()
        try await repository.git("revert", "--no-edit", bad)
        let outcome = try await rollback(bad, "--push")
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.output.contains("is without that already"))
        #expect(try await branches(in: clone).isEmpty)
        #expect(!(try await branches(in: repository.path)).contains("rollback"))
    }

    @Test func aStateThatIsNotValidIsRefusedWithItsFindings() async throws {
        try repository.write(clusterRoleManifest("moved"), to: "policies/old.yaml")
        try await repository.commit("Add")
        try repository.remove("policies/old.yaml")
        let bad = try await repository.commit("Remove")
        try repository.write(clusterRoleManifest("moved"), to: "policies/new.yaml")
        try await repository.commit("Add elsewhere")
        let outcome = try await rollback(bad, "--push")
        #expect(outcome.status == 1, "\(outcome.errors)")
        #expect(outcome.output.contains("policies/"), "\(outcome.output)")
        #expect(outcome.output.contains("Nothing was made"), "\(outcome.output)")
        #expect(try await branches(in: clone).isEmpty)
        let answer = try parseJSON(try await rollback(bad, "-o", "json").output)
        #expect(answer["outcome"]?.string == "refused")
        #expect(answer["findings"]?.array?.isEmpty == false)
        let empty = try await rollback("HEAD~3")
        #expect(empty.status == 0, "what other files declare stays: \(empty.output)\(empty.errors)")
    }

    @Test func aRevisionThatLeavesNothingIsRefused() async throws {
        let outcome = try await rollback("HEAD")
        #expect(outcome.status == 1, "\(outcome.errors)")
        #expect(outcome.output.contains("declares nothing"), "\(outcome.output)")
        #expect(try await branches(in: clone).isEmpty)
    }

    /// The usual case of a hurry: the newest commit broke the repository.
    @Test func aTipThatIsNotValidIsTakenBack() async throws {
        try repository.write("kind: Nonsense\n", to: "policies/broken.yaml")
        let bad = try await repository.commit("Break")
        let outcome = try await rollback(bad)
        #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
        #expect(outcome.output.contains("is not valid and not enforced"), "\(outcome.output)")
        #expect(outcome.output.contains("Restores exactly"))
    }

    @Test func whatCannotBeDoneSaysWhatToDo() async throws {
        let bad = try await open()
        let unknown = try await rollback("0123456789012345678901234567890123456789")
        #expect(unknown.status == 2)
        #expect(unknown.errors.contains("0123456789"), "\(unknown.errors)")
        let nobody = try await rollback(bad, author: [])
        #expect(nobody.status == 2)
        #expect(nobody.errors.contains("--author"), "\(nobody.errors)")
        let noAddress = try await rollback(bad, author: ["--author", "Rita"])
        #expect(noAddress.status == 2)
        #expect(noAddress.errors.contains("NAME <ADDRESS>"), "\(noAddress.errors)")
        let unnamed = try await rollback()
        #expect(unnamed.status == 2)
        #expect(unnamed.errors.contains("no revision is named"), "\(unnamed.errors)")
        let followed = try await rollback(bad, "--branch", "main", "--new-branch", "main")
        #expect(followed.status == 2)
        #expect(followed.errors.contains("is followed"), "\(followed.errors)")
        let badName = try await rollback(bad, "--new-branch", "a..b")
        #expect(badName.status == 2)
        #expect(badName.errors.contains("--new-branch"), "\(badName.errors)")
        let noJournal = try await rollback("--incident", "42")
        #expect(noJournal.status == 2)
        try await repository.git("checkout", "--quiet", "-b", "other")
        let elsewhere = try await repository.commit("Elsewhere")
        let notThere = try await rollback(elsewhere, "--branch", "main")
        #expect(notThere.status == 2)
        #expect(notThere.errors.contains(String(elsewhere.prefix(12))), "\(notThere.errors)")
    }

    @Test func aBranchOfAnotherChangeIsInTheWay() async throws {
        let bad = try await open()
        #expect(try await rollback(bad, "--new-branch", "fix").status == 0)
        try repository.write("words", to: "README")
        try await repository.commit("Words")
        let outcome = try await rollback(bad, "--new-branch", "fix")
        #expect(outcome.status == 2)
        #expect(outcome.errors.contains("the branch fix is there already"), "\(outcome.errors)")
        #expect(outcome.errors.contains("--new-branch"))
    }

    @Test func theEnvironmentSaysWhoMakesTheCommit() async throws {
        let bad = try await open()
        let environment = [
            "GIT_AUTHOR_NAME": "Ann", "GIT_AUTHOR_EMAIL": "ann@example.com", "GIT_COMMITTER_NAME": "Carl",
            "GIT_COMMITTER_EMAIL": "carl@example.com",
        ]
        let outcome = try await rollback(
            bad, "--push", "--new-branch", "fix", author: [], extraEnvironment: environment)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(
            try await repository.git("log", "-1", "--format=%an %ae %cn %ce", "fix")
                == "Ann ann@example.com Carl carl@example.com")
    }

    /// What signatures are asked for is told before somebody waits for a merge that is refused.
    @Test func tellsThatTheCommitIsNotSigned() async throws {
        let bad = try await open()
        let signers = try program.folder.write("", to: "signers")
        let outcome = try await rollback(bad, "--verify-commits", "head", "--allowed-signers", signers)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.output.contains("note: The commit is not signed"), "\(outcome.output)")
    }

    @Test func anIncidentOfTheJournalNamesTheRevisionAndThePlanShowsTheCluster() async throws {
        let cluster = try ClusterUnderTest(isEmbedded: true)
        let flags =
            program.flags(repository: repository, cluster: cluster, instance: "rollback") + ["--path", "policies"]
        #expect(try await program.run(["sync"] + flags).status == 0)
        try write("resources: [configmaps]", "resources: [\"*\"]")
        let bad = try await repository.commit("Open everything", approvals: [])
        #expect(try await program.run(["sync"] + flags).status == 1)
        let incident = try #require(
            try await program.entries(["--incidents"]).first { $0["revision"]?["commit"]?.string == bad })
        let sequence = try #require(incident["sequence"]?.integer)
        let reason = try #require(incident["reason"]?.string)
        let outcome = try await program.run(
            ["rollback", "--incident", "\(sequence)", "--plan", "-o", "json"] + Self.author + flags)
        #expect(outcome.status == 0, "\(outcome.errors)")
        let answer = try parseJSON(outcome.output)
        #expect(answer["reverts"]?.array?.compactMap(\.string) == [bad])
        #expect(answer["plan"]?["kind"]?.string == "Plan")
        #expect(answer["plan"]?["actions"]?.array?.isEmpty == true, "what was held was never applied")
        #expect(answer["plan"]?["held"]?.array?.isEmpty == true)
        let commit = try #require(answer["commit"]?.string)
        let folder = try #require(answer["clone"]?.string)
        #expect(
            try await repository.git("--git-dir", folder, "log", "-1", "--format=%B", commit)
                .contains("Bylaw-Incident: \(sequence) \(reason)"))
        let text = try await program.run(["rollback", "--incident", "\(sequence)", "--plan"] + Self.author + flags)
        #expect(text.output.contains("In the cluster, once it is merged:"), "\(text.output)")
        let missing = try await program.run(["rollback", "--incident", "99999"] + Self.author + flags)
        #expect(missing.status == 2)
        #expect(missing.errors.contains("99999"))
    }
}
