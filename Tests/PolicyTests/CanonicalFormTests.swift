import Manifest
import Policy
import Testing

@Suite struct CanonicalFormTests {
    struct Example: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var resource: Resource
        /// Of the object beside apiVersion, kind and metadata.
        var written: Tree
        var canonical: Tree
    }

    static let examples: [Example] = [
        Example(
            testDescription: "an empty policy selects every pod and limits ingress", resource: .networkPolicy,
            written: [:], canonical: ["spec": ["podSelector": [:], "policyTypes": ["Ingress"]]]),
        Example(
            testDescription: "egress rules make the policy limit egress too", resource: .networkPolicy,
            written: ["spec": ["egress": [["ports": [["port": 53]]]]]],
            canonical: [
                "spec": [
                    "podSelector": [:], "policyTypes": ["Ingress", "Egress"],
                    "egress": [["ports": [["port": 53, "protocol": "TCP"]]]],
                ]
            ]),
        Example(
            testDescription: "an empty list of rules is not stored, an empty rule is", resource: .networkPolicy,
            written: ["spec": ["policyTypes": ["Ingress", "Egress"], "egress": [], "ingress": [[:]]]],
            canonical: [
                "spec": ["podSelector": [:], "policyTypes": ["Ingress", "Egress"], "ingress": [[:]]]
            ]),
        Example(
            testDescription: "empty lists inside a rule go, empty selectors of a peer stay", resource: .networkPolicy,
            written: [
                "spec": [
                    "ingress": [
                        ["from": [], "ports": []],
                        ["from": [["podSelector": [:]], ["namespaceSelector": ["matchLabels": [:]]]]],
                    ]
                ]
            ],
            canonical: [
                "spec": [
                    "podSelector": [:], "policyTypes": ["Ingress"],
                    "ingress": [[:], ["from": [["podSelector": [:]], ["namespaceSelector": [:]]]]],
                ]
            ]),
        Example(
            testDescription: "a port keeps its type", resource: .networkPolicy,
            written: ["spec": ["ingress": [["ports": [["port": "http", "protocol": "UDP"], ["port": .double(80)]]]]]],
            canonical: [
                "spec": [
                    "podSelector": [:], "policyTypes": ["Ingress"],
                    "ingress": [
                        [
                            "ports": [
                                ["port": "http", "protocol": "UDP"], ["port": 80, "protocol": "TCP"],
                            ]
                        ]
                    ],
                ]
            ]),
        Example(
            testDescription: "a role always sends its rules", resource: .role, written: ["rules": .null],
            canonical: ["rules": []]),
        Example(
            testDescription: "empty lists of a rule go", resource: .role,
            written: [
                "rules": [["verbs": ["get"], "apiGroups": [""], "resources": ["pods"], "resourceNames": []]]
            ],
            canonical: ["rules": [["verbs": ["get"], "apiGroups": [""], "resources": ["pods"]]]]),
        Example(
            testDescription: "an aggregated role never sends rules", resource: .clusterRole,
            written: ["rules": [], "aggregationRule": ["clusterRoleSelectors": [["matchLabels": ["a": "b"]]]]],
            canonical: ["aggregationRule": ["clusterRoleSelectors": [["matchLabels": ["a": "b"]]]]]),
        Example(
            testDescription: "groups of roles and subjects are filled in, a namespace is not", resource: .roleBinding,
            written: [
                "roleRef": ["kind": "Role", "name": "reader"],
                "subjects": [
                    ["kind": "Group", "name": "team"], ["kind": "ServiceAccount", "name": "bot", "apiGroup": ""],
                ],
            ],
            canonical: [
                "roleRef": ["apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"],
                "subjects": [
                    ["apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "team"],
                    ["kind": "ServiceAccount", "name": "bot"],
                ],
            ]),
        Example(
            testDescription: "a binding always sends its subjects", resource: .clusterRoleBinding,
            written: ["roleRef": ["kind": "ClusterRole", "name": "reader"]],
            canonical: [
                "roleRef": ["apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "reader"],
                "subjects": [],
            ]),
        Example(
            testDescription: "quantities get the server's spelling", resource: .resourceQuota,
            written: [
                "spec": [
                    "hard": ["cpu": "1000m", "memory": "1024Mi", "pods": 50, "limits.cpu": .double(0.5)], "scopes": [],
                ]
            ],
            canonical: ["spec": ["hard": ["cpu": "1", "memory": "1Gi", "pods": "50", "limits.cpu": "500m"]]]),
        Example(
            testDescription: "container limits are filled from each other", resource: .limitRange,
            written: ["spec": ["limits": [["type": "Container", "max": ["cpu": "2"], "min": ["memory": "1Mi"]]]]],
            canonical: [
                "spec": [
                    "limits": [
                        [
                            "type": "Container", "max": ["cpu": "2"], "min": ["memory": "1Mi"], "default": ["cpu": "2"],
                            "defaultRequest": ["cpu": "2", "memory": "1Mi"],
                        ]
                    ]
                ]
            ]),
        Example(
            testDescription: "limits of pods are not", resource: .limitRange,
            written: ["spec": ["limits": [["type": "Pod", "max": ["cpu": "2000m"]]]]],
            canonical: ["spec": ["limits": [["type": "Pod", "max": ["cpu": "2"]]]]]),
        Example(
            testDescription: "an account keeps what it says", resource: .serviceAccount,
            written: [
                "automountServiceAccountToken": false, "imagePullSecrets": [["name": "registry"]], "secrets": [],
            ],
            canonical: ["automountServiceAccountToken": false, "imagePullSecrets": [["name": "registry"]]]),
        Example(
            testDescription: "what the server writes into a namespace is left out", resource: .namespace,
            written: ["spec": ["finalizers": ["kubernetes"]], "status": ["phase": "Active"]], canonical: [:]),
    ]

    @Test(arguments: examples)
    func declaredAndLiveObjectsGetOneForm(_ example: Example) throws {
        let fields = Dictionary(uniqueKeysWithValues: (example.written.members ?? Members()).map { ($0.key, $0.value) })
        let written = Tree.manifest(example.resource, fields)
        let expectedFields = Dictionary(
            uniqueKeysWithValues: (example.canonical.members ?? Members()).map { ($0.key, $0.value) })
        let expected = Tree.manifest(example.resource, expectedFields)
        let verdict = evaluate(written)
        #expect(verdict.errorTexts == [])
        #expect(verdict.onlyTree == expected)
        #expect(canonicalLive(written, of: example.resource) == expected)
        #expect(canonicalLive(expected, of: example.resource) == expected)
    }

    @Test func theServersOwnFieldsAreLeftOut() throws {
        let exported = Tree.manifest(.role, ["rules": []])
            .setting(["metadata", "uid"], to: "1-2-3").setting(["metadata", "resourceVersion"], to: "7")
            .setting(["metadata", "generation"], to: 1).setting(["metadata", "creationTimestamp"], to: .null)
            .setting(["metadata", "managedFields"], to: [["manager": "kubectl"]])
            .setting(["metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration"], to: "{}")
        let verdict = evaluate(exported)
        #expect(verdict.errors == [])
        #expect(
            verdict.warnings.map(\.path.description) == [
                "metadata.annotations[kubectl.kubernetes.io/last-applied-configuration]", "metadata.generation",
                "metadata.managedFields", "metadata.resourceVersion", "metadata.uid",
            ])
        #expect(verdict.onlyTree == .manifest(.role, ["rules": []]))
        #expect(canonicalLive(exported, of: .role) == .manifest(.role, ["rules": []]))
    }

    @Test func aLiveObjectKeepsWhatIsNotUnderstood() {
        let odd = Tree.networkPolicy(["podSelector": "all", "future": ["a": 1], "ingress": [["ports": ["x", .null]]]])
        #expect(
            canonicalLive(odd, of: .networkPolicy)
                == .networkPolicy([
                    "podSelector": "all", "future": ["a": 1], "policyTypes": ["Ingress"],
                    "ingress": [["ports": ["x", .null]]],
                ]))
        #expect(canonicalLive("nonsense", of: .role) == "nonsense")
        let quota = Tree.manifest(.resourceQuota, ["spec": ["hard": ["cpu": "lots", "memory": true]]])
        #expect(canonicalLive(quota, of: .resourceQuota) == quota)
    }

    @Test func rulesThatTheClusterWroteAreNotCompared() {
        let live = Tree.manifest(
            .clusterRole,
            [
                "aggregationRule": ["clusterRoleSelectors": [["matchLabels": ["a": "b"]]]],
                "rules": [["verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]]],
            ])
        #expect(canonicalLive(live, of: .clusterRole)["rules"] == nil)
    }

    @Test func nullsAreLeftOutOrReadAsTheServerReadsThem() throws {
        let policy = Tree.networkPolicy([
            "podSelector": ["matchLabels": ["app": .null]], "egress": .null, "policyTypes": ["Ingress"],
        ]).setting(["metadata", "labels"], to: ["team": .null])
        let verdict = evaluate(policy)
        #expect(verdict.errors == [])
        #expect(
            verdict.warnings.map(\.path.description) == ["metadata.labels[team]", "spec.podSelector.matchLabels[app]"])
        // Without the key the policy would select every pod.
        #expect(
            verdict.onlyTree
                == .networkPolicy(["podSelector": ["matchLabels": ["app": ""]], "policyTypes": ["Ingress"]]))
    }

    @Test func anEmptyEntryOfAListIsRefused() {
        let verdict = evaluate(.networkPolicy(["ingress": [.null]]))
        #expect(verdict.errorTexts == ["spec.ingress[0]: is empty"])
    }
}
