import Analysis
import Foundation
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
            verbs: [create, get]}, {apiGroups: [""], resources: [secrets], resourceNames: [a], verbs: [deletecollection]}]
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

    /// Server-side apply of an object that is not there asks for `create` with its name, and an empty name is a name.
    @Test func namesDoNotHideWhatCanBeAsked() {
        let named =
            "{apiGroups: [rbac.authorization.k8s.io], resources: [clusterrolebindings], resourceNames: [NAME], verbs: [VERBS]}"
        func role(_ name: String, _ verbs: String) -> String {
            clusterRole(
                "r",
                "[" + named.replacingOccurrences(of: "NAME", with: name).replacingOccurrences(of: "VERBS", with: verbs)
                    + "]")
                + binding("b", "r")
        }
        #expect(
            findings(role("x", "patch"), role("x", "patch, create"))
                == ["critical RoleEscalationGranted User ann @ the whole cluster"])
        #expect(
            findings("", role("\"\"", "create")) == ["critical RoleEscalationGranted User ann @ the whole cluster"])
    }

    /// One service account, named in its two forms, is one subject.
    @Test func twoFormsOfOneAccountDoNotHideEachOther() {
        let account = "{kind: ServiceAccount, name: x, namespace: ci}"
        let user = "{kind: User, name: \"system:serviceaccount:ci:x\"}"
        let both = binding("a", "cluster-admin", subject: account) + binding("b", "cluster-admin", subject: user)
        #expect(findings("", both) == ["critical ClusterAdminGranted ServiceAccount ci/x @ the whole cluster"])
        let one = binding("a", "cluster-admin", subject: account)
        #expect(findings(one, binding("a", "cluster-admin", subject: user)) == [])
    }

    @Test func strongAccountsByTheirGroupMakeANamespaceWeigh() {
        let pods = clusterRole("pods", "[{apiGroups: [\"\"], resources: [pods], verbs: [create]}]")
        for group in ["system:serviceaccounts:ci", "system:serviceaccounts"] {
            let strong = binding("s", "cluster-admin", subject: "{kind: Group, name: \"\(group)\"}") + pods
            #expect(
                findings(strong, strong + binding("b", "pods", namespace: "ci")) == [
                    "critical EscalationPathOpened User ann @ the whole cluster",
                    "critical WorkloadCreationGranted User ann @ namespace ci",
                ], "\(group)")
        }
    }

    @Test func whatTheClusterHasIsTheBaseOfWhatIsTakenOver() {
        let role = clusterRole("r", "[{apiGroups: [\"\"], resources: [secrets], verbs: [get]}]")
        let both = role + binding("b", "r")
        #expect(findings("", both, context: both) == [])
        let weaker = clusterRole("r", "[{apiGroups: [\"\"], resources: [pods], verbs: [get]}]") + binding("b", "r")
        #expect(
            findings("", both, context: weaker) == [
                "critical SecretAccessGranted User ann @ the whole cluster",
                "info RightRevoked User ann @ the whole cluster",
            ])
    }

    @Test func manySubjectsAndRulesAreQuick() {
        let subjects = (0..<500).map { "{kind: User, name: u\($0)}" }.joined(separator: ", ")
        let rules = (0..<100).map { "{apiGroups: [g\($0).example.com], resources: [x], verbs: [get]}" }
        let head = clusterRole("r", "[" + rules.joined(separator: ", ") + "]") + binding("b", "r", subject: subjects)
        #expect(findings("", head).count == 500)
        let many = (0..<800).map { "{apiGroups: [\"\"], resources: [r\($0)], verbs: [get]}" }
        let other = (0..<800).map { "{apiGroups: [\"\"], resources: [s\($0)], verbs: [get]}" }
        #expect(
            findings(
                clusterRole("r", "[" + many.joined(separator: ", ") + "]") + binding("b", "r"),
                clusterRole("r", "[" + other.joined(separator: ", ") + "]") + binding("b", "r")
            ).count == 2)
    }
}
