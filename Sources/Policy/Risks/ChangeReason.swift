/// What a finding is about.
package enum FindingArea: String, Sendable, CaseIterable {
    case access = "access"
    case network = "network"
    case podSecurity = "pod-security"
    case baseline = "baseline"
}

/// The kinds of findings about a change; each has exactly one runbook, `Runbooks/<raw value>.md`.
///
/// The raw values are rule ids in SARIF and names of runbooks, and never change their meaning. The kinds of rights follow
/// the table of security semantics, section 4.1.
package enum ChangeReason: String, Sendable, CaseIterable {
    // Access: a subject gains a right.
    case clusterAdminGranted = "ClusterAdminGranted"
    case anonymousGranted = "AnonymousGranted"
    case roleEscalationGranted = "RoleEscalationGranted"
    case impersonationGranted = "ImpersonationGranted"
    case secretAccessGranted = "SecretAccessGranted"
    case tokenCreationGranted = "TokenCreationGranted"
    case nodeProxyGranted = "NodeProxyGranted"
    case certificateApprovalGranted = "CertificateApprovalGranted"
    case admissionControlGranted = "AdmissionControlGranted"
    case workloadCreationGranted = "WorkloadCreationGranted"
    case podExecutionGranted = "PodExecutionGranted"
    case persistentVolumeGranted = "PersistentVolumeGranted"
    case namespaceWriteGranted = "NamespaceWriteGranted"
    case networkWriteGranted = "NetworkWriteGranted"
    case extensionWriteGranted = "ExtensionWriteGranted"
    case systemConfigurationGranted = "SystemConfigurationGranted"
    case nodeWriteGranted = "NodeWriteGranted"
    case wildcardGranted = "WildcardGranted"
    case destructiveRightGranted = "DestructiveRightGranted"
    case broadReadGranted = "BroadReadGranted"
    case rightGranted = "RightGranted"
    // Access: everything else.
    case rightRevoked = "RightRevoked"
    case escalationPathOpened = "EscalationPathOpened"
    case bindingLatent = "BindingLatent"
    case defaultServiceAccountBound = "DefaultServiceAccountBound"
    case aggregationWidened = "AggregationWidened"
    // Network.
    case isolationLost = "IsolationLost"
    case externalIngressOpened = "ExternalIngressOpened"
    case externalEgressOpened = "ExternalEgressOpened"
    case reachabilityWidened = "ReachabilityWidened"
    case reachabilityLost = "ReachabilityLost"
    case networkPolicyIneffective = "NetworkPolicyIneffective"
    // Pod Security.
    case podSecurityLoosened = "PodSecurityLoosened"
    case podSecurityTightened = "PodSecurityTightened"
    case podsWouldBeRefused = "PodsWouldBeRefused"
    // Baseline.
    case quotaLoosened = "QuotaLoosened"
    case tokenMountEnabled = "TokenMountEnabled"
    case namespaceRemoved = "NamespaceRemoved"

    package var area: FindingArea {
        switch self {
        case .isolationLost, .externalIngressOpened, .externalEgressOpened, .reachabilityWidened, .reachabilityLost,
            .networkPolicyIneffective:
            .network
        case .podSecurityLoosened, .podSecurityTightened, .podsWouldBeRefused: .podSecurity
        case .quotaLoosened, .tokenMountEnabled, .namespaceRemoved: .baseline
        default: .access
        }
    }

    /// What a finding of this kind says, one sentence without a full stop; the rule's description in SARIF.
    package var summary: String {
        switch self {
        case .clusterAdminGranted: "A subject gains every right there is"
        case .anonymousGranted: "Requests without credentials, or everybody with any, gain a right"
        case .roleEscalationGranted: "A subject gains the right to give itself further rights"
        case .impersonationGranted: "A subject gains the right to act as somebody else"
        case .secretAccessGranted: "A subject gains the right to read or write Secrets"
        case .tokenCreationGranted: "A subject gains the right to make tokens of service accounts"
        case .nodeProxyGranted: "A subject gains the kubelet's API and with it every pod of a node"
        case .certificateApprovalGranted: "A subject gains the right to approve client certificates"
        case .admissionControlGranted: "A subject gains the right to change what the API server admits"
        case .workloadCreationGranted: "A subject gains the right to run pods"
        case .podExecutionGranted: "A subject gains the right to run commands in pods or to reach their ports"
        case .persistentVolumeGranted: "A subject gains the right to make volumes of any path of a node"
        case .namespaceWriteGranted: "A subject gains the right to write namespaces and their Pod Security labels"
        case .networkWriteGranted: "A subject gains the right to change what may be reached"
        case .extensionWriteGranted: "A subject gains the right to write what operators with strong rights act on"
        case .systemConfigurationGranted: "A subject gains the right to write the configuration of the system"
        case .nodeWriteGranted: "A subject gains the right to move pods or to change nodes"
        case .wildcardGranted: "A subject gains a right with a wildcard, which covers future kinds too"
        case .destructiveRightGranted: "A subject gains the right to delete in bulk or to lift limits"
        case .broadReadGranted: "A subject gains the right to read configuration or pods widely"
        case .rightGranted: "A subject gains a right"
        case .rightRevoked: "A subject loses a right"
        case .escalationPathOpened: "A subject can become a stronger one"
        case .bindingLatent: "A binding grants nothing now, and everything once its role or subject is made"
        case .defaultServiceAccountBound: "The service account of pods that name none is given rights"
        case .aggregationWidened: "A label adds a role's rules to another role and to everybody who holds that"
        case .isolationLost: "Pods are no longer isolated"
        case .externalIngressOpened: "Pods can newly be reached from outside the cluster"
        case .externalEgressOpened: "Pods can newly reach addresses outside the cluster"
        case .reachabilityWidened: "Pods can newly reach other pods"
        case .reachabilityLost: "Pods can no longer reach other pods"
        case .networkPolicyIneffective: "A NetworkPolicy does not do what it seems to say"
        case .podSecurityLoosened: "A namespace admits pods that it refused"
        case .podSecurityTightened: "A namespace refuses pods that it admitted"
        case .podsWouldBeRefused: "Pods that run today would be refused when they are made again"
        case .quotaLoosened: "A quota or limit is raised or removed"
        case .tokenMountEnabled: "Pods of a service account get its token"
        case .namespaceRemoved: "A namespace leaves the repository"
        }
    }
}
