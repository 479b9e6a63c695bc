import Manifest

/// What every cluster has from its first minute.
let systemObjects: [Tree] =
    ["default", "kube-system", "kube-public", "kube-node-lease"].map { name in
        ["apiVersion": "v1", "kind": "Namespace", "metadata": ["name": .string(name)]]
    }
    + ["default", "kube-system", "kube-public", "kube-node-lease"].map { namespace in
        [
            "apiVersion": "v1", "kind": "ServiceAccount",
            "metadata": ["name": "default", "namespace": .string(namespace)],
        ]
    }
    + [
        bootstrapRole("cluster-admin", rules: [["apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]]]),
        aggregatedRole("admin", from: "admin"), aggregatedRole("edit", from: "edit"),
        aggregatedRole("view", from: "view"),
        bootstrapRole(
            "system:aggregate-to-view", label: "view",
            rules: [
                [
                    "apiGroups": [""], "resources": ["pods", "services", "configmaps"],
                    "verbs": ["get", "list", "watch"],
                ]
            ]),
        bootstrapRole(
            "system:aggregate-to-edit", label: "edit",
            rules: [
                [
                    "apiGroups": [""], "resources": ["pods", "services", "configmaps"],
                    "verbs": ["create", "update", "patch", "delete"],
                ]
            ]),
        bootstrapRole(
            "system:aggregate-to-admin", label: "admin",
            rules: [
                ["apiGroups": ["rbac.authorization.k8s.io"], "resources": ["roles", "rolebindings"], "verbs": ["*"]]
            ]),
        [
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
            "metadata": ["name": "cluster-admin", "labels": ["kubernetes.io/bootstrapping": "rbac-defaults"]],
            "roleRef": ["apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"],
            "subjects": [["apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "system:masters"]],
        ],
    ]

private func bootstrapRole(_ name: String, label: String? = nil, rules: Tree) -> Tree {
    var labels: Tree = ["kubernetes.io/bootstrapping": "rbac-defaults"]
    if let label { labels.set(["rbac.authorization.k8s.io/aggregate-to-\(label)"], to: "true") }
    return [
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
        "metadata": [
            "name": .string(name), "labels": labels,
            "annotations": ["rbac.authorization.kubernetes.io/autoupdate": "true"],
        ],
        "rules": rules,
    ]
}

private func aggregatedRole(_ name: String, from label: String) -> Tree {
    var role = bootstrapRole(name, rules: [])
    role.set(["rules"], to: nil)
    role.set(
        ["aggregationRule"],
        to: ["clusterRoleSelectors": [["matchLabels": [("rbac.authorization.k8s.io/aggregate-to-\(label)"): "true"]]]])
    return role
}
