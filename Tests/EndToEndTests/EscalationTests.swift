import ChildProcess
import Foundation
import JSON
import KubeClient
import KubeProtocol
import Manifest
import Reconciler
import TestSupport
import Testing

/// What somebody with Bylaw's own token tries in order to have more rights than Bylaw, on the real API server.
///
/// The ceiling is that of a repository with the two kinds of roles that Bylaw does not hold: a Role that reads Secrets, by
/// name in its namespace, and a ClusterRole that does, which Bylaw may only bind there.
@Suite(.enabled(if: ClusterUnderTest.isReal, Comment(rawValue: ClusterUnderTest.absence)))
final class EscalationTests {
    private let cluster: ClusterUnderTest
    private let program: Program
    private let name = "e2e-escalation-\(UUID().uuidString.prefix(8).lowercased())"
    private static let rbac = "/apis/rbac.authorization.k8s.io/v1"

    init() async throws {
        cluster = try ClusterUnderTest()
        program = try Program()
    }

    /// One request, as a dry run where it can be one: what succeeds must not harm other tests.
    struct Attempt: Sendable {
        var what: String
        var method: APIRequest.Method
        var path: String
        var body: Tree?
        var type = "application/json"
        var isDryRun = true

        func request() -> APIRequest {
            APIRequest(
                method: method, path: path, query: isDryRun && method != .get ? [("dryRun", "All")] : [],
                contentType: body == nil ? nil : type, body: body?.jsonBytes())
        }
    }

    @Test func noneOfThemSucceedsWithBylawsToken() async throws {
        try await prepare()
        let bylaw = try cluster.client(kubeconfig: cluster.kubeconfig)
        let attempts = grants() + ownRights() + objects()
        #expect(attempts.count >= 40)
        for attempt in attempts {
            #expect(try await status(attempt, by: bylaw) == 403, "\(attempt.what)")
            // Whoever may do everything is not refused: it is the right that is missing, and nothing of the request.
            let allowed = try await status(attempt, by: cluster.intruder)
            #expect(allowed != 403 && allowed != 400 && allowed != 415, "\(attempt.what): \(allowed)")
        }
    }

    /// Headers cannot be given to our own client.
    @Test(arguments: [
        "--as=alice", "--as=system:admin --as-group=system:masters", "--as=system:serviceaccount:kube-system:default",
    ])
    func nobodyElseCanBeImpersonated(_ words: String) async throws {
        let kubectl = try #require(ProcessInfo.processInfo.environment["BYLAW_E2E_KUBECTL"])
        let result = try await runChildProcess(
            kubectl,
            ["--kubeconfig", cluster.kubeconfig] + words.split(separator: " ").map(String.init) + [
                "get", "--raw", "/api/v1/namespaces",
            ],
            environment: ["HOME": program.folder.path], deadline: .seconds(60))
        #expect(result.ending == .exited(1))
        #expect(result.errorText.contains("cannot impersonate resource"), "\(result.errorText)")
    }

    /// What README says that a stolen token can do.
    @Test func whatTheCeilingAllowsCanBeGrantedToAnybody() async throws {
        try await prepare()
        let bylaw = try cluster.client(kubeconfig: cluster.kubeconfig)
        let place = "\(Self.rbac)/namespaces/\(name)"
        let anything = role("secrets", in: name, "*", "*", "*")
        let possible = [
            write("any rule under the name of a role that is given by name", "\(place)/roles/secrets", anything),
            create("a binding of that role", "\(place)/rolebindings", binding("mine", in: name, "Role", "secrets")),
            create(
                "a binding of the ClusterRole there", "\(place)/rolebindings",
                binding("mine", in: name, "ClusterRole", "\(name)-secrets")),
            create(
                "held rules in any role", "\(Self.rbac)/namespaces/kube-system/roles",
                role("mine", in: "kube-system", "", "pods", "get")),
        ]
        for attempt in possible {
            let status = try await status(attempt, by: bylaw)
            #expect((200...201).contains(status), "\(attempt.what): \(status)")
        }
    }

    // MARK: The attempts

    /// Writing roles and bindings that grant more than the ceiling.
    private func grants() -> [Attempt] {
        let here = "\(Self.rbac)/namespaces/\(name)"
        let system = "\(Self.rbac)/namespaces/kube-system"
        let labels = { (key: String) -> Tree in
            [
                "metadata": [
                    "labels": .object(Members([("rbac.authorization.k8s.io/aggregate-to-\(key)", Tree.string("true"))]))
                ]
            ]
        }
        var aggregated = role("\(name)-all", "", "pods", "get")
        aggregated.set(["rules"], to: [])
        aggregated.set(["aggregationRule"], to: ["clusterRoleSelectors": [["matchLabels": [:]]]])
        var everything = role("\(name)-urls", "", "pods", "get")
        everything.set(["rules"], to: [["nonResourceURLs": ["*"], "verbs": ["get"]]])
        return [
            create("a ClusterRole of everything", "\(Self.rbac)/clusterroles", role("\(name)-all", "*", "*", "*")),
            create("a ClusterRole of all URLs", "\(Self.rbac)/clusterroles", everything),
            create(
                "a ClusterRole that reads Secrets", "\(Self.rbac)/clusterroles", role("\(name)-s", "", "secrets", "get")
            ),
            create(
                "a ClusterRole that escalates", "\(Self.rbac)/clusterroles",
                role("\(name)-e", "rbac.authorization.k8s.io", "clusterroles", "escalate")),
            create("an aggregated ClusterRole", "\(Self.rbac)/clusterroles", aggregated),
            create(
                "a Role that reads Secrets under another name", "\(here)/roles",
                role("other", in: name, "", "secrets", "get")),
            create(
                "a Role of that name in another namespace", "\(Self.rbac)/namespaces/default/roles",
                role("secrets", in: "default", "", "secrets", "get")),
            create("a ClusterRole of that name", "\(Self.rbac)/clusterroles", role("secrets", "", "secrets", "get")),
            create("a Role in kube-system", "\(system)/roles", role("mine", in: "kube-system", "", "pods", "create")),
            create(
                "itself as cluster-admin", "\(Self.rbac)/clusterrolebindings", binding("\(name)-a", "cluster-admin")),
            create(
                "somebody else as cluster-admin", "\(Self.rbac)/clusterrolebindings",
                binding(
                    "\(name)-b", "cluster-admin",
                    to: ["kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "mallory"])),
            create(
                "itself as cluster-admin in a namespace", "\(here)/rolebindings",
                binding("a", in: name, "ClusterRole", "cluster-admin")),
            create(
                "itself as admin in a namespace", "\(here)/rolebindings", binding("b", in: name, "ClusterRole", "admin")
            ),
            create("itself as a node", "\(Self.rbac)/clusterrolebindings", binding("\(name)-n", "system:node")),
            create(
                "itself as the controller manager", "\(Self.rbac)/clusterrolebindings",
                binding("\(name)-c", "system:kube-controller-manager")),
            create(
                "the ClusterRole in the whole cluster", "\(Self.rbac)/clusterrolebindings",
                binding("\(name)-w", "\(name)-secrets")),
            create(
                "the ClusterRole in kube-system", "\(system)/rolebindings",
                binding("mine", in: "kube-system", "ClusterRole", "\(name)-secrets")),
            create(
                "a role of kube-system", "\(system)/rolebindings",
                binding("mine", in: "kube-system", "Role", "system:controller:token-cleaner")),
            merge(
                "the ClusterRole given more", "\(Self.rbac)/clusterroles/\(name)-secrets",
                ["rules": [rule("*", "*", "*")]]),
            merge("the ClusterRole gathered into admin", "\(Self.rbac)/clusterroles/\(name)-secrets", labels("admin")),
            merge("cluster-admin gathered into view", "\(Self.rbac)/clusterroles/cluster-admin", labels("view")),
            merge(
                "more for view", "\(Self.rbac)/clusterroles/system:aggregate-to-view",
                ["rules": [rule("", "secrets", "get")]]),
            merge(
                "more for a role of the system", "\(system)/roles/system:controller:token-cleaner",
                ["rules": [rule("*", "*", "*")]]),
            merge(
                "more for everybody", "\(Self.rbac)/clusterroles/system:discovery",
                ["rules": [rule("", "secrets", "get")]]),
        ]
    }

    /// Widening what Bylaw itself holds.
    private func ownRights() -> [Attempt] {
        let more: Tree = ["rules": [rule("", "secrets", "get")]]
        let patch: Tree = [["op": "add", "path": "/rules/-", "value": rule("", "secrets", "get")]]
        var applied = role("bylaw-ceiling", "", "secrets", "get")
        applied.set(["metadata", "managedFields"], to: nil)
        return [
            merge("its own work role", "\(Self.rbac)/clusterroles/bylaw", more),
            merge("its own ceiling", "\(Self.rbac)/clusterroles/bylaw-ceiling", more),
            Attempt(
                what: "one more rule of its ceiling", method: .patch, path: "\(Self.rbac)/clusterroles/bylaw-ceiling",
                body: patch, type: "application/json-patch+json"),
            create("a second ceiling", "\(Self.rbac)/clusterroles", role("bylaw-ceiling-2", "", "secrets", "get")),
            create(
                "a Role in its own namespace", "\(Self.rbac)/namespaces/bylaw-system/roles",
                role("secrets", in: "bylaw-system", "", "secrets", "get")),
        ]
    }

    /// Everything that is no role and no binding.
    private func objects() -> [Attempt] {
        let token: Tree = ["apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": [:]]
        let pod: Tree = [
            "apiVersion": "v1", "kind": "Pod", "metadata": ["name": "mine", "namespace": .string(name)],
            "spec": ["containers": [["name": "c", "image": "c"]]],
        ]
        let template: Tree = ["metadata": ["labels": ["a": "b"]], "spec": pod["spec"] ?? [:]]
        let deployment: Tree = [
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": ["name": "mine", "namespace": .string(name)],
            "spec": ["selector": ["matchLabels": ["a": "b"]], "template": template],
        ]
        let webhooks: Tree = [
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
            "metadata": ["name": .string(name)],
        ]
        let configMap: Tree = [
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": "mine", "namespace": .string(name)],
        ]
        let claim: Tree = [
            "apiVersion": "v1", "kind": "PersistentVolume", "metadata": ["name": .string(name)],
            "spec": [
                "capacity": ["storage": "1Gi"], "accessModes": ["ReadWriteOnce"], "hostPath": ["path": "/"],
            ],
        ]
        let here = "/api/v1/namespaces/\(name)"
        let accounts = { (namespace: String) in "/api/v1/namespaces/\(namespace)/serviceaccounts" }
        return [
            read("a Secret", "\(here)/secrets/treasure"), read("Secrets of a namespace", "\(here)/secrets"),
            read("all Secrets", "/api/v1/secrets"),
            read("Secrets of its own namespace", "/api/v1/namespaces/bylaw-system/secrets"),
            read("Secrets by a watch", "/api/v1/secrets?watch=1&timeoutSeconds=1"),
            create("a pod", "\(here)/pods", pod),
            create("a Deployment", "/apis/apps/v1/namespaces/\(name)/deployments", deployment),
            create("a pod in kube-system", "/api/v1/namespaces/kube-system/pods", pod.moved(to: "kube-system")),
            exec("a command in a pod", "\(here)/pods/any/exec?command=id&stdout=true"),
            exec("a port of a pod", "\(here)/pods/any/portforward?ports=80"),
            read("a pod's port", "\(here)/pods/any/proxy/"),
            read("the kubelet of a node", "/api/v1/nodes/any/proxy/pods"),
            create("a token of its own", "\(accounts("bylaw-system"))/bylaw/token", token),
            create(
                "a token of a controller", "\(accounts("kube-system"))/clusterrole-aggregation-controller/token", token),
            create("a ConfigMap", "\(here)/configmaps", configMap),
            create("a webhook", "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations", webhooks),
            create("a volume of a node's root", "/api/v1/persistentvolumes", claim),
            merge(
                "a certificate approved", "/apis/certificates.k8s.io/v1/certificatesigningrequests/any/approval",
                ["metadata": ["annotations": ["a": "b"]]]),
            merge("a node's labels", "/api/v1/nodes/any", ["metadata": ["labels": ["a": "b"]]]),
            Attempt(
                what: "all of a namespace's bindings at once", method: .delete,
                path: "\(Self.rbac)/namespaces/\(name)/rolebindings"),
            read("the server's metrics", "/metrics"),
        ]
    }

    // MARK: Set-up

    /// Widens the ceiling as an administrator does, and has him make what Bylaw cannot.
    private func prepare() async throws {
        let text = """
            apiVersion: rbac.authorization.k8s.io/v1
            kind: Role
            metadata: {name: secrets, namespace: \(name)}
            rules: [{apiGroups: [""], resources: [secrets], verbs: [get]}]
            ---
            apiVersion: rbac.authorization.k8s.io/v1
            kind: RoleBinding
            metadata: {name: secrets, namespace: \(name)}
            roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: secrets}
            subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: team}]
            ---
            apiVersion: rbac.authorization.k8s.io/v1
            kind: ClusterRole
            metadata: {name: \(name)-secrets}
            rules: [{apiGroups: [""], resources: [secrets], verbs: [get]}]
            ---
            apiVersion: rbac.authorization.k8s.io/v1
            kind: RoleBinding
            metadata: {name: more, namespace: \(name)}
            roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: \(name)-secrets}
            subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: team}]

            """
        let path = try program.folder.write(text, to: "policies/access.yaml")
        try await cluster.widenCeiling(for: path, namespaces: [name], by: program)
        let clusterRole = ObjectID(.clusterRole, name: "\(name)-secrets")
        _ = try await cluster.intruder.apply(
            role(clusterRole.name, "", "secrets", "get"), to: clusterRole, expecting: nil, isDryRun: false)
        let own = ObjectID(.role, namespace: name, name: "secrets")
        _ = try await cluster.intruder.apply(
            role("secrets", in: name, "", "secrets", "get"), to: own, expecting: nil, isDryRun: false)
    }

    private func status(_ attempt: Attempt, by client: KubeCluster) async throws -> Int {
        do {
            _ = try await client.send(attempt.request(), what: attempt.what)
            return 200
        } catch {
            return error.status
        }
    }

    private func read(_ what: String, _ path: String) -> Attempt { Attempt(what: what, method: .get, path: path) }

    private func create(_ what: String, _ path: String, _ body: Tree) -> Attempt {
        Attempt(what: what, method: .post, path: path, body: body)
    }

    /// As kubectl asks for it before it changes the protocol.
    private func exec(_ what: String, _ path: String) -> Attempt {
        Attempt(what: what, method: .post, path: path, isDryRun: false)
    }

    private func merge(_ what: String, _ path: String, _ body: Tree) -> Attempt {
        Attempt(what: what, method: .patch, path: path, body: body, type: "application/merge-patch+json")
    }

    private func write(_ what: String, _ path: String, _ body: Tree) -> Attempt {
        merge(what, path, ["rules": body["rules"] ?? []])
    }

    private func rule(_ group: String, _ resource: String, _ verb: String) -> Tree {
        ["apiGroups": [.string(group)], "resources": [.string(resource)], "verbs": [.string(verb)]]
    }

    private func role(
        _ name: String, in namespace: String = "", _ group: String, _ resource: String, _ verb: String
    ) -> Tree {
        var tree: Tree = [
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": namespace.isEmpty ? "ClusterRole" : "Role",
            "metadata": ["name": .string(name)], "rules": [rule(group, resource, verb)],
        ]
        if !namespace.isEmpty { tree.set(["metadata", "namespace"], to: .string(namespace)) }
        return tree
    }

    private func binding(_ name: String, _ role: String, to subject: Tree? = nil) -> Tree {
        binding(name, in: "", "ClusterRole", role, to: subject)
    }

    private func binding(
        _ name: String, in namespace: String, _ kind: String, _ role: String, to subject: Tree? = nil
    ) -> Tree {
        var tree: Tree = [
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": namespace.isEmpty ? "ClusterRoleBinding" : "RoleBinding", "metadata": ["name": .string(name)],
            "roleRef": ["apiGroup": "rbac.authorization.k8s.io", "kind": .string(kind), "name": .string(role)],
            "subjects": [subject ?? ["kind": "ServiceAccount", "name": "bylaw", "namespace": "bylaw-system"]],
        ]
        if !namespace.isEmpty { tree.set(["metadata", "namespace"], to: .string(namespace)) }
        return tree
    }
}

extension Tree {
    fileprivate func moved(to namespace: String) -> Tree {
        var tree = self
        tree.set(["metadata", "namespace"], to: .string(namespace))
        return tree
    }
}
