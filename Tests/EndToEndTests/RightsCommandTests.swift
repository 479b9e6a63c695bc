import Foundation
import JSON
import KubeClient
import Manifest
import Reconciler
import TestSupport
import Testing

/// `bylaw rights`, and what becomes of a revision that exceeds the ceiling.
@Suite struct RightsCommandTests {
    private let program: Program

    init() throws { program = try Program() }

    /// What is checked in is what the command prints.
    @Test(arguments: [
        ("PolicyRepo", "Deploy/overlays/example/ceiling.yaml"),
        ("Tests/EndToEndTests/Ceiling", "Tests/EndToEndTests/ceiling.yaml"),
    ])
    func theCheckedInCeilingsArePrinted(_ repository: String, _ file: String) async throws {
        let printed = try await program.run(["rights", "--for", "\(sourceRoot)/\(repository)"])
        #expect(printed.status == 0, "\(printed.errors)")
        #expect(printed.output == (try String(contentsOfFile: "\(sourceRoot)/\(file)", encoding: .utf8)))
        #expect(!printed.output.contains("*"))
    }

    /// No shipped file has a wildcard, reads Secrets or gives more by names than it has to.
    @Test(arguments: ["base/rbac", "default/ceiling"]) func theShippedRightsAreMild(_ file: String) throws {
        let text = try String(contentsOfFile: "\(sourceRoot)/Deploy/\(file).yaml", encoding: .utf8)
        #expect(!text.contains("*"))
        let verbs = text.matches(of: /verbs: \[([^\]]+)\]/).flatMap { $0.output.1.split(separator: ", ") }
        #expect(Set(verbs).isSubset(of: ["get", "list", "watch", "create", "patch", "delete"]), "\(verbs)")
        let resources = text.matches(of: /resources: \[([^\]]+)\]/).flatMap { $0.output.1.split(separator: ", ") }
        #expect(!resources.isEmpty)
        for word in ["secrets", "configmaps", "/", "nodes"] {
            #expect(!resources.contains { $0.contains(word) }, "\(word)")
        }
    }

    @Test func theRolesBeyondTheCeilingArePrintedAsBylawWritesThem() async throws {
        let printed = try await program.run(["rights", "--for", sourceRoot + "/PolicyRepo", "--roles"])
        let items = try #require(try parseJSON(Array(printed.output.utf8))["items"]?.array)
        #expect(items.map { $0["metadata"]?["name"] } == ["compliance"])
        #expect(items.first?["metadata"]?["labels"]?["bylaw.dev/instance"] == "default")
    }

    @Test func aBrokenRepositoryHasNoRights() async throws {
        let path = try program.folder.write("kind: Role\n", to: "broken/role.yaml")
        let printed = try await program.run(["rights", "--for", path])
        #expect(printed.status == 2 && printed.output.isEmpty)
        #expect(printed.errors.contains("is not valid"), "\(printed.errors)")
        let account = try await program.run(["rights", "--for", sourceRoot + "/PolicyRepo", "--service-account", "x"])
        #expect(account.status == 2 && account.errors.contains("names no service account"))
    }

    /// Manifests in the place of a cluster.
    @Test func aCheckSaysWhatIsMissingAndWhatIsTooMuch() async throws {
        let repository = sourceRoot + "/PolicyRepo"
        let flags = ["rights", "--for", repository, "--check", "-f", sourceRoot + "/Deploy/base/rbac.yaml"]
        let own = try await program.run(flags + ["-f", sourceRoot + "/Deploy/overlays/example/ceiling.yaml"])
        #expect(own.status == 0, "\(own.output)\(own.errors)")
        let shipped = try await program.run(flags + ["-f", sourceRoot + "/Deploy/default/ceiling.yaml", "-o", "json"])
        #expect(shipped.status == 1)
        let report = try parseJSON(Array(shipped.output.utf8))
        let missing = report["missing"]?.array ?? []
        #expect(
            missing.contains {
                $0["namespace"] == "payments-production" && $0["verbs"] == ["escalate"]
                    || $0["resourceNames"] == ["delivery"]
            })
        #expect(report["excess"]?.array?.contains { $0["apiGroups"] == ["policy"] } == true, "\(shipped.output)")
    }

    /// It fails alone, says what is missing and what to do, and recovers at once when the ceiling is widened (rule L8).
    @Test(.enabled(if: ClusterUnderTest.isReal, Comment(rawValue: ClusterUnderTest.absence)))
    func whatExceedsTheCeilingFailsAloneUntilItIsWidened() async throws {
        let cluster = try ClusterUnderTest()
        let repository = try await PolicyRepository()
        let (namespace, flags) = program.ofThisRun("ceiling", repository: repository, cluster: cluster)
        try repository.write(teamManifests(namespace), to: "team.yaml")
        let secrets = """
            apiVersion: rbac.authorization.k8s.io/v1
            kind: Role
            metadata: {name: secrets, namespace: \(namespace)}
            rules: [{apiGroups: [""], resources: [secrets], verbs: [get]}]
            ---
            apiVersion: rbac.authorization.k8s.io/v1
            kind: RoleBinding
            metadata: {name: secrets, namespace: \(namespace)}
            roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: secrets}
            subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: team}]

            """
        try repository.write(secrets, to: "secrets.yaml")
        let commit = try await repository.commit("Begin")
        let run = try RunningProgram(program, ["run", "--interval", "200ms"] + flags)
        try await run.untilItSynced(commit)
        let told = try await program.entries(["--reason", "ActionForbidden"])
        let role = told.first { $0["object"]?["kind"] == "Role" }
        #expect(role?["message"]?.string?.contains(#"Resources:["secrets"], Verbs:["get"]"#) == true, "\(told)")
        #expect(role?["message"]?.string?.contains("bylaw rights --for") == true, "\(told)")
        #expect(try await cluster.object(ObjectID(.roleBinding, namespace: namespace, name: "config")) != nil)

        try await cluster.widenCeiling(for: repository.path, by: program)
        let binding = ObjectID(.roleBinding, namespace: namespace, name: "secrets")
        try await eventually(within: .seconds(30), "the binding is made without a restart") {
            try await cluster.object(binding) != nil
        }
        let status = { try await self.program.run(["status", "--journal", self.program.journal]) }
        try await eventually(within: .seconds(30), "nothing is wrong any more") { try await status().status == 0 }
        try await run.stop()
    }

    /// A namespace's ceiling is declared nowhere, and stays where nothing undeclared does.
    @Test(.enabled(if: ClusterUnderTest.isReal, Comment(rawValue: ClusterUnderTest.absence)))
    func theCeilingIsNotRemovedAsUndeclared() async throws {
        let cluster = try ClusterUnderTest()
        let repository = try await PolicyRepository()
        let (namespace, flags) = program.ofThisRun("enforced", repository: repository, cluster: cluster)
        try repository.write(
            "apiVersion: bylaw.dev/v1\nkind: Configuration\nscopes: {rules: [{namespaces: [\(namespace)], mode: enforce}]}\n",
            to: "bylaw.yaml")
        let role = """
            ---
            apiVersion: rbac.authorization.k8s.io/v1
            kind: Role
            metadata: {name: jobs, namespace: \(namespace)}
            rules: [{apiGroups: [batch], resources: [jobs], verbs: [get]}]

            """
        try repository.write(teamManifests(namespace) + role, to: "team.yaml")
        try await cluster.widenCeiling(for: repository.path, namespaces: [namespace], by: program)
        let strange = ObjectID(.role, namespace: namespace, name: "strange")
        try await cluster.create(
            [
                "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
                "metadata": ["name": "strange", "namespace": .string(namespace)], "rules": [],
            ], as: strange)
        try await repository.commit("Begin")
        for _ in 0..<2 {
            let sync = try await program.run(["sync"] + flags)
            #expect(sync.status == 0, "\(sync.output)\(sync.errors)")
        }
        #expect(try await cluster.object(strange) == nil)
        #expect(try await cluster.object(ObjectID(.role, namespace: namespace, name: "jobs")) != nil)
        let left = try await cluster.intruder.list(.roleBinding).objects
            .filter { $0.id.namespace == namespace && $0.id.name.hasPrefix("bylaw-ceiling-") }
        #expect(left.count == 1)
        // Whoever adds himself to it is not hidden by that: a binding that names others is removed like any.
        let ceiling = try #require(left.first?.id)
        try await cluster.jsonPatch(
            ceiling,
            #"[{"op":"add","path":"/subjects/-","value":{"apiGroup":"rbac.authorization.k8s.io","kind":"User","name":"mallory"}}]"#
        )
        _ = try await program.run(["sync"] + flags)
        #expect(try await cluster.object(ceiling) == nil)
    }
}
