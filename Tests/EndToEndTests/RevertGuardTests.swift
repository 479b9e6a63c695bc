import Foundation
import JSON
import Manifest
import Testing

/// What a revert brings back by itself, and what waits for an approval all the same.
@Suite struct RevertGuardTests {
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

    private func bindings(_ range: Range<Int>, in namespace: String) -> String {
        range.map {
            """
            ---
            apiVersion: rbac.authorization.k8s.io/v1
            kind: RoleBinding
            metadata: {name: granted-\($0), namespace: \(namespace)}
            roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
            subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: guests-\($0)}]

            """
        }.joined()
    }

    private func grantedBindings(in namespace: String) async throws -> Int {
        var count = 0
        for number in 0..<12
        where try await cluster.object(ObjectID(.roleBinding, namespace: namespace, name: "granted-\(number)")) != nil {
            count += 1
        }
        return count
    }

    /// Whoever takes a bad grant back waits for nobody; the same deletions by hand wait.
    @Test func aRevertToAStricterStateIsNeverHeld() async throws {
        let (namespace, flags) = ofThisRun("stricter")
        try repository.write(teamManifests(namespace), to: "team.yaml")
        try repository.write(teamManifests(namespace + "-too"), to: "other.yaml")
        try await repository.commit("Begin")
        #expect(try await program.run(["sync"] + flags).status == 0)
        // Twelve are more than the budget has.
        try repository.write(bindings(0..<12, in: namespace), to: "granted.yaml")
        let grant = try await repository.commit("Let the guests in", approvals: ["risky-grant by Ann Policy"])
        #expect(try await program.run(["sync"] + flags).status == 0)
        #expect(try await grantedBindings(in: namespace) == 12)

        try await repository.git("revert", "--no-edit", grant)
        #expect(try await program.run(["plan", "-o", "json"] + flags).output.contains("granted-11"))
        let reverted = try await program.run(["sync"] + flags)
        #expect(reverted.status == 0, "\(reverted.output)\(reverted.errors)")
        #expect(try await grantedBindings(in: namespace) == 0)
        let accepted = try await program.entries(["--reason", "RevisionAccepted"]).last?["message"]?.string
        #expect(accepted?.contains("12 need no approval") == true, "\(accepted ?? "")")

        // The same deletions, that restore nothing.
        let again = try await repository.git("rev-parse", "HEAD")
        try await repository.git("revert", "--no-edit", again)
        #expect(try await program.run(["sync"] + flags).status == 0)
        try repository.remove("granted.yaml")
        try repository.write(teamManifests(namespace + "-too", round: 1), to: "other.yaml")
        try await repository.commit("Clean up", approvals: [])
        let byHand = try await program.run(["sync"] + flags)
        #expect(byHand.status == 1 && byHand.errors.contains("DeletionBudgetExceeded"), "\(byHand.errors)")
        #expect(try await grantedBindings(in: namespace) == 12)
        // Nor does a state count that was accepted and never in force.
        try repository.write(bindings(0..<12, in: namespace), to: "granted.yaml")
        try await repository.commit("Back", approvals: [])
        #expect(try await program.run(["sync"] + flags).status == 0)
        try await repository.git("revert", "--no-edit", "HEAD")
        #expect(try await program.run(["sync"] + flags).status == 1)
        #expect(try await grantedBindings(in: namespace) == 12)
    }

    /// What other commits brought meanwhile stays, so no earlier state comes back as a whole, and words alone prove nothing.
    @Test func aRevertOfOneGrantAmongOtherChangesWaits() async throws {
        let (namespace, flags) = ofThisRun("stricter-part")
        try repository.write(teamManifests(namespace), to: "team.yaml")
        try await repository.commit("Begin")
        #expect(try await program.run(["sync"] + flags).status == 0)
        try repository.write(bindings(0..<12, in: namespace), to: "granted.yaml")
        let grant = try await repository.commit("Let the guests in")
        #expect(try await program.run(["sync"] + flags).status == 0)
        try repository.write(roleManifest("later", in: namespace), to: "later.yaml")
        try await repository.commit("Something else")
        #expect(try await program.run(["sync"] + flags).status == 0)
        #expect(try await grantedBindings(in: namespace) == 12)

        try await repository.git("revert", "--no-edit", grant)
        let reverted = try await program.run(["sync"] + flags)
        #expect(reverted.status == 1 && reverted.errors.contains("DeletionBudgetExceeded"), "\(reverted.errors)")
        #expect(try await grantedBindings(in: namespace) == 12)
        try await repository.commit("Agree", approvals: ["deletion-budget by Alice"])
        #expect(try await program.run(["sync"] + flags).status == 0)
        #expect(try await grantedBindings(in: namespace) == 0)
        #expect(try await cluster.object(ObjectID(.role, namespace: namespace, name: "later")) != nil)
    }

    /// What an earlier state allowed and a later one took away needs an approval to come back.
    @Test func aRevertThatLoosensWaits() async throws {
        let (namespace, flags) = ofThisRun("looser")
        let policy = ObjectID(.networkPolicy, namespace: namespace, name: "default-deny")
        let parts = teamManifests(namespace).components(separatedBy: "---\n")
        let open = parts.filter { !$0.contains("default-deny") }.joined(separator: "---\n")
        try repository.write(open, to: "team.yaml")
        try await repository.commit("Begin")
        #expect(try await program.run(["sync"] + flags).status == 0)
        try repository.write(teamManifests(namespace), to: "team.yaml")
        let closing = try await repository.commit("Deny by default", approvals: [])
        #expect(try await program.run(["sync"] + flags).status == 0)
        #expect(try await cluster.object(policy) != nil)

        try await repository.git("revert", "--no-edit", closing)
        let waiting = try await program.run(["sync"] + flags)
        #expect(waiting.status == 1 && waiting.errors.contains("ApprovalMissing"), "\(waiting.errors)")
        #expect(try await cluster.object(policy) != nil)
        try await repository.commit("Approve", approvals: ["isolation-removed by Ann Policy"])
        #expect(try await program.run(["sync"] + flags).status == 0)
        #expect(try await cluster.object(policy) == nil)
        // What was held at first and let through later undoes the same.
        let removed = try await program.entries(["--kind", "NetworkPolicy", "--name", "default-deny"])
            .filter { $0["type"] == "action" }
        #expect(removed.map { $0["action"] } == ["create", "delete"], "\(removed)")
        #expect(removed.last?["refersTo"] == removed.first?["sequence"], "\(removed)")
    }
}
