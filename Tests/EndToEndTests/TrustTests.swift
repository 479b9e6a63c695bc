import ChildProcess
import Foundation
import Manifest
import TestSupport
import Testing

/// Which commits are trusted, with keys made by the tools that people sign with.
@Suite struct TrustTests {
    private let cluster: ClusterUnderTest
    private let program: Program
    private let repository: PolicyRepository
    private let keys: ScratchDirectory

    init() async throws {
        cluster = try ClusterUnderTest()
        program = try Program()
        repository = try await PolicyRepository()
        keys = try ScratchDirectory(named: "bylaw-e2e-keys")
        for name in ["ann", "bob", "eve", "old", "lost"] {
            try await tool("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", keys.path + "/" + name)
        }
        try keys.write(
            """
            ann@example.com \(try publicKey("ann"))
            bob@example.com \(try publicKey("bob"))
            lost@example.com \(try publicKey("lost"))
            old@example.com valid-before="20200101" \(try publicKey("old"))

            """, to: "allowed-signers")
        try keys.write(try publicKey("lost") + "\n", to: "revoked-keys")
    }

    private func tool(_ name: String, _ arguments: String..., environment: [String: String] = [:]) async throws {
        let result = try await runChildProcess(
            name, arguments,
            environment: ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin", "HOME": keys.path]
                .merging(environment) { $1 }, deadline: .seconds(60))
        try #require(result.ending == .exited(0), "\(name) \(arguments): \(result.errorText)")
    }

    private func publicKey(_ name: String) throws -> String {
        try String(contentsOfFile: keys.path + "/\(name).pub", encoding: .utf8)
            .split(separator: " ").prefix(2).joined(separator: " ").trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Commits everything with somebody's SSH key.
    @discardableResult
    private func commit(_ message: String, signedBy key: String?, _ more: String...) async throws -> String {
        try await repository.git("add", "--all")
        guard let key else {
            try await repository.git("commit", "--quiet", "--allow-empty", "--message", message)
            return try await repository.git("rev-parse", "HEAD")
        }
        try await repository.git("config", "gpg.format", "ssh")
        try await repository.git("config", "user.signingkey", keys.path + "/\(key).pub")
        try await repository.git("config", "user.name", key == "bob" ? "Bob Approver" : "Ann Policy")
        try await repository.git("commit", "--quiet", "--allow-empty", "-S", "--message", message)
        return try await repository.git("rev-parse", "HEAD")
    }

    private func flags(_ mode: String, _ instance: String) -> [String] {
        program.flags(repository: repository, cluster: cluster, instance: instance) + [
            "--verify-commits", mode, "--allowed-signers", keys.path + "/allowed-signers", "--revoked-keys",
            keys.path + "/revoked-keys",
        ]
    }

    @Test func eachFaultIsRefusedWithAReasonOfItsOwn() async throws {
        let namespace = "e2e-trust"
        let flags = flags("head", "trust")
        try repository.write(teamManifests(namespace), to: "team.yaml")
        try await commit("Begin", signedBy: "ann")
        #expect(try await program.run(["sync"] + flags).status == 0)
        let role = ObjectID(.role, namespace: namespace, name: "config")

        try repository.write(teamManifests(namespace, round: 1), to: "team.yaml")
        for (key, reason) in [
            (nil, "CommitUnsigned"), ("eve", "SigningKeyUntrusted"), ("old", "SigningKeyExpired"),
            ("lost", "SigningKeyRevoked"), ("tampered", "CommitSignatureBad"),
        ] as [(String?, String)] {
            if key == "tampered" {
                try await commit("Round one", signedBy: "ann")
                let object = try await repository.git("cat-file", "commit", "HEAD")
                try repository.write(
                    object.replacingOccurrences(of: "Round one", with: "Round two") + "\n", to: ".git/tampered")
                let id = try await repository.git("hash-object", "-t", "commit", "-w", ".git/tampered")
                try await repository.git("update-ref", "refs/heads/main", id)
            } else {
                try await commit("Round one", signedBy: key)
            }
            let sync = try await program.run(["sync"] + flags)
            #expect(sync.status == 1 && sync.errors.contains(reason), "\(reason): \(sync.errors)")
            #expect(try await program.run(["plan"] + flags).output.contains(reason))
            // The last trusted one stays enforced.
            try await cluster.jsonPatch(role, #"[{"op":"replace","path":"/rules/0/resources","value":["pods"]}]"#)
            #expect(try await program.run(["sync"] + flags).status == 1)
            let found = try await cluster.object(role)
            #expect(found?["rules"]?.array?.first?["resources"] == ["configmaps"])
            #expect(found?["metadata"]?["annotations"]?["example.com/round"] == "0")
            #expect(try await program.entries(["--reason", reason]).count == 1)
            let status = try await program.run(["status", "--journal", program.journal])
            #expect(status.output.contains(reason), "\(status.output)")
        }
        try await commit("Signed at last", signedBy: "ann")
        #expect(try await program.run(["sync"] + flags).status == 0)
        #expect(try await cluster.object(role)?["metadata"]?["annotations"]?["example.com/round"] == "1")
        #expect(try await program.run(["status", "--journal", program.journal]).status == 0)
    }

    /// What was enforced before signatures were asked for stays, and is told.
    @Test func whatIsInForceHasToBeSignedAsWell() async throws {
        let namespace = "e2e-latetrust"
        let unverified = program.flags(repository: repository, cluster: cluster, instance: "latetrust")
        let flags = flags("head", "latetrust")
        let role = ObjectID(.role, namespace: namespace, name: "config")
        try repository.write(teamManifests(namespace), to: "team.yaml")
        try await commit("Nobody signed this", signedBy: nil)
        #expect(try await program.run(["sync"] + unverified).status == 0)
        for _ in 0..<2 {
            try await cluster.jsonPatch(role, #"[{"op":"replace","path":"/rules/0/resources","value":["pods"]}]"#)
            let sync = try await program.run(["sync"] + flags)
            #expect(sync.status == 1 && sync.errors.contains("CommitUnsigned"), "\(sync.errors)")
            #expect(try await program.run(["plan"] + flags).output.contains("CommitUnsigned"))
            #expect(try await cluster.object(role)?["rules"]?.array?.first?["resources"] == ["configmaps"])
        }
        #expect(try await program.entries(["--reason", "CommitUnsigned"]).count == 1)
        try await repository.git("config", "gpg.format", "ssh")
        try await repository.git("config", "user.signingkey", keys.path + "/ann.pub")
        try await repository.git("tag", "--sign", "--message", "Good", "v1")
        let tagged = flags + ["--tag", "v1"]
        let sync = try await program.run(["sync"] + tagged)
        #expect(sync.status == 0, "a signed tag on the same commit: \(sync.errors)")
        #expect(try await program.run(["plan"] + tagged).status == 0)
        #expect(try await program.run(["status", "--journal", program.journal]).status == 0)
    }

    /// Mode `all`: a signed commit does not carry an unsigned one in.
    @Test func everyCommitSinceTheTrustedOneCounts() async throws {
        let namespace = "e2e-trustall"
        let flags = flags("all", "trustall")
        try repository.write(teamManifests(namespace), to: "team.yaml")
        try await commit("Nobody signed this", signedBy: nil)
        try await commit("Begin", signedBy: "ann")
        #expect(try await program.run(["sync"] + flags).status == 0, "the newest begins the chain")
        try repository.write(teamManifests(namespace, round: 1), to: "team.yaml")
        try await commit("Smuggled", signedBy: nil)
        try await commit("On top", signedBy: "ann")
        let sync = try await program.run(["sync"] + flags)
        #expect(sync.status == 1 && sync.errors.contains("CommitUnsigned"), "\(sync.errors)")
        // Nor is the branch moved back to what nobody signed.
        try await repository.git("reset", "--quiet", "--hard", "HEAD~3")
        let back = try await program.run(["sync"] + flags)
        #expect(back.status == 1 && back.errors.contains("CommitUnsigned"), "\(back.errors)")
    }

    @Test func openPGPSignaturesCountToo() async throws {
        let namespace = "e2e-pgp"
        let home = keys.path + "/gnupg"
        try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: false)
        try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: home)
        let gpg = ["GNUPGHOME": home]
        try await tool(
            "gpg", "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", "", "--quick-gen-key",
            "Ann Policy <ann@example.com>", "ed25519", "sign", "0", environment: gpg)
        try await tool(
            "gpg", "--batch", "--armor", "--output", keys.path + "/ring.asc", "--export", environment: gpg)
        try repository.write(teamManifests(namespace), to: "team.yaml")
        try keys.writeProgram("#!/bin/sh\nGNUPGHOME=\(home) exec gpg \"$@\"\n", to: "sign-with-gpg")
        try await repository.git("config", "gpg.program", keys.path + "/sign-with-gpg")
        try await repository.git("config", "user.signingkey", "ann@example.com")
        try await repository.git("add", "--all")
        try await repository.git("commit", "--quiet", "-S", "--message", "Begin")
        let flags =
            program.flags(repository: repository, cluster: cluster, instance: "pgp")
            + ["--verify-commits", "head", "--gpg-keyring", keys.path + "/ring.asc"]
        let sync = try await program.run(["sync"] + flags)
        #expect(sync.status == 0, "\(sync.errors)")
        try await commit("Nobody signed this", signedBy: nil)
        #expect(try await program.run(["sync"] + flags).errors.contains("CommitUnsigned"))
        try await tool("gpgconf", "--homedir", home, "--kill", "all", environment: gpg)
    }

    /// A grant that takes an approval, for which an administrator has widened Bylaw's ceiling.
    private func grant(_ namespace: String) async throws -> String {
        let text = """
            ---
            apiVersion: rbac.authorization.k8s.io/v1
            kind: RoleBinding
            metadata: {name: editors, namespace: \(namespace)}
            roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: edit}
            subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: team}]

            """
        let path = try program.folder.write(text, to: "grant.yaml")
        try await cluster.widenCeiling(for: path, namespaces: [namespace], by: program)
        return text
    }

    private static let approvers = """
        apiVersion: bylaw.dev/v1
        kind: Configuration
        guardrails:
          approvers:
          - {name: Ann Policy, signers: [ann@example.com]}
          - {name: Bob Approver, signers: [bob@example.com]}

        """

    /// In mode `head` work may come unsigned, and then an approver might have written it under any name.
    @Test func whatNobodySignedNobodyApproves() async throws {
        let namespace = "e2e-unsigned"
        let flags = flags("head", "unsigned")
        let binding = ObjectID(.roleBinding, namespace: namespace, name: "editors")
        let approval = "Approve\n\nBylaw-Approved: risky-grant by Bob Approver"
        try repository.write(teamManifests(namespace), to: "team.yaml")
        try repository.write(Self.approvers, to: "bylaw.yaml")
        try await commit("Begin", signedBy: "ann")
        #expect(try await program.run(["sync"] + flags).status == 0)
        try await repository.write(teamManifests(namespace) + grant(namespace), to: "team.yaml")
        try await commit("Somebody wants to edit", signedBy: nil)
        try await commit(approval, signedBy: "bob")
        let refused = try await program.run(["sync"] + flags)
        #expect(
            refused.status == 1 && refused.errors.contains("who wrote the change cannot be told"), "\(refused.errors)")
        #expect(try await cluster.object(binding) == nil)
        // Taken back, and brought in again by somebody who signs.
        try repository.write(teamManifests(namespace), to: "team.yaml")
        try await commit("Take it back", signedBy: "ann")
        #expect(try await program.run(["sync"] + flags).status == 0)
        try await repository.write(teamManifests(namespace) + grant(namespace), to: "team.yaml")
        try await commit("Let the team edit", signedBy: "ann")
        #expect(try await program.run(["sync"] + flags).status == 1)
        try await commit(approval, signedBy: "bob")
        let sync = try await program.run(["sync"] + flags)
        #expect(sync.status == 0, "\(sync.errors)")
        #expect(try await cluster.object(binding) != nil)
    }

    /// A merge that takes something from older history brings it back itself, though one of its parents has it so.
    @Test func whoMergesOlderHistoryBackDoesNotApproveIt() async throws {
        let namespace = "e2e-mergeback"
        let flags = flags("all", "mergeback")
        let binding = ObjectID(.roleBinding, namespace: namespace, name: "editors")
        try repository.write(teamManifests(namespace), to: "team.yaml")
        try repository.write(Self.approvers, to: "bylaw.yaml")
        try await commit("Begin", signedBy: "ann")
        try await repository.write(teamManifests(namespace) + grant(namespace), to: "team.yaml")
        let granting = try await commit("Let the team edit", signedBy: "ann")
        try repository.write(teamManifests(namespace), to: "team.yaml")
        let reverting = try await commit("Take it back", signedBy: "ann")
        #expect(try await program.run(["sync"] + flags).status == 0)
        let merge = try await repository.git(
            "commit-tree", granting + "^{tree}", "-p", reverting, "-p", granting, "-S", "-m",
            "Merge\n\nBylaw-Approved: risky-grant by Ann Policy")
        try await repository.git("reset", "--quiet", "--hard", merge)
        let refused = try await program.run(["sync"] + flags)
        #expect(refused.status == 1 && refused.errors.contains("nobody approves what they wrote"), "\(refused.errors)")
        #expect(try await cluster.object(binding) == nil)
    }

    /// The same within what is new: a branch still has what was withdrawn meanwhile.
    @Test func whoMergesWhatWasWithdrawnDoesNotApproveIt() async throws {
        let namespace = "e2e-mergeold"
        let flags = flags("all", "mergeold")
        try repository.write(teamManifests(namespace), to: "team.yaml")
        try repository.write(Self.approvers, to: "bylaw.yaml")
        try await commit("Begin", signedBy: "ann")
        #expect(try await program.run(["sync"] + flags).status == 0)
        try await repository.write(teamManifests(namespace) + grant(namespace), to: "team.yaml")
        let granting = try await commit("Let the team edit", signedBy: "ann")
        try repository.write("More", to: "README")
        let branch = try await commit("Something else", signedBy: "ann")
        try await repository.git("reset", "--quiet", "--hard", granting)
        try repository.write(teamManifests(namespace), to: "team.yaml")
        let reverting = try await commit("Take it back", signedBy: "ann")
        try await repository.git("config", "user.name", "Bob Approver")
        try await repository.git("config", "user.signingkey", keys.path + "/bob.pub")
        let merge = try await repository.git(
            "commit-tree", branch + "^{tree}", "-p", reverting, "-p", branch, "-S", "-m",
            "Merge\n\nBylaw-Approved: risky-grant by Bob Approver")
        try await repository.git("reset", "--quiet", "--hard", merge)
        let refused = try await program.run(["sync"] + flags)
        #expect(refused.status == 1 && refused.errors.contains("nobody approves what they wrote"), "\(refused.errors)")
    }

    /// A Git host signs what is squashed with its own key, and vouches for no name in it.
    @Test func whatTheHostSignedNobodyApproves() async throws {
        let namespace = "e2e-squash"
        let flags = flags("head", "squash")
        try keys.write(
            try String(contentsOfFile: keys.path + "/allowed-signers", encoding: .utf8)
                + "noreply@host.example.com \(try publicKey("eve"))\n", to: "allowed-signers")
        let binding = ObjectID(.roleBinding, namespace: namespace, name: "editors")
        try repository.write(teamManifests(namespace), to: "team.yaml")
        try repository.write(Self.approvers, to: "bylaw.yaml")
        try await commit("Begin", signedBy: "ann")
        #expect(try await program.run(["sync"] + flags).status == 0)
        let approval = "Approve\n\nBylaw-Approved: risky-grant by Bob Approver"
        for (author, words) in [
            ("Bob <bob@home.example.com>", "not by its author"), ("B <BOB@example.com>", "not by its author"),
        ] {
            try await repository.write(teamManifests(namespace) + grant(namespace), to: "team.yaml")
            try await repository.git("add", "--all")
            try await repository.git("config", "user.signingkey", keys.path + "/eve.pub")
            try await repository.git("commit", "--quiet", "-S", "--author", author, "--message", "Squashed (#1)")
            try await commit(approval, signedBy: "bob")
            let refused = try await program.run(["sync"] + flags)
            #expect(refused.status == 1 && refused.errors.contains(words), "\(refused.errors)")
            #expect(try await cluster.object(binding) == nil)
            try repository.write(teamManifests(namespace), to: "team.yaml")
            try await commit("Take it back", signedBy: "ann")
            #expect(try await program.run(["sync"] + flags).status == 0)
        }
        // Signed by its author, in whatever case the address is written.
        try await repository.write(teamManifests(namespace) + grant(namespace), to: "team.yaml")
        try await repository.git("add", "--all")
        try await repository.git("config", "user.signingkey", keys.path + "/eve.pub")
        try await repository.git(
            "commit", "--quiet", "-S", "--author", "Host <NoReply@host.example.com>", "--message", "Let the team edit")
        try await commit(approval, signedBy: "bob")
        let sync = try await program.run(["sync"] + flags)
        #expect(sync.status == 0, "\(sync.errors)")
    }

    /// Whoever signs a tag says that the revision is good, and not what somebody wrote in a trailer.
    @Test func aTagApprovesNothing() async throws {
        let namespace = "e2e-tagged"
        let flags = flags("head", "tagged") + ["--tag", "prod"]
        let binding = ObjectID(.roleBinding, namespace: namespace, name: "editors")
        func tag(_ key: String) async throws {
            try await repository.git("config", "gpg.format", "ssh")
            try await repository.git("config", "user.signingkey", keys.path + "/\(key).pub")
            try await repository.git("tag", "--force", "--sign", "--message", "Good", "prod")
        }
        try repository.write(teamManifests(namespace), to: "team.yaml")
        try repository.write(Self.approvers, to: "bylaw.yaml")
        try await commit("Begin", signedBy: "ann")
        try await tag("ann")
        #expect(try await program.run(["sync"] + flags).status == 0)
        try await repository.write(teamManifests(namespace) + grant(namespace), to: "team.yaml")
        try await commit("Let the team edit", signedBy: "ann")
        try await commit("Nothing\n\nBylaw-Approved: risky-grant by Bob Approver", signedBy: nil)
        try await tag("bob")
        #expect(try await program.run(["sync"] + flags).status == 1)
        #expect(try await cluster.object(binding) == nil)
        // Bob's own signature counts, whoever signs the tag.
        try await commit("Approve\n\nBylaw-Approved: risky-grant by Bob Approver", signedBy: "bob")
        try await tag("ann")
        let sync = try await program.run(["sync"] + flags)
        #expect(sync.status == 0, "\(sync.errors)")
        #expect(try await cluster.object(binding) != nil)
    }

    /// Whoever lets one commit pass without signatures does not let through what anybody wrote under earlier ones.
    @Test func verificationSwitchedOffOnceApprovesNothingOld() async throws {
        let namespace = "e2e-offonce"
        let flags = flags("head", "offonce")
        let unverified = program.flags(repository: repository, cluster: cluster, instance: "offonce")
        let binding = ObjectID(.roleBinding, namespace: namespace, name: "editors")
        try repository.write(teamManifests(namespace), to: "team.yaml")
        try repository.write(Self.approvers, to: "bylaw.yaml")
        try await commit("Begin", signedBy: "ann")
        #expect(try await program.run(["sync"] + flags).status == 0)
        try await repository.write(teamManifests(namespace) + grant(namespace), to: "team.yaml")
        try await commit("Let the team edit\n\nBylaw-Approved: risky-grant by Bob Approver", signedBy: "ann")
        try await commit("On top", signedBy: "ann")
        #expect(try await program.run(["sync"] + flags).status == 1)
        #expect(try await program.run(["sync"] + unverified).status == 1)
        #expect(try await cluster.object(binding) == nil)
        // Nor with what follows while it is off.
        try await commit("Something else", signedBy: nil)
        #expect(try await program.run(["sync"] + unverified).status == 1)
        #expect(try await cluster.object(binding) == nil)
        // What is said then, and only that, counts without a signature.
        try await commit("Somebody says so\n\nBylaw-Approved: risky-grant by Bob Approver", signedBy: nil)
        #expect(try await program.run(["plan"] + unverified).output.contains("editors"))
        try await repository.git("reset", "--quiet", "--hard", "HEAD~2")
        // Nobody left who may approve is no way to that either.
        try repository.remove("bylaw.yaml")
        try await commit("Nobody approves any more", signedBy: "ann")
        let held = try await program.run(["sync"] + flags)
        #expect(held.status == 1 && held.errors.contains("nobody left who may approve"), "\(held.errors)")
    }

    /// A signature that cannot be checked today may be good tomorrow: no new commit is needed for that.
    @Test func anApprovalCountsOnceItsKeyIsKnown() async throws {
        let namespace = "e2e-latekey"
        let flags = flags("head", "latekey")
        let signers = try String(contentsOfFile: keys.path + "/allowed-signers", encoding: .utf8)
        let binding = ObjectID(.roleBinding, namespace: namespace, name: "editors")
        try repository.write(teamManifests(namespace), to: "team.yaml")
        try repository.write(Self.approvers, to: "bylaw.yaml")
        try await commit("Begin", signedBy: "ann")
        #expect(try await program.run(["sync"] + flags).status == 0)
        try keys.write(
            signers.split(separator: "\n").filter { !$0.hasPrefix("bob") }.joined(separator: "\n") + "\n",
            to: "allowed-signers")
        try await repository.write(teamManifests(namespace) + grant(namespace), to: "team.yaml")
        try await commit("Let the team edit", signedBy: "ann")
        try await commit("Approve\n\nBylaw-Approved: risky-grant by Bob Approver", signedBy: "bob")
        try await commit("On top", signedBy: "ann")
        #expect(try await program.run(["sync"] + flags).status == 1)
        #expect(try await program.run(["sync"] + flags).status == 1)
        #expect(try await cluster.object(binding) == nil)
        #expect(try await program.entries(["--reason", "RevisionAccepted"]).count == 2)
        try keys.write(signers, to: "allowed-signers")
        let plan = try await program.run(["plan"] + flags)
        #expect(plan.status == 1 && plan.output.contains("editors"), "\(plan.output)")
        let sync = try await program.run(["sync"] + flags)
        #expect(sync.status == 0, "\(sync.errors)")
        #expect(try await cluster.object(binding) != nil)
        #expect(try await program.run(["plan"] + flags).status == 0)
    }

    /// Where a hold began is gone, with a rewritten history and a new clone: later revisions go on nevertheless.
    @Test func aHoldWhoseBeginningIsGoneKeepsNothingElseBack() async throws {
        let namespace = "e2e-lostbegin"
        let flags = flags("head", "lostbegin")
        let binding = ObjectID(.roleBinding, namespace: namespace, name: "editors")
        try await repository.write(teamManifests(namespace) + grant(namespace), to: "team.yaml")
        try repository.write(Self.approvers, to: "bylaw.yaml")
        try await commit("Begin", signedBy: "ann")
        #expect(try await program.run(["sync"] + flags).status == 1)
        try await repository.git("checkout", "--quiet", "--orphan", "again")
        try await commit("Begin again", signedBy: "ann")
        try await repository.git("branch", "-M", "again", "main")
        #expect(try await program.run(["sync"] + flags).status == 1)
        try await repository.git("reflog", "expire", "--expire=now", "--all")
        try await repository.git("gc", "--quiet", "--prune=now")
        try FileManager.default.removeItem(atPath: program.folder.path + "/cache")
        try await commit("Approve\n\nBylaw-Approved: risky-grant by Bob Approver", signedBy: "bob")
        let sync = try await program.run(["sync"] + flags)
        #expect(sync.status == 0, "\(sync.errors)")
        #expect(try await cluster.object(binding) != nil)
    }

    /// Two approvers in two pushes approve what takes two approvals; history without the folder declares nothing.
    @Test func approvalsOfWhatWaitsAddUp() async throws {
        let namespace = "e2e-addup"
        let flags = flags("head", "addup") + ["--path", "policies"]
        let binding = ObjectID(.roleBinding, namespace: namespace, name: "editors")
        let open = """
            ---
            apiVersion: networking.k8s.io/v1
            kind: NetworkPolicy
            metadata: {name: open, namespace: \(namespace)}
            spec: {podSelector: {}, policyTypes: [Ingress], ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0}}]}]}

            """
        try repository.write("The beginning", to: "README")
        try await commit("Before there was a policy", signedBy: "ann")
        try await repository.git("branch", "old")
        try repository.write(teamManifests(namespace), to: "policies/team.yaml")
        try repository.write(Self.approvers, to: "policies/bylaw.yaml")
        try await commit("Begin", signedBy: "ann")
        #expect(try await program.run(["sync"] + flags).status == 0)
        try await repository.write(teamManifests(namespace) + grant(namespace) + open, to: "policies/team.yaml")
        try await commit("Let the team edit, and the world in", signedBy: "ann")
        #expect(try await program.run(["sync"] + flags).status == 1)
        try await commit("Approve\n\nBylaw-Approved: risky-grant by Bob Approver", signedBy: "bob")
        #expect(try await program.run(["sync"] + flags).status == 1, "the opening waits")
        #expect(try await cluster.object(binding) != nil)
        // A branch from before the folder was there is merged.
        try await repository.git("checkout", "--quiet", "old")
        try repository.write("More", to: "README")
        try await commit("Long forgotten", signedBy: "ann")
        try await repository.git("checkout", "--quiet", "main")
        try await repository.git("merge", "--quiet", "-S", "-m", "Merge", "old")
        try await commit("Approve\n\nBylaw-Approved: external-access by Bob Approver", signedBy: "bob")
        _ = try await program.run(["sync"] + flags)
        try await commit("Approve\n\nBylaw-Approved: isolation-removed by Bob Approver", signedBy: "bob")
        let sync = try await program.run(["sync"] + flags)
        #expect(sync.status == 0, "\(sync.errors)")
    }

    /// What came with the first revision was written before anybody looked: whoever signed that stands for it.
    @Test func whoSignedTheFirstRevisionDoesNotApproveWhatCameWithIt() async throws {
        let namespace = "e2e-firsthold"
        let flags = flags("head", "firsthold")
        let binding = ObjectID(.roleBinding, namespace: namespace, name: "editors")
        try await repository.write(teamManifests(namespace) + grant(namespace), to: "team.yaml")
        try await commit("Long ago", signedBy: nil)
        try repository.write(Self.approvers, to: "bylaw.yaml")
        try await commit("Begin", signedBy: "ann")
        #expect(try await program.run(["sync"] + flags).status == 1)
        try await commit("Approve\n\nBylaw-Approved: risky-grant by Ann Policy", signedBy: "ann")
        #expect(try await program.run(["sync"] + flags).status == 1)
        #expect(try await cluster.object(binding) == nil)
        try await commit("Approve\n\nBylaw-Approved: risky-grant by Bob Approver", signedBy: "bob")
        let sync = try await program.run(["sync"] + flags)
        #expect(sync.status == 0, "\(sync.errors)")
        #expect(try await cluster.object(binding) != nil)
    }

    @Test func onlyAnotherListedApproverApproves() async throws {
        let namespace = "e2e-approver"
        let flags = flags("head", "approver")
        try repository.write(teamManifests(namespace), to: "team.yaml")
        try repository.write(Self.approvers, to: "bylaw.yaml")
        try await commit("Begin", signedBy: "ann")
        #expect(try await program.run(["sync"] + flags).status == 0)
        let binding = ObjectID(.roleBinding, namespace: namespace, name: "editors")

        // Ann, who wrote it, approves it; and somebody who is not listed; and Bob without a signature.
        try await repository.write(teamManifests(namespace) + grant(namespace), to: "team.yaml")
        for (message, key) in [
            ("Let the team edit\n\nBylaw-Approved: risky-grant by Ann Policy", "ann"),
            ("Approve\n\nBylaw-Approved: risky-grant by Ann Policy", "ann"),
            ("Approve\n\nBylaw-Approved: risky-grant by Carol", "ann"),
            ("Approve\n\nBylaw-Approved: risky-grant by Bob Approver", "ann"),
        ] {
            try await commit(message, signedBy: key)
            let sync = try await program.run(["sync"] + flags)
            #expect(sync.status == 1, "\(message): \(sync.errors)")
            #expect(try await cluster.object(binding) == nil, "\(message)")
        }
        try await commit("Approve\n\nBylaw-Approved: risky-grant by Bob Approver", signedBy: "bob")
        let sync = try await program.run(["sync"] + flags)
        #expect(sync.status == 0, "\(sync.errors)")
        #expect(try await cluster.object(binding) != nil)
    }

    @Test func aModeWithoutKeysIsAMistake() async throws {
        let flags = program.flags(repository: repository, cluster: cluster, instance: "nokeys")
        let sync = try await program.run(["sync", "--verify-commits", "head"] + flags)
        #expect(sync.status == 2 && sync.errors.contains("--allowed-signers"), "\(sync.errors)")
    }
}
