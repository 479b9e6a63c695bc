/// The RBAC objects that API servers and kubeadm make by themselves, by name: Kubernetes 1.20 to 1.36.
///
/// A later release may bring names that are not here: those are reported until somebody excludes them, and never
/// removed, since names with `system:` are never written.
enum KubernetesOwnObjects {
    /// The roles that are meant for people.
    static let userRoles: Set<String> = ["cluster-admin", "admin", "edit", "view"]

    /// What may be given to everybody, or to every workload.
    static let rolesForEverybody: Set<String> = [
        "system:basic-user", "system:discovery", "system:public-info-viewer",
        "system:service-account-issuer-discovery", "system:cluster-trust-bundle-discovery",
    ]

    static let clusterRoles: Set<String> = userRoles.union(rolesForEverybody).union(kubeadmClusterRoles).union([
        "system:aggregate-to-admin", "system:aggregate-to-edit", "system:aggregate-to-view", "system:auth-delegator",
        "system:certificates.k8s.io:certificatesigningrequests:nodeclient",
        "system:certificates.k8s.io:certificatesigningrequests:selfnodeclient",
        "system:certificates.k8s.io:kube-apiserver-client-approver",
        "system:certificates.k8s.io:kube-apiserver-client-kubelet-approver",
        "system:certificates.k8s.io:kubelet-serving-approver",
        "system:certificates.k8s.io:legacy-unknown-approver", "system:coredns", "system:heapster",
        "system:kube-aggregator", "system:kube-controller-manager", "system:kube-dns", "system:kube-scheduler",
        "system:kubelet-api-admin", "system:monitoring", "system:node", "system:node-bootstrapper",
        "system:node-problem-detector", "system:node-proxier", "system:persistent-volume-provisioner",
        "system:volume-scheduler",
    ]).union(controllers.map { "system:controller:\($0)" })

    static let clusterRoleBindings: Set<String> = clusterRoles.subtracting(userRoles).union([
        "cluster-admin", "kubeadm:cluster-admins", "kubeadm:kubelet-bootstrap",
        "kubeadm:node-autoapprove-bootstrap", "kubeadm:node-autoapprove-certificate-rotation", "kubeadm:node-proxier",
    ])

    /// The role of a binding where it is not called like the binding.
    static let roleBound: [String: String] = [
        "kubeadm:cluster-admins": "cluster-admin", "kubeadm:kubelet-bootstrap": "system:node-bootstrapper",
        "kubeadm:node-autoapprove-bootstrap": "system:certificates.k8s.io:certificatesigningrequests:nodeclient",
        "kubeadm:node-autoapprove-certificate-rotation":
            "system:certificates.k8s.io:certificatesigningrequests:selfnodeclient",
        "kubeadm:node-proxier": "system:node-proxier",
        "system::extension-apiserver-authentication-reader": "extension-apiserver-authentication-reader",
    ]

    /// The group that a binding to `cluster-admin` names; kubeadm has one of its own since 1.29.
    static let administrators: [String: String] = [
        "cluster-admin": "system:masters", "kubeadm:cluster-admins": "kubeadm:cluster-admins",
    ]

    /// The Roles in namespaces of the control plane, and what they are about.
    static let roleResources: [String: Set<String>] = [
        "extension-apiserver-authentication-reader": ["configmaps"],
        "system::leader-locking-kube-controller-manager": [
            "configmaps", "leases", "leasecandidates", "endpoints",
        ],
        "system::leader-locking-kube-scheduler": ["configmaps", "leases", "leasecandidates", "endpoints"],
        "system:controller:bootstrap-signer": ["configmaps", "secrets", "events"],
        "system:controller:cloud-provider": ["configmaps"], "system:controller:token-cleaner": ["secrets", "events"],
        "kubeadm:bootstrap-signer-clusterinfo": ["configmaps"], "kubeadm:nodes-kubeadm-config": ["configmaps"],
        "kubeadm:kubelet-config": ["configmaps"], "kube-proxy": ["configmaps"],
    ]

    /// The Role that whoever joins a cluster reads its description by, without a name.
    static let roleForJoining = "kubeadm:bootstrap-signer-clusterinfo"

    static let roles = Set(roleResources.keys)

    /// ClusterRoles with a rule about every resource there is.
    static let unlimitedRoles: Set<String> = [
        "cluster-admin", "system:controller:generic-garbage-collector", "system:controller:namespace-controller",
        "system:controller:resourcequota-controller", "system:controller:storage-version-migrator-controller",
        "system:kube-controller-manager",
    ]

    /// Paths of the server that everybody may read, by how they begin.
    static let pathsForEverybody = [
        "/healthz", "/livez", "/readyz", "/version", "/api", "/openapi", "/.well-known/openid-configuration",
        "/openid/v1/jwks", "/swagger",
    ]

    /// Early kubeadm names what is of one release by it.
    static func withoutRelease(_ name: String) -> String {
        let known = "kubeadm:kubelet-config"
        return name.hasPrefix(known + "-1.") ? known : name
    }

    static let roleBindings: Set<String> = roles.union(["system::extension-apiserver-authentication-reader"])

    private static let kubeadmClusterRoles: Set<String> = ["kubeadm:get-nodes"]

    private static let controllers: [String] = [
        "attachdetach-controller", "certificate-controller", "clusterrole-aggregation-controller",
        "cronjob-controller", "daemon-set-controller", "deployment-controller", "device-taint-eviction-controller",
        "disruption-controller", "endpoint-controller", "endpointslice-controller",
        "endpointslicemirroring-controller", "ephemeral-volume-controller", "expand-controller",
        "generic-garbage-collector", "horizontal-pod-autoscaler", "job-controller",
        "kube-apiserver-serving-clustertrustbundle-publisher", "legacy-service-account-token-cleaner",
        "namespace-controller", "node-controller", "persistent-volume-binder", "pod-garbage-collector",
        "podcertificaterequestcleaner", "pv-protection-controller", "pvc-protection-controller",
        "replicaset-controller", "replication-controller", "resource-claim-controller", "resourcequota-controller",
        "root-ca-cert-publisher", "route-controller", "selinux-warning-controller", "service-account-controller",
        "service-cidrs-controller", "service-controller", "statefulset-controller",
        "storage-version-migrator-controller", "ttl-after-finished-controller", "ttl-controller",
        "validatingadmissionpolicy-status-controller", "volumeattributesclass-protection-controller",
    ]
}
