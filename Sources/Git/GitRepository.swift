import ChildProcess
import Foundation

/// A commit's facts.
package struct GitCommit: Sendable, Equatable {
    package var id: String
    package var tree: String
    package var parents: [String]
    package var authorName: String
    package var authorEmail: String
    package var committerName: String
    package var committerEmail: String
    /// Seconds since 1970.
    package var committedAt: Int64
    package var message: String
    package var trailers: [(key: String, value: String)]

    package static func == (left: GitCommit, right: GitCommit) -> Bool { left.id == right.id }
}

/// One file of a tree.
package struct GitTreeEntry: Sendable, Equatable {
    package enum Kind: Sendable, Equatable { case file, symbolicLink, submodule }

    /// Below the folder that was asked for, with `/`.
    package var path: String
    package var blob: String
    package var kind: Kind
}

/// A bare clone in a cache folder.
///
/// All work runs on a queue of its own, one call after the other: libgit2's calls block, and a repository's handle is for
/// one thread at a time. The remote is looked up once and kept, since each look-up leaks in the libgit2 of Debian 12.
package final class GitRepository: Sendable {
    private let worker: GitWorker
    private let queue = DispatchQueue(label: "bylaw.git")

    /// - Parameters:
    ///   - directory: The cache folder of this repository; made where it is missing.
    ///   - environment: For OpenSSH: only its search path, home and language are used.
    package init(
        url: RemoteURL, directory: String, credentials: GitCredentials, limits: FetchLimits,
        environment: [String: String]
    ) {
        worker = GitWorker(
            url: url, place: .cache(directory), credentials: credentials, limits: limits, environment: environment)
    }

    /// Somebody's clone, at a path or above it; it is only read.
    ///
    /// - Parameters:
    ///   - environment: Where a hook runs, `GIT_DIR` and its kin lead to what is being pushed.
    package init(readingCloneAt path: String, environment: [String: String]) throws(GitError) {
        let isFromEnvironment = environment["GIT_DIR"]?.isEmpty == false && path == "."
        worker = GitWorker(
            url: try RemoteURL(path), place: .existing(path, isFromEnvironment: isFromEnvironment),
            credentials: GitCredentials(), limits: FetchLimits(), environment: environment)
    }

    /// Lets go of the clone after the calls that were asked for, so that another one can use its folder; a later call takes
    /// it up again.
    package func close() async {
        await withCheckedContinuation { continuation in
            queue.async { [worker] in
                worker.close()
                continuation.resume()
            }
        }
    }

    /// The commit that a name means, as Git reads it: a branch, a tag, `HEAD~2`, the beginning of an id.
    package func resolve(_ name: String) async throws(GitError) -> GitCommit {
        try await run { worker throws(GitError) in try worker.resolve(name) }.get()
    }

    /// Whether the clone has a commit.
    package func hasCommit(_ commit: String) async throws(GitError) -> Bool {
        try await run { worker throws(GitError) in try worker.hasCommit(commit) }.get()
    }

    /// The best common ancestor of two commits; nil where they have none.
    package func mergeBase(_ one: String, _ other: String) async throws(GitError) -> String? {
        try await run { worker throws(GitError) in try worker.mergeBase(one, other) }.get()
    }

    /// For each path the newest commit that `head` has and `base` has not and that touched it, as far as that can be told
    /// within `maximumLookUps` looks into trees.
    package func lastTouches(
        of paths: [String], after base: String, upTo head: String, maximumLookUps: Int = 200_000
    ) async throws(GitError) -> [String: String] {
        try await run { worker throws(GitError) in
            try worker.lastTouches(of: paths, after: base, upTo: head, maximumLookUps: maximumLookUps)
        }.get()
    }

    /// Fetches, and finds the commit that the reference names now.
    ///
    /// What was fetched before stays usable whatever happens.
    package func fetch(_ reference: FollowedReference) async throws(GitError) -> GitCommit {
        let flag = CancellationFlag()
        return try await withTaskCancellationHandler {
            await run { worker throws(GitError) in try worker.fetch(reference, isCancelled: flag) }
        } onCancel: {
            flag.set()
        }.get()
    }

    package func commit(_ id: String) async throws(GitError) -> GitCommit {
        try await run { worker throws(GitError) in try worker.commit(id) }.get()
    }

    /// The files of a commit below a folder, in the byte order of their paths; nil where there is no such folder.
    package func files(of commit: String, below path: String) async throws(GitError) -> [GitTreeEntry]? {
        try await run { worker throws(GitError) in try worker.files(of: commit, below: path) }.get()
    }

    /// The bytes of some blobs; a blob larger than `maximumBytes` is given as nil.
    package func blobs(_ ids: [String], maximumBytes: Int) async throws(GitError) -> [[UInt8]?] {
        try await run { worker throws(GitError) in
            try ids.map { id throws(GitError) in try worker.blob(id, maximumBytes: maximumBytes) }
        }.get()
    }

    /// The signature of a commit and what it signs; nil where it has none.
    ///
    /// Checking it is left to whoever knows the keys.
    package func signature(ofCommit id: String) async throws(GitError) -> GitSignature? {
        try await run { worker throws(GitError) in try worker.signature(ofCommit: id) }.get()
    }

    /// The signature of the tag that was fetched last, or of a clone's tag, and what it signs; nil where it has none, as a
    /// lightweight tag.
    ///
    /// A signed tag that was copied to another name, or that is for anything else than `commit`, is an error and never a
    /// signature: only what the signer called `name` and put on that very commit counts for it.
    package func signature(ofTag name: String, on commit: String) async throws(GitError) -> GitSignature? {
        try await run { worker throws(GitError) in try worker.signature(ofTag: name, on: commit) }.get()
    }

    package func isAncestor(_ ancestor: String, of descendant: String) async throws(GitError) -> Bool {
        try await run { worker throws(GitError) in try worker.isAncestor(ancestor, of: descendant) }.get()
    }

    /// The commits that lead to `commit`, newest first, that one left out.
    package func history(of commit: String, maximumCount: Int) async throws(GitError) -> [String] {
        try await run { worker throws(GitError) in try worker.history(of: commit, maximumCount: maximumCount) }.get()
    }

    /// The commits that `head` has and `base` has not, newest first, at most so many.
    ///
    /// Without a base, or where the repository does not have it, `head` and what it merged, or the whole history.
    package func commits(
        of head: String, after base: String?, wholeHistory: Bool = false, maximumCount: Int
    ) async throws(GitError) -> [GitCommit] {
        try await run { worker throws(GitError) in
            if let base, try worker.hasCommit(base) {
                return try worker.commits(of: head, without: [base], maximumCount: maximumCount)
            }
            if wholeHistory { return try worker.commits(of: head, without: [], maximumCount: maximumCount) }
            var base: [String] = []
            if let first = try worker.commit(head).parents.first, try worker.hasCommit(first) { base = [first] }
            return try worker.commits(of: head, without: base, maximumCount: maximumCount)
        }.get()
    }

    func run<Value: Sendable>(
        _ body: @escaping @Sendable (GitWorker) throws(GitError) -> Value
    ) async -> Result<Value, GitError> {
        await withCheckedContinuation { continuation in
            queue.async { [worker] in
                do throws(GitError) {
                    continuation.resume(returning: .success(try body(worker)))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
    }
}
