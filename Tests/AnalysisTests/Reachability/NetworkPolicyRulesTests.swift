import Analysis
import Manifest
import Testing

@Suite struct NetworkPolicyRulesTests {
    private func read(_ spec: String) -> (rules: NetworkPolicyRules?, problems: [String]) {
        let text = """
            apiVersion: networking.k8s.io/v1
            kind: NetworkPolicy
            metadata: {name: p, namespace: a}
            spec: \(spec)
            """
        var problems: [ReachabilityProblem] = []
        let object = cluster(text).all(.networkPolicy).first
        let rules = object.flatMap { NetworkPolicyRules($0, problems: &problems) }
        return (rules, problems.map { "\($0.path): \($0.message)" })
    }

    struct Types: CustomTestStringConvertible {
        var spec: String
        var directions: Set<TrafficDirection>
        var testDescription: String { spec }
    }

    @Test(arguments: [
        Types(spec: "{podSelector: {}}", directions: [.ingress]),
        Types(spec: "{podSelector: {}, policyTypes: []}", directions: [.ingress]),
        Types(spec: "{podSelector: {}, policyTypes: null, egress: null}", directions: [.ingress]),
        Types(spec: "{podSelector: {}, egress: []}", directions: [.ingress]),
        Types(spec: "{podSelector: {}, egress: [{}]}", directions: [.ingress, .egress]),
        Types(spec: "{podSelector: {}, ingress: [{}]}", directions: [.ingress]),
        Types(spec: "{podSelector: {}, policyTypes: [Egress]}", directions: [.egress]),
        Types(spec: "{podSelector: {}, policyTypes: [Egress], ingress: [{}]}", directions: [.egress]),
        Types(spec: "{podSelector: {}, policyTypes: [Ingress], egress: [{}]}", directions: [.ingress]),
        Types(spec: "{podSelector: {}, policyTypes: [Ingress, Egress]}", directions: [.ingress, .egress]),
    ])
    func policyTypesHaveTheDefaultsOfTheServer(_ example: Types) {
        let (rules, problems) = read(example.spec)
        #expect(problems == [])
        #expect(rules?.directions == example.directions)
    }

    @Test(arguments: [
        "[]", "{podSelector: []}", "{podSelector: {matchLabels: {app: 1}}}", "{policyTypes: [Both]}",
        "{policyTypes: [Ingress, Egress, Ingress]}", "{ingress: {}}", "{ingress: [true]}", "{ingress: [{from: [{}]}]}",
        "{ingress: [{from: [null]}]}", "{ingress: [{from: [{ipBlock: {cidr: 10.0.0.1}}]}]}",
        "{ingress: [{from: [{ipBlock: {}}]}]}",
        "{ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}, podSelector: {}}]}]}",
        "{egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/8]}}]}]}",
        "{egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8, except: [11.0.0.0/16]}}]}]}",
        "{ingress: [{ports: [{protocol: ICMP}]}]}", "{ingress: [{ports: [{port: 0}]}]}",
        "{ingress: [{ports: [{port: 65536}]}]}", "{ingress: [{ports: [{port: 80, endPort: 79}]}]}",
        "{ingress: [{ports: [{port: 80, endPort: 9223372036854775807}]}]}", "{ingress: [{ports: [{endPort: 80}]}]}",
        "{ingress: [{ports: [{port: http, endPort: 80}]}]}", "{ingress: [{ports: [{port: '80'}]}]}",
        "{ingress: [{ports: [{port: 1.5}]}]}", "{ingress: [{ports: [{port: 1e300}]}]}",
        "{podSelector: {matchExpressions: [{key: a, operator: In}]}}",
        "{podSelector: {matchExpressions: [{key: a, operator: Exists, values: [b]}]}}",
        "{podSelector: {matchExpressions: [{key: a, operator: Like, values: [b]}]}}",
        "{podSelector: {matchExpressions: [{operator: Exists}]}}",
        // A direction that does not count has to be valid too.
        "{policyTypes: [Egress], ingress: [{from: [{}]}]}",
    ])
    func whatTheServerWouldRefuseIsNoPolicy(_ spec: String) {
        let (rules, problems) = read(spec)
        #expect(rules == nil)
        #expect(!problems.isEmpty)
    }

    @Test func problemsNameThePlace() {
        let (_, problems) = read("{egress: [{}, {to: [{podSelector: {}}, {}]}]}")
        #expect(problems == ["spec.egress[1].to[1]: must specify a peer"])
    }

    @Test func aRefusedPolicyIsReportedAndTakesNoPart() {
        let model = ReachabilityModel(
            cluster(
                """
                apiVersion: v1
                kind: Pod
                metadata: {name: p, namespace: a}
                ---
                apiVersion: networking.k8s.io/v1
                kind: NetworkPolicy
                metadata: {name: bad, namespace: a}
                spec: {podSelector: {}, ingress: [{from: [{}]}]}
                """))
        #expect(model.problems.map(\.object) == [policyID("a", "bad")])
        #expect(model.problems.first?.origin != nil)
        #expect(!model.isIsolated(pod("a", "p"), .ingress))
    }

    @Test func portsOfARuleAreATogetherOneSet() {
        let (rules, _) = read(
            "{ingress: [{ports: [{port: 80}, {port: 443, endPort: 444}, {protocol: UDP}, {port: web}]}]}")
        #expect(rules?.ingress.first?.ports.description == "TCP 80,443-444, UDP")
        #expect(rules?.ingress.first?.namedPorts == [NamedPort(.tcp, "web")])
        #expect(read("{ingress: [{ports: []}]}").rules?.ingress.first?.ports == .all)
    }
}
