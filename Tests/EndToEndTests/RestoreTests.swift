import Foundation
import JSON
import Manifest
import Testing

/// A revert brings an earlier declared state back, and that is shown by equal digests.
@Suite struct RestoreTests {
    private let program: Program
    private let cluster: ClusterUnderTest
    private let repository: PolicyRepository
    private let namespace = "e2e-restore"
    private var flags: [String] { program.flags(repository: repository, cluster: cluster, instance: "restore") }

    init() async throws {
        program = try Program()
        cluster = try ClusterUnderTest()
        repository = try await PolicyRepository()
    }

    private func role(_ name: String, _ resource: String) throws {
        try repository.write(
            """
            apiVersion: rbac.authorization.k8s.io/v1
            kind: Role
            metadata: {name: \(name), namespace: \(namespace)}
            rules: [{apiGroups: [""], resources: [\(resource)], verbs: [get]}]
            """, to: name + ".yaml")
    }

    private func sync() async throws -> String {
        let sync = try await program.run(["sync"] + flags)
        #expect(sync.status == 0, "\(sync.output)\(sync.errors)")
        return try await repository.git("rev-parse", "HEAD").trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private func restored() async throws -> String? {
        let status = try await program.run(["status", "-o", "json", "--journal", program.journal])
        return try parseJSON(Array(status.output.utf8))["instances"]?.array?.first?["restoredRevision"]?.string
    }

    private func digest(of commit: String) async throws -> String? {
        let entries = try await program.entries(["--reason", "RevisionAccepted", "--revision", commit])
        return entries.last?["message"]?.string?.split(separator: "sha256:").last.map { String($0.prefix(64)) }
    }

    @Test func aRevertOfThreeCommitsAndItsRevertRestoreWhatWas() async throws {
        try repository.write(teamManifests(namespace), to: "team.yaml")
        try role("extra", "pods")
        try await repository.commit("Begin")
        let first = try await sync()
        for (number, resource) in ["services", "endpoints", "configmaps"].enumerated() {
            try role("extra", resource)
            try role("more-\(number)", resource)
            try await repository.commit("Change \(number)")
        }
        let changed = try await sync()
        #expect(try await restored() == nil)
        let wide = ObjectID(.role, namespace: namespace, name: "more-2")
        #expect(try await cluster.object(wide) != nil)

        try await repository.git("revert", "--no-edit", "HEAD~3..HEAD")
        let reverted = try await sync()
        #expect(try await restored() == first)
        #expect(try await digest(of: reverted) == digest(of: first))
        #expect(try await digest(of: changed) != digest(of: first))
        #expect(try await cluster.object(wide) == nil)
        let text = try await program.run(["status", "--journal", program.journal])
        #expect(text.output.contains("restored the declared state of \(first.prefix(12))"), "\(text.output)")

        try await repository.git("revert", "--no-edit", "HEAD~3..HEAD")
        let again = try await sync()
        #expect(try await restored() == changed)
        #expect(try await digest(of: again) == digest(of: changed))
        #expect(try await cluster.object(wide) != nil)
    }
}
