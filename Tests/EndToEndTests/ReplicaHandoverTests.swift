import EmbeddedCluster
import KubeClient
import Manifest
import Reconciler
import Testing

/// What the Lease says of the leader before, for a replica with a journal of its own.
@Suite struct ReplicaHandoverTests {
    private static let namespace = RestartedController.namespace
    private static let role = ObjectID(.role, namespace: namespace, name: "extra")
    private let controller: RestartedController
    private let lease = RestartedController.LeaseAnnotation()

    init() async throws {
        controller = try await RestartedController()
        try controller.repository.write(binding("extra"), to: "binding.yaml")
    }

    private func binding(_ name: String) -> String {
        """
        apiVersion: rbac.authorization.k8s.io/v1
        kind: RoleBinding
        metadata: {name: \(name), namespace: \(Self.namespace)}
        roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: \(name)}
        subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: ops}]

        """
    }

    @discardableResult
    private func pass(_ replica: String, term: Int64) async throws -> RestartedController.Pass {
        var controller = controller
        controller.journalName = replica
        controller.term = LeaderTerm(lease: "lease-1", transitions: term)
        controller.lease = lease
        return try await controller.pass()
    }

    /// Something that says nothing of what was approved.
    private func commitAnother() async throws -> String {
        try controller.repository.write(roleManifest("another", in: Self.namespace), to: "another.yaml")
        return try await controller.repository.commit("Another role", approvals: [])
    }

    /// Has something wait, so that nothing is left as in force whole.
    private func commitUnapproved() async throws {
        try controller.repository.write(
            """
            apiVersion: rbac.authorization.k8s.io/v1
            kind: RoleBinding
            metadata: {name: waiting, namespace: \(Self.namespace)}
            roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
            subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: mallory}]
            """, to: "waiting.yaml")
        try await controller.repository.commit("Nobody approves it", approvals: [])
    }

    /// So that to bring it back is to grant it.
    private func takeGrantAway() async throws {
        let cluster = controller.kubeCluster("somebody")
        let name = Self.role.name
        for id in [Self.role, ObjectID(.roleBinding, namespace: Self.namespace, name: name)] {
            let live = try #require(try await cluster.read(id))
            _ = try await cluster.delete(id, expecting: live)
        }
    }

    // MARK: Without a hold

    @Test(arguments: [true, false])
    func whatTheOtherLetThroughByAnApprovalIsNotHeldAgain(isLeft: Bool) async throws {
        let approved = try await controller.commit("secrets")
        try await pass("a", term: 0)
        #expect(lease.handover == Handover(revision: approved, place: lease.handover?.place ?? ""))
        let last = try await commitAnother()
        if !isLeft { lease.handover = nil }
        try await takeGrantAway()
        let taken = try await pass("b", term: 1)
        #expect(taken.report.revision == last)
        #expect((taken.ofObjects[Self.role] == nil) == isLeft, "\(taken.ofObjects)")
        #expect(lease.handover?.revision == (isLeft ? last : nil))
    }

    @Test func whatTheLeaseNamesOutsideOfWhatIsFollowedIsTold() async throws {
        let approved = try await controller.commit("secrets")
        try await pass("a", term: 0)
        _ = try await controller.repository.git("commit", "--amend", "--quiet", "-m", "Another history")
        try await takeGrantAway()
        let taken = try await pass("b", term: 1)
        #expect(taken.incidents.contains(.historyRewritten))
        #expect(taken.ofObjects[Self.role] == [.approvalMissing])
        #expect(lease.handover == nil, "not \(approved)")
    }

    @Test func anApprovedDeletionOfANamespaceThatHasHappenedKeepsNothingFromBeingLeft() async throws {
        let space = ObjectID(.namespace, name: "going")
        try controller.repository.write(
            "apiVersion: v1\nkind: Namespace\nmetadata: {name: going}\n", to: "going.yaml")
        try await controller.repository.commit("Begin")
        try await pass("a", term: 0)
        #expect(controller.cluster.object(space) != nil)
        try controller.repository.remove("going.yaml")
        let removed = try await controller.repository.commit(
            "Remove it", approvals: ["namespace-deletion Namespace going by Ann"])
        let first = try await pass("a", term: 0)
        #expect(controller.cluster.object(space) == nil, "\(first)")
        try await pass("a", term: 0)
        #expect(lease.handover?.revision == removed)
        let last = try await commitAnother()
        try await pass("a", term: 0)
        #expect(lease.handover?.revision == last)
    }

    // MARK: Holds

    @Test(arguments: [true, false])
    func aHoldThatTheOtherHonouredGoesOn(isOverWhenTaken: Bool) async throws {
        let quiet = try await controller.commit("pods")
        try await pass("a", term: 0)
        let approved = try await controller.commit("secrets")
        try await pass("a", term: 0)
        try await controller.hold(quiet)
        try await pass("a", term: 0)
        #expect(controller.resource == "pods")
        #expect(lease.handover?.revision == approved && lease.handover?.heldRevision == quiet)

        let last = try await commitAnother()
        if !isOverWhenTaken {
            let held = try await pass("b", term: 1)
            #expect(held.report.revision == quiet && held.report.hold?.revision == quiet, "\(held)")
            #expect(!held.incidents.contains(.holdRefused))
            #expect(controller.resource == "pods")
            #expect(lease.handover?.revision == approved && lease.handover?.heldRevision == quiet)
        }
        controller.clock.turn(by: .seconds(600))
        let after = try await pass("b", term: 1)
        #expect(after.report.revision == last)
        #expect(after.ofObjects.isEmpty, "what was approved before the hold need not be again: \(after.ofObjects)")
        #expect(controller.resource == "secrets")
        #expect(lease.handover == Handover(revision: last, place: lease.handover?.place ?? ""))
    }

    /// What the other one revoked is in this one's journal.
    @Test(arguments: [true, false])
    func aHoldUnderAJournalThatIsBehindBringsNoApprovalBack(isWholeInForce: Bool) async throws {
        let quiet = try await controller.commit("pods")
        try await pass("a", term: 0)
        _ = try await controller.commit("secrets")
        try await pass("a", term: 0)
        #expect(controller.resource == "secrets")
        let revoked = try await controller.commit("pods", approvals: [])
        if !isWholeInForce { try await commitUnapproved() }
        try await pass("b", term: 1)
        #expect(controller.resource == "pods" && (lease.handover != nil) == isWholeInForce)

        try await controller.hold(quiet)
        let held = try await pass("a", term: 2)
        #expect(held.report.revision == quiet, "\(held)")
        let place = lease.handover?.place ?? ""
        #expect(
            lease.handover == Handover(revision: isWholeInForce ? revoked : nil, heldRevision: quiet, place: place))
        let again = try await controller.commit("secrets", approvals: [])
        controller.clock.turn(by: .seconds(600))
        let after = try await pass("a", term: 2)
        #expect(after.report.revision == again)
        #expect(after.ofObjects[Self.role] == [.approvalMissing], "\(after.ofObjects)")
        #expect(controller.resource != "secrets")
    }

    @Test func aHoldOfWhatOnlyTheOtherMayKnowLeavesEverythingAsItIs() async throws {
        let quiet = try await controller.commit("pods")
        try await pass("a", term: 0)
        try await commitUnapproved()
        try await pass("a", term: 0)
        try await controller.hold(quiet)
        _ = try await controller.commit("services", approvals: [])
        lease.handover = nil
        let held = try await pass("b", term: 1)
        #expect(held.incidents.contains(.holdRefused))
        #expect(held.report.revision != quiet && controller.resource == "pods", "\(held)")
        controller.clock.turn(by: .seconds(600))
        let after = try await pass("b", term: 1)
        #expect(!after.incidents.contains(.holdRefused))
        #expect(controller.resource == "services")
    }
}
