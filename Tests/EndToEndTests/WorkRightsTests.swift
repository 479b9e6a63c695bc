import Foundation
import JSON
import KubeClient
import KubeProtocol
import Manifest
import Reconciler
import TestSupport
import Testing

/// Each right of `Deploy/base/rbac.yaml` is needed: without it something fails, and it is said which right is missing.
@Suite(.enabled(if: ClusterUnderTest.isReal, Comment(rawValue: ClusterUnderTest.absence)))
final class WorkRightsTests {
    private let cluster: ClusterUnderTest
    private let program: Program
    private let repository: PolicyRepository
    private let name = "e2e-right-\(UUID().uuidString.prefix(8).lowercased())"

    init() async throws {
        cluster = try ClusterUnderTest()
        program = try Program()
        repository = try await PolicyRepository()
    }

    struct Right: Sendable, CustomTestStringConvertible {
        var verb: String
        var resource: Resource
        var testDescription: String { "\(verb) \(resource.plural)" }
    }

    private static let verbs = ["get", "list", "watch", "create", "patch", "delete"]
    static let rights = Resource.managed.flatMap { resource in verbs.map { Right(verb: $0, resource: resource) } }

    /// The rules of the shipped file, one for each kind.
    static let shippedRules = rules(without: nil, .role)

    /// The rights are those of the shipped file, so none is passed over here.
    @Test func everyShippedRightIsTaken() throws {
        let text = try String(contentsOfFile: sourceRoot + "/Deploy/base/rbac.yaml", encoding: .utf8)
        for line in text.split(separator: "\n") where line.contains("verbs:") {
            #expect(line.contains("[\(Self.verbs.joined(separator: ", "))]"), "\(line)")
        }
        let resources = text.matches(of: /resources: \[([^\]]+)\]/).flatMap {
            $0.output.1.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        }
        #expect(Set(resources) == Set(Resource.managed.map(\.plural)))
        #expect(!text.contains("nonResourceURLs"))
    }

    @Test(arguments: rights) func withoutARightItIsSaidThatItIsMissing(_ right: Right) async throws {
        let told = try await use(right.resource, without: right.verb).replacing("\\\"", with: "\"")
        let words = [
            "cannot \(right.verb) resource \"\(right.resource.plural)\"",
            "the right to \(right.verb) \(right.resource.qualifiedPlural) is missing",
        ]
        #expect(words.contains { told.contains($0) }, "\(told)")
    }

    @Test(arguments: Resource.managed) func withAllOfThemNothingIsMissing(_ resource: Resource) async throws {
        let told = try await use(resource, without: nil)
        #expect(!told.contains("cannot "), "\(told)")
        #expect(told.contains("is back, as entry"), "\(told)")
    }

    /// What Bylaw holds in order to grant it, it can only grant while it holds it (rule I1).
    @Test func withoutARightOfTheShippedCeilingItCannotBeGranted() async throws {
        let text = try String(contentsOfFile: sourceRoot + "/Deploy/default/ceiling.yaml", encoding: .utf8)
        let found = text.matches(of: /apiGroups: \[([^\]]+)\]\n  resources: \[([^\]]+)\]\n  verbs: \[([^\]]+)\]/)
        func words(_ list: Substring) -> [String] {
            list.split(separator: ",").map { $0.trimmingCharacters(in: CharacterSet(charactersIn: " \"")) }
        }
        let parts: [Tree] = found.flatMap { match in
            words(match.output.2).flatMap { resource in
                words(match.output.3).map { verb in
                    [
                        "apiGroups": .array(words(match.output.1).map(Tree.string)), "resources": [.string(resource)],
                        "verbs": [.string(verb)],
                    ]
                }
            }
        }
        #expect(parts.count == 51)
        for (index, part) in parts.enumerated() {
            let account = try await cluster.makeAccount(
                "\(name)-\(index)", rules: Self.shippedRules + parts.filter { $0 != part }, kubeconfigIn: program.folder
            )
            let client = try cluster.client(kubeconfig: account.kubeconfig)
            let other = parts[index == 0 ? 1 : 0]
            try await eventually("the others can be granted") { try await grants(other, by: client) == 200 }
            #expect(try await grants(part, by: client) == 403, "\(part)")
        }
    }

    /// The status of a dry run of a role with one rule.
    private func grants(_ rule: Tree, by client: KubeCluster) async throws -> Int {
        let role: Tree = [
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": ["name": .string(name)],
            "rules": [rule],
        ]
        do {
            _ = try await client.send(
                APIRequest(
                    method: .post, path: Resource.clusterRole.collectionPath(), query: [("dryRun", "All")],
                    contentType: "application/json", body: role.jsonBytes()), what: "grant")
            return 200
        } catch {
            return error.status
        }
    }

    /// Has objects of one kind made, changed, watched, removed and restored by somebody who lacks one right.
    ///
    /// - Returns: All that was said.
    private func use(_ resource: Resource, without verb: String?) async throws -> String {
        let account = try await cluster.makeAccount(
            name, rules: Self.rules(without: verb, resource), kubeconfigIn: program.folder)
        let place = ObjectID(.namespace, name: name)
        if resource != .namespace {
            _ = try await cluster.intruder.apply(
                ["apiVersion": "v1", "kind": "Namespace", "metadata": ["name": .string(name)]], to: place,
                expecting: nil, isDryRun: false)
        }
        // A role to bind that grants nothing.
        let nothing = ObjectID(.clusterRole, name: "\(name)-nothing")
        _ = try await cluster.intruder.apply(
            [
                "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
                "metadata": ["name": .string(nothing.name)], "rules": [],
            ], to: nothing, expecting: nil, isDryRun: false)
        let approvals = PolicyRepository.approvingEverything + ["namespace-deletion by Ann Policy"]
        let connection = ["--kubeconfig", account.kubeconfig]
        let flags =
            ["--repo", repository.path, "--instance", name, "--journal", program.journal]
            + ["--cache", program.folder.path + "/cache", "--hold-configmap", "off"] + connection
        var told = ""
        // What is removed, and restored after that, takes a second revision.
        let rounds = verb == nil || verb == "delete" || verb == "get" ? 2 : 1
        for round in 0..<rounds {
            let names = round == 0 ? ["one", "two"] : ["one"]
            try repository.write(
                names.map { manifest(resource, "\(name)-\($0)", round: round) }.joined(separator: "---\n"),
                to: "policy.yaml")
            try await repository.commit("Round \(round)", approvals: approvals)
            guard verb != "watch" else { continue }
            let outcome = try await program.run(["sync"] + flags)
            told += outcome.output + outcome.errors
        }
        if verb != "watch" {
            told += try await program.entries().compactMap { $0["message"]?.string }.joined(separator: "\n")
        }
        if verb == nil || verb == "watch" {
            let run = try RunningProgram(program, ["run"] + flags)
            try await run.untilItSays(verb == nil ? "Synced" : "cannot watch")
            try await run.stop()
            told += run.text
        }
        if verb == nil || verb == "get" { told += try await restore(resource, connection) }
        return told
    }

    /// Brings back what the second round removed.
    private func restore(_ resource: Resource, _ connection: [String]) async throws -> String {
        let removed = try await program.entries(["--kind", resource.kind, "--name", "\(name)-two"])
            .last { $0["action"] == "delete" && $0["outcome"] == "succeeded" }
        let sequence = try #require(removed?["sequence"]?.integer)
        if resource == .namespace {
            let id = ObjectID(.namespace, name: "\(name)-two")
            try await eventually("\(id) is gone") { try await cluster.object(id) == nil }
        }
        let outcome = try await program.run(
            ["journal", "restore", "\(sequence)", "--journal", program.journal] + connection)
        return outcome.output + outcome.errors
    }

    private static func rules(without verb: String?, _ resource: Resource) -> [Tree] {
        Resource.managed.map { kind in
            let verbs = verbs.filter { kind != resource || $0 != verb }
            return [
                "apiGroups": [.string(kind.group)], "resources": [.string(kind.plural)],
                "verbs": .array(verbs.map(Tree.string)),
            ]
        }
    }

    /// An object of a kind; the roles grant nothing, so that no ceiling plays a part.
    private func manifest(_ resource: Resource, _ object: String, round: Int) -> String {
        let place = resource.isNamespaced ? ", namespace: \(name)" : ""
        let role = "{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: \(name)-nothing}"
        let spec =
            switch resource {
            case .resourceQuota: "spec: {hard: {pods: \"1\"}}\n"
            case .limitRange: "spec: {limits: [{type: Container, max: {cpu: \"1\"}}]}\n"
            case .networkPolicy: "spec: {podSelector: {}, policyTypes: [Ingress]}\n"
            case .role, .clusterRole: "rules: []\n"
            case .roleBinding, .clusterRoleBinding:
                "roleRef: \(role)\nsubjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: e2e}]\n"
            default: ""
            }
        return """
            apiVersion: \(resource.apiVersion)
            kind: \(resource.kind)
            metadata: {name: \(object)\(place), annotations: {example.com/round: "\(round)"}}

            """ + spec
    }
}
