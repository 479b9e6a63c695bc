import Analysis
import Guardrails
import Manifest
import Policy
import Testing

/// One row of the risk table: an edit that means it, what it takes to approve it, and which objects wait.
struct RiskCase: CustomTestStringConvertible, Sendable {
    var testDescription: String
    var reason: ChangeReason
    var guardrail: Guardrail
    var base: String
    var head: String
    var held: [String]

    init(
        _ description: String, _ reason: ChangeReason, _ guardrail: Guardrail = .riskyGrant, from base: String = "",
        to head: String, held: [String] = ["ClusterRole r", "ClusterRoleBinding b"]
    ) {
        testDescription = description
        self.reason = reason
        self.guardrail = guardrail
        // An empty state is refused before any guardrail is asked, so something stands there always.
        self.base = Self.bystander + base
        self.head = Self.bystander + head
        self.held = held
    }

    static let bystander = Text.namespace("bystander")

    /// A group that gains one rule over the whole cluster.
    static func grant(_ reason: ChangeReason, _ group: String, _ resources: String, _ verbs: String) -> RiskCase {
        RiskCase(
            "\(verbs) on \(resources)", reason,
            to: Text.clusterRole("r", Text.rule(group, resources, verbs)) + Text.binding())
    }

    static let all: [RiskCase] = [
        RiskCase(
            "cluster-admin", .clusterAdminGranted, to: Text.binding(to: "cluster-admin"), held: ["ClusterRoleBinding b"]
        ),
        RiskCase(
            "cluster-admin in one namespace", .clusterAdminGranted, to: Text.binding(in: "a", to: "cluster-admin"),
            held: ["RoleBinding a/b"]),
        grant(.clusterAdminGranted, "*", "\"*\"", "\"*\""),
        grant(.wildcardGranted, "", "\"*\"", "get"),
        grant(.wildcardGranted, "example.com", "widgets", "\"*\""),
        grant(.wildcardGranted, "*", "widgets", "get"),
        grant(.roleEscalationGranted, "rbac.authorization.k8s.io", "clusterroles", "escalate"),
        grant(.roleEscalationGranted, "rbac.authorization.k8s.io", "roles", "bind"),
        grant(.roleEscalationGranted, "rbac.authorization.k8s.io", "rolebindings", "create"),
        grant(.impersonationGranted, "", "users", "impersonate"),
        grant(.secretAccessGranted, "", "secrets", "get"),
        grant(.secretAccessGranted, "", "secrets", "list"),
        grant(.secretAccessGranted, "", "secrets", "watch"),
        RiskCase(
            "secrets in one namespace", .secretAccessGranted,
            to: Text.role("r", in: "a", Text.rule("", "secrets", "get")) + Text.binding(in: "a", kind: "Role"),
            held: ["Role a/r", "RoleBinding a/b"]),
        grant(.podExecutionGranted, "", "pods/exec", "create"),
        grant(.podExecutionGranted, "", "pods/attach", "create"),
        grant(.podExecutionGranted, "", "pods/ephemeralcontainers", "patch"),
        grant(.nodeProxyGranted, "", "nodes/proxy", "get"),
        grant(.tokenCreationGranted, "", "serviceaccounts/token", "create"),
        RiskCase(
            "approving certificates", .certificateApprovalGranted,
            to: Text.clusterRole(
                "r", Text.rule("certificates.k8s.io", "certificatesigningrequests/approval", "update"),
                Text.rule("certificates.k8s.io", "signers", "approve")) + Text.binding()),
        grant(.admissionControlGranted, "admissionregistration.k8s.io", "validatingwebhookconfigurations", "patch"),
        grant(.admissionControlGranted, "admissionregistration.k8s.io", "mutatingwebhookconfigurations", "create"),
        grant(.admissionControlGranted, "admissionregistration.k8s.io", "validatingadmissionpolicies", "delete"),
        grant(.persistentVolumeGranted, "", "persistentvolumes", "create"),
        grant(.workloadCreationGranted, "", "pods", "create"),
        RiskCase(
            "pods in a privileged namespace", .workloadCreationGranted,
            to: Text.role("r", in: "kube-system", Text.rule("", "pods", "create"))
                + Text.binding(in: "kube-system", kind: "Role"),
            held: ["Role kube-system/r", "RoleBinding kube-system/b"]),
        grant(.namespaceWriteGranted, "", "namespaces", "patch"),
        grant(.networkWriteGranted, "networking.k8s.io", "networkpolicies", "delete"),
        grant(.extensionWriteGranted, "apiextensions.k8s.io", "customresourcedefinitions", "update"),
        RiskCase(
            "configuration of the system", .systemConfigurationGranted,
            to: Text.role("r", in: "kube-system", Text.rule("", "configmaps", "update"))
                + Text.binding(in: "kube-system", kind: "Role"),
            held: ["Role kube-system/r", "RoleBinding kube-system/b"]),
        RiskCase(
            "anonymous requests", .anonymousGranted,
            to: Text.binding(
                to: "view", subject: "{kind: User, apiGroup: rbac.authorization.k8s.io, name: \"system:anonymous\"}"),
            held: ["ClusterRoleBinding b"]),
        RiskCase(
            "requests without credentials", .anonymousGranted,
            to: Text.binding(to: "view", subject: Text.group("system:unauthenticated")), held: ["ClusterRoleBinding b"]),
        RiskCase(
            "everybody may read", .anonymousGranted,
            to: Text.binding(to: "view", subject: Text.group("system:authenticated")), held: ["ClusterRoleBinding b"]),
        RiskCase(
            "everybody may write", .anonymousGranted,
            to: Text.binding(to: "edit", subject: Text.group("system:authenticated")), held: ["ClusterRoleBinding b"]),
        RiskCase(
            "masters", .clusterAdminGranted,
            to: Text.binding(to: "view", subject: Text.group("system:masters")), held: ["ClusterRoleBinding b"]),
        RiskCase(
            "a label that feeds another role", .aggregationWidened,
            to: Text.clusterRole(
                "r", labels: "rbac.authorization.k8s.io/aggregate-to-view: \"true\"", Text.rule("x.io", "xs", "get")),
            held: ["ClusterRole r"]),
        RiskCase(
            "a lower level of Pod Security", .podSecurityLoosened, .podSecurityLoosened, from: Text.namespace(),
            to: Text.namespace("a", "baseline"), held: ["Namespace a"]),
        RiskCase(
            "a level of Pod Security removed", .podSecurityLoosened, .podSecurityLoosened, from: Text.namespace(),
            to: "---\n{apiVersion: v1, kind: Namespace, metadata: {name: a}}\n", held: ["Namespace a"]),
        RiskCase(
            "a namespace without Pod Security", .podSecurityLoosened, .podSecurityLoosened,
            to: "---\n{apiVersion: v1, kind: Namespace, metadata: {name: a}}\n", held: ["Namespace a"]),
        RiskCase(
            "default-deny removed", .isolationLost, .isolationRemoved, from: Text.namespace() + Text.denyAll,
            to: Text.namespace(), held: ["NetworkPolicy a/deny"]),
        RiskCase(
            "ingress from everywhere", .externalIngressOpened, .externalAccess, from: Text.namespace() + Text.denyAll,
            to: Text.namespace() + Text.denyAll
                + Text.policy("open", "podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0}}]}]"),
            held: ["NetworkPolicy a/open"]),
        RiskCase(
            "egress to everywhere", .externalEgressOpened, .externalAccess, from: Text.namespace() + Text.denyAll,
            to: Text.namespace() + Text.denyAll
                + Text.policy(
                    "open", "podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0}}]}]"),
            held: ["NetworkPolicy a/open"]),
        RiskCase(
            "quota removed", .quotaLoosened, .quotaLoosened, from: Text.namespace() + Text.quota("10"),
            to: Text.namespace(), held: ["ResourceQuota a/q"]),
        RiskCase(
            "quota raised", .quotaLoosened, .quotaLoosened, from: Text.namespace() + Text.quota("10"),
            to: Text.namespace() + Text.quota("20"), held: ["ResourceQuota a/q"]),
        // Effective rights, not text.
        RiskCase(
            "a bound role gains a rule", .secretAccessGranted,
            from: Text.clusterRole("r", Text.rule("", "pods", "get")) + Text.binding(),
            to: Text.clusterRole("r", Text.rule("", "pods, secrets", "get")) + Text.binding(), held: ["ClusterRole r"]),
        RiskCase(
            "a bound aggregated role gains a source", .secretAccessGranted,
            from: aggregated + Text.binding(to: "sum"),
            to: aggregated + Text.binding(to: "sum")
                + Text.clusterRole("part", labels: "part-of: sum", Text.rule("", "secrets", "list")),
            held: ["ClusterRole part"]),
        RiskCase(
            "a binding to an aggregated role", .secretAccessGranted,
            from: aggregated + Text.clusterRole("part", labels: "part-of: sum", Text.rule("", "secrets", "list")),
            to: aggregated + Text.clusterRole("part", labels: "part-of: sum", Text.rule("", "secrets", "list"))
                + Text.binding(to: "sum"), held: ["ClusterRoleBinding b"]),
        RiskCase(
            "a binding to edit, which reads secrets", .secretAccessGranted,
            to: Text.binding(in: "a", to: "edit"), held: ["RoleBinding a/b"]),
        RiskCase(
            "a group that widens", .anonymousGranted,
            from: Text.binding(in: "a", to: "view", subject: Text.group("team")),
            to: Text.binding(in: "a", to: "view", subject: Text.group("system:serviceaccounts")),
            held: ["RoleBinding a/b"]),
        RiskCase(
            "a service account with a way to cluster-admin", .escalationPathOpened,
            from: Text.binding(
                "strong", to: "cluster-admin", subject: "{kind: ServiceAccount, name: strong, namespace: a}"),
            to: Text.binding(
                "strong", to: "cluster-admin", subject: "{kind: ServiceAccount, name: strong, namespace: a}")
                + Text.role("r", in: "a", Text.rule("", "pods", "create")) + Text.binding(in: "a", kind: "Role"),
            held: ["Role a/r", "RoleBinding a/b"]),
    ]

    private static let aggregated =
        "---\n{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: sum}, aggregationRule: "
        + "{clusterRoleSelectors: [{matchLabels: {part-of: sum}}]}}\n"
}

@Suite struct RiskTableTests {
    @Test(arguments: RiskCase.all)
    func isHeldWithoutApproval(_ risk: RiskCase) throws {
        let (base, head) = (try declared(risk.base), try declared(risk.head))
        let verdict = verdict(from: base, to: head)
        #expect(verdict.held == risk.held)
        #expect(verdict.guardrails.contains(risk.guardrail))
        #expect(verdict.holds.contains { $0.runbook != nil })
        // What is held stays as it was, but for what is taken away, and nothing else does.
        for id in Set(base.objects.keys).union(head.objects.keys) {
            let expected =
                risk.held.contains(id.description)
                ? base.objects[id]?.without(whatIsTakenAwayBy: head.objects[id]) : head.objects[id]
            #expect(verdict.state.objects[id]?.tree == expected?.tree, "\(id)")
        }
        let findings = analyseChange(base: SecurityState(base), head: SecurityState(head))
        #expect(findings.contains { $0.reason == risk.reason }, "\(findings.map(\.reason))")
    }

    @Test(arguments: RiskCase.all)
    func goesThroughWithApproval(_ risk: RiskCase) throws {
        let (base, head) = (try declared(risk.base), try declared(risk.head))
        let held = verdict(from: base, to: head)
        // The guardrail for the whole revision, or exactly the trailers that the holds name.
        for trailers in [
            ["\(risk.guardrail.rawValue) by Alice Example"] + otherGuardrails(of: held, but: risk.guardrail),
            held.holds.flatMap(\.trailers).map { trailer in
                trailer.replacing("Bylaw-Approved: ", with: "").replacing("NAME", with: "Alice Example")
            },
        ] {
            let verdict = verdict(from: base, to: head, approvals: trailers)
            #expect(verdict.held == [], "\(trailers)")
            #expect(verdict.state.objects.mapValues(\.tree) == head.objects.mapValues(\.tree))
            #expect(Set(risk.held) == Set(verdict.approved.keys.map(\.description)))
        }
    }

    /// A case may mean more than its row, such as a path to cluster-admin besides.
    private func otherGuardrails(of verdict: GuardVerdict, but guardrail: Guardrail) -> [String] {
        verdict.guardrails.subtracting([guardrail]).map { "\($0.rawValue) by Alice Example" }
    }

    @Test func everyRowThatHoldsHasACase() {
        let covered = Set(RiskCase.all.map(\.reason))
        let rows = riskTable.filter { $0.decision(at: .critical) == .hold }.map(\.reason)
        // They are held only where they are as grave as a row that has a case.
        let rest: Set<ChangeReason> = [
            .nodeWriteGranted, .destructiveRightGranted, .broadReadGranted, .rightGranted, .bindingLatent,
            .defaultServiceAccountBound, .tokenMountEnabled, .reachabilityWidened,
        ]
        #expect(Set(rows).subtracting(covered) == rest)
    }

    @Test(
        arguments: [
            ("SecretAccessGranted: report", GuardrailDecision.report), ("risky-grant: allow", .allow),
            ("risky-grant: report", .report), ("SecretAccessGranted: hold", .hold),
        ])
    func theRepositorySettles(_ setting: String, _ decision: GuardrailDecision) throws {
        let risk = RiskCase.grant(.secretAccessGranted, "", "secrets", "get")
        let configuration = "guardrails: {risks: {\(setting)}}\n"
        let base = try declared(risk.base, configuration: configuration)
        let verdict = verdict(from: base, to: try declared(risk.head, configuration: configuration))
        let escalates = verdict.holds.contains { $0.meanings.contains { $0.contains("can newly become") } }
        #expect(verdict.holds.isEmpty == (decision != .hold) || escalates)
        #expect(verdict.reported.contains { $0.reason == .secretAccessGranted } == (decision == .report))
    }
}
