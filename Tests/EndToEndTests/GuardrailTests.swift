import Foundation
import JSON
import Manifest
import Testing

/// What waits for an approval, and what goes on beside it.
@Suite struct GuardrailTests {
    private let cluster: ClusterUnderTest
    private let program: Program
    private let repository: PolicyRepository

    init() async throws {
        cluster = try ClusterUnderTest()
        program = try Program()
        repository = try await PolicyRepository()
    }

    private func flags(_ name: String) -> [String] {
        program.flags(repository: repository, cluster: cluster, instance: name)
    }

    /// A namespace and the flags of an instance that no other run on the same cluster has used.
    private func ofThisRun(_ name: String) -> (namespace: String, flags: [String]) {
        let name = "\(name)-\(UUID().uuidString.prefix(8).lowercased())"
        return ("e2e-" + name, flags(name))
    }

    private func secretRole(_ namespace: String) -> String {
        """
        ---
        apiVersion: rbac.authorization.k8s.io/v1
        kind: Role
        metadata: {name: secrets, namespace: \(namespace)}
        rules: [{apiGroups: [""], resources: [secrets], verbs: [get, list]}]
        ---
        apiVersion: rbac.authorization.k8s.io/v1
        kind: RoleBinding
        metadata: {name: secrets, namespace: \(namespace)}
        roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: secrets}
        subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: team}]

        """
    }

    /// Bylaw lets go of what it no longer manages, so that it is not deleted once its kind is managed again.
    @Test func whatIsNoLongerManagedIsLetGo() async throws {
        let namespace = "e2e-letgo"
        let flags = flags("letgo")
        let policy = ObjectID(.networkPolicy, namespace: namespace, name: "default-deny")
        let others = teamManifests(namespace).components(separatedBy: "---\n")
            .filter { !$0.contains("kind: NetworkPolicy") }.joined(separator: "---\n")
        try repository.write(teamManifests(namespace), to: "team.yaml")
        try await repository.commit("Begin")
        #expect(try await program.run(["sync"] + flags).status == 0)
        try repository.write(others, to: "team.yaml")
        try repository.write(
            """
            apiVersion: bylaw.dev/v1
            kind: Configuration
            managedKinds: [Namespace, ServiceAccount, ResourceQuota, LimitRange, Role, RoleBinding]

            """, to: "bylaw.yaml")
        try await repository.commit("Policies are kept elsewhere", approvals: [])
        let waiting = try await program.run(["sync"] + flags)
        #expect(waiting.status == 1 && waiting.errors.contains("ConfigurationHeld"), "\(waiting.errors)")
        #expect(try await cluster.object(policy) != nil)
        try await repository.commit("Approve", approvals: ["configuration-loosened by Ann Policy"])
        #expect(try await program.run(["sync"] + flags).status == 0)
        let released = try await program.entries(["--reason", "Recognised"])
        #expect(released.contains { $0["message"]?.string?.contains("not managed any more") == true }, "\(released)")
        // Managed again, and not declared: it stays, and somebody is asked.
        try repository.remove("bylaw.yaml")
        try await repository.commit("Manage everything again")
        #expect(try await program.run(["sync"] + flags).errors.contains("PruneUnproven"))
        #expect(try await cluster.object(policy) != nil)
    }

    @Test func aRiskyGrantWaitsForALaterRevisionThatApprovesIt() async throws {
        let namespace = "e2e-risky"
        let flags = flags("risky")
        let binding = ObjectID(.roleBinding, namespace: namespace, name: "secrets")
        try repository.write(teamManifests(namespace), to: "team.yaml")
        try await repository.commit("Begin")
        #expect(try await program.run(["sync"] + flags).status == 0)

        try repository.write(teamManifests(namespace, round: 1) + secretRole(namespace), to: "team.yaml")
        try await repository.commit("Let the team read secrets", approvals: [])
        let plan = try await program.run(["plan"] + flags)
        #expect(plan.output.contains("to approve it: Bylaw-Approved: risky-grant Role \(namespace)/secrets by NAME"))
        let sync = try await program.run(["sync"] + flags)
        #expect(sync.status == 1)
        #expect(try await cluster.object(binding) == nil)
        // What stands beside it goes on.
        let quota = try await cluster.object(ObjectID(.resourceQuota, namespace: namespace, name: "compute"))
        #expect(quota?["metadata"]?["annotations"]?["example.com/round"] == "1")
        let status = try await program.run(["status", "--journal", program.journal])
        #expect(status.output.contains("ApprovalMissing") && status.output.contains("held       2"), "\(status.output)")
        #expect(try await program.entries(["--reason", "ApprovalMissing", "--outcome", "held"]).count == 2)
        // Another pass of the same revision says nothing new.
        #expect(try await program.run(["sync"] + flags).status == 1)
        #expect(try await program.entries(["--reason", "ApprovalMissing"]).count == 2)

        let commit = try await repository.commit("Approve it", approvals: ["risky-grant by Alice Example"])
        #expect(try await program.run(["sync"] + flags).status == 0)
        #expect(try await cluster.object(binding) != nil)
        let created = try await program.entries(["--kind", "RoleBinding", "--name", "secrets"])
            .filter { $0["action"] == "create" }
        #expect(created.first?["approver"]?.string == "Alice Example, in commit \(commit.prefix(12))", "\(created)")
        #expect(try await program.run(["status", "--journal", program.journal]).status == 0)
        // What was approved once needs no approval when it is put back.
        try await cluster.delete(binding)
        #expect(try await program.run(["sync"] + flags).status == 0)
        #expect(try await cluster.object(binding) != nil)
    }

    /// What is held keeps its earlier declaration, which is corrected as ever, also by a later run.
    @Test func whatIsHeldIsStillProtected() async throws {
        let namespace = "e2e-kept"
        let flags = flags("kept")
        try repository.write(teamManifests(namespace), to: "team.yaml")
        try await repository.commit("Begin")
        #expect(try await program.run(["sync"] + flags).status == 0)
        try repository.write(
            teamManifests(namespace).replacingOccurrences(
                of: "resources: [configmaps]", with: "resources: [configmaps, secrets]"),
            to: "team.yaml")
        try await repository.commit("Secrets beside config maps", approvals: [])
        #expect(try await program.run(["sync"] + flags).status == 1)
        let role = ObjectID(.role, namespace: namespace, name: "config")
        #expect(try await cluster.object(role)?["rules"]?.array?.first?["resources"] == ["configmaps"])

        try await cluster.jsonPatch(role, #"[{"op":"replace","path":"/rules/0/resources","value":["pods"]}]"#)
        #expect(try await program.run(["sync"] + flags).status == 1)
        #expect(try await cluster.object(role)?["rules"]?.array?.first?["resources"] == ["configmaps"])
        let corrected = try await program.entries(["--reason", "DriftCorrected"])
        #expect(corrected.count == 1, "\(corrected)")
    }

    private func bindings(_ range: Range<Int>, in namespace: String) -> String {
        range.map {
            """
            ---
            apiVersion: rbac.authorization.k8s.io/v1
            kind: RoleBinding
            metadata: {name: granted-\($0), namespace: \(namespace)}
            roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
            subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: guests-\($0)}]

            """
        }.joined()
    }

    private func grantedBindings(in namespace: String) async throws -> Int {
        var count = 0
        for number in 0..<12
        where try await cluster.object(ObjectID(.roleBinding, namespace: namespace, name: "granted-\(number)")) != nil {
            count += 1
        }
        return count
    }

    /// Whoever takes a bad grant back waits for nobody; the same deletions by hand wait.
    @Test func aRevertToAStricterStateIsNeverHeld() async throws {
        let (namespace, flags) = ofThisRun("stricter")
        try repository.write(teamManifests(namespace), to: "team.yaml")
        try repository.write(teamManifests(namespace + "-too"), to: "other.yaml")
        try await repository.commit("Begin")
        #expect(try await program.run(["sync"] + flags).status == 0)
        // Twelve are more than the budget has.
        try repository.write(bindings(0..<12, in: namespace), to: "granted.yaml")
        let grant = try await repository.commit("Let the guests in", approvals: ["risky-grant by Ann Policy"])
        #expect(try await program.run(["sync"] + flags).status == 0)
        #expect(try await grantedBindings(in: namespace) == 12)

        try await repository.git("revert", "--no-edit", grant)
        #expect(try await program.run(["plan", "-o", "json"] + flags).output.contains("granted-11"))
        let reverted = try await program.run(["sync"] + flags)
        #expect(reverted.status == 0, "\(reverted.output)\(reverted.errors)")
        #expect(try await grantedBindings(in: namespace) == 0)
        let accepted = try await program.entries(["--reason", "RevisionAccepted"]).last?["message"]?.string
        #expect(accepted?.contains("12 need no approval") == true, "\(accepted ?? "")")

        // The same deletions, that restore nothing.
        let again = try await repository.git("rev-parse", "HEAD")
        try await repository.git("revert", "--no-edit", again)
        #expect(try await program.run(["sync"] + flags).status == 0)
        try repository.remove("granted.yaml")
        try repository.write(teamManifests(namespace + "-too", round: 1), to: "other.yaml")
        try await repository.commit("Clean up", approvals: [])
        let byHand = try await program.run(["sync"] + flags)
        #expect(byHand.status == 1 && byHand.errors.contains("DeletionBudgetExceeded"), "\(byHand.errors)")
        #expect(try await grantedBindings(in: namespace) == 12)
        // Nor does a state count that was accepted and never in force.
        try repository.write(bindings(0..<12, in: namespace), to: "granted.yaml")
        try await repository.commit("Back", approvals: [])
        #expect(try await program.run(["sync"] + flags).status == 0)
        try await repository.git("revert", "--no-edit", "HEAD")
        #expect(try await program.run(["sync"] + flags).status == 1)
        #expect(try await grantedBindings(in: namespace) == 12)
    }

    /// What other commits brought meanwhile stays, so no earlier state comes back as a whole, and words alone prove nothing.
    @Test func aRevertOfOneGrantAmongOtherChangesWaits() async throws {
        let (namespace, flags) = ofThisRun("stricter-part")
        try repository.write(teamManifests(namespace), to: "team.yaml")
        try await repository.commit("Begin")
        #expect(try await program.run(["sync"] + flags).status == 0)
        try repository.write(bindings(0..<12, in: namespace), to: "granted.yaml")
        let grant = try await repository.commit("Let the guests in")
        #expect(try await program.run(["sync"] + flags).status == 0)
        try repository.write(roleManifest("later", in: namespace), to: "later.yaml")
        try await repository.commit("Something else")
        #expect(try await program.run(["sync"] + flags).status == 0)
        #expect(try await grantedBindings(in: namespace) == 12)

        try await repository.git("revert", "--no-edit", grant)
        let reverted = try await program.run(["sync"] + flags)
        #expect(reverted.status == 1 && reverted.errors.contains("DeletionBudgetExceeded"), "\(reverted.errors)")
        #expect(try await grantedBindings(in: namespace) == 12)
        try await repository.commit("Agree", approvals: ["deletion-budget by Alice"])
        #expect(try await program.run(["sync"] + flags).status == 0)
        #expect(try await grantedBindings(in: namespace) == 0)
        #expect(try await cluster.object(ObjectID(.role, namespace: namespace, name: "later")) != nil)
    }

    /// What an earlier state allowed and a later one took away needs an approval to come back.
    @Test func aRevertThatLoosensWaits() async throws {
        let (namespace, flags) = ofThisRun("looser")
        let policy = ObjectID(.networkPolicy, namespace: namespace, name: "default-deny")
        let parts = teamManifests(namespace).components(separatedBy: "---\n")
        let open = parts.filter { !$0.contains("default-deny") }.joined(separator: "---\n")
        try repository.write(open, to: "team.yaml")
        try await repository.commit("Begin")
        #expect(try await program.run(["sync"] + flags).status == 0)
        try repository.write(teamManifests(namespace), to: "team.yaml")
        let closing = try await repository.commit("Deny by default", approvals: [])
        #expect(try await program.run(["sync"] + flags).status == 0)
        #expect(try await cluster.object(policy) != nil)

        try await repository.git("revert", "--no-edit", closing)
        let waiting = try await program.run(["sync"] + flags)
        #expect(waiting.status == 1 && waiting.errors.contains("ApprovalMissing"), "\(waiting.errors)")
        #expect(try await cluster.object(policy) != nil)
        try await repository.commit("Approve", approvals: ["isolation-removed by Ann Policy"])
        #expect(try await program.run(["sync"] + flags).status == 0)
        #expect(try await cluster.object(policy) == nil)
        // What was held at first and let through later undoes the same.
        let removed = try await program.entries(["--kind", "NetworkPolicy", "--name", "default-deny"])
            .filter { $0["type"] == "action" }
        #expect(removed.map { $0["action"] } == ["create", "delete"], "\(removed)")
        #expect(removed.last?["refersTo"] == removed.first?["sequence"], "\(removed)")
    }

    @Test func aRevisionThatDeletesMuchDeletesNothing() async throws {
        let namespace = "e2e-budget"
        let flags = flags("budget")
        let roles = (0..<20).map { "---\n" + roleManifest("r\($0)", in: namespace) }
        try repository.write(teamManifests(namespace) + roles.joined(), to: "team.yaml")
        try await repository.commit("Begin")
        #expect(try await program.run(["sync"] + flags).status == 0)

        // 18 of 30 objects, and one that comes.
        try repository.write(
            teamManifests(namespace) + roles.prefix(2).joined() + "---\n" + roleManifest("new", in: namespace),
            to: "team.yaml")
        try await repository.commit("Tidy up", approvals: [])
        #expect(try await program.run(["sync"] + flags).status == 1)
        #expect(try await cluster.object(ObjectID(.role, namespace: namespace, name: "r19")) != nil)
        #expect(try await cluster.object(ObjectID(.role, namespace: namespace, name: "new")) != nil)
        let held = try await program.entries(["--reason", "DeletionBudgetExceeded"])
        #expect(held.count == 1)
        #expect(
            held.first?["message"]?.string?.contains("Bylaw-Approved: deletion-budget by NAME") == true, "\(held)")
        #expect(held.first?["message"]?.string?.contains("18 of 30 objects") == true, "\(held)")

        try await repository.commit("Approve it", approvals: ["deletion-budget by Alice Example"])
        #expect(try await program.run(["sync"] + flags).status == 0)
        #expect(try await cluster.object(ObjectID(.role, namespace: namespace, name: "r19")) == nil)
        #expect(try await program.entries().filter { $0["action"] == "delete" }.count == 18)
    }

    /// Rule H9.
    @Test func aPathThatVanishedDeletesNothing() async throws {
        let namespace = "e2e-vanished"
        let flags = flags("vanished") + ["--path", "policies"]
        try repository.write(teamManifests(namespace), to: "policies/team.yaml")
        try await repository.commit("Begin")
        #expect(try await program.run(["sync"] + flags).status == 0)
        try await repository.git("mv", "policies", "elsewhere")
        try await repository.commit("Moved")
        let sync = try await program.run(["sync"] + flags)
        #expect(sync.status == 2 && sync.errors.contains("no folder \"policies\""), "\(sync.errors)")
        #expect(try await cluster.object(ObjectID(.role, namespace: namespace, name: "reader")) != nil)
        #expect(try await program.entries().filter { $0["action"] == "delete" }.isEmpty)
    }

    /// The same commit in another folder declares something else: that is judged like any other change.
    @Test func anotherPathDeletesNothingUnasked() async throws {
        let roles = (0..<20).map { "---\n" + roleManifest("r\($0)", in: "e2e-path-a") }.joined()
        try repository.write(teamManifests("e2e-path-a") + roles, to: "a/team.yaml")
        try repository.write(teamManifests("e2e-path-b"), to: "b/team.yaml")
        try await repository.commit("Two folders", approvals: ["external-access by Ann Policy"])
        let flags = flags("path")
        #expect(try await program.run(["sync", "--path", "a"] + flags).status == 0)
        let plan = try await program.run(["plan", "--path", "b"] + flags)
        #expect(!plan.output.contains("- delete"), "\(plan.output)")
        let sync = try await program.run(["sync", "--path", "b"] + flags)
        #expect(sync.status == 1, "\(sync.output)")
        #expect(try await program.entries().filter { $0["action"] == "delete" }.isEmpty)
        #expect(try await cluster.object(ObjectID(.role, namespace: "e2e-path-a", name: "r19")) != nil)
        // Nor with the revision after that, whatever it is about.
        for _ in 0..<2 {
            try await repository.commit("Something else", approvals: [])
            let plan = try await program.run(["plan", "--path", "b"] + flags)
            #expect(!plan.output.contains("- delete"), "\(plan.output) \(plan.errors)")
            #expect(try await program.run(["sync", "--path", "b"] + flags).status == 1)
            #expect(try await program.entries().filter { $0["action"] == "delete" }.isEmpty)
        }
        try await repository.commit(
            "They may go", approvals: ["deletion-budget by Ann", "isolation-removed by Ann", "quota-loosened by Ann"])
        _ = try await program.run(["sync", "--path", "b"] + flags)
        #expect(try await cluster.object(ObjectID(.role, namespace: "e2e-path-a", name: "r19")) == nil)
    }

    /// The same where the record of all that was done is lost.
    @Test func aLostJournalDeletesNothingUnasked() async throws {
        let namespace = "e2e-lostjournal"
        let roles = (0..<20).map { "---\n" + roleManifest("r\($0)", in: namespace) }.joined()
        try repository.write(teamManifests(namespace) + roles, to: "team.yaml")
        try await repository.commit("Begin")
        let flags = flags("lostjournal")
        #expect(try await program.run(["sync"] + flags).status == 0)
        for suffix in ["", "-wal", "-shm"] {
            let path = program.journal + suffix
            if FileManager.default.fileExists(atPath: path) { try FileManager.default.removeItem(atPath: path) }
        }
        try repository.write(teamManifests(namespace), to: "team.yaml")
        for message in ["They are gone", "Something else", "And more"] {
            try await repository.commit(message, approvals: [])
            let sync = try await program.run(["sync"] + flags)
            #expect(sync.status == 1, "\(message): \(sync.output) \(sync.errors)")
            #expect(try await program.entries().filter { $0["action"] == "delete" }.isEmpty)
        }
        try await repository.commit("They may go", approvals: ["deletion-budget by Ann"])
        _ = try await program.run(["sync"] + flags)
        #expect(try await cluster.object(ObjectID(.role, namespace: namespace, name: "r19")) == nil)
    }

    @Test func aNamespaceGoesWhenGitSaysSoTwice() async throws {
        let flags = flags("goes")
        try repository.write(teamManifests("e2e-goes-a"), to: "a.yaml")
        try repository.write(teamManifests("e2e-goes-b"), to: "b.yaml")
        try await repository.commit("Two teams")
        #expect(try await program.run(["sync"] + flags).status == 0)
        try repository.remove("b.yaml")
        try await repository.commit("One team")
        #expect(try await program.run(["sync"] + flags).status == 1)
        let id = ObjectID(.namespace, name: "e2e-goes-b")
        #expect(try await cluster.object(id)?["metadata"]?["deletionTimestamp"] == nil)
        try await repository.commit("Really", approvals: ["namespace-deletion Namespace e2e-goes-b by Alice"])
        _ = try await program.run(["sync"] + flags)
        let after = try await cluster.object(id)
        #expect(after == nil || after?["metadata"]?["deletionTimestamp"] != nil)
    }

    @Test func whatBelongsToKubernetesIsNotWritten() async throws {
        let flags = flags("system")
        try repository.write(teamManifests("e2e-system"), to: "team.yaml")
        try repository.write(roleManifest("e2e-intruding", in: "kube-system"), to: "system.yaml")
        try await repository.commit("Begin")
        let sync = try await program.run(["sync"] + flags)
        #expect(sync.status == 1 && sync.errors.contains("ProtectedObjectHeld"), "\(sync.errors)")
        #expect(try await cluster.object(ObjectID(.role, namespace: "kube-system", name: "e2e-intruding")) == nil)
        #expect(try await cluster.object(ObjectID(.role, namespace: "e2e-system", name: "reader")) != nil)
    }

    @Test func aLooserConfigurationWaits() async throws {
        let flags = flags("loosened")
        let namespace = "e2e-loosened"
        try repository.write(teamManifests(namespace), to: "team.yaml")
        try repository.write(
            "apiVersion: bylaw.dev/v1\nkind: Configuration\nguardrails: {risks: {risky-grant: hold}}\n",
            to: "bylaw.yaml")
        try await repository.commit("Begin")
        #expect(try await program.run(["sync"] + flags).status == 0)
        // One commit that lifts the guardrail and uses it at once.
        try repository.write(
            "apiVersion: bylaw.dev/v1\nkind: Configuration\nguardrails: {risks: {risky-grant: allow}}\n",
            to: "bylaw.yaml")
        try repository.write(teamManifests(namespace) + secretRole(namespace), to: "team.yaml")
        try await repository.commit("Quietly", approvals: [])
        #expect(try await program.run(["sync"] + flags).status == 1)
        #expect(try await cluster.object(ObjectID(.roleBinding, namespace: namespace, name: "secrets")) == nil)
        let reasons = try await program.entries(["--outcome", "held"]).compactMap { $0["reason"]?.string }
        #expect(Set(reasons).isSuperset(of: ["ConfigurationHeld", "ApprovalMissing"]), "\(reasons)")
    }

    @Test func whatTheTableOnlyReportsIsToldAndApplied() async throws {
        let flags = flags("reported")
        let namespace = "e2e-reported"
        try repository.write(teamManifests(namespace), to: "team.yaml")
        try await repository.commit("Begin")
        #expect(try await program.run(["sync"] + flags).status == 0)
        try repository.write(
            teamManifests(namespace).replacingOccurrences(
                of: "resources: [configmaps], verbs: [get, list, watch]",
                with: "resources: [pods/exec], verbs: [create]"), to: "team.yaml")
        try await repository.commit("Exec", approvals: [])
        #expect(try await program.run(["sync"] + flags).status == 0)
        let told = try await program.entries(["--reason", "RiskReported"])
        #expect(told.first?["message"]?.string?.hasPrefix("PodExecutionGranted (medium)") == true, "\(told)")
    }
}
