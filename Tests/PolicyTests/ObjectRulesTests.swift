import Manifest
import Policy
import Testing

/// What the API server refuses, beyond the conformance tables.
@Suite struct ObjectRulesTests {
    struct Example: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var object: Tree
        /// The paths of the errors, sorted.
        var errors: [String]
    }

    static func labelled(_ labels: Tree) -> Tree {
        Tree.manifest(.namespace).setting(["metadata", "labels"], to: labels)
    }
    static func rule(_ rule: Tree) -> Tree { .manifest(.clusterRole, ["rules": [rule]]) }
    static func quota(_ spec: Tree) -> Tree { .manifest(.resourceQuota, ["spec": spec]) }
    static func limit(_ limit: Tree) -> Tree { .manifest(.limitRange, ["spec": ["limits": [limit]]]) }
    static func port(_ port: Tree) -> Tree { .networkPolicy(["ingress": [["ports": [port]]]]) }
    static func block(_ block: Tree) -> Tree { .networkPolicy(["egress": [["to": [["ipBlock": block]]]]]) }
    static func selector(_ requirement: Tree) -> Tree {
        .networkPolicy(["podSelector": ["matchExpressions": [requirement]]])
    }
    static let longName = String(repeating: "a", count: 254)

    static let examples: [Example] = [
        // Names.
        Example(
            testDescription: "a dot in a namespace", object: .manifest(.namespace, name: "a.b"),
            errors: ["metadata.name"]),
        Example(
            testDescription: "a namespace of 64 letters",
            object: .manifest(.namespace, name: String(repeating: "a", count: 64)), errors: ["metadata.name"]),
        Example(
            testDescription: "a namespace of 63 letters",
            object: .manifest(.namespace, name: String(repeating: "a", count: 63)), errors: []),
        Example(
            testDescription: "an account named like a host", object: .manifest(.serviceAccount, name: "a.b-c"),
            errors: []),
        Example(
            testDescription: "capitals in an account", object: .manifest(.serviceAccount, name: "Bot"),
            errors: ["metadata.name"]),
        Example(
            testDescription: "too long a name", object: .manifest(.serviceAccount, name: longName),
            errors: ["metadata.name"]),
        Example(
            testDescription: "a dot after a dot", object: .manifest(.serviceAccount, name: "a..b"),
            errors: ["metadata.name"]),
        Example(
            testDescription: "roles may have colons", object: .manifest(.role, name: "acme:reader$(x)"), errors: []),
        Example(
            testDescription: "roles may not have slashes or percent signs", object: .manifest(.role, name: "a/b%c"),
            errors: ["metadata.name", "metadata.name"]),
        Example(
            testDescription: "roles may not be two dots", object: .manifest(.role, name: ".."),
            errors: ["metadata.name"]),
        Example(
            testDescription: "a namespace with capitals", object: .manifest(.role, namespace: "Team"),
            errors: ["metadata.namespace"]),
        // Labels and annotations.
        Example(testDescription: "good labels", object: labelled(["a": "", "example.com/b_c.D": "x-1"]), errors: []),
        Example(
            testDescription: "label keys", object: labelled(["/a": "x", "a/": "x", "a/b/c": "x", "-a": "x"]),
            errors: ["metadata.labels", "metadata.labels", "metadata.labels", "metadata.labels"]),
        Example(
            testDescription: "label values",
            object: labelled(["a": "x y", "b": "-", "c": .string(String(repeating: "a", count: 64))]),
            errors: ["metadata.labels", "metadata.labels", "metadata.labels"]),
        Example(testDescription: "a boolean label", object: labelled(["a": true]), errors: ["metadata.labels[a]"]),
        Example(testDescription: "a number as label", object: labelled(["a": 1]), errors: ["metadata.labels[a]"]),
        Example(
            testDescription: "annotations beyond 256 KiB",
            object: Tree.manifest(.role).setting(
                ["metadata", "annotations"], to: ["a": .string(String(repeating: "x", count: 262_144))]),
            errors: ["metadata.annotations"]),
        Example(
            testDescription: "annotations of 256 KiB",
            object: Tree.manifest(.role).setting(
                ["metadata", "annotations"], to: ["a": .string(String(repeating: "x", count: 262_143))]),
            errors: []),
        Example(
            testDescription: "capitals in the key of an annotation",
            object: Tree.manifest(.role).setting(
                ["metadata", "annotations"], to: ["Example.COM/Key": "any text: at all"]), errors: []),
        // Pod Security.
        Example(
            testDescription: "levels and versions",
            object: labelled([
                "pod-security.kubernetes.io/enforce": "restricted",
                "pod-security.kubernetes.io/enforce-version": "v1.36",
                "pod-security.kubernetes.io/warn": "baseline", "pod-security.kubernetes.io/warn-version": "latest",
                "pod-security.kubernetes.io/audit": "privileged", "pod-security.kubernetes.io/audit-version": "v1.0",
            ]), errors: []),
        Example(
            testDescription: "wrong levels and versions",
            object: labelled([
                "pod-security.kubernetes.io/enforce": "strict", "pod-security.kubernetes.io/enforce-version": "1.36",
                "pod-security.kubernetes.io/warn-version": "v1.036", "pod-security.kubernetes.io/audit-version": "v1.x",
                "pod-security.kubernetes.io/audit": "Restricted",
            ]),
            errors: [
                "metadata.labels[pod-security.kubernetes.io/audit-version]",
                "metadata.labels[pod-security.kubernetes.io/audit]",
                "metadata.labels[pod-security.kubernetes.io/enforce-version]",
                "metadata.labels[pod-security.kubernetes.io/enforce]",
                "metadata.labels[pod-security.kubernetes.io/warn-version]",
            ]),
        // Selectors.
        Example(
            testDescription: "In without values", object: selector(["key": "a", "operator": "In"]),
            errors: ["spec.podSelector.matchExpressions[0].values"]),
        Example(
            testDescription: "Exists with values",
            object: selector(["key": "a", "operator": "Exists", "values": ["x"]]),
            errors: ["spec.podSelector.matchExpressions[0].values"]),
        Example(
            testDescription: "an unknown operator", object: selector(["key": "a", "operator": "in"]),
            errors: ["spec.podSelector.matchExpressions[0].operator"]),
        Example(
            testDescription: "no key", object: selector(["operator": "Exists"]),
            errors: ["spec.podSelector.matchExpressions[0].key"]),
        Example(
            testDescription: "a bad value",
            object: selector(["key": "a", "operator": "NotIn", "values": ["ok", "not ok"]]),
            errors: ["spec.podSelector.matchExpressions[0].values[1]"]),
        // Network policies.
        Example(testDescription: "a range of ports", object: port(["port": 1, "endPort": 65535]), errors: []),
        Example(testDescription: "port zero", object: port(["port": 0]), errors: ["spec.ingress[0].ports[0].port"]),
        Example(
            testDescription: "a port beyond 32 bits", object: port(["port": 4_294_967_376]),
            errors: ["spec.ingress[0].ports[0].port"]),
        Example(
            testDescription: "a fraction", object: port(["port": .double(80.5)]),
            errors: ["spec.ingress[0].ports[0].port"]),
        Example(
            testDescription: "a number in quotes", object: port(["port": "80"]),
            errors: ["spec.ingress[0].ports[0].port"]),
        Example(
            testDescription: "a boolean port", object: port(["port": true]), errors: ["spec.ingress[0].ports[0].port"]),
        Example(
            testDescription: "long port names", object: port(["port": "abcdefghijklmnop"]),
            errors: ["spec.ingress[0].ports[0].port"]),
        Example(
            testDescription: "hyphens of port names", object: port(["port": "-a--b"]),
            errors: ["spec.ingress[0].ports[0].port", "spec.ingress[0].ports[0].port"]),
        Example(
            testDescription: "an empty protocol", object: port(["protocol": ""]),
            errors: ["spec.ingress[0].ports[0].protocol"]),
        Example(
            testDescription: "a protocol in small letters", object: port(["protocol": "tcp"]),
            errors: ["spec.ingress[0].ports[0].protocol"]),
        Example(
            testDescription: "bits beyond the prefix", object: block(["cidr": "10.0.0.1/8"]),
            errors: ["spec.egress[0].to[0].ipBlock.cidr"]),
        Example(
            testDescription: "another family", object: block(["cidr": "10.0.0.0/8", "except": ["fd00::/8"]]),
            errors: ["spec.egress[0].to[0].ipBlock.except[0]"]),
        Example(testDescription: "an odd but valid spelling", object: block(["cidr": "FE80:0:0::/64"]), errors: []),
        Example(
            testDescription: "no peer", object: .networkPolicy(["ingress": [["from": [[:]]]]]),
            errors: ["spec.ingress[0].from[0]"]),
        Example(
            testDescription: "the same type twice", object: .networkPolicy(["policyTypes": ["Egress", "Egress"]]),
            errors: []),
        // Roles and bindings.
        Example(
            testDescription: "no verbs", object: rule(["apiGroups": [""], "resources": ["pods"]]),
            errors: ["rules[0].verbs"]),
        Example(
            testDescription: "a rule about nothing", object: rule([:]),
            errors: ["rules[0].apiGroups", "rules[0].resources", "rules[0].verbs"]),
        Example(
            testDescription: "URLs in a cluster role",
            object: rule(["verbs": ["get"], "nonResourceURLs": ["/metrics"]]), errors: []),
        Example(
            testDescription: "names of several resources",
            object: rule(["verbs": ["get"], "apiGroups": [""], "resources": ["a", "b"], "resourceNames": ["x"]]),
            errors: []),
        Example(
            testDescription: "aggregation of nothing", object: .manifest(.clusterRole, ["aggregationRule": [:]]),
            errors: ["aggregationRule.clusterRoleSelectors"]),
        Example(testDescription: "no role", object: .manifest(.roleBinding), errors: ["roleRef.kind", "roleRef.name"]),
        Example(
            testDescription: "groups of subjects",
            object: .manifest(
                .roleBinding,
                [
                    "roleRef": ["kind": "ClusterRole", "name": "view"],
                    "subjects": [
                        ["kind": "ServiceAccount", "name": "a", "apiGroup": "rbac.authorization.k8s.io"],
                        ["kind": "User", "name": "a", "apiGroup": "x"], ["kind": "Group", "name": "any: text"],
                    ],
                ]),
            errors: ["subjects[0].apiGroup", "subjects[1].apiGroup"]),
        Example(
            testDescription: "a user with the account's long name as account",
            object: .manifest(
                .roleBinding,
                [
                    "roleRef": ["kind": "ClusterRole", "name": "view"],
                    "subjects": [["kind": "ServiceAccount", "name": "system:serviceaccount:a:b"]],
                ]),
            errors: ["subjects[0].name"]),
        Example(
            testDescription: "secrets without a name of their own",
            object: .manifest(.serviceAccount, ["secrets": [["name": "a"], ["name": "a"], ["kind": "Secret"]]]),
            errors: ["secrets[1].name", "secrets[2].name"]),
        // Quotas.
        Example(
            testDescription: "counted objects",
            object: quota(["hard": ["count/jobs.batch": "5", "requests.nvidia.com/gpu": 4]]), errors: []),
        Example(
            testDescription: "an unknown resource", object: quota(["hard": ["cpus": "5"]]), errors: ["spec.hard[cpus]"]),
        Example(testDescription: "half a pod", object: quota(["hard": ["pods": "500m"]]), errors: ["spec.hard[pods]"]),
        Example(
            testDescription: "half a device", object: quota(["hard": ["nvidia.com/gpu": "1500m"]]),
            errors: ["spec.hard[nvidia.com/gpu]"]),
        Example(
            testDescription: "less than nothing", object: quota(["hard": ["cpu": "-1"]]), errors: ["spec.hard[cpu]"]),
        Example(testDescription: "no quantity", object: quota(["hard": ["cpu": "many"]]), errors: ["spec.hard[cpu]"]),
        Example(
            testDescription: "a boolean quantity", object: quota(["hard": ["cpu": true]]), errors: ["spec.hard[cpu]"]),
        Example(
            testDescription: "volume attributes",
            object: quota(["hard": ["requests.storage": "1Gi"], "scopes": ["VolumeAttributesClass"]]), errors: []),
        Example(
            testDescription: "a scope that the resource does not have",
            object: quota(["hard": ["configmaps": "1"], "scopes": ["PriorityClass"]]), errors: ["spec.scopes"]),
        Example(
            testDescription: "scope selectors",
            object: quota([
                "scopeSelector": [
                    "matchExpressions": [
                        ["scopeName": "PriorityClass", "operator": "In"],
                        ["scopeName": "PriorityClass", "operator": "Exists", "values": ["x"]],
                        ["scopeName": "PriorityClass", "operator": "is"],
                        ["scopeName": "Priority", "operator": "Exists"],
                    ]
                ]
            ]),
            errors: [
                "spec.scopeSelector.matchExpressions.operator", "spec.scopeSelector.matchExpressions.scopeName",
                "spec.scopeSelector.matchExpressions.values", "spec.scopeSelector.matchExpressions.values",
            ]),
        // Limits.
        Example(testDescription: "a limit without type", object: limit([:]), errors: ["spec.limits[0].type"]),
        Example(
            testDescription: "storage of containers", object: limit(["type": "Container", "max": ["storage": "1Gi"]]),
            errors: [
                "spec.limits[0].defaultRequest[storage]", "spec.limits[0].default[storage]",
                "spec.limits[0].max[storage]",
            ]),
        Example(
            testDescription: "extended resources",
            object: limit(["type": "Container", "max": ["nvidia.com/gpu": "2"]]), errors: []),
        Example(
            testDescription: "quota names of extended resources",
            object: limit(["type": "Pod", "max": ["requests.nvidia.com/gpu": "2"]]),
            errors: ["spec.limits[0].max[requests.nvidia.com/gpu]"]),
        Example(
            testDescription: "devices cannot be overcommitted",
            object: limit([
                "type": "Container", "default": ["nvidia.com/gpu": "2"], "defaultRequest": ["nvidia.com/gpu": "1"],
            ]),
            errors: ["spec.limits[0].defaultRequest[nvidia.com/gpu]"]),
        Example(
            testDescription: "a ratio from nothing",
            object: limit([
                "type": "Pod", "min": ["cpu": "0"], "max": ["cpu": "1"], "maxLimitRequestRatio": ["cpu": "4"],
            ]), errors: []),
    ]

    @Test(arguments: examples)
    func refusesWhatTheServerRefuses(_ example: Example) {
        let verdict = evaluate(example.object)
        #expect(verdict.errors.map(\.path.description).sorted() == example.errors, "\(verdict.errorTexts)")
        for finding in verdict.findings {
            #expect(!finding.message.isEmpty && !finding.message.hasSuffix("."))
            #expect(finding.hint.hasSuffix(".") || finding.hint.hasSuffix("?"))
        }
    }

    @Test(arguments: [
        ("podSelektor", "Did you mean podSelector?"), ("policytypes", "Did you mean policyTypes?"),
        ("egres", "Did you mean egress?"), ("ignress", "Did you mean ingress?"),
        ("rules", "Delete it; known here: egress, ingress, podSelector, policyTypes."),
    ])
    func suggestsTheNearestField(_ name: String, _ hint: String) {
        let verdict = evaluate(Tree.networkPolicy([:]).setting(["spec", name], to: []))
        #expect(verdict.errorTexts == ["spec.\(name): unknown field \"\(name)\""])
        #expect(verdict.errors.map(\.hint) == [hint])
    }

    @Test func reportsEverythingTogether() {
        let object = Tree.manifest(
            .clusterRoleBinding, name: "a/b",
            ["roleRef": ["kind": "Role", "name": 5], "subjects": [["kind": "Usr", "name": ""], "x"], "extra": 1])
        #expect(
            evaluate(object).errors.map(\.path.description).sorted() == [
                "extra", "metadata.name", "roleRef.kind", "roleRef.name", "subjects[0].kind", "subjects[0].name",
                "subjects[1]",
            ])
    }
}
