import Analysis
import Testing

/// Ten pull requests as teams make them, each with what a reviewer has to hear, and nothing else.
@Suite struct PullRequestTests {
    @Test(arguments: pullRequests)
    func tellsTheReviewerWhatItMeans(_ request: PullRequest) throws {
        let findings = try request.findings()
        #expect(findings.map(\.line) == request.expected, "\(findings.map(\.message))")
        for finding in findings {
            #expect(!finding.causes.isEmpty, "\(finding.message)")
            #expect(finding.causes.allSatisfy { $0.origin != nil }, "\(finding.causes)")
        }
    }

    @Test func thereAreTenOfThem() { #expect(pullRequests.count == 10) }
}

private let pullRequests: [PullRequest] = [
    PullRequest(
        testDescription: "an innocent refactor: one role becomes two with the same rules",
        edits: [
            .replace(
                "production/payments/access.yaml",
                old: """
                    - apiGroups: [""]
                      resources: [pods/log]
                      verbs: [get]
                    ---
                    apiVersion: rbac.authorization.k8s.io/v1
                    kind: RoleBinding
                    metadata:
                      name: developers
                      namespace: payments-production
                    """,
                new: """
                    ---
                    apiVersion: rbac.authorization.k8s.io/v1
                    kind: Role
                    metadata:
                      name: log-reader
                      namespace: payments-production
                    rules:
                    - apiGroups: [""]
                      resources: [pods/log]
                      verbs: [get]
                    ---
                    apiVersion: rbac.authorization.k8s.io/v1
                    kind: RoleBinding
                    metadata:
                      name: log-readers
                      namespace: payments-production
                    roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: log-reader}
                    subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: team-payments}]
                    ---
                    apiVersion: rbac.authorization.k8s.io/v1
                    kind: RoleBinding
                    metadata:
                      name: developers
                      namespace: payments-production
                    """)
        ], expected: []),
    PullRequest(
        testDescription: "a role that is bound already gains secrets",
        edits: [
            .replace(
                "production/payments/access.yaml", old: "  resources: [pods, services, configmaps, events]",
                new: "  resources: [pods, services, configmaps, events, secrets]")
        ], expected: ["high SecretAccessGranted Group team-payments @ namespace payments-production"]),
    PullRequest(
        testDescription: "an aggregation label gives a bound role's rules to more people",
        edits: [
            .write(
                "cluster/debugging.yaml",
                """
                apiVersion: rbac.authorization.k8s.io/v1
                kind: ClusterRole
                metadata:
                  name: debugging
                  labels:
                    audit.example.com/aggregate-to-compliance: "true"
                rules:
                - apiGroups: [""]
                  resources: [pods/exec]
                  verbs: [create]
                """)
        ], expected: ["high PodExecutionGranted Group compliance-office @ the whole cluster"]),
    PullRequest(
        testDescription: "a typo in a group's name means every service account",
        edits: [
            .replace(
                "cluster/auditor.yaml",
                old: """
                    - apiGroup: rbac.authorization.k8s.io
                      kind: Group
                      name: security-audit
                    """,
                new: """
                    - apiGroup: rbac.authorization.k8s.io
                      kind: Group
                      name: system:serviceaccounts
                    """)
        ],
        expected: [
            "high AnonymousGranted Group system:serviceaccounts @ the whole cluster",
            "info RightRevoked Group security-audit @ the whole cluster",
        ]),
    PullRequest(
        testDescription: "the default deny of a namespace is removed, and no other policy is for every pod",
        edits: [
            .replace(
                "production/payments/network.yaml",
                old: """
                    apiVersion: networking.k8s.io/v1
                    kind: NetworkPolicy
                    metadata:
                      name: default-deny
                      namespace: payments-production
                    spec:
                      podSelector: {}
                      policyTypes: [Ingress, Egress]
                    ---

                    """, new: ""),
            .replace(
                "production/payments/network.yaml",
                old: """
                      name: allow-monitoring
                      namespace: payments-production
                    spec:
                      podSelector: {}
                    """,
                new: """
                      name: allow-monitoring
                      namespace: payments-production
                    spec:
                      podSelector: {matchLabels: {app: checkout-api}}
                    """),
        ], expected: ["high IsolationLost Namespace payments-production @ namespace payments-production"]),
    PullRequest(
        testDescription: "a policy's selector no longer matches the pods it is for",
        edits: [
            .replace(
                "production/payments/network.yaml",
                old: """
                      podSelector:
                        matchLabels:
                          app: checkout-api
                      policyTypes: [Ingress]
                    """,
                new: """
                      podSelector:
                        matchLabels:
                          app: checkout
                      policyTypes: [Ingress]
                    """)
        ], expected: ["high ReachabilityLost Namespace payments-production @ namespace payments-production"]),
    PullRequest(
        testDescription: "Pod Security lowered by an older version",
        edits: [
            .replace(
                "production/payments/namespace.yaml", old: "pod-security.kubernetes.io/enforce-version: v1.29",
                new: "pod-security.kubernetes.io/enforce-version: v1.18")
        ], expected: ["medium PodSecurityLoosened Namespace payments-production @ namespace payments-production"]),
    PullRequest(
        testDescription: "a wildcard instead of a list",
        edits: [
            .replace(
                "staging/payments/access.yaml",
                old: """
                    - apiGroups: [apps]
                      resources: [deployments, replicasets, statefulsets]
                      verbs: [get, list, watch, create, update, patch, delete]
                    """,
                new: """
                    - apiGroups: [apps]
                      resources: ["*"]
                      verbs: ["*"]
                    """)
        ], expected: ["high WildcardGranted Group team-payments @ namespace payments-staging"]),
    PullRequest(
        testDescription: "two harmless-looking objects together make an escalation",
        edits: [
            .append(
                "cluster/delivery.yaml",
                """
                apiVersion: rbac.authorization.k8s.io/v1
                kind: Role
                metadata:
                  name: jobs
                  namespace: delivery
                rules:
                - apiGroups: [batch]
                  resources: [jobs]
                  verbs: [create]
                ---
                apiVersion: rbac.authorization.k8s.io/v1
                kind: RoleBinding
                metadata:
                  name: jobs
                  namespace: delivery
                roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: jobs}
                subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: team-insights}]
                ---
                apiVersion: rbac.authorization.k8s.io/v1
                kind: ClusterRole
                metadata:
                  name: role-publisher
                rules:
                - apiGroups: [rbac.authorization.k8s.io]
                  resources: [rolebindings]
                  verbs: [create]
                ---
                apiVersion: rbac.authorization.k8s.io/v1
                kind: ClusterRoleBinding
                metadata:
                  name: role-publisher
                roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: role-publisher}
                subjects: [{kind: ServiceAccount, namespace: delivery, name: insights-delivery}]
                """)
        ],
        expected: [
            "critical EscalationPathOpened Group team-insights @ the whole cluster",
            "critical RoleEscalationGranted ServiceAccount delivery/insights-delivery @ the whole cluster",
            "critical WorkloadCreationGranted Group team-insights @ namespace delivery",
        ]),
    PullRequest(
        testDescription: "a pure reordering",
        edits: [
            .replace(
                "production/payments/access.yaml",
                old: """
                    - apiGroups: [""]
                      resources: [pods, services, configmaps, events]
                      verbs: [get, list, watch]
                    - apiGroups: [apps]
                      resources: [deployments, replicasets, statefulsets]
                      verbs: [get, list, watch]
                    """,
                new: """
                    # Sorted by group.
                    - {verbs: [watch, list, get], resources: [statefulsets, replicasets, deployments], apiGroups: [apps]}
                    - {verbs: [list, get, watch], resources: [events, configmaps, services, pods], apiGroups: [""]}
                    """),
            .replace(
                "production/payments/network.yaml",
                old: """
                        - {protocol: UDP, port: 53}
                        - {protocol: TCP, port: 53}
                    """,
                new: """
                        - {protocol: TCP, port: 53}
                        - {protocol: UDP, port: 53}
                    """),
        ], expected: []),
]
