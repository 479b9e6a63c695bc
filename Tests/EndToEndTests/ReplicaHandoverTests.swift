import EmbeddedCluster
import Foundation
import KubeClient
import JSON
import Journal
import KubeProtocol
import Manifest
import Policy
import Reconciler
import Synchronization
import TestSupport
import Testing

/// What the Lease says of the leader before, for a replica with a journal of its own.
@Suite struct ReplicaHandoverTests {
    static let namespace = RestartedController.namespace
    static let role = ObjectID(.role, namespace: namespace, name: "extra")
    let controller: RestartedController
    let lease = RestartedController.LeaseAnnotation()

    init() async throws {
        controller = try await RestartedController()
        try controller.repository.write(binding("extra"), to: "binding.yaml")
    }

    func binding(_ name: String) -> String {
        """
        apiVersion: rbac.authorization.k8s.io/v1
        kind: RoleBinding
        metadata: {name: \(name), namespace: \(Self.namespace)}
        roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: \(name)}
        subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: ops}]

        """
    }

    /// - Parameter keys: The folder of those that must have signed, see ``RestartedController/keys``.
    @discardableResult
    func pass(
        _ replica: String, term: Int64, keys: ScratchDirectory? = nil, trust: TrustMode = .all,
        verifying verifiedCommitsPerLook: Int? = nil
    ) async throws -> RestartedController.Pass {
        var controller = controller
        controller.journalName = replica
        controller.term = LeaderTerm(lease: "lease-1", transitions: term)
        controller.lease = lease
        controller.keys = keys?.path
        controller.trust = trust
        controller.verifiedCommitsPerLook = verifiedCommitsPerLook
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

    // MARK: The order

    /// Whoever leads next must not take an earlier revision for in force.
    @Test func nothingIsEnforcedThatDoesNotStandOnTheLeaseYet() async throws {
        _ = try await controller.commit("secrets")
        try await pass("a", term: 0)
        let place = try #require(lease.handover?.place)
        let revoked = try await controller.commit("pods", approvals: [])
        let before = try await controller.entries(of: "a").count { $0.reason == "RevisionAccepted" }
        lease.interception.withLock {
            $0 = { (_) throws(ClusterError) in
                throw ClusterError(kind: .unreachable, status: 0, message: "write the Lease")
            }
        }
        await #expect(throws: ClusterError.self) { try await pass("a", term: 0) }
        #expect(controller.resource == "secrets")
        #expect(try await controller.entries(of: "a").count { $0.reason == "RevisionAccepted" } == before)

        let cluster = controller.cluster
        let seen = Mutex([String?]())
        lease.interception.withLock {
            $0 = { (handover) throws(ClusterError) in
                let rules = cluster.object(Self.role)?["rules"]?.array
                seen.withLock {
                    $0.append(handover?.revision)
                    $0.append(rules?.first?["resources"]?.array?.first?.string)
                }
            }
        }
        try await pass("a", term: 0)
        #expect(controller.resource == "pods" && lease.handover == Handover(revision: revoked, place: place))
        // What is in force is left at the start, where nobody knows what stands there.
        #expect(seen.withLock(\.self).suffix(2) == [revoked, "secrets"])
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
        try await eventually("it is gone: \(first)") { controller.cluster.object(space) == nil }
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

    /// One of what it accepted itself before is not refused either.
    @Test func aHoldMayGoBackToWhatTheOtherAccepted() async throws {
        let quiet = try await controller.commit("pods")
        try await pass("a", term: 0)
        _ = try await controller.commit("services", approvals: [])
        try await pass("b", term: 1)
        #expect(controller.resource == "services")
        try await controller.hold(quiet)
        let held = try await pass("b", term: 1)
        #expect(held.report.revision == quiet && !held.incidents.contains(.holdRefused), "\(held)")
        #expect(controller.resource == "pods")
    }

    /// Whether it is there cannot be read when this one leads again.
    @Test(arguments: [403, 500])
    func aHoldThatEndedUnderTheOtherDoesNotComeBack(_ answer: Int) async throws {
        let quiet = try await controller.commit("pods")
        try await pass("a", term: 0)
        _ = try await controller.commit("services", approvals: [])
        try await pass("a", term: 0)
        try await controller.hold(quiet, for: .seconds(36000))
        #expect(try await pass("a", term: 0).report.hold != nil && controller.resource == "pods")
        _ = try await controller.kubeCluster("on-call").send(
            APIRequest(method: .delete, path: "/api/v1/namespaces/default/configmaps/hold"), what: "end the hold")
        try await pass("b", term: 1)
        #expect(controller.resource == "services")
        // Not whole, so that the Lease says nothing.
        try await commitUnapproved()
        try await pass("b", term: 1)
        try #require(lease.handover == nil)

        let refusal: Tree = [
            "kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "no", "code": .integer(Int64(answer)),
            "reason": answer == 403 ? "Forbidden" : "InternalError",
        ]
        controller.cluster.inject(
            Fault(
                method: "GET", pathPart: "/configmaps/hold",
                effect: .answer(status: answer, body: refusal, text: "", retryAfter: nil), count: 1000))
        if answer == 403 {
            let after = try await pass("a", term: 2)
            #expect(after.report.hold == nil, "\(after)")
            let ends = try await controller.entries(of: "a").filter { $0.reason == "HoldEnded" }
            #expect(ends.count == 1 && ends.first?.message.contains("another replica has led") == true)
        } else {
            // One pass waits for nothing.
            await #expect(throws: ClusterError.self) { try await pass("a", term: 2) }
        }
        #expect(controller.resource == "services")
        controller.cluster.clearFaults()
        #expect(try await pass("a", term: 2).report.hold == nil)
        #expect(controller.resource == "services")
    }

    // MARK: Another journal of the same replica

    /// As with another `--journal`, also where the Lease says nothing of what is in force.
    @Test(arguments: [true, false])
    func whatAnotherJournalOfTheSameTermRevokedIsNotGivenBack(isWhole: Bool) async throws {
        _ = try await controller.commit("secrets")
        try await pass("a", term: 0)
        if !isWhole { try await commitUnapproved() }
        try await pass("a", term: 0)
        #expect(controller.resource == "secrets")
        _ = try await controller.commit("pods", approvals: [])
        try await pass("c", term: 0)
        #expect(controller.resource == "pods" && (lease.handover != nil) == isWhole)
        let again = try await controller.commit("secrets", approvals: [])
        let held = try await pass("c", term: 0)
        #expect(held.ofObjects[Self.role] == [.approvalMissing] && lease.handover == nil, "\(held)")
        for journal in ["a", "c"] {
            let after = try await pass(journal, term: 0)
            #expect(after.report.revision == again)
            #expect(after.ofObjects[Self.role] == [.approvalMissing], "\(journal): \(after)")
            #expect(controller.resource != "secrets")
        }
    }

    /// What came after it is not known to it, also where it is ended after it has announced something.
    @Test(arguments: [true, false])
    func aCopyOfTheJournalIsBehind(isCutShort: Bool) async throws {
        _ = try await controller.commit("secrets")
        try await pass("a", term: 0)
        let files = FileManager.default
        let (path, copy) = (controller.journalPath("a"), controller.journalPath("copy"))
        try files.copyItem(atPath: path, toPath: copy)
        _ = try await controller.commit("pods", approvals: [])
        try await pass("a", term: 0)
        #expect(controller.resource == "pods")
        try files.removeItem(atPath: path)
        try files.moveItem(atPath: copy, toPath: path)
        _ = try await controller.commit("secrets", approvals: [])
        if isCutShort {
            for _ in 0..<3 {
                lease.interception.withLock {
                    $0 = { (_) throws(ClusterError) in
                        throw ClusterError(kind: .unreachable, status: 0, message: "write the Lease")
                    }
                }
                await #expect(throws: ClusterError.self) { try await pass("a", term: 0) }
            }
            lease.interception.withLock { $0 = nil }
        }
        let after = try await pass("a", term: 0)
        #expect(after.ofObjects[Self.role] == [.approvalMissing] && controller.resource != "secrets", "\(after)")
    }

    /// Whoever was ended between the Lease and its journal goes on from there, also without Git.
    @Test func aJournalThatTheLeaseIsAheadOfIsNotBehind() async throws {
        let approved = try await controller.commit("secrets")
        try await pass("a", term: 0)
        // What is about to be held is announced as nothing.
        lease.handover = nil
        try await takeGrantAway()
        let last = try await commitAnother()
        let after = try await pass("a", term: 0)
        #expect(after.report.revision == last && after.ofObjects[Self.role] == nil, "\(approved): \(after)")
        #expect(lease.handover?.revision == last && controller.resource == "secrets")
    }

    // MARK: What this journal knows no better

    /// Nobody who led since has said so here.
    @Test func admissionPoliciesThatTheOtherMadeGoWhenNobodyAsksForThem() async throws {
        controller.cluster.serveAdmissionPolicies()
        func configure(_ more: String) async throws -> String {
            try controller.repository.write(
                """
                apiVersion: bylaw.dev/v1
                kind: Configuration
                \(more)

                """, to: "bylaw.yaml")
            return try await controller.repository.commit("Configure")
        }
        func areThere() async throws -> Bool {
            let list = try await controller.kubeCluster("somebody").send(
                .list(.admissionPolicy), what: "list the policies")
            return try parseJSON(list)["items"]?.array?.isEmpty == false
        }
        _ = try await configure("")
        try await pass("a", term: 0)
        _ = try await configure("prevention: {enabled: true}")
        try await pass("b", term: 1)
        #expect(try await areThere())
        let last = try await configure("")
        #expect(try await pass("a", term: 2).report.revision == last)
        #expect(try await !areThere())
    }

    /// They may have been made stricter since, and what would loosen them again waits.
    @Test func anOutdatedJournalsLooseSettingsLetNothingThrough() async throws {
        func settings(_ risk: String) throws {
            try controller.repository.write(
                "apiVersion: bylaw.dev/v1\nkind: Configuration\nguardrails: {risks: {risky-grant: \(risk)}}\n",
                to: "bylaw.yaml")
        }
        try settings("report")
        _ = try await controller.commit("pods")
        try await pass("a", term: 0)
        try settings("hold")
        let tightened = try await controller.commit("pods")
        try #require(try await pass("b", term: 1).report.revision == tightened && lease.handover != nil)
        try await commitUnapproved()
        try await pass("b", term: 1)
        #expect(lease.handover == nil)
        try settings("report")
        _ = try await controller.commit("secrets", approvals: [])
        let after = try await pass("a", term: 2)
        #expect(after.ofObjects[Self.role] == [.approvalMissing], "\(after)")
        #expect(after.ofObjects[RepositoryConfiguration.id]?.contains(.configurationHeld) == true, "\(after)")
        #expect(controller.resource != "secrets")
    }

    func writeQuota() throws -> ObjectID {
        try controller.repository.write(
            """
            apiVersion: v1
            kind: ResourceQuota
            metadata: {name: kept, namespace: \(Self.namespace)}
            spec: {hard: {configmaps: "5"}}

            """, to: "kept.yaml")
        return ObjectID(.resourceQuota, namespace: Self.namespace, name: "kept")
    }

    /// What the other one left there for want of a proof is not removed without being judged.
    @Test(arguments: [(false, false), (true, false), (true, true)])
    func whatIsOursAndNobodyDeclaresIsJudgedAnew(isApproved: Bool, isEarlier: Bool) async throws {
        let quota = try writeQuota()
        _ = try await controller.commit("pods")
        try await pass("a", term: 0)
        #expect(controller.cluster.object(quota) != nil)
        try controller.repository.remove("kept.yaml")
        let removed = try await controller.repository.commit(
            "Remove it", approvals: isApproved ? PolicyRepository.approvingEverything : [])
        // As where the other one held it for another reason than the guardrails'.
        let place = try #require(lease.handover?.place)
        lease.handover = Handover(revision: removed, place: place)
        if isEarlier { _ = try await commitAnother() }
        let after = try await pass("b", term: 1)
        #expect((controller.cluster.object(quota) == nil) == isApproved, "\(after)")
        #expect(after.ofObjects[quota] == (isApproved ? nil : [.approvalMissing]), "\(after)")
    }

    /// Nobody has approved that what came back since is removed.
    @Test func anOldApprovalDoesNotDeleteWhatWasMadeAgain() async throws {
        let quota = try writeQuota()
        _ = try await controller.commit("pods")
        try await pass("a", term: 0)
        let copy = try #require(controller.cluster.object(quota))
        try controller.repository.remove("kept.yaml")
        try await controller.repository.commit("Remove it")
        try await pass("a", term: 0)
        try #require(controller.cluster.object(quota) == nil)
        _ = try await commitAnother()
        try await pass("a", term: 0)
        // Servers and Git count in seconds.
        let committed = try #require(Double(try await controller.repository.git("log", "-1", "--format=%ct")))
        try await eventually("another second has come") { Date().timeIntervalSince1970 >= committed + 1 }
        var body = copy
        for field in ["uid", "resourceVersion", "creationTimestamp", "managedFields"] {
            body.set(["metadata", field], to: nil)
        }
        _ = try await controller.kubeCluster("backup").send(
            .create(body, .resourceQuota, namespace: Self.namespace, fieldManager: "backup", isDryRun: false),
            what: "bring it back")
        let after = try await pass("b", term: 1)
        #expect(controller.cluster.object(quota) != nil, "\(after)")
        #expect(after.ofObjects[quota] == [.approvalMissing], "\(after)")
    }
}
