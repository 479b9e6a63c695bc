import Analysis
import Manifest
import Testing

@Suite struct ReachabilityLintTests {
    private static let web = """
        apiVersion: v1
        kind: Pod
        metadata: {name: web, namespace: a, labels: {app: web}}
        spec: {containers: [{name: c, ports: [{name: http, containerPort: 80}]}]}
        """

    private func lints(_ specs: String..., pods: String = web) -> [ReachabilityLint] {
        specs.enumerated().reduce(cluster(pods)) { state, spec in
            state.adding(
                """
                apiVersion: networking.k8s.io/v1
                kind: NetworkPolicy
                metadata: {name: n\(spec.offset), namespace: a}
                spec: \(spec.element)
                """)
        }.pipe { ReachabilityModel($0).lints() }
    }

    struct Example: CustomTestStringConvertible {
        var spec: String
        var kinds: [ReachabilityLint.Kind]
        var testDescription: String { spec }
    }

    @Test(arguments: [
        Example(spec: "{podSelector: {}, ingress: [{ports: [{port: http}]}]}", kinds: []),
        Example(spec: "{podSelector: {matchLabels: {app: wed}}}", kinds: [.selectsNoPod]),
        Example(
            spec: "{podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {app: x}}}]}]}",
            kinds: [.ruleMatchesNothing]),
        Example(
            spec: "{podSelector: {}, ingress: [{ports: [{port: https}]}]}",
            kinds: [.namedPortUnmatched(NamedPort(.tcp, "https"))]),
        Example(
            spec: "{podSelector: {}, ingress: [{ports: [{port: http, protocol: UDP}]}]}",
            kinds: [.namedPortUnmatched(NamedPort(.udp, "http"))]),
        Example(
            spec: "{podSelector: {}, egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0}}], ports: [{port: http}]}]}",
            kinds: [.namedPortUnmatched(NamedPort(.tcp, "http"))]),
        Example(spec: "{podSelector: {}, egress: [{ports: [{port: http}]}]}", kinds: []),
        Example(spec: "{podSelector: {}, policyTypes: [Egress], ingress: [{}]}", kinds: [.rulesIgnored]),
        Example(spec: "{podSelector: {}, policyTypes: [Ingress], egress: [{}]}", kinds: [.rulesIgnored]),
    ])
    func findsWhatDoesNothing(_ example: Example) {
        #expect(lints(example.spec).map(\.kind) == example.kinds)
    }

    @Test func ofTwoEqualPoliciesTheLaterIsCovered() {
        let spec = "{podSelector: {}, ingress: [{from: [{podSelector: {}}]}]}"
        let found = lints(spec, spec)
        #expect(found.map(\.policy) == [policyID("a", "n1")])
        #expect(found.map(\.kind) == [.covered(by: policyID("a", "n0"))])
    }

    @Test func aPolicyIsCoveredByOneWithMoreRulesButNotByOneForLessDirections() {
        let few = "{podSelector: {}, ingress: [{from: [{podSelector: {}}]}]}"
        let more = "{podSelector: {}, ingress: [{from: [{podSelector: {}}]}, {ports: [{port: 80}]}]}"
        let both = "{podSelector: {}, policyTypes: [Ingress, Egress], ingress: [{from: [{podSelector: {}}]}]}"
        #expect(lints(few, more).map(\.policy) == [policyID("a", "n0")])
        #expect(lints(both, more).isEmpty)
        // A default deny is worth keeping whatever stands beside it.
        #expect(lints("{podSelector: {}}", more).isEmpty)
    }

    @Test func saysNothingOfPodsWhereNoneAreKnown() {
        let found = lints("{podSelector: {matchLabels: {app: x}}, policyTypes: [Egress], ingress: [{}]}", pods: "")
        #expect(found.map(\.kind) == [.rulesIgnored])
    }
}

extension SecurityState {
    fileprivate func pipe<Value>(_ body: (SecurityState) -> Value) -> Value { body(self) }
}
