import EmbeddedCluster
import Journal
import Manifest
import Reconciler
import Testing

/// What comes after a hold is compared with what was in force before it, and not with what the hold enforced.
@Suite struct HoldReturnTests {
    private static let namespace = RestartedController.namespace
    private static let role = ObjectID(.role, namespace: namespace, name: "extra")
    private let run: RestartedController

    init() async throws {
        run = try await RestartedController()
        try run.repository.write(
            """
            apiVersion: rbac.authorization.k8s.io/v1
            kind: RoleBinding
            metadata: {name: extra, namespace: \(Self.namespace)}
            roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: extra}
            subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: ops}]
            """, to: "binding.yaml")
    }

    // MARK: Steps

    private func names(_ first: Int, upTo end: Int) -> [String] { (first..<end).map { "role-\($0)" } }

    /// Commits some Roles that nobody is bound to, and no others.
    private func commitRoles(_ names: [String], approvals: [String] = []) async throws -> String {
        try run.repository.write(
            names.map { "---\n" + roleManifest($0, in: Self.namespace) }.joined(), to: "roles.yaml")
        return try await run.repository.commit("\(names.count) roles", approvals: approvals)
    }

    private func policy(_ name: String) -> String {
        """
        ---
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {name: \(name), namespace: \(Self.namespace)}
        spec: {podSelector: {}, policyTypes: [Ingress, Egress]}

        """
    }

    private func configure(_ guardrails: String) throws {
        try run.repository.write(
            "apiVersion: bylaw.dev/v1\nkind: Configuration\nguardrails: \(guardrails)\n", to: "bylaw.yaml")
    }

    private func isThere(_ resource: Resource, _ name: String) -> Bool {
        run.cluster.object(ObjectID(resource, namespace: Self.namespace, name: name)) != nil
    }

    private func roleCount() -> Int { names(0, upTo: 20).count { isThere(.role, $0) } }

    private func accept(_ commit: String) async throws {
        let pass = try await run.pass()
        try #require(pass.report.revision == commit && pass.incidents.isEmpty, "\(pass)")
    }

    private func holdOf(_ commit: String) async throws -> RestartedController.Pass {
        try await run.hold(commit)
        let pass = try await run.pass()
        try #require(pass.report.hold?.revision == commit && pass.report.revision == commit, "\(pass)")
        return pass
    }

    private func passAfterItsEnd() async throws -> RestartedController.Pass {
        run.clock.turn(by: .seconds(600))
        let pass = try await run.pass()
        try #require(pass.report.hold == nil)
        return pass
    }

    // MARK: Approvals

    @Test func whatWasApprovedBeforeTheHoldIsNotApprovedOnceMore() async throws {
        let first = try await run.commit("pods")
        try await accept(first)
        let approved = try await run.commit("secrets")
        try await accept(approved)
        #expect(run.resource == "secrets")
        let revoked = try await run.commit("pods", approvals: [])
        try await accept(revoked)
        _ = try await holdOf(first)
        let again = try await run.commit("secrets", approvals: [])
        let after = try await passAfterItsEnd()
        #expect(after.report.revision == again)
        #expect(after.ofObjects[Self.role] == [.approvalMissing])
        #expect(run.resource != "secrets")
        try await accept(try await run.commit("secrets"))
        #expect(run.resource == "secrets")
    }

    @Test func whatWaitedBeforeTheHoldMayBeApprovedBehindIt() async throws {
        let first = try await run.commit("pods")
        try await accept(first)
        let waiting = try await run.commit("secrets", approvals: [])
        #expect(try await run.pass().ofObjects[Self.role] == [.approvalMissing])
        _ = try await holdOf(first)
        try await run.repository.commit("Approve", approvals: ["risky-grant by Ann Policy"])
        let after = try await passAfterItsEnd()
        #expect(after.ofObjects.isEmpty, "\(waiting) is approved")
        #expect(run.resource == "secrets")
    }

    // MARK: The way back

    @Test func theWayBackNeedsNoApprovalASecondTime() async throws {
        let first = try await commitRoles(names(0, upTo: 10))
        try await accept(first)
        // Each within the budget, and both together beyond it.
        try await accept(try await commitRoles(names(0, upTo: 5)))
        let last = try await commitRoles([])
        try await accept(last)
        _ = try await holdOf(first)
        #expect(roleCount() == 10)
        let after = try await passAfterItsEnd()
        #expect(after.report.revision == last)
        #expect(after.incidents.isEmpty && after.ofObjects.isEmpty, "\(after)")
        #expect(roleCount() == 0)
    }

    @Test func norDoesWhatTheSettingsBeforeTheHoldLetThrough() async throws {
        let first = try await run.commit("pods")
        try await accept(first)
        try configure("{risks: {risky-grant: allow}}")
        try await accept(try await run.commit("pods"))
        let last = try await run.commit("secrets", approvals: [])
        try await accept(last)
        _ = try await holdOf(first)
        #expect(run.resource == "pods")
        let after = try await passAfterItsEnd()
        #expect(after.report.revision == last)
        #expect(after.incidents.isEmpty && after.ofObjects.isEmpty, "\(after)")
        #expect(run.resource == "secrets")
    }

    @Test func whatTheHoldTookAwayIsNotCountedAgain() async throws {
        let first = try await commitRoles([])
        try await accept(first)
        try await accept(try await commitRoles(names(0, upTo: 5)))
        _ = try await holdOf(first)
        #expect(roleCount() == 0)
        // The revert, and five of others.
        let manifests = teamManifests(Self.namespace).split(separator: "---\n")
        let going = ["name: app,", "name: compute", "name: allow-web", "name: reader,"]
        try run.repository.write(
            manifests.filter { manifest in !going.contains(where: manifest.contains) }.joined(separator: "---\n"),
            to: "team.yaml")
        _ = try await commitRoles([])
        let after = try await passAfterItsEnd()
        #expect(!after.incidents.contains(.deletionBudgetExceeded), "\(after)")
        #expect(roleCount() == 0)
    }

    @Test func whatTheHoldCouldNotTakeAwayIsCounted() async throws {
        let first = try await commitRoles([])
        try await accept(first)
        try await accept(try await commitRoles(names(0, upTo: 5)))
        run.cluster.inject(
            Fault(
                method: "DELETE", pathPart: "/roles/",
                effect: .answer(status: 403, body: nil, text: "not now", retryAfter: nil), count: 1000))
        _ = try await holdOf(first)
        #expect(roleCount() == 5)
        run.cluster.clearFaults()
        let manifests = teamManifests(Self.namespace).split(separator: "---\n")
        let staying = ["kind: Namespace", "name: default-deny", "name: allow-dns"]
        try run.repository.write(
            manifests.filter { manifest in staying.contains(where: manifest.contains) }.joined(separator: "---\n"),
            to: "team.yaml")
        _ = try await commitRoles([])
        let after = try await passAfterItsEnd()
        #expect(after.incidents.contains(.deletionBudgetExceeded), "\(after)")
        #expect(roleCount() == 5)
    }

    @Test func whatOnlyTheHoldBroughtProtectsNothingAfterIt() async throws {
        try run.repository.write(policy("deny-again"), to: "policies.yaml")
        let first = try await run.commit("pods")
        try await accept(first)
        try run.repository.remove("policies.yaml")
        try await accept(try await run.commit("pods", approvals: []))
        _ = try await holdOf(first)
        #expect(isThere(.networkPolicy, "deny-again"))
        try dropDefaultDeny()
        _ = try await run.commit("pods", approvals: [])
        let after = try await passAfterItsEnd()
        #expect(
            after.ofObjects[ObjectID(.networkPolicy, namespace: Self.namespace, name: "default-deny")]
                == [.approvalMissing])
        #expect(isThere(.networkPolicy, "default-deny") && !isThere(.networkPolicy, "deny-again"))
    }

    /// Leaves of the namespace's policies only what these tests write themselves.
    private func dropDefaultDeny() throws {
        let manifests = teamManifests(Self.namespace).split(separator: "---\n")
        try run.repository.write(
            manifests.filter { !$0.contains("default-deny") }.joined(separator: "---\n"), to: "team.yaml")
    }

    private func ofPolicy(_ name: String, _ pass: RestartedController.Pass) -> Set<IncidentReason>? {
        pass.ofObjects[ObjectID(.networkPolicy, namespace: Self.namespace, name: name)]
    }

    /// The one that isolates has another name before the hold than by it.
    @Test func whatTheHoldTookAwayProtectsAfterIt() async throws {
        try dropDefaultDeny()
        try run.repository.write(policy("deny-old"), to: "policies.yaml")
        let first = try await run.commit("pods")
        try await accept(first)
        try run.repository.write(policy("deny-new"), to: "policies.yaml")
        try await accept(try await run.commit("pods", approvals: []))
        _ = try await holdOf(first)
        #expect(isThere(.networkPolicy, "deny-old") && !isThere(.networkPolicy, "deny-new"))
        try run.repository.remove("policies.yaml")
        _ = try await run.commit("pods", approvals: [])
        let after = try await passAfterItsEnd()
        #expect(ofPolicy("deny-new", after) == [.approvalMissing], "\(after)")
        #expect(isThere(.networkPolicy, "deny-new") && !isThere(.networkPolicy, "deny-old"))
    }

    /// It was somebody's, and only the hold has made it ours.
    @Test func whatTheHoldFoundIsNotItsToTakeAway() async throws {
        try dropDefaultDeny()
        try run.repository.write(policy("deny-again"), to: "policies.yaml")
        let first = try await run.commit("pods")
        try await accept(first)
        try run.repository.remove("policies.yaml")
        try await accept(try await run.commit("pods"))
        #expect(!isThere(.networkPolicy, "deny-again"))
        run.cluster.seed([
            [
                "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
                "metadata": ["name": "deny-again", "namespace": .string(Self.namespace)],
                "spec": ["podSelector": .object(Members()), "policyTypes": ["Ingress", "Egress"]],
            ]
        ])
        _ = try await holdOf(first)
        let after = try await passAfterItsEnd()
        #expect(ofPolicy("deny-again", after) == [.approvalMissing], "\(after)")
        #expect(isThere(.networkPolicy, "deny-again"))
    }

    /// What was put into it meanwhile was not there when its deletion was approved.
    @Test func aNamespaceThatTheHoldMadeAnewStays() async throws {
        let spare = ObjectID(.namespace, name: "spare")
        try run.repository.write(teamManifests("spare"), to: "spare.yaml")
        let first = try await run.commit("pods")
        try await accept(first)
        try run.repository.remove("spare.yaml")
        try await accept(
            try await run.commit(
                "pods", approvals: PolicyRepository.approvingEverything + ["namespace-deletion by Ann Policy"]))
        #expect(run.cluster.object(spare) == nil)
        _ = try await holdOf(first)
        #expect(run.cluster.object(spare) != nil)
        let after = try await passAfterItsEnd()
        #expect(after.ofObjects[spare] == [.namespaceDeletionHeld], "\(after)")
        #expect(run.cluster.object(spare) != nil)
    }

    @Test func fromHoldToHoldTheDeletionsOfBothCount() async throws {
        let none = try await commitRoles([])
        try await accept(none)
        let half = try await commitRoles(names(0, upTo: 5))
        try await accept(half)
        try await accept(try await commitRoles(names(0, upTo: 10)))
        _ = try await holdOf(half)
        #expect(roleCount() == 5)
        let pass = try await holdOf(none)
        #expect(pass.incidents == [.holdActive, .deletionBudgetExceeded])
        #expect(roleCount() == 10)
    }

    // MARK: Settings

    @Test func theSettingsOfTheHeldRevisionLetNothingThrough() async throws {
        try configure("{risks: {risky-grant: allow}}")
        let loose = try await run.commit("secrets")
        try await accept(loose)
        try configure("{}")
        try await accept(try await run.commit("pods", approvals: []))
        let pass = try await holdOf(loose)
        #expect(pass.ofObjects[Self.role] == [.approvalMissing])
        #expect(pass.ofObjects.values.contains([.configurationHeld]), "\(pass.ofObjects)")
        #expect(run.resource != "secrets")
    }

    @Test func theStricterSettingsOfTheHeldRevisionCountAsWell() async throws {
        let strict = try await run.commit("secrets")
        try await accept(strict)
        try configure("{risks: {risky-grant: allow}}")
        try await accept(try await run.commit("pods"))
        let pass = try await holdOf(strict)
        #expect(pass.ofObjects[Self.role] == [.approvalMissing])
        #expect(run.resource != "secrets")
    }

    // MARK: The history

    @Test func aForcePushThatIsSeenAtTheEndIsTold() async throws {
        let first = try await run.commit("pods")
        try await accept(first)
        try await accept(try await run.commit("services"))
        _ = try await holdOf(first)
        try await run.repository.git("reset", "--quiet", "--hard", first)
        let other = try await run.commit("endpoints")
        let after = try await passAfterItsEnd()
        #expect(after.report.revision == other)
        #expect(after.incidents == [.historyRewritten])
        try await accept(try await run.commit("events"))
    }

    @Test func aBranchThatIsPutBackToTheHeldRevisionIsToldAndAccepted() async throws {
        let first = try await run.commit("pods")
        try await accept(first)
        try await accept(try await run.commit("services"))
        _ = try await holdOf(first)
        try await run.repository.git("reset", "--quiet", "--hard", first)
        #expect(try await run.pass().incidents == [.holdActive, .historyRewritten])
        let after = try await passAfterItsEnd()
        #expect(after.report.revision == first)
        #expect(after.incidents == [.historyRewritten])
        let accepted = try await run.entries().filter { $0.reason == EntryReason.revisionAccepted.word }
        #expect(accepted.filter { $0.revision?.commit == first }.count == 3, "at first, by the hold, and by itself")
        try await accept(try await run.commit("events"))
    }
}
