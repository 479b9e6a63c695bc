import Foundation
import JSON
import Manifest
import Testing
import KubeClient
import Reconciler

/// What concerns a whole cluster: these tests have it for themselves, one after the other (`make e2e`).
@Suite(.serialized) struct AuthoritativeClusterTests {
    private let cluster: ClusterUnderTest
    private let program: Program
    private let repository: PolicyRepository

    init() async throws {
        cluster = try ClusterUnderTest()
        program = try Program()
        repository = try await PolicyRepository()
    }

    /// Every ClusterRoleBinding is declared or goes, but for those of the cluster's makers and of the instance with which
    /// `SyncTests` left the sample repository's on the same cluster.
    private static let configuration = """
        apiVersion: bylaw.dev/v1
        kind: Configuration
        scopes:
          otherInstances: [sample]
          rules:
          - {clusterWide: true, kinds: [ClusterRoleBinding], mode: enforce}
          - {namespaces: [e2e-whole], mode: enforce}
          exclude:
          - {kinds: [ClusterRoleBinding], names: [alice, "bylaw*", "e2e-*"]}

        """

    private static func binding(_ id: ObjectID) -> Tree {
        [
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
            "metadata": ["name": .string(id.name), "labels": ["kubernetes.io/bootstrapping": "rbac-defaults"]],
            "roleRef": ["apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"],
            "subjects": [["apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "mallory"]],
        ]
    }

    @Test func aRogueBindingToClusterAdminIsGoneWithinASecond() async throws {
        try repository.write(teamManifests("e2e-whole"), to: "team.yaml")
        try repository.write(Self.configuration, to: "bylaw.yaml")
        try await repository.commit("Begin")
        let flags = program.flags(repository: repository, cluster: cluster, instance: "whole")
        let run = try RunningProgram(program, ["run", "--interval", "200ms"] + flags)
        try await run.untilItSays("Synced")
        let binding = ObjectID(.clusterRoleBinding, name: "rogue")
        let policy = ObjectID(.networkPolicy, namespace: "e2e-whole", name: "rogue")
        for (id, body) in [(binding, Self.binding(binding)), (policy, ClosedWorldTests.allowAll(policy))] {
            try await cluster.create(body, as: id)
            let made = ContinuousClock.now
            try await eventually(within: .seconds(30), "\(id) is gone") { try await cluster.object(id) == nil }
            print("rogue \(id): gone \(ContinuousClock.now - made) after it was made")
        }
        // Nothing of Kubernetes' own went.
        let names = try await cluster.intruder.list(.clusterRoleBinding).objects.map(\.id.name)
        if ClusterUnderTest.isReal {
            #expect(Set(names).isSuperset(of: ["cluster-admin", "system:node", "alice", "bylaw"]), "\(names)")
        }
        try await run.stop()
        let removed = try await program.entries(["--reason", "UndeclaredRemoved", "--name", "rogue"])
        #expect(removed.count == 2)
        #expect(removed.allSatisfy { $0["before"]?["metadata"]?["uid"] != nil }, "whole: \(removed)")
        let message = removed.first { $0["object"]?["kind"] == "ClusterRoleBinding" }?["message"]?.string
        #expect(message?.contains("ClusterRole cluster-admin to User mallory") == true, "\(removed)")
    }

    /// A name like Kubernetes' own does not hide it: it is told, and left to a person.
    @Test func aBindingThatIsNamedLikeKubernetesOwnIsTold() async throws {
        try repository.write(teamManifests("e2e-whole"), to: "team.yaml")
        try repository.write(Self.configuration, to: "bylaw.yaml")
        try await repository.commit("Begin")
        let flags = program.flags(repository: repository, cluster: cluster, instance: "whole")
        let id = ObjectID(.clusterRoleBinding, name: "system:controller:evil")
        try await cluster.create(Self.binding(id), as: id)
        let sync = try await program.run(["sync"] + flags)
        #expect(sync.status == 0, "\(sync.errors)")
        #expect(try await cluster.object(id) != nil)
        let told = try await program.entries(["--reason", "UndeclaredObject", "--name", id.name])
        #expect(told.count == 1, "\(told)")
        try await cluster.delete(id)
    }

    /// The service account that runs the program keeps what it needs (rule F4).
    @Test(.enabled(if: ClusterUnderTest.isReal, "\(ClusterUnderTest.absence)"))
    func aRevisionThatLocksBylawOutIsRefused() async throws {
        let role = try #require(try await cluster.object(ObjectID(.clusterRole, name: "bylaw")))
        func manifest(_ rules: [Tree]) -> String {
            let tree: Tree = [
                "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": ["name": "bylaw"],
                "rules": .array(rules),
            ]
            return tree.jsonText()
        }
        let rules = try #require(role["rules"]?.array)
        let flags = program.flags(repository: repository, cluster: cluster, instance: "whole")
        try repository.write(teamManifests("e2e-whole"), to: "team.yaml")
        try repository.write(manifest(rules), to: "own.json")
        try await repository.commit("Begin")
        #expect(try await program.run(["sync"] + flags).status == 0)

        let fewer = rules.filter { $0["apiGroups"]?.array?.first != "networking.k8s.io" }
        #expect(fewer.count == rules.count - 1)
        try repository.write(manifest(fewer), to: "own.json")
        try repository.write(teamManifests("e2e-whole", round: 1), to: "team.yaml")
        try await repository.commit("Fewer rights")
        #expect(try await program.run(["plan"] + flags).output.contains("networkpolicies.networking.k8s.io"))
        let sync = try await program.run(["sync"] + flags)
        #expect(sync.status == 1 && sync.errors.contains("SelfLockoutRefused"), "\(sync.errors)")
        #expect(try await cluster.object(ObjectID(.clusterRole, name: "bylaw"))?["rules"]?.array?.count == rules.count)
        let team = try await cluster.object(ObjectID(.role, namespace: "e2e-whole", name: "reader"))
        #expect(team?["metadata"]?["annotations"]?["example.com/round"] == "0", "nothing of it is applied")
    }
}
