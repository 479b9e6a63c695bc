import ChildProcess
import Foundation
import JSON
import KubeClient
import KubeProtocol
import Manifest
import TestSupport
import Testing

/// `bylaw hold` and a controller that keeps to it.
@Suite struct HoldTests {
    let program: Program
    let cluster: ClusterUnderTest
    let repository: PolicyRepository
    /// Of this test alone: they run at the same time on one cluster.
    let namespace = "e2e-hold-" + UUID().uuidString.prefix(8).lowercased()
    var place: String { namespace + "-ops/hold" }
    var extra: ObjectID { ObjectID(.role, namespace: namespace, name: "extra") }
    var flags: [String] {
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

    func commit(_ resource: String) async throws -> String {
        try repository.write(
            """
            apiVersion: rbac.authorization.k8s.io/v1
            kind: Role
            metadata: {name: extra, namespace: \(namespace)}
            rules: [{apiGroups: [""], resources: [\(resource)], verbs: [get]}]
            """, to: "extra.yaml")
        if resource == "secrets" {
            try await cluster.widenCeiling(for: repository.path, namespaces: [namespace], by: program)
        }
        return try await repository.commit("Let it be \(resource)")
    }

    /// Somebody who has the Role.
    func writeBinding() throws {
        try repository.write(
            """
            apiVersion: rbac.authorization.k8s.io/v1
            kind: RoleBinding
            metadata: {name: extra, namespace: \(namespace)}
            roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: extra}
            subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: ops}]
            """, to: "binding.yaml")
    }

    func resource() async throws -> String? {
        try await cluster.object(extra)?["rules"]?.array?.first?["resources"]?.array?.first?.string
    }

    /// The namespace of the ConfigMap, and who may read it; nothing of it is declared anywhere.
    func makePlace(isReadable: Bool = true) async throws {
        let space = String(place.split(separator: "/")[0])
        try await create(["kind": "Namespace", "metadata": ["name": .string(space)]], .namespace)
        guard isReadable else { return }
        try await letRead()
    }

    func letRead(
        _ account: ObjectID = ObjectID(.serviceAccount, namespace: "bylaw-system", name: "bylaw")
    ) async throws {
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
                "subjects": [
                    [
                        "kind": "ServiceAccount", "name": .string(account.name),
                        "namespace": .string(account.namespace),
                    ]
                ],
            ], .roleBinding)
    }

    func create(_ body: Tree, _ resource: Resource) async throws {
        var body = body
        body.set(["apiVersion"], to: .string(resource.apiVersion))
        let namespace = body["metadata"]?["namespace"]?.string ?? ""
        _ = try await cluster.intruder.send(
            .create(body, resource, namespace: namespace, fieldManager: "kubectl-create", isDryRun: false),
            what: "create \(resource.kind)")
    }

    func deleteConfigMap() async throws {
        let id = ObjectID(.configMap, namespace: namespace + "-ops", name: "hold")
        _ = try await cluster.intruder.send(
            APIRequest(method: .delete, path: Resource.configMap.path(of: id)), what: "delete \(id)")
    }

    /// With the kubeconfig of whoever is on call.
    func hold(_ words: String..., kubeconfig: String? = nil) async throws -> Program.Outcome {
        try await program.run(
            ["hold"] + words + [
                "--kubeconfig", kubeconfig ?? cluster.adminKubeconfig, "--instance", namespace, "--hold-configmap",
                place,
            ])
    }

    func sync(_ more: String...) async throws -> Program.Outcome {
        try await program.run(["sync"] + more + flags)
    }

    func status() async throws -> Tree {
        let outcome = try await program.run(["status", "-o", "json", "--journal", program.journal])
        return try #require(try parseJSON(Array(outcome.output.utf8))["instances"]?.array?.first)
    }

    func reasons() async throws -> [String] {
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

    @Test func anEmergencyDoesNotWaitForGit() async throws {
        try await makePlace()
        let first = try await commit("pods")
        #expect(try await sync().status == 0)
        let second = try await commit("services")
        let run = try RunningProgram(program, ["run", "--interval", "300ms"] + flags)
        try await run.untilItSynced(second)
        let git = repository.path + "/.git"
        try FileManager.default.moveItem(atPath: git, toPath: git + ".away")
        try await run.untilItSays("FetchFailed")
        #expect(try await hold("--revision", first, "--for", "1h", "--because", "Wait").status == 0)
        try await eventually("what the held revision declares") { try await resource() == "pods" }
        #expect(try await hold("--end").status == 0)
        try await run.untilItSays("reason=HoldEnded")
        #expect(try await resource() == "pods", "what is newest says a fetch")
        try FileManager.default.moveItem(atPath: git + ".away", toPath: git)
        try await eventually("what the newest revision declares") { try await resource() == "services" }
        try await run.stop()
    }

    @Test func whatIsHeldHasToBeSignedAsAnyRevision() async throws {
        try await makePlace()
        var signers = ""
        for name in ["ann", "bob"] {
            let key = program.folder.path + "/" + name
            _ = try await runChildProcess(
                "ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key], environment: program.environment,
                deadline: .seconds(60))
            signers += "\(name)@example.com " + (try String(contentsOfFile: key + ".pub", encoding: .utf8))
        }
        let trust = [
            "--verify-commits", "all", "--allowed-signers", try program.folder.write(signers, to: "signers"),
            "--revoked-keys", try program.folder.write("", to: "revoked"),
        ]
        try await repository.git("config", "gpg.format", "ssh")
        try await repository.git("config", "commit.gpgsign", "true")
        try await repository.git("config", "user.signingkey", program.folder.path + "/ann.pub")
        let first = try await commit("pods")
        func sync() async throws -> Program.Outcome { try await program.run(["sync"] + flags + trust) }
        #expect(try await sync().status == 0)
        try await repository.git("config", "user.signingkey", program.folder.path + "/bob.pub")
        _ = try await commit("services")
        #expect(try await sync().status == 0)
        #expect(try await hold("--revision", first, "--for", "1h", "--because", "Wait").status == 0)
        let lost = try String(contentsOfFile: program.folder.path + "/ann.pub", encoding: .utf8)
        try program.folder.write(lost, to: "revoked")
        #expect(try await sync().errors.contains("is not trusted"))
        #expect(try await resource() == "services")
        try program.folder.write("", to: "revoked")
        #expect(try await sync().status == 1)
        #expect(try await resource() == "pods")
        try await repository.git("config", "commit.gpgsign", "false")
        _ = try await commit("endpoints")
        #expect(try await sync().errors.contains("CommitUnsigned"), "what waits is looked at as well")
        #expect(try await hold("--end").status == 0)
        #expect(try await sync().status == 1)
        #expect(try await resource() == "pods", "the last trusted one that was enforced stays so")
    }

    /// What the way back loosens is held: the trailers of then approved it for then.
    @Test func aHoldApprovesNothing() async throws {
        try await makePlace()
        try writeBinding()
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

    /// Both compare what is newest with what was in force before the hold.
    @Test func aPlanAfterTheEndSaysWhatASyncDoes() async throws {
        try await makePlace()
        try writeBinding()
        let first = try await commit("pods")
        #expect(try await sync().status == 0)
        for resource in ["secrets", "pods"] {
            _ = try await commit(resource)
            #expect(try await sync().status == 0)
        }
        #expect(try await hold("--revision", first, "--for", "1h", "--because", "Wait").status == 0)
        #expect(try await sync().status == 1)
        _ = try await commit("secrets")
        try await repository.git("commit", "--amend", "--quiet", "--message", "Approved by nobody")
        #expect(try await hold("--end").status == 0)
        let plan = try await program.run(["plan"] + flags)
        #expect(
            plan.status == 1 && plan.output.contains("held Role \(namespace)/extra"), "\(plan.output)\(plan.errors)")
        #expect(try await sync().errors.contains("ApprovalMissing: Role \(namespace)/extra is held"))
        #expect(try await resource() != "secrets")
    }

    @Test(.enabled(if: ClusterUnderTest.isReal, "\(ClusterUnderTest.absence)"))
    func whereHoldsMayNotBeReadTheBranchIsFollowedAndAKnownHoldStays() async throws {
        // Bylaw itself may read ConfigMaps in these suites, since roles of theirs grant that.
        let named: Tree = [
            "apiGroups": ["rbac.authorization.k8s.io"], "resources": ["roles"], "resourceNames": ["config"],
            "verbs": ["bind", "escalate"],
        ]
        let reading: Tree = ["apiGroups": [""], "resources": ["pods", "services"], "verbs": ["get", "list", "watch"]]
        let account = try await cluster.makeAccount(
            namespace, rules: WorkRightsTests.shippedRules + [named, reading], kubeconfigIn: program.folder)
        let flags = self.flags.map { $0 == cluster.kubeconfig ? account.kubeconfig : $0 }
        func sync() async throws -> Program.Outcome { try await program.run(["sync"] + flags) }
        try await makePlace(isReadable: false)
        let first = try await commit("pods")
        let blind = try await sync()
        #expect(blind.status == 0, "\(blind.output)\(blind.errors)")
        #expect(blind.errors.contains("emergency holds cannot be read"), "\(blind.errors)")
        #expect(try await status()["holdsUnread"]?.string?.contains("forbidden") == true)
        try await letRead(account.id)
        #expect(try await hold("--revision", first, "--for", "1h", "--because", "Wait").status == 0)
        _ = try await commit("services")
        #expect(try await sync().status == 1)
        #expect(try await status()["holdsUnread"] == .null)
        let id = ObjectID(.roleBinding, namespace: namespace + "-ops", name: "hold-reader")
        try await cluster.delete(id)
        try await eventually("that the right is gone") {
            try await hold(kubeconfig: account.kubeconfig).errors.contains("forbidden")
        }
        let known = try await sync()
        #expect(known.status == 1, "\(known.output)\(known.errors)")
        #expect(try await resource() == "pods")
    }
}
