import Foundation
import JSON
import KubeClient
import KubeProtocol
import Manifest
import TestSupport
import Testing

/// `bylaw hold` and a controller that keeps to it.
@Suite struct HoldTests {
    private let program: Program
    private let cluster: ClusterUnderTest
    private let repository: PolicyRepository
    /// Of this test alone: they run at the same time on one cluster.
    private let namespace = "e2e-hold-" + UUID().uuidString.prefix(8).lowercased()
    private var place: String { namespace + "-ops/hold" }
    private var extra: ObjectID { ObjectID(.role, namespace: namespace, name: "extra") }
    private var flags: [String] {
        program.flags(repository: repository, cluster: cluster, instance: namespace)
            + ["--hold-configmap", place]
    }

    init() async throws {
        program = try Program()
        cluster = try ClusterUnderTest()
        repository = try await PolicyRepository()
        try repository.write(teamManifests(namespace), to: "team.yaml")
    }

    // MARK: Steps

    private func commit(_ resource: String) async throws -> String {
        try repository.write(
            """
            apiVersion: rbac.authorization.k8s.io/v1
            kind: Role
            metadata: {name: extra, namespace: \(namespace)}
            rules: [{apiGroups: [""], resources: [\(resource)], verbs: [get]}]
            """, to: "extra.yaml")
        return try await repository.commit("Let it be \(resource)")
    }

    private func resource() async throws -> String? {
        try await cluster.object(extra)?["rules"]?.array?.first?["resources"]?.array?.first?.string
    }

    /// The namespace of the ConfigMap, and who may read it; nothing of it is declared anywhere.
    private func makePlace(isReadable: Bool = true) async throws {
        let space = String(place.split(separator: "/")[0])
        try await create(["kind": "Namespace", "metadata": ["name": .string(space)]], .namespace)
        guard isReadable else { return }
        try await letRead()
    }

    private func letRead() async throws {
        let space = String(place.split(separator: "/")[0])
        let metadata: Tree = ["name": "hold-reader", "namespace": .string(space)]
        try await create(
            [
                "kind": "Role", "metadata": metadata,
                "rules": [
                    ["apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["hold"], "verbs": ["get"]]
                ],
            ], .role)
        try await create(
            [
                "kind": "RoleBinding", "metadata": metadata,
                "roleRef": ["apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "hold-reader"],
                "subjects": [["kind": "ServiceAccount", "name": "bylaw", "namespace": "bylaw-system"]],
            ], .roleBinding)
    }

    private func create(_ body: Tree, _ resource: Resource) async throws {
        var body = body
        body.set(["apiVersion"], to: .string(resource.apiVersion))
        let namespace = body["metadata"]?["namespace"]?.string ?? ""
        _ = try await cluster.intruder.send(
            .create(body, resource, namespace: namespace, fieldManager: "kubectl-create", isDryRun: false),
            what: "create \(resource.kind)")
    }

    private func deleteConfigMap() async throws {
        let id = ObjectID(.configMap, namespace: namespace + "-ops", name: "hold")
        _ = try await cluster.intruder.send(
            APIRequest(method: .delete, path: Resource.configMap.path(of: id)), what: "delete \(id)")
    }

    /// With the kubeconfig of whoever is on call.
    private func hold(_ words: String..., kubeconfig: String? = nil) async throws -> Program.Outcome {
        try await program.run(
            ["hold"] + words + [
                "--kubeconfig", kubeconfig ?? cluster.adminKubeconfig, "--instance", namespace, "--hold-configmap",
                place,
            ])
    }

    private func sync(_ more: String...) async throws -> Program.Outcome {
        try await program.run(["sync"] + more + flags)
    }

    private func status() async throws -> Tree {
        let outcome = try await program.run(["status", "-o", "json", "--journal", program.journal])
        return try #require(try parseJSON(Array(outcome.output.utf8))["instances"]?.array?.first)
    }

    private func reasons() async throws -> [String] {
        try await program.entries().compactMap { $0["reason"]?.string }.filter { $0.hasPrefix("Hold") }
    }

    // MARK: The controller

    @Test func theHeldRevisionComesBackAndStaysUntilTheHoldIsEnded() async throws {
        try await makePlace()
        let first = try await commit("pods")
        #expect(try await sync().status == 0)
        let second = try await commit("services")
        let run = try RunningProgram(program, ["run", "--interval", "300ms"] + flags)
        try await run.untilItSynced(second)
        #expect(try await resource() == "services")

        let set = try await hold("--revision", first, "--for", "2h", "--because", "The shop lost its egress")
        #expect(set.status == 0, "\(set.output)\(set.errors)")
        try await eventually("what the held revision declares") { try await resource() == "pods" }
        try await run.untilItSays("reason=HoldBegan")

        let third = try await commit("endpoints")
        try await run.untilItSays("Revision waits behind the emergency hold")
        try await cluster.mergePatch(
            extra, #"{"rules":[{"apiGroups":[""],"resources":["secrets"],"verbs":["get"]}]}"#)
        try await eventually("the held state after somebody's edit") { try await resource() == "pods" }
        try await eventually("the status") {
            try await status()["emergencyHold"]?["waitingRevision"]?.string == third
        }
        let told = try await status()
        #expect(told["enforcedRevision"]?.string == first)
        #expect(told["emergencyHold"]?["revision"]?.string == first)
        #expect(told["emergencyHold"]?["because"]?.string == "The shop lost its egress")
        #expect(told["emergencyHold"]?["refusal"] == .null)
        #expect(told["incidents"]?.array?.contains { $0["reason"]?.string == "HoldActive" } == true)
        let text = try await program.run(["status", "--journal", program.journal])
        #expect(text.output.contains("hold       of \(first.prefix(12)) until "), "\(text.output)")
        #expect(
            text.output.contains("waiting behind it: \(third.prefix(12)) \"Let it be endpoints\""), "\(text.output)")

        // It is kept in the cluster, so a restart changes nothing.
        try await run.stop()
        let again = try RunningProgram(program, ["run", "--interval", "300ms"] + flags)
        try await again.untilItSynced(first)
        try await again.untilItSays("Revision waits behind the emergency hold")
        #expect(try await resource() == "pods")

        let plan = try await program.run(["plan", "-o", "json"] + flags)
        #expect(plan.status == 0, "\(plan.output)\(plan.errors)")
        let planned = try parseJSON(Array(plan.output.utf8))
        #expect(planned["revision"]?.string == first)
        #expect(planned["emergencyHold"]?["waitingRevision"]?.string == third)

        let end = try await hold("--end", "--because", "The revert is merged")
        #expect(end.status == 0, "\(end.output)\(end.errors)")
        try await eventually("what the newest revision declares") { try await resource() == "endpoints" }
        try await again.untilItSynced(third)
        try await eventually("the end of the incident") {
            try await status()["incidents"]?.array?.contains { $0["reason"]?.string == "HoldActive" } == false
        }
        try await again.stop()
        #expect(try await status()["emergencyHold"] == .null)
        #expect(try await reasons() == ["HoldBegan", "HoldActive", "HoldEnded"])
        let ended = try #require(try await program.entries(["--reason", "HoldEnded"]).first)
        #expect(ended["message"]?.string?.hasSuffix(": The revert is merged") == true, "\(ended)")
        #expect(ended["actor"]?["certainty"]?.string == "claimed", "\(ended)")
    }

    @Test func deletingTheConfigMapEndsItAndAChangeIsOneEntry() async throws {
        try await makePlace()
        let first = try await commit("pods")
        #expect(try await sync().status == 0)
        _ = try await commit("services")
        #expect(try await hold("--revision", first, "--for", "1h", "--because", "Wait").status == 0)
        let held = try await sync("-o", "json")
        #expect(held.status == 1, "what was merged is not in force")
        let answer = try parseJSON(Array(held.output.utf8))
        #expect(answer["revision"]?.string == first)
        #expect(answer["emergencyHold"]?["revision"]?.string == first)
        #expect(answer["isConverged"] == .bool(true))
        #expect(try await sync().output.contains("hold of revision \(first.prefix(12))"))
        #expect(try await hold("--revision", first, "--for", "2h", "--because", "Wait longer").status == 0)
        #expect(try await sync().status == 1)
        #expect(try await sync().status == 1)
        #expect(try await resource() == "pods")
        try await deleteConfigMap()
        let after = try await sync()
        #expect(after.status == 0, "\(after.output)\(after.errors)")
        #expect(try await resource() == "services")
        #expect(try await reasons() == ["HoldBegan", "HoldActive", "HoldChanged", "HoldEnded"])
    }

    @Test func aRevisionThatCannotBeEnforcedFreezesWhatIsInForce() async throws {
        try await makePlace()
        _ = try await commit("pods")
        #expect(try await sync().status == 0)
        let skipped = try await commit("services")
        let third = try await commit("endpoints")
        #expect(try await sync().status == 0)
        #expect(try await hold("--revision", skipped, "--for", "1h", "--because", "Wrong one").status == 0)
        _ = try await commit("events")
        for _ in 0..<2 { #expect(try await sync().status == 1) }
        #expect(try await resource() == "endpoints")
        let told = try await status()
        #expect(told["enforcedRevision"]?.string == third)
        #expect(told["emergencyHold"]?["refusal"]?.string?.contains("never accepted") == true, "\(told)")
        #expect(try await reasons() == ["HoldBegan", "HoldActive", "HoldRefused"])
        let plan = try await program.run(["plan"] + flags)
        #expect(plan.output.contains("it is not enforced: it was never accepted here"), "\(plan.output)\(plan.errors)")
        #expect(try await hold("--end").status == 0)
        #expect(try await sync().status == 0)
        #expect(try await resource() == "events")
    }

    @Test func aForcePushDoesNotGetAroundAHold() async throws {
        try await makePlace()
        let first = try await commit("pods")
        #expect(try await sync().status == 0)
        #expect(try await hold("--revision", first, "--for", "1h", "--because", "Wait").status == 0)
        try await repository.git("checkout", "--quiet", "--orphan", "new")
        _ = try await commit("secrets")
        try await repository.git("branch", "--force", "main", "new")
        try await repository.git("checkout", "--quiet", "main")
        let held = try await sync()
        #expect(held.status == 1, "\(held.output)\(held.errors)")
        #expect(try await resource() == "pods")
        #expect(try await status()["incidents"]?.array?.contains { $0["reason"]?.string == "HistoryRewritten" } == true)
    }

    /// What the way back loosens is held: the trailers of then approved it for then.
    @Test func aHoldApprovesNothing() async throws {
        try await makePlace()
        let binding = """
            ---
            apiVersion: rbac.authorization.k8s.io/v1
            kind: RoleBinding
            metadata: {name: extra, namespace: \(namespace)}
            roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: extra}
            subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: ops}]
            """
        try repository.write(binding, to: "binding.yaml")
        let first = try await commit("secrets")
        #expect(try await sync().status == 0)
        _ = try await commit("pods")
        #expect(try await sync().status == 0)
        #expect(try await resource() == "pods")
        #expect(try await hold("--revision", first, "--for", "1h", "--because", "Wait").status == 0)
        let held = try await sync()
        #expect(held.status == 1)
        #expect(held.errors.contains("ApprovalMissing: Role \(namespace)/extra is held"), "\(held.errors)")
        #expect(try await resource() != "secrets", "\(held.output)\(held.errors)")
        #expect(try await status()["enforcedRevision"]?.string == first)
        #expect(try await reasons() == ["HoldBegan", "HoldActive"])
    }

    @Test(.enabled(if: ClusterUnderTest.isReal, "\(ClusterUnderTest.absence)"))
    func whereHoldsMayNotBeReadTheBranchIsFollowedAndAKnownHoldStays() async throws {
        try await makePlace(isReadable: false)
        let first = try await commit("pods")
        let blind = try await sync()
        #expect(blind.status == 0, "\(blind.output)\(blind.errors)")
        #expect(blind.errors.contains("emergency holds cannot be read"), "\(blind.errors)")
        #expect(try await status()["holdsUnread"]?.string?.contains("forbidden") == true)
        try await letRead()
        #expect(try await hold("--revision", first, "--for", "1h", "--because", "Wait").status == 0)
        _ = try await commit("services")
        #expect(try await sync().status == 1)
        #expect(try await status()["holdsUnread"] == .null)
        let id = ObjectID(.roleBinding, namespace: namespace + "-ops", name: "hold-reader")
        try await cluster.delete(id)
        try await eventually("that the right is gone") {
            try await hold(kubeconfig: cluster.kubeconfig).errors.contains("forbidden")
        }
        let known = try await sync()
        #expect(known.status == 1, "\(known.output)\(known.errors)")
        #expect(try await resource() == "pods")
    }

    // MARK: The command

    @Test func theCommandShowsWhatIsSet() async throws {
        try await makePlace()
        let none = try await hold("-o", "json")
        #expect(none.status == 0, "\(none.errors)")
        let first = try await commit("pods")
        let until = try await hold("--revision", first, "--for", "90m", "--because", "It burns", "-o", "json")
        #expect(until.status == 0, "\(until.errors)")
        let shown = try await hold("-o", "json")
        #expect(shown.status == 1)
        let answer = try parseJSON(Array(shown.output.utf8))
        // A contract: what programs read.
        #expect(
            answer.members?.keys.sorted() == [
                "apiVersion", "because", "cluster", "configMap", "ended", "instance", "isActive", "kind", "problem",
                "revision", "setAt", "setBy", "until",
            ])
        #expect(try parseJSON(Array(none.output.utf8)).members?.keys.sorted() == answer.members?.keys.sorted())
        #expect(answer["kind"]?.string == "Hold")
        #expect(answer["isActive"] == .bool(true))
        #expect(answer["revision"]?.string == first)
        #expect(answer["because"]?.string == "It burns")
        let setAt = try #require(answer["setAt"]?.string.flatMap(Timestamp.init))
        #expect(answer["until"]?.string == setAt.advanced(by: .seconds(5400)).description)
        #expect(try await hold().output.contains("hold of revision \(first.prefix(12)) until "))
        #expect(try await hold("--end").output.contains("the last one was ended at"))
        #expect(try parseJSON(Array(try await hold("-o", "json").output.utf8))["isActive"] == .bool(false))
        #expect(try await hold("--end").status == 0)
    }

    @Test func aRevisionIsResolvedInTheFollowedBranch() async throws {
        try await makePlace()
        let first = try await commit("pods")
        try await repository.git("checkout", "--quiet", "-b", "side")
        let side = try await commit("services")
        try await repository.git("checkout", "--quiet", "main")
        let place = ["--repo", repository.path, "--branch", "main", "--cache", program.folder.path + "/cache"]
        func set(_ revision: String) async throws -> Program.Outcome {
            try await program.run(
                ["hold", "--revision", revision, "--for", "1h", "--because", "Wait", "-o", "json"] + place + [
                    "--kubeconfig", cluster.adminKubeconfig, "--instance", namespace, "--hold-configmap", self.place,
                ])
        }
        let short = try await set(String(first.prefix(10)))
        #expect(short.status == 0, "\(short.errors)")
        #expect(try parseJSON(Array(short.output.utf8))["revision"]?.string == first)
        let other = try await set(side)
        #expect(other.status == 2)
        #expect(try await set("0000").status == 2)
        #expect(try await set("main").errors.contains("is no id of a commit"))
    }

    @Test func mistakesAreToldWithTheNextStep() async throws {
        let first = try await commit("pods")
        let cases: [([String], String)] = [
            (["--revision", first, "--because", "x"], "for how long is not said"),
            (["--revision", first, "--for", "30s", "--because", "x"], "is not between 1m and 24h"),
            (["--revision", first, "--for", "25h", "--because", "x"], "is not between 1m and 24h"),
            (["--revision", first, "--for", "1h"], "why is not said"),
            (["--revision", first, "--for", "1h", "--because", "a\nb"], "has a control character"),
            (["--revision", first, "--for", "1h", "--because", String(repeating: "x", count: 1025)], "1024 bytes"),
            (["--revision", "abc", "--for", "1h", "--because", "x"], "is not the whole id"),
            (["--revision", first, "--end"], "contradict"), (["--for", "1h"], "without a revision"),
        ]
        for (words, expected) in cases {
            let outcome = try await program.run(
                ["hold"] + words + ["--kubeconfig", cluster.adminKubeconfig, "--hold-configmap", place])
            #expect(outcome.status == 2)
            #expect(outcome.errors.contains(expected), "\(words): \(outcome.errors)")
        }
        // The namespace is not there.
        let nowhere = try await hold("--revision", first, "--for", "1h", "--because", "x")
        #expect(nowhere.status == 2)
        #expect(nowhere.errors.contains("Make the namespace"), "\(nowhere.errors)")
    }

    @Test(.enabled(if: ClusterUnderTest.isReal, "\(ClusterUnderTest.absence)"))
    func whoMayNotHoldIsTold() async throws {
        try await makePlace()
        let refused = try await hold(
            "--revision", String(repeating: "a", count: 40), "--for", "1h", "--because", "x",
            kubeconfig: cluster.kubeconfig)
        #expect(refused.status == 2)
        #expect(refused.errors.contains("Deploy/hold-rbac.yaml"), "\(refused.errors)")
    }
}
