package import Manifest

extension AuditUser {
    /// What kind of account it is.
    package enum Account: Sendable, Equatable {
        case person
        case anonymous
        case serviceAccount(ObjectID)
        case node(String)
        /// Part of Kubernetes itself: what it writes follows from what somebody else wrote (rule M9).
        case controlPlane
    }

    /// What kind of account it is, by its name and by the groups that only the API server gives.
    ///
    /// Part of the control plane is only who is on a closed list: whoever may make service accounts in `kube-system` could
    /// otherwise choose a name that nobody is blamed for. A name without the group that belongs to it is a person's.
    package var account: Account {
        if name == "system:anonymous" { return .anonymous }
        if Self.components.contains(name) { return .controlPlane }
        if name.hasPrefix("system:node:"), groups.contains("system:nodes") {
            return .node(String(name.dropFirst("system:node:".count)))
        }
        guard groups.contains("system:serviceaccounts"),
            let id = UserIdentity(name: name, groups: Set(groups)).serviceAccount
        else { return .person }
        return id.namespace == "kube-system" && Self.controllers.contains(id.name) ? .controlPlane : .serviceAccount(id)
    }

    /// The account that empties and removes namespaces which somebody deleted.
    var isNamespaceController: Bool {
        guard account == .controlPlane else { return false }
        // Where controllers do not have accounts of their own, all of them are the controller manager.
        return ["system:serviceaccount:kube-system:namespace-controller", "system:kube-controller-manager"].contains(
            name)
    }

    private static let components: Set<String> = [
        "system:apiserver", "system:kube-apiserver", "system:kube-controller-manager", "system:kube-scheduler",
        "system:cloud-controller-manager",
    ]

    /// The accounts that Kubernetes' own controllers use, from its bootstrap policy, and what signs bootstrap tokens.
    private static let controllers: Set<String> = [
        "attachdetach-controller", "bootstrap-signer", "certificate-controller", "clusterrole-aggregation-controller",
        "cronjob-controller", "daemon-set-controller", "deployment-controller", "device-taint-eviction-controller",
        "disruption-controller", "endpoint-controller", "endpointslice-controller", "endpointslicemirroring-controller",
        "ephemeral-volume-controller", "expand-controller", "generic-garbage-collector", "horizontal-pod-autoscaler",
        "job-controller", "kube-apiserver-serving-clustertrustbundle-publisher", "legacy-service-account-token-cleaner",
        "namespace-controller", "node-controller", "persistent-volume-binder", "pod-garbage-collector",
        "podcertificaterequestcleaner", "pv-protection-controller", "pvc-protection-controller",
        "replicaset-controller",
        "replication-controller", "resource-claim-controller", "resourcequota-controller", "root-ca-cert-publisher",
        "route-controller", "selinux-warning-controller", "service-account-controller", "service-cidrs-controller",
        "service-controller", "statefulset-controller", "storage-version-garbage-collector",
        "storage-version-migrator-controller", "token-cleaner", "ttl-after-finished-controller", "ttl-controller",
        "validatingadmissionpolicy-status-controller", "volumeattributesclass-protection-controller",
    ]
}
