import Guardrails
import JSON
import Manifest
import Policy
import Reconciler
import Testing

@Suite struct GuardedStateTests {
    private let role = DeclaredObject(
        id: ObjectID(.role, namespace: "a", name: "r"),
        tree: ["apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "rules": []],
        origin: Origin(file: "a.yaml", line: 7))

    private var verdict: GuardVerdict {
        let new = ObjectID(.roleBinding, namespace: "a", name: "new")
        var configuration = RepositoryConfiguration.standard
        configuration.scopes.standardMode = .report
        return GuardVerdict(
            state: DeclaredState(objects: [role.id: role], configuration: configuration),
            holds: [
                GuardrailHold(
                    id: role.id, guardrails: [.riskyGrant, .deletionBudget], meanings: ["it means this"],
                    runbook: "Runbooks/SecretAccessGranted.md", removes: [ObjectID(.role, namespace: "b", name: "x")]),
                GuardrailHold(id: new, guardrails: [.riskyGrant], meanings: [], runbook: nil),
            ], frozen: [new], deletableNamespaces: [ObjectID(.namespace, name: "gone")], reported: [],
            approved: [
                role.id: GivenApproval(
                    approval: Approval(subject: "risky-grant", approver: "Alice"), commit: "0123456789abcdef")
            ], removed: [])
    }

    @Test func isRememberedAsItWas() throws {
        let basis = JudgementBasis(
            unreadKinds: [.role, .networkPolicy], unseenKinds: [.role], unseenSince: "c1", trust: .head,
            signaturesRequiredUpTo: "c0", hasMetDistrust: true)
        let state = GuardedState(verdict, basis: basis, on: "abc", after: nil)
        let tree = state.encoded(revision: "abc", place: "eu\nproduction")
        #expect(GuardedState.revision(of: tree) == "abc")
        let read = try #require(GuardedState(try parseJSON(tree.jsonText())))
        #expect(read.holds == state.holds && read.frozen == state.frozen)
        #expect(read.configuration == state.configuration)
        #expect(read.deletableNamespaces == state.deletableNamespaces && read.approvers == state.approvers)
        #expect(read.kept[role.id]?.tree == role.tree && read.kept[role.id]?.origin == role.origin)
        #expect(read.heldSince == state.heldSince)
        #expect(read.heldSince[role.id] == HeldSince(commit: "abc", isFirstRevision: true))
        #expect(read.basis == basis)
        #expect(read.approvers[role.id] == "Alice, in commit 0123456789ab")
    }

    @Test(arguments: ["{}", "[]", #"{"revision":"a","configuration":{},"holds":[]}"#])
    func whatIsDamagedIsNotRead(_ text: String) throws {
        #expect(GuardedState(try parseJSON(text)) == nil)
    }
}
