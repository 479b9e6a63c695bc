import Foundation
import JSON
import Manifest
import Testing

/// What is not deleted although nobody declares it any more.
@Suite struct DeletionGuardTests {
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

    /// Bylaw lets go of what it no longer manages, so that it is not deleted once its kind is managed again.
    @Test func whatIsNoLongerManagedIsLetGo() async throws {
        let (namespace, flags) = ofThisRun("letgo")
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

    @Test func aRevisionThatDeletesMuchDeletesNothing() async throws {
        let (namespace, flags) = ofThisRun("budget")
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
        let (namespace, common) = ofThisRun("vanished")
        let flags = common + ["--path", "policies"]
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
        let (namespace, flags) = ofThisRun("path")
        let (first, second) = (namespace + "-a", namespace + "-b")
        let roles = (0..<20).map { "---\n" + roleManifest("r\($0)", in: first) }.joined()
        try repository.write(teamManifests(first) + roles, to: "a/team.yaml")
        try repository.write(teamManifests(second), to: "b/team.yaml")
        try await repository.commit("Two folders", approvals: ["external-access by Ann Policy"])
        #expect(try await program.run(["sync", "--path", "a"] + flags).status == 0)
        let plan = try await program.run(["plan", "--path", "b"] + flags)
        #expect(!plan.output.contains("- delete"), "\(plan.output)")
        let sync = try await program.run(["sync", "--path", "b"] + flags)
        #expect(sync.status == 1, "\(sync.output)")
        #expect(try await program.entries().filter { $0["action"] == "delete" }.isEmpty)
        #expect(try await cluster.object(ObjectID(.role, namespace: first, name: "r19")) != nil)
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
        #expect(try await cluster.object(ObjectID(.role, namespace: first, name: "r19")) == nil)
    }

    /// The same where the record of all that was done is lost.
    @Test func aLostJournalDeletesNothingUnasked() async throws {
        let (namespace, flags) = ofThisRun("lostjournal")
        let roles = (0..<20).map { "---\n" + roleManifest("r\($0)", in: namespace) }.joined()
        try repository.write(teamManifests(namespace) + roles, to: "team.yaml")
        try await repository.commit("Begin")
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
        let (namespace, flags) = ofThisRun("goes")
        try repository.write(teamManifests(namespace + "-a"), to: "a.yaml")
        try repository.write(teamManifests(namespace + "-b"), to: "b.yaml")
        try await repository.commit("Two teams")
        #expect(try await program.run(["sync"] + flags).status == 0)
        try repository.remove("b.yaml")
        try await repository.commit("One team")
        #expect(try await program.run(["sync"] + flags).status == 1)
        let id = ObjectID(.namespace, name: namespace + "-b")
        #expect(try await cluster.object(id)?["metadata"]?["deletionTimestamp"] == nil)
        try await repository.commit("Really", approvals: ["namespace-deletion Namespace \(id.name) by Alice"])
        _ = try await program.run(["sync"] + flags)
        let after = try await cluster.object(id)
        #expect(after == nil || after?["metadata"]?["deletionTimestamp"] != nil)
    }
}
