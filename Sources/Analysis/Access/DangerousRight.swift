import Manifest
import Policy

/// A kind of right that an attacker wants, as the table of security semantics, section 4.1, lists it.
struct DangerousRight: Sendable {
    var reason: ChangeReason
    /// Of the whole cluster, and of a namespace where strong workloads run.
    var severity: Severity
    /// Of any other namespace.
    var severityInNamespace: Severity
    /// Requests of which each alone is the right; their namespace is filled in.
    var probes: [AccessRequest]
    /// Whether it is one only for the whole cluster, or in `kube-system`.
    var isOnlyForSystem = false
    /// Whether it takes a probe of each resource: approving a certificate takes a right on the request and one on its signer.
    var takesAllResources = false

    private init(
        _ reason: ChangeReason, _ severity: Severity, inNamespace: Severity? = nil, isOnlyForSystem: Bool = false,
        takesAllResources: Bool = false, _ probes: [AccessRequest]
    ) {
        self.reason = reason
        self.severity = severity
        severityInNamespace = inNamespace ?? severity.oneStepLower
        self.isOnlyForSystem = isOnlyForSystem
        self.takesAllResources = takesAllResources
        self.probes = probes
    }

    private static let write = ["create", "update", "patch", "delete", "deletecollection"]
    private static let make = ["create", "update", "patch"]

    /// All of them, the gravest first.
    static let all: [DangerousRight] = [
        DangerousRight(
            .roleEscalationGranted, .critical,
            probes(["escalate", "bind"], "rbac.authorization.k8s.io", ["roles", "clusterroles"])
                + probes(
                    write, "rbac.authorization.k8s.io",
                    ["roles", "clusterroles", "rolebindings", "clusterrolebindings"])),
        DangerousRight(
            .impersonationGranted, .critical,
            probes(impersonationVerbs, "", ["users", "groups", "serviceaccounts"])
                + probes(impersonationVerbs, "authentication.k8s.io", ["users", "groups", "uids", "userextras/scopes"])),
        DangerousRight(
            .secretAccessGranted, .critical, probes(["get", "list", "watch"] + make, "", ["secrets"])),
        DangerousRight(.tokenCreationGranted, .critical, probes(["create"], "", ["serviceaccounts/token"])),
        DangerousRight(
            .nodeProxyGranted, .critical,
            probes(["get", "create", "update", "patch", "delete"], "", ["nodes/proxy"])),
        DangerousRight(
            .certificateApprovalGranted, .critical,
            takesAllResources: true,
            probes(["update", "patch"], "certificates.k8s.io", ["certificatesigningrequests/approval"])
                + probes(["approve"], "certificates.k8s.io", ["signers"])),
        DangerousRight(
            .certificateApprovalGranted, .critical, takesAllResources: true,
            probes(["update", "patch"], "certificates.k8s.io", ["certificatesigningrequests/status"])
                + probes(["sign"], "certificates.k8s.io", ["signers"])),
        DangerousRight(
            .admissionControlGranted, .critical,
            probes(
                write, "admissionregistration.k8s.io",
                [
                    "mutatingwebhookconfigurations", "validatingwebhookconfigurations", "validatingadmissionpolicies",
                    "validatingadmissionpolicybindings", "mutatingadmissionpolicies", "mutatingadmissionpolicybindings",
                ]) + probes(write, "apiregistration.k8s.io", ["apiservices"])),
        DangerousRight(
            .systemConfigurationGranted, .critical, isOnlyForSystem: true, probes(write, "", ["configmaps"])),
        DangerousRight(
            .workloadCreationGranted, .critical, inNamespace: .high,
            probes(make, "", ["pods", "replicationcontrollers", "podtemplates"])
                + probes(make, "apps", ["deployments", "daemonsets", "replicasets", "statefulsets"])
                + probes(make, "batch", ["jobs", "cronjobs"])),
        DangerousRight(
            .podExecutionGranted, .high,
            probes(
                ["get", "create"], "", ["pods/exec", "pods/attach", "pods/portforward"])
                + probes(["get", "create", "update", "patch", "delete"], "", ["services/proxy", "pods/proxy"])
                + probes(["update", "patch"], "", ["pods/ephemeralcontainers"])),
        DangerousRight(.persistentVolumeGranted, .high, probes(["create"], "", ["persistentvolumes"])),
        DangerousRight(.namespaceWriteGranted, .high, probes(make, "", ["namespaces"])),
        DangerousRight(
            .networkWriteGranted, .high,
            probes(write, "networking.k8s.io", ["networkpolicies", "ingresses"])
                + probes(write, "", ["services", "endpoints"]) + probes(write, "discovery.k8s.io", ["endpointslices"])
                + probes(write, "gateway.networking.k8s.io", ["gateways", "httproutes"])),
        DangerousRight(
            .extensionWriteGranted, .high,
            probes(write, "apiextensions.k8s.io", ["customresourcedefinitions"])
                + probes(write, "argoproj.io", ["applications", "applicationsets", "appprojects", "workflows"])
                + probes(write, "kustomize.toolkit.fluxcd.io", ["kustomizations"])
                + probes(write, "helm.toolkit.fluxcd.io", ["helmreleases"])
                + probes(write, "source.toolkit.fluxcd.io", ["gitrepositories", "ocirepositories", "helmrepositories"])
                + probes(write, "kyverno.io", ["clusterpolicies", "policies", "policyexceptions"])
                + probes(write, "templates.gatekeeper.sh", ["constrainttemplates"])
                + probes(write, "pkg.crossplane.io", ["providers", "configurations", "functions"])
                + probes(write, "cert-manager.io", ["issuers", "clusterissuers", "certificates"])),
        DangerousRight(
            .nodeWriteGranted, .medium,
            probes(["update", "patch"], "", ["nodes", "nodes/status", "pods/status", "services/status"])
                + probes(["create"], "", ["pods/eviction"]) + probes(["deletecollection"], "", ["pods"])),
        DangerousRight(
            .destructiveRightGranted, .medium,
            probes(["delete", "deletecollection"], "", ["events"])
                + probes(
                    ["deletecollection"], "", ["configmaps", "secrets", "persistentvolumeclaims", "serviceaccounts"])
                + probes(["deletecollection"], "apps", ["deployments", "statefulsets", "daemonsets"])
                + probes(["update", "patch", "delete"], "", ["pods/log"])
                + probes(
                    ["update", "patch"], "apps", ["deployments/scale", "statefulsets/scale", "replicasets/scale"])
                + probes(write, "", ["resourcequotas", "limitranges"])),
    ]

    /// What reads widely: it is one only for the whole cluster.
    static let broadRead = DangerousRight(
        .broadReadGranted, .medium, probes(["list", "watch"], "", ["configmaps", "pods"]))

    /// The verb of old, and those of constrained impersonation, in use since 1.36 (section 2.2, point 12).
    private static let impersonationVerbs = [
        "impersonate", "impersonate:user-info", "impersonate:serviceaccount", "impersonate:arbitrary-node",
        "impersonate:associated-node",
    ]

    private static func probes(_ verbs: [String], _ group: String, _ resources: [String]) -> [AccessRequest] {
        resources.flatMap { text in
            let parts = text.split(separator: "/", maxSplits: 1).map(String.init)
            return verbs.map { verb in
                AccessRequest(verb, parts[0], group: group, subresource: parts.count > 1 ? parts[1] : "")
            }
        }
    }

    /// Whether some rules together give it.
    func isGiven(by rules: [PolicyRule]) -> Bool {
        func isAllowed(_ probe: AccessRequest) -> Bool { rules.contains { $0.allows(probe: probe) } }
        guard takesAllResources else { return probes.contains(where: isAllowed) }
        return Dictionary(grouping: probes, by: \.resource).values.allSatisfy { $0.contains(where: isAllowed) }
    }

    func severity(inSystemScope isSystem: Bool) -> Severity { isSystem ? severity : severityInNamespace }
}

extension PolicyRule {
    /// Whether it gives everything there is.
    var isClusterAdmin: Bool {
        verbs.holds("*") && apiGroups.holds("*") && resources.holds("*") && resourceNames.isEmpty
    }

    /// Whether it gives extra values of an identity that somebody impersonates; their names are anybody's.
    var impersonatesExtra: Bool {
        (verbs.holds("*") || verbs.contains { $0.hasPrefix("impersonate") })
            && (apiGroups.holds("*") || apiGroups.holds("authentication.k8s.io"))
            && resources.contains { $0.hasPrefix("userextras/") }
    }

    /// Whether it allows a probe, asked for the name that it is limited to, if any.
    func allows(probe: AccessRequest) -> Bool { allows(probe.named(resourceNames.first ?? "")) }
}

extension AccessRequest {
    /// With its subresource; empty for a path.
    fileprivate var resource: String {
        guard case .resource(_, let resource, let subresource, _, _) = target else { return "" }
        return "\(resource)/\(subresource)"
    }

}
