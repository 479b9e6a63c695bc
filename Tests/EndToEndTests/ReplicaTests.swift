import EmbeddedCluster
import Foundation
import Journal
import Manifest
import Reconciler
import TestSupport
import Testing

/// Replicas that take turns at leading, on one cluster and repository.
@Suite struct ReplicaTests {
    private var controller: RestartedController
    private let extra = ObjectID(.role, namespace: RestartedController.namespace, name: "extra")

    init() async throws { controller = try await RestartedController() }

    /// A pass of one replica with a journal of its own, in the next term or, without leader election, in none.
    private func pass(_ replica: String, term: Int64?) async throws -> RestartedController.Pass {
        var controller = controller
        controller.journalName = replica
        controller.term = term.map { LeaderTerm(lease: "lease-1", transitions: $0) }
        return try await controller.pass()
    }

    private func removeExtra() async throws {
        try controller.repository.remove("extra.yaml")
        try await controller.repository.commit("Remove it")
    }

    @Test func whatAnotherLeaderMadeIsRemovedWhenGitDropsIt() async throws {
        try await controller.repository.commit("Begin")
        _ = try await pass("a", term: 0)
        _ = try await controller.commit("pods")
        _ = try await pass("b", term: 1)
        #expect(controller.resource == "pods")
        try await removeExtra()
        let back = try await pass("a", term: 2)
        #expect(controller.cluster.object(extra) == nil)
        #expect(back.ofObjects.isEmpty, "\(back.ofObjects)")
        // Once more: each of them knows what is gone.
        #expect(try await pass("b", term: 3).ofObjects.isEmpty)
    }

    /// Without terms nobody knows that the journal is behind: what is not proven to be ours stays, and is told.
    @Test func withoutLeaderElectionItIsHeld() async throws {
        try await controller.repository.commit("Begin")
        _ = try await pass("a", term: nil)
        _ = try await controller.commit("pods")
        _ = try await pass("b", term: nil)
        try await removeExtra()
        let back = try await pass("a", term: nil)
        #expect(back.ofObjects[extra] == [.pruneUnproven])
    }

    @Test func whatWasRevokedMeanwhileDoesNotComeBackWhileTheNewestRevisionIsBroken() async throws {
        _ = try await controller.commit("pods")
        _ = try await pass("a", term: 0)
        try await removeExtra()
        _ = try await pass("b", term: 1)
        #expect(controller.cluster.object(extra) == nil)
        try controller.repository.write("kind: Nonsense\n", to: "broken.yaml")
        try await controller.repository.commit("Break it")
        let broken = try await pass("a", term: 2)
        #expect(broken.incidents.contains(.revisionInvalid))
        #expect(controller.cluster.object(extra) == nil, "its own earlier revision is not enforced")
        try controller.repository.remove("broken.yaml")
        try await controller.repository.commit("Mend it")
        #expect(try await pass("a", term: 2).incidents.isEmpty)
    }

    /// - Returns: Whether the grant is held that comes back without an approval.
    private func grantAgainWithoutApproval(terms: [Int64?]) async throws -> Bool {
        let binding = ObjectID(.roleBinding, namespace: RestartedController.namespace, name: "extra")
        let manifest = """
            apiVersion: rbac.authorization.k8s.io/v1
            kind: RoleBinding
            metadata: {name: extra, namespace: \(RestartedController.namespace)}
            roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
            subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: mallory}]

            """
        try controller.repository.write(manifest, to: "binding.yaml")
        try await controller.repository.commit("Grant")
        _ = try await pass("a", term: terms[0])
        #expect(controller.cluster.object(binding) != nil)
        try controller.repository.remove("binding.yaml")
        try await controller.repository.commit("Revoke")
        _ = try await pass("b", term: terms[1])
        #expect(controller.cluster.object(binding) == nil)
        try controller.repository.write(manifest, to: "binding.yaml")
        try await controller.repository.commit("Grant again", approvals: [])
        let last = try await pass("a", term: terms[2])
        let isHeld = last.ofObjects[binding]?.contains(.approvalMissing) == true
        #expect(isHeld == (controller.cluster.object(binding) == nil))
        return isHeld
    }

    @Test func anApprovalCountsOnceAlsoWhereAnotherLeaderRevokedTheGrant() async throws {
        #expect(try await grantAgainWithoutApproval(terms: [0, 1, 2]))
    }

    /// What `README.md` warns of: journals that take turns without leader election.
    @Test func withoutLeaderElectionTheApprovalOfThenCountsAgain() async throws {
        #expect(try await !grantAgainWithoutApproval(terms: [nil, nil, nil]))
    }

    @Test func aChangeOfTheOtherLeaderIsNoDrift() async throws {
        _ = try await controller.commit("pods")
        _ = try await pass("a", term: 0)
        _ = try await controller.commit("services")
        _ = try await pass("b", term: 1)
        _ = try await controller.commit("pods")
        _ = try await pass("a", term: 2)
        #expect(controller.resource == "pods")
        let entries = try await controller.entries(of: "a")
        #expect(!entries.contains { $0.reason == "DriftCorrected" }, "\(entries.map(\.reason))")
    }

    @Test func aVolumeThatMovesWithTheLeaderIsNeverBehind() async throws {
        _ = try await controller.commit("pods")
        for term in [0, 1, 1, 2] as [Int64] { _ = try await pass("shared", term: term) }
        let accepted = try await controller.entries(of: "shared").filter { $0.reason == "RevisionAccepted" }
        #expect(accepted.count == 1)
    }

    /// Each replica's journal is a log of its own, and all of them one history.
    @Test func theJournalsOfAllLeadersAreOneHistory() async throws {
        _ = try await controller.commit("pods")
        _ = try await pass("a", term: 0)
        _ = try await controller.commit("services")
        controller.clock.turn(by: .seconds(60))
        _ = try await pass("b", term: 1)
        controller.clock.turn(by: .seconds(60))
        try await removeExtra()
        _ = try await pass("a", term: 2)
        let history = controller.folder.path + "/history.sqlite"
        let report = try await JournalMerge.merge(
            MergeRequest(journals: ["a", "b"].map(controller.journalPath)), into: history)
        #expect(report.logs.count == 2)
        #expect(try await JournalVerifier.verify(history, VerificationRequest()).isIntact)
        let reader = try await JournalReader.open(history)
        var query = JournalQuery()
        query.name = "extra"
        query.order = .oldestFirst
        let told = try await reader.entries(query)
        #expect(told.compactMap(\.action) == [.create, .update, .delete], "\(told.map(\.message))")
        await reader.close()
    }
}
