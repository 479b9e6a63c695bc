import ChildProcess
import Foundation
import JSON
import KubeClient
import KubeProtocol
import Manifest
import TestSupport
import Testing

/// A service account that a test has made, with rights of its own.
struct TestAccount {
    var id: ObjectID
    /// With a token of it.
    var kubeconfig: String
}

extension ClusterUnderTest {
    /// Makes a service account with some rules for the whole cluster, and waits until they hold.
    func makeAccount(_ name: String, rules: [Tree], kubeconfigIn folder: ScratchDirectory) async throws -> TestAccount {
        let account = ObjectID(.serviceAccount, namespace: "default", name: name)
        let role = ObjectID(.clusterRole, name: name)
        _ = try await intruder.apply(manifest(account), to: account, expecting: nil, isDryRun: false)
        var body = manifest(role)
        body.set(["rules"], to: .array(rules))
        _ = try await intruder.apply(body, to: role, expecting: nil, isDryRun: false)
        try await grant(role, to: account)
        let kubeconfig = try folder.write(
            try kubeconfig(withToken: try await token(of: account)), to: "\(name).kubeconfig")
        return TestAccount(id: account, kubeconfig: kubeconfig)
    }

    private func grant(_ role: ObjectID, to account: ObjectID) async throws {
        let id = ObjectID(.clusterRoleBinding, name: role.name)
        var body = manifest(id)
        body.set(
            ["roleRef"], to: ["apiGroup": .string(role.group), "kind": "ClusterRole", "name": .string(role.name)])
        body.set(
            ["subjects"],
            to: [["kind": "ServiceAccount", "name": .string(account.name), "namespace": .string(account.namespace)]])
        _ = try await intruder.apply(body, to: id, expecting: nil, isDryRun: false)
    }

    /// The least lifetime that an API server gives, in seconds.
    static let shortestTokenLife = 600

    /// A token by TokenRequest, which dies with the object that it is bound to.
    func token(of account: ObjectID, boundTo secret: (name: String, uid: String)? = nil) async throws -> String {
        var spec: Tree = ["expirationSeconds": .integer(Int64(Self.shortestTokenLife))]
        if let secret {
            spec.set(
                ["boundObjectRef"],
                to: ["kind": "Secret", "apiVersion": "v1", "name": .string(secret.name), "uid": .string(secret.uid)])
        }
        let body: Tree = ["apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec]
        let answer = try await intruder.send(
            APIRequest(
                method: .post, path: Resource.serviceAccount.path(of: account) + "/token",
                contentType: "application/json", body: body.jsonBytes()), what: "ask for a token of \(account)")
        return try #require(try parseJSON(answer)["status"]?["token"]?.string)
    }

    /// The kubeconfig of Bylaw with another token, or with the file of one.
    func kubeconfig(withToken token: String? = nil, file: String? = nil) throws -> String {
        let text = try String(contentsOfFile: kubeconfig, encoding: .utf8)
        let place = try #require(text.firstMatch(of: /tokenFile: [^}\n]+/)?.range)
        return text.replacingCharacters(in: place, with: token.map { "token: \($0)" } ?? "tokenFile: \(file ?? "")")
    }

    /// Widens Bylaw's own ceiling, as an administrator, by what `bylaw rights` prints for a repository.
    ///
    /// Nothing on an embedded cluster, which takes the program for an administrator.
    ///
    /// - Parameters:
    ///   - path: Manifests of what the test declares and the suites' ceiling does not have.
    ///   - namespaces: Are made first where they are not there.
    ///   - flags: Of `bylaw rights`.
    func widenCeiling(
        for path: String, namespaces: [String] = [], flags: [String] = [], by program: Program
    ) async throws {
        guard Self.isReal else { return }
        for name in namespaces {
            let id = ObjectID(.namespace, name: name)
            if try await object(id) == nil {
                _ = try await intruder.apply(manifest(id), to: id, expecting: nil, isDryRun: false)
            }
        }
        let printed = try await program.run(["rights", "--for", path, "-o", "json"] + flags)
        try #require(printed.status == 0, "\(printed.errors)")
        let items = try #require(try parseJSON(Array(printed.output.utf8))["items"]?.array)
        // Of the whole cluster there is one already, which other tests work with.
        let name = "bylaw-ceiling-\(UUID().uuidString.prefix(8).lowercased())"
        for item in items {
            var body = item
            body.set(["metadata", "name"], to: .string(name))
            if item["roleRef"] != nil { body.set(["roleRef", "name"], to: .string(name)) }
            let id = try #require(ObjectID(of: body))
            _ = try await intruder.apply(body, to: id, expecting: nil, isDryRun: false)
        }
        for item in items { try await untilHeld(item) }
    }

    /// Writes, as an administrator, the roles that Bylaw cannot write; none on an embedded cluster.
    ///
    /// - Returns: How many there are.
    func writeRolesBeyondTheCeiling(of path: String, instance: String, by program: Program) async throws -> Int {
        guard Self.isReal else { return 0 }
        let printed = try await program.run(["rights", "--for", path, "--roles", "--instance", instance])
        try #require(printed.status == 0, "\(printed.errors)")
        let items = try #require(try parseJSON(Array(printed.output.utf8))["items"]?.array)
        for item in items {
            _ = try await intruder.apply(item, to: try #require(ObjectID(of: item)), expecting: nil, isDryRun: false)
        }
        return items.count
    }

    /// Waits until the authorizer knows the rules of a role that was bound to Bylaw.
    private func untilHeld(_ role: Tree) async throws {
        let bylaw = try client(kubeconfig: kubeconfig)
        for rule in role["rules"]?.array ?? [] {
            let first = { (field: String) in rule[field]?.array?.first?.string ?? "" }
            let parts = first("resources").split(separator: "/").map(String.init)
            let review: Tree = [
                "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
                "spec": [
                    "resourceAttributes": [
                        "namespace": role["metadata"]?["namespace"] ?? "", "verb": .string(first("verbs")),
                        "group": .string(first("apiGroups")), "resource": .string(parts.first ?? ""),
                        "subresource": .string(parts.count > 1 ? parts[1] : ""),
                        "name": .string(first("resourceNames")),
                    ]
                ],
            ]
            try await eventually("Bylaw holds \(rule)") {
                let answer = try await bylaw.send(
                    APIRequest(
                        method: .post, path: "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
                        contentType: "application/json", body: review.jsonBytes()), what: "ask what is held")
                return try parseJSON(answer)["status"]?["allowed"] == true
            }
        }
    }

    /// A client with the credentials of a kubeconfig.
    func client(kubeconfig: String) throws -> KubeCluster {
        KubeCluster(
            endpoint: try findClusterEndpoint(
                kubeconfig: kubeconfig, context: nil, environment: ProcessInfo.processInfo.environment),
            fieldManager: "test", userAgent: "test/1")
    }
}

private func manifest(_ id: ObjectID) -> Tree {
    var tree: Tree = ["apiVersion": .string(id.resource?.apiVersion ?? ""), "kind": .string(id.kind)]
    tree.set(["metadata", "name"], to: .string(id.name))
    if !id.namespace.isEmpty { tree.set(["metadata", "namespace"], to: .string(id.namespace)) }
    return tree
}

extension ObjectID {
    /// The identity of a role or binding.
    fileprivate init?(of tree: Tree) {
        guard let kind = tree["kind"]?.string, let name = tree["metadata"]?["name"]?.string else { return nil }
        self.init(
            group: Resource.role.group, kind: kind, namespace: tree["metadata"]?["namespace"]?.string ?? "", name: name)
    }
}
