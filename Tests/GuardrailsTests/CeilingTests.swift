import Analysis
import Guardrails
import Manifest
import Policy
import Testing

@Suite struct CeilingTests {
    private let account = ObjectID(.serviceAccount, namespace: "bylaw-system", name: "bylaw")
    private static let rbac = "rbac.authorization.k8s.io"

    /// The rules by namespace, as text.
    private func ceiling(
        _ text: String, escalation: Ceiling.Escalation = .namespaces, isForNewNamespaces: Bool = false
    ) throws -> (grants: [String: [String]], whole: Ceiling) {
        let ceiling = Ceiling(
            for: try declared(text), account: account, escalation: escalation, isForNewNamespaces: isForNewNamespaces)
        return (ceiling.grants.mapValues { $0.map(\.rule.description) }.filter { !$0.value.isEmpty }, ceiling)
    }

    @Test func harmlessRulesAreHeldWhereTheRoleIs() throws {
        let text =
            Text.role("r", in: "a", Text.rule("", "pods", "get, list"))
            + Text.binding("b", in: "a", to: "r", kind: "Role")
            + Text.clusterRole("c", Text.rule("apps", "deployments", "get")) + Text.binding("b", to: "c")
        #expect(try ceiling(text).grants == ["a": ["get,list pods"], "": ["get deployments.apps"]])
        #expect(
            try ceiling(text, isForNewNamespaces: true).grants == ["": ["get,list pods", "get deployments.apps"]])
    }

    /// What Bylaw works with it may grant already.
    @Test func whatIsHeldForWorkTakesNothing() throws {
        let rule = Text.rule(Self.rbac, "rolebindings", "create, patch") + ", " + Text.rule("", "namespaces", "get")
        #expect(try ceiling(Text.clusterRole("c", rule) + Text.binding("b", to: "c")).grants.isEmpty)
        // `update` is not among it.
        let more = try ceiling(Text.clusterRole("c", Text.rule(Self.rbac, "rolebindings", "update")))
        #expect(more.grants.isEmpty && more.whole.administered.map(\.need.id.name) == ["c"])
    }

    @Test(arguments: [
        ("", "secrets", "get"), ("", "pods/exec", "create"), ("", "serviceaccounts/token", "create"),
        ("", "serviceaccounts", "impersonate"), (rbac, "roles", "escalate"), ("", "pods", "create"),
        ("apps", "deployments", "patch"), ("", "\"*\"", "get"), ("\"*\"", "pods", "get"), ("", "pods", "\"*\""),
        ("", "\"*/scale\"", "get"),
    ])
    func whatBylawShouldNotHoldGoesByName(_ group: String, _ resource: String, _ verb: String) throws {
        let rule =
            "{apiGroups: [\(group.hasPrefix("\"") ? group : "\"\(group)\"")], resources: [\(resource)], verbs: [\(verb)]}"
        let role = Text.role("r", in: "a", rule)
        let bound = role + Text.binding("b", in: "a", to: "r", kind: "Role")
        #expect(try ceiling(role).grants == ["a": ["escalate roles.\(Self.rbac) named \"r\""]])
        #expect(try ceiling(bound).grants == ["a": ["bind,escalate roles.\(Self.rbac) named \"r\""]])
        let none = try ceiling(bound, escalation: .none)
        #expect(none.grants == ["a": ["bind roles.\(Self.rbac) named \"r\""]])
        #expect(none.whole.administered.map(\.need.id.name) == ["r"])
        // A ClusterRole is never written by name unless that is asked for, since that is worth the cluster.
        let wide = Text.clusterRole("c", rule) + Text.binding("b", in: "a", to: "c")
        #expect(try ceiling(wide).grants == ["a": ["bind clusterroles.\(Self.rbac) named \"c\""]])
        #expect(try ceiling(wide).whole.administered.map(\.need.id.name) == ["c"])
        #expect(
            try ceiling(wide, escalation: .all).grants == [
                "": ["escalate clusterroles.\(Self.rbac) named \"c\""],
                "a": ["bind clusterroles.\(Self.rbac) named \"c\""],
            ])
    }

    /// Whoever holds the right to bind them is an administrator.
    @Test func whatIsWorthTheClusterIsNotBoundByName() throws {
        let wildcard = Text.clusterRole("all", "{apiGroups: [\"*\"], resources: [\"*\"], verbs: [\"*\"]}")
        for text in [
            Text.binding("b", to: "cluster-admin"), Text.binding("b", in: "a", to: "cluster-admin"),
            wildcard + Text.binding("b", to: "all"),
        ] {
            let found = try ceiling(text)
            #expect(found.grants.isEmpty, "\(text)")
            #expect(found.whole.administered.contains { $0.need.id.name == "b" }, "\(text)")
            #expect(try !ceiling(text, escalation: .all).grants.isEmpty, "asked for")
        }
    }

    /// Neither right approves a certificate alone.
    @Test func whatIsDangerousTogetherIsNotHeldTogether() throws {
        let group = "certificates.k8s.io"
        let one = Text.clusterRole("one", Text.rule(group, "certificatesigningrequests/approval", "update"))
        let two = Text.clusterRole("two", Text.rule(group, "signers", "approve"))
        #expect(try ceiling(one).whole.administered.isEmpty)
        #expect(try ceiling(two).whole.administered.isEmpty)
        #expect(try ceiling(one + two).whole.administered.map(\.need.id.name) == ["two"])
    }

    @Test func anAggregatedRoleIsWrittenByAnAdministrator() throws {
        let gathered =
            "---\n{apiVersion: \(Self.rbac)/v1, kind: ClusterRole, metadata: {name: all}, "
            + "aggregationRule: {clusterRoleSelectors: [{matchLabels: {a: b}}]}}\n"
        let found = try ceiling(gathered + Text.binding("b", to: "all"))
        #expect(found.grants == ["": ["bind clusterroles.\(Self.rbac) named \"all\""]])
        #expect(found.whole.administered.map(\.need.id.name) == ["all"])
    }

    @Test func kubernetesOwnUserRolesAreBoundByNameWhereTheyAreBound() throws {
        let text = Text.binding("v", in: "a", to: "view") + Text.binding("e", in: "b", to: "edit")
        #expect(
            try ceiling(Text.namespace() + text).grants == [
                "a": ["bind clusterroles.\(Self.rbac) named \"view\""],
                "b": ["bind clusterroles.\(Self.rbac) named \"edit\""],
            ])
    }

    @Test(arguments: ["system:node", "bylaw", "bylaw-ceiling"])
    func nothingIsGivenOnTheNamesOfKubernetesAndOfBylaw(_ name: String) throws {
        let found = try ceiling(Text.namespace() + Text.binding("b", to: name), escalation: .all)
        #expect(found.grants.isEmpty)
        #expect(found.whole.refused.map(\.need.id.name) == ["b"])
    }

    /// Bylaw never writes them, so it needs nothing for them.
    @Test(arguments: ["kube-system", "bylaw-system"]) func whatIsProtectedTakesNothing(_ namespace: String) throws {
        let text = Text.role("r", in: namespace, Text.rule("", "secrets", "get"))
        #expect(try ceiling(Text.namespace() + text).grants.isEmpty)
    }

    @Test func eachRuleNamesWhatNeedsIt() throws {
        let text =
            Text.role("one", in: "a", Text.rule("", "pods", "get"))
            + Text.role("two", in: "a", Text.rule("", "pods", "list"))
        let grant = try #require(try ceiling(text).whole.grants["a"]?.first)
        #expect(grant.rule.description == "get,list pods")
        #expect(grant.needs.map(\.id.name) == ["one", "two"])
    }

    /// Ten thousand roles are looked at with each revision.
    @Test(.timeLimit(.minutes(1))) func manyRolesTakeNoLongTime() throws {
        let text = (0..<5_000).map {
            Text.role("r\($0)", in: "n\($0 % 100)", Text.rule("", "pods, services, configmaps", "get, list, watch"))
        }
        let state = try declared(text.joined())
        let start = ContinuousClock.now
        let found = Ceiling(for: state, account: account)
        #expect(found.grants.count == 100)
        #expect(ContinuousClock.now - start < .seconds(20))
    }
}
