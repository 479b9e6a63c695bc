import Analysis
import Manifest
import Testing

@Suite struct CompareReachabilityTests {
    private static let pods = """
        apiVersion: v1
        kind: Namespace
        metadata: {name: a, labels: {team: x}}
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: db, namespace: a, labels: {app: db}}
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: web, namespace: a, labels: {app: web}}
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: other, namespace: b}
        """

    private static func policy(_ spec: String, name: String = "rules") -> String {
        """
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {name: \(name), namespace: a}
        spec: \(spec)
        """
    }

    private static func text(_ rows: [ReachabilityComparison.Row]) -> [String] {
        rows.map { "\($0.sources.text) -> \($0.destinations.text): +\($0.gained) -\($0.lost)" }
    }

    private func compare(_ base: SecurityState, _ head: SecurityState) -> ReachabilityComparison {
        let unknown = base.workloads.isEmpty ? unknownPods(describedBy: base, head) : []
        return compareReachability(
            base: ReachabilityModel(base, unknownPods: unknown), head: ReachabilityModel(head, unknownPods: unknown))
    }

    @Test func equalStatesDifferInNothing() {
        let state = cluster(Self.pods).adding(Self.policy("{podSelector: {}}"))
        let comparison = compare(state, state)
        #expect(comparison.rows.isEmpty)
        #expect(comparison.isolation.isEmpty)
    }

    @Test func aNewDefaultDenyTakesEverythingFromItsPods() {
        let base = cluster(Self.pods)
        let comparison = compare(base, base.adding(Self.policy("{podSelector: {}}")))
        #expect(
            Self.text(comparison.rows) == [
                "Pod a/db Pod a/web Pod b/other 0.0.0.0/0 ::/0 -> Pod a/db Pod a/web: +no port -all ports"
            ])
        #expect(comparison.isolation.map(\.direction) == [.ingress])
        #expect(comparison.isolation.map(\.isLost) == [false])
        #expect(comparison.isolation.first?.pods == [pod("a", "db"), pod("a", "web")])
        #expect(comparison.isolation.first?.policies == [policyID("a", "rules")])
    }

    @Test func rowsSayWhatIsGainedAndWhatIsLost() {
        let base = cluster(Self.pods).adding(
            Self.policy(
                "{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {}}], ports: [{port: 80, endPort: 90}]}]}"
            ))
        let head = base.adding(
            Self.policy(
                "{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {}}], ports: [{port: 85, endPort: 99}]}]}"
            ))
        #expect(Self.text(compare(base, head).rows) == ["Pod a/web -> Pod a/db: +TCP 91-99 -TCP 80-84"])
    }

    @Test func aRuleForTheInternetIsGainedByAddresses() {
        let base = cluster(Self.pods).adding(
            Self.policy("{podSelector: {}, policyTypes: [Egress], egress: [{to: [{podSelector: {}}]}]}"))
        let head = base.adding(
            Self.policy(
                "{podSelector: {}, policyTypes: [Egress], egress: [{to: [{podSelector: {}}, {ipBlock: {cidr: 0.0.0.0/0, except: [128.0.0.0/1]}}]}]}"
            ))
        #expect(Self.text(compare(base, head).rows) == ["Pod a/db Pod a/web -> 0.0.0.0/1: +all ports -no port"])
    }

    @Test func aLabelOfAPodOrNamespaceChangesWhatPoliciesMean() {
        let base = cluster(Self.pods).adding(Self.policy("{podSelector: {matchLabels: {app: db}}}"))
        let relabelled = base.adding(
            """
            apiVersion: v1
            kind: Pod
            metadata: {name: db, namespace: a, labels: {app: database}}
            """)
        let lost = compare(base, relabelled)
        #expect(lost.isolation.map(\.isLost) == [true])
        #expect(
            Self.text(lost.rows) == [
                "Pod a/web Pod b/other 0.0.0.0/0 ::/0 -> Pod a/db: +all ports -no port"
            ])
    }

    @Test func endsOfOneStateOnlyAreNamedAndNotCompared() {
        let base = cluster(Self.pods)
        var head = base.adding(
            """
            apiVersion: v1
            kind: Pod
            metadata: {name: new, namespace: a}
            """)
        head[ObjectID(.pod, namespace: "b", name: "other")] = nil
        let comparison = compare(base, head)
        #expect(comparison.rows.isEmpty)
        #expect(comparison.onlyInBase == [pod("b", "other")])
        #expect(comparison.onlyInHead == [pod("a", "new")])
    }

    @Test func onlyTheWorkloadsAskedForAreCompared() {
        let base = cluster(Self.pods)
        let comparison = compareReachability(
            base: ReachabilityModel(base), head: ReachabilityModel(base.adding(Self.policy("{podSelector: {}}"))),
            over: .workloads([ObjectID(.pod, namespace: "b", name: "other")]))
        #expect(Self.text(comparison.rows) == ["Pod b/other -> Pod a/db Pod a/web: +no port -all ports"])
        #expect(comparison.isolation.isEmpty)
    }

    @Test func policiesAloneAreComparedByThePodsThatTheyDescribe() {
        let base = cluster(
            Self.policy(
                "{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: sql}]}]}"
            ))
        let head = base.adding(
            Self.policy(
                "{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {}}], ports: [{port: sql}]}]}")
        )
        #expect(
            Self.text(compare(base, head).rows) == [
                "pods a/<any other> pods a/app=db -> pods a/app=db: +TCP sql -no port"
            ])
        let open = compare(base, SecurityState())
        #expect(open.isolation.map(\.isLost) == [true])
        #expect(open.isolation.first?.pods.map(\.description) == ["pods a/app=db"])
    }

    @Test func unknownPodsCoverEveryValueAndWhatIsRuledOut() {
        let state = cluster(
            Self.policy(
                """
                {podSelector: {matchExpressions: [{key: app, operator: In, values: [p, q]}, {key: old, operator: DoesNotExist}]},
                 ingress: [{from: [{namespaceSelector: {matchLabels: {team: x}}, podSelector: {matchExpressions: [{key: role, operator: NotIn, values: [r]}]}},
                                   {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: dns}}}]}]}
                """))
        #expect(
            unknownPods(describedBy: state).map(\.description).sorted() == [
                "pods <<any other>>/<any other>", "pods <team=x>/<any other>", "pods <team=x>/role=r",
                "pods a/<any other>", "pods a/app=p", "pods a/app=p,old", "pods a/app=q", "pods dns/<any other>",
            ])
        #expect(unknownPods(describedBy: SecurityState()) == [])
    }

    @Test func selectorsThatContradictThemselvesDescribeNoPod() {
        let state = cluster(
            Self.policy(
                "{podSelector: {matchLabels: {app: p}, matchExpressions: [{key: app, operator: NotIn, values: [p]}]}}"))
        #expect(unknownPods(describedBy: state).map(\.selector) == ["<any other>", "<any other>"])
    }

    @Test func aNamespaceWithOtherLabelsIsComparedWithThePodsThatRulesDescribe() {
        let base = cluster(
            Self.policy(
                "{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: x}}, podSelector: {matchLabels: {app: web}}}]}]}"
            ))
        let head = base.adding(
            """
            apiVersion: v1
            kind: Namespace
            metadata: {name: b, labels: {team: x}}
            """)
        let before = base.adding(
            """
            apiVersion: v1
            kind: Namespace
            metadata: {name: b}
            """)
        let rows = Self.text(compare(before, head).rows)
        #expect(rows == ["pods b/app=web -> pods a/<any other>: +all ports -no port"])
    }
}
