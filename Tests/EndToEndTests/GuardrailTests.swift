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

    private func ofThisRun(_ name: String) -> (namespace: String, flags: [String]) {
        program.ofThisRun(name, repository: repository, cluster: cluster)
    }

    @Test func aRiskyGrantWaitsForALaterRevisionThatApprovesIt() async throws {
        let (namespace, flags) = ofThisRun("risky")
        let binding = ObjectID(.roleBinding, namespace: namespace, name: "secrets")
        try repository.write(teamManifests(namespace), to: "team.yaml")
        try await repository.commit("Begin")
        #expect(try await program.run(["sync"] + flags).status == 0)

        try repository.write(teamManifests(namespace, round: 1) + secretManifests(namespace), to: "team.yaml")
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

        // An administrator widens Bylaw's ceiling by the role's name.
        try await cluster.widenCeiling(for: repository.path, by: program)
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
        let (namespace, flags) = ofThisRun("kept")
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

    @Test func whatBelongsToKubernetesIsNotWritten() async throws {
        let (namespace, flags) = ofThisRun("system")
        try repository.write(teamManifests(namespace), to: "team.yaml")
        try repository.write(roleManifest("e2e-intruding", in: "kube-system"), to: "system.yaml")
        try await repository.commit("Begin")
        let sync = try await program.run(["sync"] + flags)
        #expect(sync.status == 1 && sync.errors.contains("ProtectedObjectHeld"), "\(sync.errors)")
        #expect(try await cluster.object(ObjectID(.role, namespace: "kube-system", name: "e2e-intruding")) == nil)
        #expect(try await cluster.object(ObjectID(.role, namespace: namespace, name: "reader")) != nil)
    }

    @Test func aLooserConfigurationWaits() async throws {
        let (namespace, flags) = ofThisRun("loosened")
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
        try repository.write(teamManifests(namespace) + secretManifests(namespace), to: "team.yaml")
        try await repository.commit("Quietly", approvals: [])
        #expect(try await program.run(["sync"] + flags).status == 1)
        #expect(try await cluster.object(ObjectID(.roleBinding, namespace: namespace, name: "secrets")) == nil)
        let reasons = try await program.entries(["--outcome", "held"]).compactMap { $0["reason"]?.string }
        #expect(Set(reasons).isSuperset(of: ["ConfigurationHeld", "ApprovalMissing"]), "\(reasons)")
    }

    @Test func whatTheTableOnlyReportsIsToldAndApplied() async throws {
        let (namespace, flags) = ofThisRun("reported")
        try repository.write(teamManifests(namespace), to: "team.yaml")
        try await repository.commit("Begin")
        #expect(try await program.run(["sync"] + flags).status == 0)
        try repository.write(
            teamManifests(namespace).replacingOccurrences(
                of: "resources: [configmaps], verbs: [get, list, watch]",
                with: "resources: [pods/exec], verbs: [create]"), to: "team.yaml")
        try await cluster.widenCeiling(for: repository.path, by: program)
        try await repository.commit("Exec", approvals: [])
        #expect(try await program.run(["sync"] + flags).status == 0)
        let told = try await program.entries(["--reason", "RiskReported"])
        #expect(told.first?["message"]?.string?.hasPrefix("PodExecutionGranted (medium)") == true, "\(told)")
    }
}
