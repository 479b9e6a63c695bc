import Foundation
import JSON
import Manifest
import Testing

/// A revert brings an earlier declared state back, and that is shown by equal digests.
@Suite struct RestoreTests {
    private let program: Program
    private let cluster: ClusterUnderTest
    private let repository: PolicyRepository
    /// Of this run alone: a cluster that is used again still has what another one left.
    private let mark = UUID().uuidString.prefix(8).lowercased()
    private var namespace: String { "e2e-restore-" + mark }
    private var flags: [String] {
        program.flags(repository: repository, cluster: cluster, instance: "restore-" + mark)
    }

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

    /// The changes of an object that succeeded, oldest first.
    private func changes(of name: String) async throws -> [Tree] {
        try await program.entries(["--kind", "Role", "--name", name, "--outcome", "succeeded"])
            .filter { $0["type"] == "action" }
    }

    private func accepted(_ commit: String) async throws -> Tree {
        try #require(try await program.entries(["--reason", "RevisionAccepted", "--revision", commit]).last)
    }

    private func show(_ sequence: Int64) async throws -> (json: Tree, text: String) {
        let json = try await program.run(["journal", "show", "\(sequence)", "-o", "json", "--journal", program.journal])
        let text = try await program.run(["journal", "show", "\(sequence)", "--journal", program.journal])
        return (try parseJSON(Array(json.output.utf8)), text.output)
    }

    /// One entry undoes another, and both say so.
    private func expectLink(_ later: Tree?, to earlier: Tree?, _ words: Comment) async throws {
        let sequence = try #require(later?["sequence"]?.integer)
        let undone = try #require(earlier?["sequence"]?.integer)
        #expect(later?["refersTo"]?.integer == undone, words)
        let (json, text) = try await show(sequence)
        #expect(json["undoes"]?.integer == undone, words)
        #expect(text.contains("Undoes: ") && text.contains("entry \(undone)\n"), "\(text)")
        let (back, words) = try await show(undone)
        #expect(back["undoneBy"]?.array?.contains(.integer(sequence)) == true, "\(back)")
        #expect(words.contains("Undone by: ") && words.contains("entry \(sequence)\n"), "\(words)")
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
        for name in ["extra", "more-0", "more-1", "more-2"] {
            let changes = try await changes(of: name)
            try await expectLink(changes.last, to: changes.dropLast().last, "the revert of \(name)")
            #expect(changes.last?["revision"]?["commit"]?.string == reverted)
            #expect(changes.dropLast().allSatisfy { $0["refersTo"] == nil })
        }
        try await expectLink(accepted(reverted), to: accepted(changed), "the revisions")
        // Drift that is put back under the revert undoes no revision.
        let extra = ObjectID(.role, namespace: namespace, name: "extra")
        try await cluster.delete(extra)
        _ = try await sync()
        let drift = try await program.entries(["--reason", "DriftCorrected", "--name", "extra"])
        #expect(drift.count == 1 && drift.first?["refersTo"] == nil, "\(drift)")
        let text = try await program.run(["status", "--journal", program.journal])
        #expect(text.output.contains("restored the declared state of \(first.prefix(12))"), "\(text.output)")

        try await repository.git("revert", "--no-edit", "HEAD~3..HEAD")
        let again = try await sync()
        #expect(try await restored() == changed)
        #expect(try await digest(of: again) == digest(of: changed))
        #expect(try await cluster.object(wide) != nil)
        for name in ["extra", "more-0", "more-1", "more-2"] {
            let changes = try await changes(of: name).filter { $0["reason"] == "RevisionChanged" }
            #expect(changes.last?["revision"]?["commit"]?.string == again)
            try await expectLink(changes.last, to: changes.dropLast().last, "the revert of the revert of \(name)")
            #expect(changes.dropLast().last?["revision"]?["commit"]?.string == reverted)
        }
        try await expectLink(accepted(again), to: accepted(reverted), "the revisions again")
        let verified = try await program.run(["journal", "verify", "--journal", program.journal])
        #expect(verified.status == 0, "\(verified.output)\(verified.errors)")
    }

    /// Where other commits stay, the words lead to the revision that carried the commit out.
    @Test func aRevertOfOneCommitAmongOthersIsLinked() async throws {
        try repository.write(teamManifests(namespace), to: "team.yaml")
        try await repository.commit("Begin")
        func add(_ name: String) async throws -> String {
            try repository.write(roleManifest(name, in: namespace), to: name + ".yaml")
            return try await repository.commit("Add " + name)
        }
        _ = try await sync()
        let one = try await add("one")
        _ = try await add("two")
        _ = try await sync()
        _ = try await add("three")
        _ = try await sync()
        try await repository.git("revert", "--no-edit", one)
        _ = try await sync()
        let changes = try await changes(of: "one")
        #expect(changes.map { $0["action"] } == ["create", "delete"], "\(changes)")
        try await expectLink(changes.last, to: changes.first, "the role")
        let revisions = try await program.entries(["--reason", "RevisionAccepted"])
        #expect(revisions.count == 4)
        try await expectLink(revisions.last, to: revisions.dropFirst().first, "the revision that carried it out")
        #expect(try await restored() == nil)
    }
}
