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

    /// What could not be seen came with the first revision, and nobody approved it before it was shown.
    @Test func whatIsSeenLaterIsApprovedLater() throws {
        let nobody = Person(name: "", email: "")
        func state(_ commit: String, _ guarded: GuardedState?) -> EnforcedState {
            let revision = Revision(
                commit: commit, author: nobody, committer: nobody,
                committedAt: Timestamp(microsecondsSinceEpoch: 0), subject: "")
            return EnforcedState(
                LoadedRevision(
                    revision: revision, declared: DeclaredState(), findings: [], fileCount: 0, parsedFileCount: 0),
                guarded: guarded, canonical: Canonical(text: { "\($0)" }, digest: { "\($0)" }, tree: { _ in nil }))
        }
        let left = ObjectID(.roleBinding, namespace: "a", name: "left")
        func verdict(_ held: [ObjectID]) -> GuardVerdict {
            GuardVerdict(
                state: DeclaredState(),
                holds: held.map { GuardrailHold(id: $0, guardrails: [.deletionBudget], meanings: [], runbook: nil) },
                frozen: [], deletableNamespaces: [], reported: [], approved: [:], removed: [])
        }
        let blind = JudgementBasis(
            unreadKinds: [.roleBinding], unseenKinds: [.roleBinding], unseenSince: "first", trust: .off,
            hasMetDistrust: false)
        let before = GuardedState(verdict([]), basis: blind, on: "third", after: state("first", nil))
        let now = JudgementBasis(unreadKinds: [], trust: .off, hasMetDistrust: false)
        let seen = GuardedState(verdict([left]), basis: now, on: "third", after: state("third", before))
        let since = HeldSince(commit: "first", isFirstRevision: true, shownAfter: "third")
        #expect(seen.heldSince[left] == since)
        let tree = seen.encoded(revision: "third", place: "")
        #expect(GuardedState(try parseJSON(tree.jsonText()))?.heldSince[left] == since)
    }

    @Test(arguments: ["{}", "[]", #"{"revision":"a","configuration":{},"holds":[]}"#])
    func whatIsDamagedIsNotRead(_ text: String) throws {
        #expect(GuardedState(try parseJSON(text)) == nil)
    }
}
