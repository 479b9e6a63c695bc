import ChildProcess
import EmbeddedCluster
import Foundation
import Manifest
import Reconciler
import TestSupport
import Testing

/// What has to be signed after another replica, and who has approved what it left.
extension ReplicaHandoverTests {
    /// Commits everything, signed by Ann where it is to be.
    private func commitSigned(_ isSigned: Bool, _ message: String, by name: String = "Ann") async throws -> String {
        let repository = controller.repository
        try await repository.git("add", "--all")
        try await repository.git(
            "commit", "--quiet", "--allow-empty", isSigned ? "-S" : "--no-gpg-sign", "-m", message, "--author",
            "\(name) <\(name.lowercased())@example.com>")
        return try await repository.git("rev-parse", "HEAD")
    }

    private func makeKey() async throws -> ScratchDirectory {
        let keys = try ScratchDirectory(named: "bylaw-e2e-replica-keys")
        var signers = ""
        for name in ["bob", "ann"] {
            let made = try await runChildProcess(
                "ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", keys.path + "/" + name],
                environment: ["PATH": "/usr/bin:/bin", "HOME": keys.path], deadline: .seconds(60))
            try #require(made.ending == .exited(0), "\(made.errorText)")
            signers +=
                "\(name)@example.com " + (try String(contentsOfFile: "\(keys.path)/\(name).pub", encoding: .utf8))
        }
        try keys.write(signers, to: "allowed-signers")
        try await controller.repository.git("config", "gpg.format", "ssh")
        try await signAs("Ann", keys)
        return keys
    }

    private func signAs(_ name: String, _ keys: ScratchDirectory) async throws {
        try await controller.repository.git("config", "user.signingkey", "\(keys.path)/\(name.lowercased()).pub")
    }

    /// The one that leads from now on has trusted no commit yet.
    @Test(arguments: [true, false])
    func everyCommitSinceWhatTheOtherTrustedMustBeSigned(isHeld: Bool) async throws {
        let keys = try await makeKey()
        let first = try await commitSigned(true, "Begin")
        try #require(try await pass("a", term: 0, keys: keys).report.revision == first)
        let trusted = try await commitSigned(true, "Go on")
        try #require(try await pass("a", term: 0, keys: keys).report.revision == trusted)
        if isHeld {
            try await controller.hold(first)
            try #require(try await pass("a", term: 0, keys: keys).report.revision == first)
        }
        _ = try await commitSigned(false, "Smuggled")
        _ = try await commitSigned(true, "On top")
        if isHeld {
            let held = try await pass("b", term: 1, keys: keys)
            #expect(held.report.revision == first && held.incidents.contains(.commitUnsigned), "\(held)")
            controller.clock.turn(by: .seconds(600))
        }
        let after = try await pass("b", term: 1, keys: keys)
        #expect(after.incidents.contains(.commitUnsigned) && after.report.isRevisionRefused, "\(after)")
    }

    /// As where this replica has not led for long.
    @Test(arguments: [true, false])
    func moreCommitsThanOneLookVerifiesAreVerifiedInParts(isWhole: Bool) async throws {
        let keys = try await makeKey()
        let first = try await commitSigned(true, "Begin")
        try #require(try await pass("b", term: 0, keys: keys).report.revision == first)
        var commits: [String] = []
        for number in 0..<11 {
            commits.append(try await commitSigned(isWhole || number != 6, "Go on \(number)"))
        }
        try #require(try await pass("a", term: 1, keys: keys).report.isRevisionRefused != isWhole)
        // As much as two looks come after what the other one accepted.
        for number in 0..<(isWhole ? 9 : 0) { commits.append(try await commitSigned(true, "Go further \(number)")) }
        var looks = 0
        var after: RestartedController.Pass
        repeat {
            looks += 1
            after = try await pass("b", term: 2, keys: keys, verifying: 4)
        } while after.incidents.contains(.signatureUncheckable) && looks < 20
        if isWhole {
            #expect(after.report.revision == commits.last && !after.report.isRevisionRefused, "\(after)")
            #expect(looks == 7)
        } else {
            #expect(after.incidents.contains(.commitUnsigned) && after.report.isRevisionRefused, "\(after)")
        }
    }

    /// Whoever writes the Lease could have what nobody signed count as trusted.
    @Test func whatTheLeaseNamesCountsOnlyWhereItIsSigned() async throws {
        let keys = try await makeKey()
        let first = try await commitSigned(true, "Begin")
        try #require(try await pass("a", term: 0, keys: keys).report.revision == first)
        let smuggled = try await commitSigned(false, "Smuggled")
        _ = try await commitSigned(true, "On top")
        let place = try #require(lease.handover?.place)
        lease.handover = Handover(revision: smuggled, place: place)
        let after = try await pass("a", term: 2, keys: keys)
        #expect(after.incidents.contains(.commitUnsigned), "\(after)")
    }

    @Test(arguments: [TrustMode.head, .all])
    func theNewestIsLookedAtAlsoWhereTheLeaseNamesIt(_ trust: TrustMode) async throws {
        let keys = try await makeKey()
        let first = try await commitSigned(true, "Begin")
        try #require(try await pass("a", term: 0, keys: keys, trust: trust).report.revision == first)
        let smuggled = try await commitSigned(false, "Smuggled")
        let place = try #require(lease.handover?.place)
        lease.handover = Handover(revision: smuggled, place: place)
        let after = try await pass("a", term: 2, keys: keys, trust: trust)
        #expect(after.incidents.contains(.commitUnsigned) && after.report.isRevisionRefused, "\(after)")
    }

    private func listApprover(_ name: String) throws {
        try controller.repository.write(
            """
            apiVersion: bylaw.dev/v1
            kind: Configuration
            guardrails: {approvers: [{name: \(name), signers: [\(name.lowercased())@example.com]}]}
            """, to: "bylaw.yaml")
    }

    /// The other one was ended before it had done what a listed approver approved.
    @Test(arguments: ["Bob", "Ann"])
    func whatWasApprovedOfARemovalIsKnownByWhoApprovedIt(_ author: String) async throws {
        let keys = try await makeKey()
        try listApprover("Ann")
        let quota = try writeQuota()
        let first = try await commitSigned(true, "Begin")
        try #require(try await pass("a", term: 0, keys: keys).report.revision == first)
        try #require(controller.cluster.object(quota) != nil)
        let place = try #require(lease.handover?.place)
        try controller.repository.remove("kept.yaml")
        try await signAs(author, keys)
        _ = try await commitSigned(true, "Remove it", by: author)
        try await signAs("Ann", keys)
        let approval = "Approve\n\nBylaw-Approved: quota-loosened by Ann"
        let approved = try await commitSigned(true, approval)
        lease.handover = Handover(revision: approved, place: place)
        let after = try await pass("b", term: 1, keys: keys)
        #expect(after.report.revision == approved, "\(after)")
        #expect((controller.cluster.object(quota) == nil) == (author == "Bob"), "\(after)")
        guard author == "Ann" else { return }
        // Somebody else may still approve it.
        #expect(after.ofObjects[quota] == [.approvalMissing], "\(after)")
    }

    /// Their list as this journal knows it may be out of date, and the newest one may be whoever's.
    @Test(arguments: [true, false])
    func whoIsNoApproverAnyMoreApprovesNothing(isStillListed: Bool) async throws {
        let keys = try await makeKey()
        try listApprover("Ann")
        try controller.repository.remove("binding.yaml")
        _ = try await commitSigned(true, "Begin")
        // Nothing is left on the Lease, as where something was held.
        try #require(try await !pass("a", term: 0, keys: keys).report.isRevisionRefused)
        lease.handover = nil
        if !isStillListed { try listApprover("Bob") }
        _ = try await commitSigned(true, "Another list")
        // Somebody else's work, which Ann approves.
        try controller.repository.write(
            """
            apiVersion: rbac.authorization.k8s.io/v1
            kind: Role
            metadata: {name: extra, namespace: \(Self.namespace)}
            rules: [{apiGroups: [""], resources: [secrets], verbs: [get]}]
            """, to: "extra.yaml")
        try controller.repository.write(binding("extra"), to: "binding.yaml")
        try await signAs("Bob", keys)
        _ = try await commitSigned(true, "Read secrets", by: "Bob")
        try await signAs("Ann", keys)
        _ = try await commitSigned(true, "Approve\n\nBylaw-Approved: risky-grant by Ann")
        let after = try await pass("a", term: 2, keys: keys)
        #expect((after.ofObjects[Self.role] == nil) == isStillListed, "\(after)")
    }
}
