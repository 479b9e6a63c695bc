import ChildProcess
import Foundation
import Git
import HTTPClient
import TestSupport
import Testing

/// A remote repository with a work tree, made by the `git` command, and a cache folder to clone it into.
final class ScratchRemote: Sendable {
    let folder: ScratchDirectory
    /// The work tree; its repository is `.git` below it.
    let path: String

    var cache: String { folder.path + "/cache" }

    /// An empty repository with the branch `main`.
    init(named name: String = "remote", in folder: ScratchDirectory? = nil) async throws {
        self.folder = try folder ?? ScratchDirectory(named: "bylaw-git")
        path = self.folder.path + "/" + name
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try await git("init", "--quiet", "--initial-branch=main", ".")
    }

    /// Writes one file and commits it.
    ///
    /// - Returns: The commit's id.
    @discardableResult
    func commit(_ message: String, _ files: [String: String] = [:]) async throws -> String {
        for (name, text) in files {
            let url = URL(fileURLWithPath: path + "/" + name)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: url)
        }
        try await git("add", "--all")
        try await git("commit", "--quiet", "--allow-empty", "--message", message)
        return try await git("rev-parse", "HEAD")
    }

    @discardableResult
    func git(_ arguments: String...) async throws -> String {
        let result = try await runChildProcess(
            "git", arguments,
            environment: [
                "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin", "HOME": folder.path,
                "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null",
                "GIT_AUTHOR_NAME": "Ann Author", "GIT_AUTHOR_EMAIL": "ann@example.com",
                "GIT_COMMITTER_NAME": "Carl Committer", "GIT_COMMITTER_EMAIL": "carl@example.com",
                "GIT_COMMITTER_DATE": "1700000000 +0000",
            ], directory: path, deadline: .seconds(60))
        try #require(result.ending == .exited(0), "git \(arguments): \(result.errorText)")
        return result.outputText.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// A clone of this remote over the file system or, with an address, over what that says.
    func clone(
        from address: String? = nil, cache: String? = nil, credentials: GitCredentials = .none,
        limits: FetchLimits = .short
    ) throws -> GitRepository {
        GitRepository(
            url: try RemoteURL(address ?? path), directory: cache ?? self.cache, credentials: credentials,
            limits: limits, environment: ProcessInfo.processInfo.environment)
    }
}

extension GitCredentials {
    /// Nothing, and no proxy of the machine's environment.
    static var none: GitCredentials { GitCredentials(proxy: .none) }
}

extension FetchLimits {
    /// Long enough for a loaded machine, short enough for a test that fails.
    static let short = FetchLimits(total: .seconds(30), stall: .seconds(20), connect: .seconds(20))
}

/// The error that a call ends with, or nil.
func gitError<Value>(_ body: () async throws -> Value) async -> GitError? {
    do {
        _ = try await body()
        return nil
    } catch {
        return error as? GitError
    }
}
