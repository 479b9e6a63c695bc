import Analysis
import Manifest
import Policy
import Testing

/// What one edit of roles and bindings means, in small.
@Suite struct AccessChangeTests {
    private func state(_ text: String) -> SecurityState {
        SecurityState(
            stateObjects(text).map { StateObject(id: $0.id, tree: $0.tree, origin: Origin(file: "a.yaml", line: 1)) })
    }

    private func findings(_ base: String, _ head: String, context: String = "") -> [String] {
        analyseChange(base: state(base), head: state(head), context: state(context)).map(\.line)
    }

    private func clusterRole(_ name: String, _ rules: String, labels: String = "{}") -> String {
        """
        ---
        apiVersion: rbac.authorization.k8s.io/v1
        kind: ClusterRole
        metadata: {name: \(name), labels: \(labels)}
        rules: \(rules)

        """
    }

    private func binding(
        _ name: String, _ role: String, namespace: String? = nil, subject: String = "{kind: User, name: ann}"
    ) -> String {
        """
        ---
        apiVersion: rbac.authorization.k8s.io/v1
        kind: \(namespace == nil ? "ClusterRoleBinding" : "RoleBinding")
        metadata: {name: \(name)\(namespace.map { ", namespace: \($0)" } ?? "")}
        roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: \(role)}
        subjects: [\(subject)]

        """
    }

    @Test func whatNoRequestCanAskForIsNoGain() {
        let role = clusterRole(
            "wide",
            """
            [{nonResourceURLs: [/metrics], verbs: [get]}, {apiGroups: [""], resources: [nodes, persistentvolumes], \
            verbs: [create, get]}, {apiGroups: [""], resources: [secrets], resourceNames: [a], verbs: [create]}]
            """)
        #expect(findings(role, role + binding("b", "wide", namespace: "shop")) == [])
        #expect(!findings(role, role + binding("b", "wide")).isEmpty)
    }

    @Test func bindingAClusterRoleInANamespaceCounts() {
        let role = clusterRole(
            "binder", "[{apiGroups: [rbac.authorization.k8s.io], resources: [clusterroles], verbs: [bind]}]")
        #expect(
            findings(role, role + binding("b", "binder", namespace: "shop"))
                == ["high RoleEscalationGranted User ann @ namespace shop"])
    }

    @Test func aDefaultRoleThatALabelExtendsReachesItsHolders() {
        let base = binding("b", "view", namespace: "shop")
        let added = clusterRole(
            "extra", "[{apiGroups: [\"\"], resources: [secrets], verbs: [get]}]",
            labels: "{rbac.authorization.k8s.io/aggregate-to-view: \"true\"}")
        #expect(
            findings(base, base + added) == [
                "high SecretAccessGranted User ann @ namespace shop",
                "medium AggregationWidened ClusterRole extra @ the whole cluster",
            ])
    }

    @Test func theSameRightByAnotherWayIsSilent() {
        let roles =
            clusterRole("a", "[{apiGroups: [\"\"], resources: [secrets], verbs: [get]}]")
            + clusterRole("b", "[{apiGroups: [\"\"], resources: [secrets], verbs: [get]}]")
        #expect(findings(roles + binding("x", "a"), roles + binding("y", "b")) == [])
    }

    @Test func everybodyAndNobodyCountInFull() {
        let role = clusterRole("r", "[{apiGroups: [\"\"], resources: [pods], verbs: [get]}]")
        let anonymous = "{kind: Group, name: system:unauthenticated, apiGroup: rbac.authorization.k8s.io}"
        #expect(
            findings(role, role + binding("b", "r", namespace: "shop", subject: anonymous))
                == ["critical AnonymousGranted Group system:unauthenticated @ namespace shop"])
    }

    @Test func theLastAdministratorIsMissed() {
        let base = binding("b", "cluster-admin")
        #expect(
            findings(base, "") == [
                "high RightRevoked ClusterRole cluster-admin @ the whole cluster",
                "info RightRevoked User ann @ the whole cluster",
            ])
        #expect(
            findings("", base) == ["critical ClusterAdminGranted User ann @ the whole cluster"])
    }

    @Test func aBindingToNothingIsLatent() {
        #expect(
            findings("", binding("b", "later")) == ["medium BindingLatent ClusterRoleBinding b @ the whole cluster"])
        let role = clusterRole("later", "[]")
        #expect(findings("", binding("b", "later"), context: role) == [])
    }

    @Test func approvingCertificatesTakesBothRights() {
        let approval =
            "{apiGroups: [certificates.k8s.io], resources: [certificatesigningrequests/approval], verbs: [update]}"
        let signer = "{apiGroups: [certificates.k8s.io], resources: [signers], resourceNames: [a/b], verbs: [approve]}"
        let half = clusterRole("r", "[\(approval)]") + binding("b", "r")
        #expect(findings("", half) == ["medium RightGranted User ann @ the whole cluster"])
        let whole = clusterRole("r", "[\(approval), \(signer)]") + binding("b", "r")
        #expect(findings("", whole).first == "critical CertificateApprovalGranted User ann @ the whole cluster")
    }
}
