import Manifest

extension SecurityState {
    /// The roles and bindings that every Kubernetes cluster has and that people bind to: `cluster-admin`, `admin`, `edit`,
    /// `view` with what they aggregate, `system:auth-delegator`, and what everybody with credentials may.
    ///
    /// As Kubernetes 1.36 makes them. They stand in for a cluster that is not at hand; other roles of `system:` are left
    /// out, because what they give depends on the release.
    package static let kubernetesDefaults = SecurityState(
        aggregatedRoles + plainRoles.map { role($0.name, labels: [:], rules: $0.rules) }
            + [
                binding("cluster-admin", to: "cluster-admin", groups: ["system:masters"]),
                binding("system:basic-user", to: "system:basic-user", groups: ["system:authenticated"]),
                binding("system:discovery", to: "system:discovery", groups: ["system:authenticated"]),
                binding(
                    "system:public-info-viewer", to: "system:public-info-viewer",
                    groups: ["system:authenticated", "system:unauthenticated"]),
            ])

    /// The state with what every cluster has beside it, where the state does not say otherwise.
    package var withKubernetesDefaults: SecurityState {
        var state = self
        for (id, object) in Self.kubernetesDefaults.objects where state[id] == nil { state[id] = object }
        return state
    }
}

private let read = "get list watch"
private let write = "create delete deletecollection patch update"

private let plainRoles: [(name: String, rules: [Tree])] = [
    ("cluster-admin", [rule("*", "*", "*"), ["nonResourceURLs": ["*"], "verbs": ["*"]]]),
    (
        "system:auth-delegator",
        [
            rule("authentication.k8s.io", "tokenreviews", "create"),
            rule("authorization.k8s.io", "subjectaccessreviews", "create"),
        ]
    ),
    (
        "system:basic-user",
        [
            rule("authorization.k8s.io", "selfsubjectaccessreviews selfsubjectrulesreviews", "create"),
            rule("authentication.k8s.io", "selfsubjectreviews", "create"),
        ]
    ),
    (
        "system:discovery",
        [urls("/api /api/* /apis /apis/* /healthz /livez /openapi /openapi/* /readyz /version /version/")]
    ),
    ("system:public-info-viewer", [urls("/healthz /livez /readyz /version /version/")]),
]

/// `admin` holds `edit`, which holds `view`, each with what its label gathers.
private let aggregatedRoles: [StateObject] = [
    role("admin", labels: [:], gathering: "admin"),
    role("edit", labels: [aggregationLabel + "admin": "true"], gathering: "edit"),
    role("view", labels: [aggregationLabel + "edit": "true"], gathering: "view"),
    role(
        "system:aggregate-to-admin", labels: [aggregationLabel + "admin": "true"],
        rules: [
            rule("authorization.k8s.io", "localsubjectaccessreviews", "create"),
            rule("rbac.authorization.k8s.io", "rolebindings roles", "\(read) \(write)"),
        ]),
    role("system:aggregate-to-edit", labels: [aggregationLabel + "edit": "true"], rules: editRules),
    role("system:aggregate-to-view", labels: [aggregationLabel + "view": "true"], rules: viewRules),
]

private let aggregationLabel = "rbac.authorization.k8s.io/aggregate-to-"

private let editRules: [Tree] = [
    rule("", "pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy", read),
    rule("", "serviceaccounts", "impersonate"),
    rule("", "pods pods/attach pods/exec pods/portforward pods/proxy", write),
    rule("", "pods/eviction", "create"),
    rule(
        "",
        "configmaps persistentvolumeclaims replicationcontrollers replicationcontrollers/scale "
            + "secrets serviceaccounts services services/proxy", write),
    rule("", "serviceaccounts/token", "create"),
    rule("", "events", write),
    rule("events.k8s.io", "events", write),
    rule(
        "apps",
        "daemonsets deployments deployments/rollback deployments/scale replicasets "
            + "replicasets/scale statefulsets statefulsets/scale", write),
    rule("autoscaling", "horizontalpodautoscalers", write),
    rule("batch", "cronjobs jobs", write),
    rule(
        "extensions",
        "daemonsets deployments deployments/rollback deployments/scale ingresses networkpolicies "
            + "replicasets replicasets/scale replicationcontrollers/scale", write),
    rule("policy", "poddisruptionbudgets", write),
    rule("networking.k8s.io", "ingresses networkpolicies", write),
    rule("coordination.k8s.io", "leases", "\(read) \(write)"),
    rule("resource.k8s.io", "resourceclaims resourceclaimtemplates", write),
]

private let viewRules: [Tree] = [
    rule(
        "",
        "configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods "
            + "replicationcontrollers replicationcontrollers/scale serviceaccounts services "
            + "services/status", read),
    rule(
        "",
        "bindings limitranges namespaces/status pods/log pods/status replicationcontrollers/status "
            + "resourcequotas resourcequotas/status", read),
    rule("", "namespaces", read),
    rule("", "events", read),
    rule("events.k8s.io", "events", read),
    rule("discovery.k8s.io", "endpointslices", read),
    rule(
        "apps",
        "controllerrevisions daemonsets daemonsets/status deployments deployments/scale "
            + "deployments/status replicasets replicasets/scale replicasets/status statefulsets "
            + "statefulsets/scale statefulsets/status", read),
    rule("autoscaling", "horizontalpodautoscalers horizontalpodautoscalers/status", read),
    rule("batch", "cronjobs cronjobs/status jobs jobs/status", read),
    rule(
        "extensions",
        "daemonsets daemonsets/status deployments deployments/scale deployments/status ingresses "
            + "ingresses/status networkpolicies replicasets replicasets/scale replicasets/status "
            + "replicationcontrollers/scale", read),
    rule("policy", "poddisruptionbudgets poddisruptionbudgets/status", read),
    rule("networking.k8s.io", "ingresses ingresses/status networkpolicies", read),
    rule("resource.k8s.io", "resourceclaims resourceclaims/status resourceclaimtemplates", read),
]

private func rule(_ group: String, _ resources: String, _ verbs: String) -> Tree {
    ["apiGroups": [.string(group)], "resources": words(resources), "verbs": words(verbs)]
}

private func urls(_ paths: String) -> Tree { ["nonResourceURLs": words(paths), "verbs": ["get"]] }

private func words(_ text: String) -> Tree { .array(text.split(separator: " ").map { .string(String($0)) }) }

private func role(
    _ name: String, labels: [String: String], gathering suffix: String? = nil, rules: [Tree] = []
) -> StateObject {
    let labelTree = Tree.object(Members(labels.map { ($0.key, .string($0.value)) }))
    var tree: Tree = [
        "metadata": ["name": .string(name), "labels": labelTree], "rules": .array(rules),
    ]
    if let suffix {
        tree.set(
            ["aggregationRule", "clusterRoleSelectors"],
            to: [["matchLabels": .object(Members([(aggregationLabel + suffix, .string("true"))]))]])
    }
    return StateObject(id: ObjectID(.clusterRole, name: name), tree: tree)
}

private func binding(_ name: String, to role: String, groups: [String]) -> StateObject {
    StateObject(
        id: ObjectID(.clusterRoleBinding, name: name),
        tree: [
            "roleRef": ["kind": "ClusterRole", "name": .string(role)],
            "subjects": .array(groups.map { ["kind": "Group", "name": .string($0)] }),
        ])
}
