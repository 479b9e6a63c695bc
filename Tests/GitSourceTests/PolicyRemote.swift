import ChildProcess
import Foundation
import Git
import GitSource
import HTTPClient
import Manifest
import PolicyFiles
import Reconciler
import TestSupport
import Testing

/// A policy repository with a work tree, made by the `git` command.
final class PolicyRemote: Sendable {
    let folder: ScratchDirectory
    let path: String

    /// An empty repository with the branch `main`.
    init() async throws {
        folder = try ScratchDirectory(named: "bylaw-source")
        path = folder.path + "/policies"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try await git("init", "--quiet", "--initial-branch=main", ".")
    }

    func write(_ text: String, to file: String) throws { try folder.write(text, to: "policies/" + file) }
    func remove(_ file: String) throws { try FileManager.default.removeItem(atPath: path + "/" + file) }

    /// Commits everything.
    ///
    /// - Returns: The commit's id.
    @discardableResult
    func commit(_ message: String) async throws -> String {
        try await git("add", "--all")
        try await git("commit", "--quiet", "--allow-empty", "--message", message)
        return try await git("rev-parse", "HEAD")
    }

    @discardableResult
    func git(_ arguments: String..., committedAt: String = "1700000000 +0000") async throws -> String {
        let result = try await runChildProcess(
            "git", arguments,
            environment: [
                "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin", "HOME": folder.path,
                "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null",
                "GIT_AUTHOR_NAME": "Ann Author", "GIT_AUTHOR_EMAIL": "ann@example.com",
                "GIT_COMMITTER_NAME": "Carl Committer", "GIT_COMMITTER_EMAIL": "carl@example.com",
                "GIT_COMMITTER_DATE": committedAt,
            ], directory: path, deadline: .seconds(60))
        try #require(result.ending == .exited(0), "git \(arguments): \(result.errorText)")
        return result.outputText.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// A source that follows this repository.
    ///
    /// Each has the same cache unless another is named, but that of a cluster has one of its own: two of them may be alive at
    /// once.
    func source(
        _ reference: FollowedReference = .branch("main"), path subpath: String = "", cluster: String? = nil,
        from address: String? = nil,
        cache: String? = nil, credentials: GitCredentials = GitCredentials(proxy: .none),
        fetchLimits: FetchLimits = FetchLimits(total: .seconds(30), stall: .seconds(5), connect: .seconds(5)),
        limits: RepositoryLimits = RepositoryLimits()
    ) throws -> GitRevisionSource {
        GitRevisionSource(
            GitSourceConfiguration(
                url: try RemoteURL(address ?? path), reference: reference, path: subpath, cluster: cluster,
                credentials: credentials,
                cacheDirectory: folder.path + "/" + (cache ?? cluster.map { _ in UUID().uuidString } ?? "cache"),
                fetchLimits: fetchLimits, repositoryLimits: limits,
                environment: ProcessInfo.processInfo.environment))
    }
}

extension GitRevisionSource {
    /// Fetches, and loads what was found.
    func loadNewest() async throws -> LoadedRevision { try await load(try await fetchNewest()) }
}

/// The manifest of a ClusterRole, with a rule that tells versions of it apart.
func clusterRole(_ name: String, verb: String = "get") -> String {
    """
    apiVersion: rbac.authorization.k8s.io/v1
    kind: ClusterRole
    metadata: {name: \(name)}
    rules: [{apiGroups: [""], resources: [nodes], verbs: [\(verb)]}]

    """
}

func clusterRoleID(_ name: String) -> ObjectID { ObjectID(.clusterRole, name: name) }

/// What a source says went wrong, or nil.
func explanation<Value>(_ body: () async throws -> Value) async -> Explanation? {
    do {
        _ = try await body()
        return nil
    } catch {
        return (error as? SourceError)?.explanation
    }
}
