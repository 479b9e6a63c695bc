import ChildProcess
import Foundation
import TestSupport
import Testing

/// A policy repository with a work tree, made by the `git` command.
final class PolicyRepository: Sendable {
    private let folder: ScratchDirectory

    var path: String { folder.path }

    /// An empty repository with the branch `main`.
    init() async throws {
        folder = try ScratchDirectory(named: "bylaw-e2e-policies")
        try await git("init", "--quiet", "--initial-branch=main", ".")
    }

    func write(_ text: String, to file: String) throws { try folder.write(text, to: file) }

    func writeProgram(_ text: String, to file: String) throws { try folder.writeProgram(text, to: file) }

    func remove(_ file: String) throws { try FileManager.default.removeItem(atPath: path + "/" + file) }

    /// Copies the files of a folder into the work tree.
    func copy(_ source: String) throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: source) {
            try FileManager.default.copyItem(atPath: source + "/" + name, toPath: path + "/" + name)
        }
    }

    /// Approves everything but the deletion of namespaces, for the tests that are not about approvals.
    static let approvingEverything = [
        "risky-grant", "pod-security-loosened", "isolation-removed", "external-access", "quota-loosened",
        "deletion-budget", "configuration-loosened", "scope-enforced",
    ].map { "\($0) by Ann Policy" }

    /// Commits everything.
    ///
    /// - Parameter approvals: The values of the approval trailers.
    /// - Returns: The commit's id.
    @discardableResult
    func commit(_ message: String, approvals: [String] = PolicyRepository.approvingEverything) async throws -> String {
        try await git("add", "--all")
        let trailers = approvals.map { "Bylaw-Approved: \($0)\n" }.joined()
        try await git(
            "commit", "--quiet", "--allow-empty", "--message", message + (trailers.isEmpty ? "" : "\n\n" + trailers))
        return try await git("rev-parse", "HEAD")
    }

    @discardableResult
    func git(_ arguments: String...) async throws -> String {
        let result = try await runChildProcess(
            "git", arguments,
            environment: [
                "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin", "HOME": path,
                "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null",
                "GIT_AUTHOR_NAME": "Ann Policy", "GIT_AUTHOR_EMAIL": "ann@example.com",
                "GIT_COMMITTER_NAME": "Ann Policy", "GIT_COMMITTER_EMAIL": "ann@example.com",
            ], directory: path, deadline: .seconds(60))
        try #require(result.ending == .exited(0), "git \(arguments): \(result.errorText)")
        return result.outputText.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}

/// What lets a team read the secrets of its namespace; begins like a further document.
func secretManifests(_ namespace: String) -> String {
    """
    ---
    apiVersion: rbac.authorization.k8s.io/v1
    kind: Role
    metadata: {name: secrets, namespace: \(namespace)}
    rules: [{apiGroups: [""], resources: [secrets], verbs: [get, list]}]
    ---
    apiVersion: rbac.authorization.k8s.io/v1
    kind: RoleBinding
    metadata: {name: secrets, namespace: \(namespace)}
    roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: secrets}
    subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: team}]

    """
}

/// The manifests of one small team, with every kind that a namespace holds.
///
/// The default-deny policy omits `egress` and `ingress` on purpose: that is where field ownership alone misses an opening.
///
/// - Parameter round: Stands in an annotation of each object, so that another round changes them all.
func teamManifests(_ namespace: String, round: Int = 0) -> String {
    let note = "annotations: {example.com/round: \"\(round)\"}"
    return """
        apiVersion: v1
        kind: Namespace
        metadata:
          name: \(namespace)
          \(note)
          labels: {pod-security.kubernetes.io/enforce: restricted}
        ---
        apiVersion: v1
        kind: ServiceAccount
        metadata: {name: app, namespace: \(namespace), \(note)}
        ---
        apiVersion: v1
        kind: ResourceQuota
        metadata: {name: compute, namespace: \(namespace), \(note)}
        spec: {hard: {pods: "50", requests.cpu: "8"}}
        ---
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {name: default-deny, namespace: \(namespace), \(note)}
        spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
        ---
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {name: allow-dns, namespace: \(namespace), \(note)}
        spec: {podSelector: {}, policyTypes: [Egress], egress: [{ports: [{protocol: UDP, port: 53}]}]}
        ---
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {name: allow-web, namespace: \(namespace), \(note)}
        spec: {podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress], ingress: [{ports: [{port: 8080}]}]}
        ---
        apiVersion: rbac.authorization.k8s.io/v1
        kind: Role
        metadata: {name: reader, namespace: \(namespace), \(note)}
        rules: [{apiGroups: [""], resources: [pods], verbs: [get, list, watch]}]
        ---
        apiVersion: rbac.authorization.k8s.io/v1
        kind: Role
        metadata: {name: config, namespace: \(namespace), \(note)}
        rules: [{apiGroups: [""], resources: [configmaps], verbs: [get, list, watch]}]
        ---
        apiVersion: rbac.authorization.k8s.io/v1
        kind: RoleBinding
        metadata: {name: reader, namespace: \(namespace), \(note)}
        roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
        subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: team-\(namespace)}]
        ---
        apiVersion: rbac.authorization.k8s.io/v1
        kind: RoleBinding
        metadata: {name: config, namespace: \(namespace), \(note)}
        roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: config}
        subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: team-\(namespace)}]

        """
}

/// A Role of one test.
func roleManifest(_ name: String, in namespace: String) -> String {
    """
    apiVersion: rbac.authorization.k8s.io/v1
    kind: Role
    metadata: {name: \(name), namespace: \(namespace)}
    rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]

    """
}

/// A ClusterRole of one test.
func clusterRoleManifest(_ name: String) -> String {
    """
    apiVersion: rbac.authorization.k8s.io/v1
    kind: ClusterRole
    metadata: {name: \(name)}
    rules: [{apiGroups: [""], resources: [nodes], verbs: [get, list]}]

    """
}
