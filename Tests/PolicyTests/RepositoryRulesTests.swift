import Manifest
import Policy
import Testing

/// What Bylaw asks beyond the API server.
@Suite struct RepositoryRulesTests {
    struct Example: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var object: Tree
        var severity: Finding.Severity
        var path: String
        /// A part of the message or of the hint.
        var says: String
    }

    static let aggregated: Tree = ["clusterRoleSelectors": [["matchLabels": ["a": "b"]]]]

    static let examples: [Example] = [
        Example(
            testDescription: "no namespace", object: Tree.manifest(.role).setting(["metadata", "namespace"], to: nil),
            severity: .error, path: "metadata.namespace", says: "kustomize"),
        Example(
            testDescription: "an account of no namespace",
            object: .manifest(
                .clusterRoleBinding,
                [
                    "roleRef": ["kind": "ClusterRole", "name": "x"],
                    "subjects": [["kind": "ServiceAccount", "name": "a"]],
                ]),
            severity: .error, path: "subjects[0].namespace", says: "kustomize"),
        Example(
            testDescription: "a namespace where there is none",
            object: Tree.manifest(.clusterRole).setting(["metadata", "namespace"], to: "a"), severity: .warning,
            path: "metadata.namespace", says: "whole cluster"),
        Example(
            testDescription: "a generated name",
            object: Tree.manifest(.role).setting(["metadata", "name"], to: nil)
                .setting(["metadata", "generateName"], to: "a-"),
            severity: .error, path: "metadata.generateName", says: "fixed name"),
        Example(
            testDescription: "an owner",
            object: Tree.manifest(.role).setting(
                ["metadata", "ownerReferences"],
                to: [["apiVersion": "v1", "kind": "Pod", "name": "a", "uid": "b"]]),
            severity: .error, path: "metadata.ownerReferences", says: "deleted with that owner"),
        Example(
            testDescription: "a finalizer",
            object: Tree.manifest(.role).setting(["metadata", "finalizers"], to: ["a.b/c"]), severity: .error,
            path: "metadata.finalizers", says: "finalizer"),
        Example(
            testDescription: "Bylaw's own label",
            object: Tree.manifest(.role).setting(["metadata", "labels"], to: ["bylaw.dev/instance": "x"]),
            severity: .error, path: "metadata.labels[bylaw.dev/instance]", says: "Bylaw"),
        Example(
            testDescription: "Bylaw's own annotation",
            object: Tree.manifest(.role).setting(["metadata", "annotations"], to: ["bylaw.dev/id": "x"]),
            severity: .error, path: "metadata.annotations[bylaw.dev/id]", says: "Bylaw"),
        Example(
            testDescription: "another namespace's name",
            object: Tree.manifest(.namespace).setting(
                ["metadata", "labels"], to: ["kubernetes.io/metadata.name": "x"]),
            severity: .error, path: "metadata.labels[kubernetes.io/metadata.name]", says: "own name"),
        Example(
            testDescription: "rules and aggregation",
            object: .manifest(
                .clusterRole,
                ["aggregationRule": aggregated, "rules": [["verbs": ["get"], "nonResourceURLs": ["/a"]]]]),
            severity: .error, path: "rules", says: "aggregationRule"),
        Example(
            testDescription: "egress that is not denied", object: .networkPolicy(["egress": []]), severity: .warning,
            path: "spec.egress", says: "denies no egress"),
        Example(
            testDescription: "rules without effect",
            object: .networkPolicy(["policyTypes": ["Ingress"], "egress": [[:]]]), severity: .warning,
            path: "spec.egress", says: "has no effect"),
        Example(
            testDescription: "an unusual spelling of a block",
            object: .networkPolicy(["ingress": [["from": [["ipBlock": ["cidr": "FE80:0::/64"]]]]]]), severity: .warning,
            path: "spec.ingress[0].from[0].ipBlock.cidr", says: "fe80::/64"),
        Example(
            testDescription: "a role of Kubernetes", object: .manifest(.clusterRole, name: "system:node"),
            severity: .warning, path: "metadata.name", says: "belongs to Kubernetes"),
        Example(
            testDescription: "the role admin", object: .manifest(.clusterRole, name: "admin"), severity: .warning,
            path: "metadata.name", says: "belongs to Kubernetes"),
        Example(
            testDescription: "a mistyped label of Pod Security",
            object: Tree.manifest(.namespace).setting(
                ["metadata", "labels"], to: ["pod-security.kubernetes.io/enfroce": "restricted"]),
            severity: .warning, path: "metadata.labels[pod-security.kubernetes.io/enfroce]",
            says: "Did you mean pod-security.kubernetes.io/enforce?"),
        Example(
            testDescription: "a kustomize variable",
            object: .manifest(
                .roleBinding,
                ["roleRef": ["kind": "Role", "name": "x"], "subjects": [["kind": "User", "name": "$(USER)"]]]),
            severity: .warning, path: "subjects[0].name", says: "kustomize"),
        Example(
            testDescription: "a Helm template as name", object: .manifest(.serviceAccount, name: "{{ .Values.name }}"),
            severity: .error, path: "metadata.name", says: "helm template"),
        Example(
            testDescription: "a kustomize patch", object: .manifest(.role, ["$patch": "delete"]), severity: .error,
            path: "$patch", says: "kustomize build"),
    ]

    @Test(arguments: examples)
    func speaksUp(_ example: Example) {
        let verdict = evaluate(example.object)
        let findings = verdict.findings.filter {
            $0.severity == example.severity && $0.path.description == example.path
                && ($0.message.contains(example.says) || $0.hint.contains(example.says))
        }
        #expect(findings.count == 1, "\(verdict.findings)")
        #expect(example.severity == .error || verdict.errors.isEmpty, "\(verdict.errorTexts)")
    }

    @Test(arguments: [
        Tree.networkPolicy(["egress": [], "policyTypes": ["Egress"]]),
        Tree.manifest(.role, name: "admin"), Tree.manifest(.clusterRole, name: "admins"),
        Tree.manifest(.clusterRole, ["aggregationRule": aggregated, "rules": []]),
        Tree.manifest(.namespace).setting(["metadata", "labels"], to: ["kubernetes.io/metadata.name": "example"]),
        Tree.manifest(.namespace).setting(["metadata", "annotations"], to: ["note": "{{ any text }} $(x)"]),
        Tree.manifest(.role).setting(["metadata", "ownerReferences"], to: []),
    ])
    func isSilentAboutWhatIsSound(_ object: Tree) {
        #expect(evaluate(object).findings == [])
    }
}
