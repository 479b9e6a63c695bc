import Foundation
import JSON
import Manifest
import Testing

@Suite struct SyncTests {
    @Test func aSecondSyncOfTheSampleRepositorySendsNoWrite() async throws {
        let cluster = try ClusterUnderTest()
        let program = try Program()
        let repository = try await PolicyRepository()
        try repository.copy(sourceRoot + "/PolicyRepo")
        try await repository.commit("The policies of our three teams")
        let flags = program.flags(repository: repository, cluster: cluster, instance: "sample")
        // As an administrator prepares a cluster; the namespaces come first, since parts of the ceiling are in them.
        let places = ["insights", "payments", "storefront"].flatMap { ["\($0)-production", "\($0)-staging"] }
        try await cluster.widenCeiling(for: repository.path, namespaces: places, by: program)
        let prepared = try await cluster.writeRolesBeyondTheCeiling(
            of: repository.path, instance: "sample", by: program)

        let first = try await program.run(["sync", "-o", "json"] + flags)
        #expect(first.status == 0, "\(first.errors)")
        let report = try parseJSON(Array(first.output.utf8))
        let declared = try #require(report["declared"]?.integer)
        let found = ClusterUnderTest.isReal ? Int64(places.count + prepared) : 0
        #expect(report["changes"]?["create"]?.integer == declared - found)
        #expect(report["isConverged"] == .bool(true))

        let writes = try cluster.writeCount(instance: "sample")
        var before: [ObjectID: String] = [:]
        for prefix in ["payments-", "storefront-", "insights-", "policy-"] {
            before.merge(try await cluster.versions(prefix: prefix)) { $1 }
        }
        #expect(before.count > 40)
        let second = try await program.run(["sync", "-o", "json"] + flags)
        #expect(second.status == 0, "\(second.errors)")
        #expect(try cluster.writeCount(instance: "sample") == writes, "a pass without a difference writes nothing")
        for prefix in ["payments-", "storefront-", "insights-", "policy-"] {
            for (id, version) in try await cluster.versions(prefix: prefix) {
                #expect(before[id] == version, "\(id) has the same version")
            }
        }
        let plan = try await program.run(["plan"] + flags)
        #expect(plan.status == 0, "\(plan.output)\(plan.errors)")
        print(
            "sample repository: \(declared) created; then \(try cluster.writeCount(instance: "sample") - writes) writes"
        )
    }

    @Test func aChangeOfOneFileWritesOneObjectAndARemovalDeletesIt() async throws {
        let cluster = try ClusterUnderTest()
        let program = try Program()
        let repository = try await PolicyRepository()
        let namespace = "e2e-onefile"
        try repository.write(teamManifests(namespace), to: "team.yaml")
        let role = """
            apiVersion: rbac.authorization.k8s.io/v1
            kind: Role
            metadata: {name: extra, namespace: \(namespace)}
            rules: [{apiGroups: [""], resources: [secrets], verbs: [get]}]
            """
        try repository.write(role, to: "extra.yaml")
        try await cluster.widenCeiling(for: repository.path, namespaces: [namespace], by: program)
        try await repository.commit("Begin")
        let flags = program.flags(repository: repository, cluster: cluster, instance: "onefile")
        #expect(try await program.run(["sync"] + flags).status == 0)

        try repository.write(role.replacingOccurrences(of: "secrets", with: "pods"), to: "extra.yaml")
        try await repository.commit("Less")
        let changed = try parseJSON(Array(try await program.run(["sync", "-o", "json"] + flags).output.utf8))
        #expect(changed["changes"]?["update"]?.integer == 1)
        #expect(changed["changes"]?["create"]?.integer == 0)
        #expect(changed["actions"]?.array?.map { $0["object"]?["name"] } == ["extra"])
        #expect(changed["refusedRevision"] == .null)

        try repository.remove("extra.yaml")
        try await repository.commit("Gone (#7)")
        let plan = try await program.run(["plan"] + flags)
        #expect(plan.status == 1)
        #expect(plan.output.contains("delete"))
        #expect(try await program.run(["sync"] + flags).status == 0)
        let id = ObjectID(.role, namespace: namespace, name: "extra")
        #expect(try await cluster.object(id) == nil)
        let entry = try #require(
            try await program.entries(["--kind", "Role", "--name", "extra", "-n", namespace]).last)
        #expect(entry["action"]?.string == "delete")
        #expect(entry["revision"]?["pullRequest"]?.integer == 7)
        #expect(entry["before"]?["rules"] != nil)
    }

    @Test func aNamespaceThatLeftTheRepositoryIsHeldAndAnEmptyRepositoryDeletesNothing() async throws {
        let cluster = try ClusterUnderTest()
        let program = try Program()
        let repository = try await PolicyRepository()
        try repository.write(teamManifests("e2e-held-a"), to: "a.yaml")
        try repository.write(teamManifests("e2e-held-b"), to: "b.yaml")
        try await repository.commit("Two teams")
        let flags = program.flags(repository: repository, cluster: cluster, instance: "held")
        #expect(try await program.run(["sync"] + flags).status == 0)

        try repository.remove("b.yaml")
        try await repository.commit("One team")
        #expect(try await program.run(["sync"] + flags).status == 1, "something is held")
        #expect(try await cluster.object(ObjectID(.namespace, name: "e2e-held-b")) != nil)
        #expect(try await cluster.object(ObjectID(.roleBinding, namespace: "e2e-held-b", name: "reader")) == nil)
        let status = try await program.run(["status", "--journal", program.journal])
        #expect(status.status == 1)
        #expect(status.output.contains("NamespaceDeletionHeld"))

        try repository.remove("a.yaml")
        try repository.write("nothing", to: "README.md")
        try await repository.commit("Nothing at all")
        let empty = try await program.run(["sync"] + flags)
        #expect(empty.status == 1)
        #expect(empty.errors.contains("RevisionEmpty"))
        #expect(try await cluster.object(ObjectID(.roleBinding, namespace: "e2e-held-a", name: "reader")) != nil)
    }

    @Test func oneInvalidFileAmongAHundredChangesNothing() async throws {
        let cluster = try ClusterUnderTest()
        let program = try Program()
        let repository = try await PolicyRepository()
        for number in 0..<99 {
            try repository.write(clusterRoleManifest("e2e-hundred-\(number)"), to: "roles/\(number).yaml")
        }
        try await repository.commit("Ninety-nine files")
        let flags = program.flags(repository: repository, cluster: cluster, instance: "hundred")
        #expect(try await program.run(["sync"] + flags).status == 0)
        let before = try await cluster.versions(prefix: "e2e-hundred-")
        #expect(before.count == 99)

        let changed = clusterRoleManifest("e2e-hundred-5").replacingOccurrences(of: "nodes", with: "secrets")
        try repository.write(changed, to: "roles/5.yaml")
        try repository.write(
            clusterRoleManifest("e2e-hundred-bad").replacingOccurrences(of: "rules:", with: "ruels:"),
            to: "roles/bad.yaml")
        try repository.remove("roles/7.yaml")
        try await repository.commit("A typo among them")
        let refused = try await program.run(["sync"] + flags)
        #expect(refused.status == 1)
        #expect(refused.errors.contains("roles/bad.yaml:4:1"), "\(refused.errors)")
        #expect(refused.errors.contains("rules"), "the nearest known field is named")
        #expect(try await cluster.versions(prefix: "e2e-hundred-") == before)

        // The state of before stays enforced.
        try await cluster.delete(ObjectID(.clusterRole, name: "e2e-hundred-9"))
        #expect(try await program.run(["sync"] + flags).status == 1)
        let restored = try #require(try await cluster.object(ObjectID(.clusterRole, name: "e2e-hundred-9")))
        #expect(restored["rules"]?.array?.count == 1)
        print("one invalid file among a hundred: \(refused.errors.split(separator: "\n").first ?? "")")
    }
}
