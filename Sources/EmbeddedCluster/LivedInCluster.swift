package import Manifest

/// A cluster that people have worked in before Bylaw came: for the demo.
///
/// It has a namespace of somebody else, which Bylaw must leave alone, and one that the sample repository declares as well,
/// made by hand with kubectl, with a label that the repository does not know and a role that is too wide.
package let livedInObjects: [Tree] = [
    ["apiVersion": "v1", "kind": "Namespace", "metadata": ["name": "legacy-crm", "labels": ["owner": "sales"]]],
    [
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
        "metadata": ["name": "sync", "namespace": "legacy-crm"],
        "rules": [["apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "update"]]],
    ],
    [
        "apiVersion": "v1", "kind": "Namespace",
        "metadata": [
            "name": "payments-production", "labels": ["team": "payments", "made-by": "hand"],
            "managedFields": [
                [
                    "manager": "kubectl-client-side-apply", "operation": "Update", "apiVersion": "v1",
                    "time": "2025-11-02T09:14:00Z", "fieldsType": "FieldsV1",
                    "fieldsV1": ["f:metadata": ["f:labels": ["f:team": [:], "f:made-by": [:]]]],
                ]
            ],
        ],
    ],
    [
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
        "metadata": [
            "name": "developer", "namespace": "payments-production",
            "managedFields": [
                [
                    "manager": "kubectl-edit", "operation": "Update", "apiVersion": "rbac.authorization.k8s.io/v1",
                    "time": "2026-02-11T16:40:00Z", "fieldsType": "FieldsV1", "fieldsV1": ["f:rules": [:]],
                ]
            ],
        ],
        "rules": [["apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]]],
    ],
]

/// What runs in that cluster, for the questions that are about pods.
package let livedInWorkloads: [Tree] = [
    pod("kube-dns", in: "kube-system", labels: ["k8s-app": "kube-dns"], ports: [("dns", 53), ("metrics", 9153)]),
    [
        "apiVersion": "v1", "kind": "Service", "metadata": ["name": "kube-dns", "namespace": "kube-system"],
        "spec": [
            "selector": ["k8s-app": "kube-dns"],
            "ports": [["name": "dns", "protocol": "UDP", "port": 53, "targetPort": "dns"]],
        ],
    ],
    pod("checkout-api", in: "payments-production", labels: ["app": "checkout-api"], ports: [("https", 8443)]),
    pod("crm", in: "legacy-crm", labels: ["app": "crm"], ports: [("http", 8080)]),
]

private func pod(_ name: String, in namespace: String, labels: Tree, ports: [(name: String, number: Int64)]) -> Tree {
    let container: Tree = [
        "name": "main", "image": "registry.example.com/main:1",
        "ports": .array(ports.map { ["name": .string($0.name), "containerPort": .integer($0.number)] }),
    ]
    return [
        "apiVersion": "v1", "kind": "Pod",
        "metadata": ["name": .string(name), "namespace": .string(namespace), "labels": labels],
        "spec": ["serviceAccountName": "default", "containers": [container]],
    ]
}
