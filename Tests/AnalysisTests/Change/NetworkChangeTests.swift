import Analysis
import Manifest
import Policy
import Testing

/// What one edit of network policies and namespaces means, with and without pods that are known.
@Suite struct NetworkChangeTests {
    private func state(_ text: String) -> SecurityState {
        SecurityState(
            stateObjects(text).map { StateObject(id: $0.id, tree: $0.tree, origin: Origin(file: "a.yaml", line: 1)) })
    }

    private func findings(_ base: String, _ head: String, context: String = "") -> [String] {
        analyseChange(base: state(base), head: state(head), context: state(context)).map(\.line)
    }

    private func namespace(_ name: String, _ labels: String = "{}") -> String {
        "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: \(name), labels: \(labels)}\n"
    }

    private func policy(_ name: String, in namespace: String, _ spec: String) -> String {
        """
        ---
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {name: \(name), namespace: \(namespace)}
        spec: \(spec)

        """
    }

    private let deny = "{podSelector: {}, policyTypes: [Ingress]}"
    private let pod = "---\napiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: elsewhere}\nspec: {}\n"

    /// One pod in one namespace says nothing about the pods of another.
    @Test func aPodElsewhereDoesNotHideALostIsolation() {
        let expected = ["high IsolationLost Namespace pay @ namespace pay"]
        #expect(findings(policy("deny", in: "pay", deny), "") == expected)
        #expect(findings(policy("deny", in: "pay", deny), "", context: pod) == expected)
    }

    @Test func openingToTheWorldIsCritical() {
        let closed = policy("deny", in: "pay", deny)
        let open = policy("open", in: "pay", "{podSelector: {}, policyTypes: [Ingress], ingress: [{}]}")
        let found = findings(closed, closed + open, context: pod)
        #expect(found.first == "critical ExternalIngressOpened Namespace pay @ namespace pay")
        #expect(!found.contains { $0.contains("NetworkPolicyIneffective") }, "\(found)")
    }

    /// A declared namespace that could before does not stand for those that newly can.
    @Test func aWiderSelectorLetsInWhoeverHasTheLabelsNext() {
        func allow(_ labels: String) -> String {
            policy(
                "allow", in: "pay",
                "{podSelector: {}, policyTypes: [Ingress], ingress: [{from: [{namespaceSelector: {matchLabels: \(labels)}}]}]}"
            )
        }
        let other = namespace("pay") + namespace("other", "{team: core, env: prod}")
        let found = findings(other + allow("{team: core, env: prod}"), other + allow("{team: core}"))
        #expect(found == ["high ReachabilityWidened Namespace pay @ namespace pay"], "\(found)")
    }

    /// Labels are part of the policy.
    @Test func aRelabelledNamespaceGainsWhatASelectorAllows() {
        let allow = policy(
            "allow", in: "pay",
            "{podSelector: {}, policyTypes: [Ingress], ingress: [{from: [{namespaceSelector: {matchLabels: {trusted: \"yes\"}}}]}]}"
        )
        let found = findings(
            namespace("pay") + namespace("web") + allow,
            namespace("pay") + namespace("web", "{trusted: \"yes\"}") + allow, context: pod)
        #expect(found.contains("high ReachabilityWidened Namespace pay @ namespace pay"), "\(found)")
    }

    @Test func aNewIsolationIsNamedOnceAndIsNoOutage() {
        let found = findings("", policy("deny", in: "pay", deny))
        #expect(found == ["info ReachabilityLost Namespace pay @ namespace pay"], "\(found)")
    }
}
