import Guardrails
import Manifest
import Policy
import Testing

/// Labels of a namespace that the scopes of the repository read.
@Suite struct ScopeLabelTests {
    private static let scopes =
        "scopes: {rules: [{namespaceSelector: {matchLabels: {tier: closed}}, mode: enforce}]}\n"

    private func namespace(_ labels: String) -> String {
        "---\n{apiVersion: v1, kind: Namespace, metadata: {name: a, labels: {"
            + "pod-security.kubernetes.io/enforce: restricted, \(labels)}}}\n"
    }

    private func state(_ labels: String, _ more: String = "") throws -> DeclaredState {
        try declared(namespace(labels) + more, configuration: Self.scopes)
    }

    @Test func leavingAScopeIsHeld() throws {
        let base = try state("tier: closed")
        let head = try state("tier: open")
        let refused = verdict(from: base, to: head)
        #expect(refused.held == ["Namespace a"] && refused.guardrails == [.configurationLoosened])
        let id = ObjectID(.namespace, name: "a")
        #expect(refused.state.objects[id]?.tree == base.objects[id]?.tree)
        #expect(verdict(from: base, to: head, approvals: ["configuration-loosened by Alice"]).holds == [])
    }

    @Test func enteringAnEnforcedScopeIsHeldWhereSomethingWouldGo() throws {
        let base = try state("tier: open")
        let head = try state("tier: closed", Text.denyAll)
        let inCluster = try live(namespace("tier: open") + Text.role("mine", Text.rule("", "pods", "get")))
        let refused = verdict(from: base, to: head, live: inCluster)
        #expect(refused.held == ["Namespace a"] && refused.guardrails == [.scopeEnforced])
        #expect(refused.holds.first?.meanings.first?.contains("Role a/mine") == true)
        let trailer = "scope-enforced Namespace a by Alice"
        #expect(verdict(from: base, to: head, approvals: [trailer], live: inCluster).holds == [])
        // Where nothing undeclared is, nothing would go.
        #expect(verdict(from: base, to: head, live: try live(namespace("tier: open"))).holds == [])
    }

    /// Pod Security that tightens goes at once, unless it decides about a scope as well: then it waits with the rest.
    @Test func aHeldNamespaceTakesNoLabelThatAScopeReads() throws {
        let level = "pod-security.kubernetes.io/"
        let scopes =
            "scopes: {rules: [{namespaceSelector: {matchLabels: {\(level)audit: restricted}}, mode: enforce}]}\n"
        func state(_ audit: String, _ warn: String) throws -> DeclaredState {
            try declared(
                "---\n{apiVersion: v1, kind: Namespace, metadata: {name: a, labels: {\(level)enforce: restricted, "
                    + "\(level)audit: \(audit), \(level)warn: \(warn)}}}\n", configuration: scopes)
        }
        let id = ObjectID(.namespace, name: "a")
        let role = try live(
            "---\n{apiVersion: v1, kind: Namespace, metadata: {name: a}}\n"
                + Text.role("mine", Text.rule("", "pods", "get")))
        let refused = verdict(
            from: try state("baseline", "baseline"), to: try state("restricted", "restricted"), live: role)
        #expect(refused.guardrails == [.scopeEnforced])
        let labels = refused.state.objects[id]?.tree["metadata"]?["labels"]
        #expect(labels?[level + "audit"] == "baseline" && labels?[level + "warn"] == "restricted")
    }

    /// Declaring a namespace that is there brings it under the scopes as well.
    @Test func takingANamespaceOverIntoAnEnforcedScopeIsHeld() throws {
        let base = try declared(Text.namespace("b"), configuration: Self.scopes)
        let head = try declared(Text.namespace("b") + namespace("tier: closed"), configuration: Self.scopes)
        let inCluster = try live(namespace("tier: closed") + Text.role("mine", Text.rule("", "pods", "get")))
        #expect(verdict(from: base, to: head, live: inCluster).guardrails == [.scopeEnforced])
        #expect(verdict(from: base, to: head).holds == [], "a new namespace has nothing in it")
    }

    /// Before a scope is enforced it shows what would go.
    @Test func aScopeShowsWhatItWouldRemove() throws {
        let base = try declared(namespace("tier: open"))
        let head = try declared(namespace("tier: open"), configuration: "scopes: {default: enforce}\n")
        let mine = (0..<5).map { Text.role("mine\($0)", Text.rule("", "pods", "get")) }.joined()
        let refused = verdict(from: base, to: head, live: try live(namespace("tier: open") + mine))
        let hold = try #require(refused.holds.first)
        #expect(hold.removes.map(\.name) == (0..<5).map { "mine\($0)" })
        #expect(hold.meanings.first?.hasSuffix("Role a/mine0, Role a/mine1, Role a/mine2 and 2 more") == true)
    }

    @Test func whoeverApprovesAScopeApprovesWhatItSelects() throws {
        let base = try declared(namespace("tier: open"))
        let head = try state("tier: closed")
        let inCluster = try live(namespace("tier: open") + Text.role("mine", Text.rule("", "pods", "get")))
        #expect(verdict(from: base, to: head, live: inCluster).guardrails == [.scopeEnforced])
        let trailer = "scope-enforced Configuration bylaw.yaml by Alice"
        #expect(verdict(from: base, to: head, approvals: [trailer], live: inCluster).holds == [])
        // Labels that came after it were not approved with it.
        let source = ApprovalSource(
            commit: "c", approvals: [try #require(Approval(trailer: trailer))], declared: try state("tier: open"))
        let later = guardRevision(GuardQuestion(inForce: base, head: head, live: inCluster, approvals: [source]))
        #expect(later.held == ["Namespace a"])
    }
}
