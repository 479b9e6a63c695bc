import Foundation
import JSON
import Manifest
import Testing

/// Objects that nobody declares, in namespaces that are authoritative.
@Suite struct ClosedWorldTests {
    private let cluster: ClusterUnderTest
    private let program: Program
    private let repository: PolicyRepository

    init() async throws {
        cluster = try ClusterUnderTest()
        program = try Program()
        repository = try await PolicyRepository()
    }

    private func begin(_ namespace: String, mode: String, _ more: String = "") async throws -> [String] {
        try repository.write(teamManifests(namespace), to: "team.yaml")
        try repository.write(configuration(namespace, mode: mode, more), to: "bylaw.yaml")
        try await repository.commit("Begin")
        return program.flags(repository: repository, cluster: cluster, instance: namespace)
    }

    private func configuration(_ namespace: String, mode: String, _ more: String = "") -> String {
        """
        apiVersion: bylaw.dev/v1
        kind: Configuration
        scopes:
          rules:
          - {namespaces: [\(namespace)], mode: \(mode)}
          \(more)

        """
    }

    static func allowAll(_ id: ObjectID) -> Tree {
        [
            "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
            "metadata": ["name": .string(id.name), "namespace": .string(id.namespace)],
            "spec": ["podSelector": [:], "ingress": [[:]], "egress": [[:]], "policyTypes": ["Ingress", "Egress"]],
        ]
    }

    /// A name of Bylaw's own shelters a role only as long as nobody else has anything by it, whichever of both comes first.
    @Test(.enabled(if: ClusterUnderTest.isReal, "\(ClusterUnderTest.absence)"))
    func aRoleThatIsNamedLikeTheCeilingGoesWhenSomebodyElseIsBoundToIt() async throws {
        let namespace = "e2e-ownname"
        try repository.write(teamManifests(namespace), to: "team.yaml")
        let configuration = configuration(namespace, mode: "enforce")
            .replacingOccurrences(of: "mode: enforce", with: "kinds: [Role], mode: enforce")
        try repository.write(configuration, to: "bylaw.yaml")
        try await repository.commit("Begin")
        let flags = program.flags(repository: repository, cluster: cluster, instance: namespace)
        let run = try RunningProgram(program, ["run", "--interval", "200ms"] + flags)
        try await run.untilItSays("Synced")
        let group: Tree = "rbac.authorization.k8s.io"
        func role(_ name: String) -> (id: ObjectID, tree: Tree) {
            (
                ObjectID(.role, namespace: namespace, name: name),
                [
                    "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
                    "metadata": ["name": .string(name), "namespace": .string(namespace)],
                    "rules": [["apiGroups": [""], "resources": ["pods"], "verbs": ["get"]]],
                ]
            )
        }
        let (own, other) = (role("bylaw-ceiling"), role("other"))
        try await cluster.create(own.tree, as: own.id)
        try await cluster.create(other.tree, as: other.id)
        try await eventually(within: .seconds(30), "the other role is gone") {
            try await cluster.object(other.id) == nil
        }
        #expect(try await cluster.object(own.id) != nil, "it gives nobody anything yet")
        let binding = ObjectID(.roleBinding, namespace: namespace, name: "theirs")
        try await cluster.create(
            [
                "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
                "metadata": ["name": "theirs", "namespace": .string(namespace)],
                "roleRef": ["apiGroup": group, "kind": "Role", "name": "bylaw-ceiling"],
                "subjects": [["apiGroup": group, "kind": "User", "name": "mallory"]],
            ], as: binding)
        try await eventually(within: .seconds(30), "the role that others have is gone") {
            try await cluster.object(own.id) == nil
        }
        try await run.stop()
    }

    @Test func aRogueNetworkPolicyIsGoneAtOnceAndCanBeRestored() async throws {
        let namespace = "e2e-closed"
        let flags = try await begin(namespace, mode: "enforce")
        let run = try RunningProgram(program, ["run", "--interval", "200ms"] + flags)
        try await run.untilItSays("Synced")
        let id = ObjectID(.networkPolicy, namespace: namespace, name: "allow-everything")
        let before = ContinuousClock.now
        try await cluster.create(Self.allowAll(id), as: id)
        let created = ContinuousClock.now
        try await eventually(within: .seconds(30), "the rogue policy is gone") { try await cluster.object(id) == nil }
        print(
            "a rogue NetworkPolicy was made in \(created - before) and seen gone \(ContinuousClock.now - created) later"
        )
        // What Kubernetes makes by itself stays.
        if ClusterUnderTest.isReal {
            try await eventually(within: .seconds(60), "the namespace has its default service account") {
                try await cluster.object(ObjectID(.serviceAccount, namespace: namespace, name: "default")) != nil
            }
        }
        try await run.stop()
        let removed = try await program.entries(["--reason", "UndeclaredRemoved"])
        #expect(removed.count == 1)
        #expect(removed.first?["before"]?["spec"]?["egress"]?.array?.count == 1, "whole content: \(removed)")
        #expect(removed.first?["actor"]?["name"]?.string == "kubectl-create", "\(removed)")
        let sequence = try #require(removed.first?["sequence"]?.integer)

        let restore = ["journal", "restore", "\(sequence)", "--journal", program.journal]
        let access = ["--kubeconfig", cluster.adminKubeconfig]
        let refused = try await program.run(restore + access)
        #expect(refused.status == 1 && refused.errors.contains("would be removed again"), "\(refused.errors)")
        let printed = try await program.run(restore + ["--print"])
        #expect(try parseJSON(Array(printed.output.utf8))["metadata"]?["name"] == "allow-everything")

        // An exclusion loosens, so it takes an approval.
        let exclusion = "exclude: [{kinds: [NetworkPolicy], names: [allow-everything], namespaces: [\(namespace)]}]"
        try repository.write(configuration(namespace, mode: "enforce", exclusion), to: "bylaw.yaml")
        try await repository.commit("Exclude it", approvals: [])
        #expect(try await program.run(["sync"] + flags).status == 1)
        #expect(try await program.run(restore + access).status == 1)
        try await repository.commit("Approve", approvals: ["configuration-loosened by Alice Example"])
        #expect(try await program.run(["sync"] + flags).status == 0)
        let restored = try await program.run(restore + access)
        #expect(restored.status == 0, "\(restored.errors)")
        #expect(try await cluster.object(id)?["spec"]?["egress"]?.array?.count == 1)
        #expect(try await program.run(["sync"] + flags).status == 0)
        #expect(try await cluster.object(id) != nil, "and it stays")
    }

    @Test func inAReportingScopeItIsAnIncidentUntilItGoes() async throws {
        let namespace = "e2e-reporting"
        let flags = try await begin(namespace, mode: "report")
        let run = try RunningProgram(program, ["run", "--interval", "200ms"] + flags)
        try await run.untilItSays("Synced")
        let id = ObjectID(.networkPolicy, namespace: namespace, name: "allow-everything")
        try await cluster.create(Self.allowAll(id), as: id)
        try await run.untilItSays("UndeclaredObject")
        #expect(try await cluster.object(id) != nil)
        let status = try await program.run(["status", "--journal", program.journal])
        #expect(status.status == 1 && status.output.contains("UndeclaredObject"))
        try await cluster.delete(id)
        try await eventually(within: .seconds(30), "the incident is over") {
            try await program.run(["status", "--journal", program.journal]).status == 0
        }
        try await run.stop()
        #expect(try await program.entries(["--reason", "UndeclaredObject"]).count == 1)
    }

    /// Whoever makes something harmless, waits until it is told, and lets it grow then, is told of again.
    @Test func aStrangerThatGrowsIsToldAgain() async throws {
        let namespace = "e2e-growing"
        let flags = try await begin(namespace, mode: "report")
        #expect(try await program.run(["sync"] + flags).status == 0)
        func told() async throws -> Int { try await program.entries(["--reason", "UndeclaredObject"]).count }
        let id = ObjectID(.role, namespace: namespace, name: "harmless")
        try await cluster.create(
            [
                "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
                "metadata": ["name": "harmless", "namespace": .string(namespace)],
                "rules": [["apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]]],
            ], as: id)
        #expect(try await program.run(["sync"] + flags).status == 0)
        #expect(try await program.run(["sync"] + flags).status == 0)
        #expect(try await told() == 1)
        try await cluster.jsonPatch(id, #"[{"op":"replace","path":"/rules/0/resources","value":["secrets"]}]"#)
        #expect(try await program.run(["sync"] + flags).status == 0)
        #expect(try await told() == 2)
    }

    /// Whoever writes a rogue object all the time does not keep it alive by that.
    @Test func whatIsWrittenAllTheTimeGoesNevertheless() async throws {
        let namespace = "e2e-crowded"
        let flags = try await begin(namespace, mode: "enforce")
        let run = try RunningProgram(program, ["run", "--interval", "200ms"] + flags)
        try await run.untilItSays("Synced")
        let id = ObjectID(.networkPolicy, namespace: namespace, name: "allow-everything")
        let cluster = cluster
        try await withThrowingTaskGroup { group in
            for writer in 0..<8 {
                group.addTask {
                    // From before it is there until it is gone, or for a while.
                    var hasWritten = false
                    for round in 0..<200 {
                        do {
                            try await cluster.annotateQuickly(id, with: "\(writer)-\(round)")
                            hasWritten = true
                        } catch {
                            if hasWritten { return }
                        }
                    }
                }
            }
            group.addTask { try await cluster.create(Self.allowAll(id), as: id) }
            try await group.waitForAll()
        }
        try await eventually(within: .seconds(30), "it is gone") { try await cluster.object(id) == nil }
        try await run.stop()
        #expect(try await program.entries(["--reason", "ActionFailed"]).isEmpty)
        #expect(try await program.entries(["--reason", "UndeclaredRemoved"]).count == 1)
    }

    /// Switching a scope on first shows what would go.
    @Test func enforcingTakesAnApproval() async throws {
        let namespace = "e2e-switched"
        let flags = try await begin(namespace, mode: "report")
        #expect(try await program.run(["sync"] + flags).status == 0)
        let id = ObjectID(.networkPolicy, namespace: namespace, name: "allow-everything")
        try await cluster.create(Self.allowAll(id), as: id)
        try repository.write(configuration(namespace, mode: "enforce"), to: "bylaw.yaml")
        try await repository.commit("Enforce", approvals: [])
        let plan = try await program.run(["plan"] + flags)
        #expect(plan.output.contains("? undeclared NetworkPolicy \(namespace)/allow-everything"), "\(plan.output)")
        #expect(plan.output.contains("scope-enforced Configuration bylaw.yaml by NAME"), "\(plan.output)")
        #expect(try await program.run(["sync"] + flags).status == 1)
        #expect(try await cluster.object(id) != nil)
        try await repository.commit("Approve", approvals: ["scope-enforced by Alice Example"])
        #expect(try await program.run(["sync"] + flags).status == 0)
        #expect(try await cluster.object(id) == nil)
    }

    @Test func otherNamespacesAreLeftAlone() async throws {
        let flags = try await begin("e2e-scoped", mode: "enforce")
        let other = try await PolicyRepository()
        try other.write(teamManifests("e2e-unscoped"), to: "team.yaml")
        try await other.commit("Another instance")
        let stranger = try Program()
        let strangerFlags = stranger.flags(repository: other, cluster: cluster, instance: "unscoped")
        #expect(try await stranger.run(["sync"] + strangerFlags).status == 0)
        #expect(try await program.run(["sync"] + flags).status == 0)
        #expect(try await cluster.object(ObjectID(.role, namespace: "e2e-unscoped", name: "reader")) != nil)
        #expect(try await stranger.run(["plan"] + strangerFlags).status == 0)
    }
}
