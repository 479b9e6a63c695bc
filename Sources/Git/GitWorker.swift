internal import CGit2
import Foundation

/// What runs on the queue of one repository.
///
/// `@unchecked Sendable`: it is only ever touched on that queue.
final class GitWorker: @unchecked Sendable {
    /// Where the repository is.
    enum Place {
        /// A bare clone of ours below this folder, made where it is missing.
        case cache(String)
        /// Somebody's clone, at this path or above it; it is only read.
        ///
        /// `isFromEnvironment` follows `GIT_DIR` and its kin, as hooks need: what is pushed stands in quarantine.
        case existing(String, isFromEnvironment: Bool)
    }

    let url: RemoteURL
    private let place: Place
    let credentials: GitCredentials
    let limits: FetchLimits
    let environment: [String: String]
    private var repository: OpaquePointer?
    var remote: OpaquePointer?
    private var lock: Int32 = -1
    let slot = FetchSlot()

    static let followedReference = "refs/bylaw/followed"

    init(
        url: RemoteURL, place: Place, credentials: GitCredentials, limits: FetchLimits, environment: [String: String]
    ) {
        self.url = url
        self.place = place
        self.credentials = credentials
        self.limits = limits
        self.environment = environment
    }

    deinit { close() }

    /// Lets go of the repository and of its folder.
    func close() {
        git_remote_free(remote)
        remote = nil
        git_repository_free(repository)
        repository = nil
        if lock >= 0 { Foundation.close(lock) }
        lock = -1
    }

    func open() throws(GitError) -> OpaquePointer {
        if let repository { return repository }
        try check("start libgit2") { libraryStarts }
        let opened =
            switch place {
            case .cache(let directory): try openCache(in: directory)
            case .existing(let path, let isFromEnvironment):
                try openExisting(at: path, isFromEnvironment: isFromEnvironment)
            }
        repository = opened
        return opened
    }

    private func openExisting(at path: String, isFromEnvironment: Bool) throws(GitError) -> OpaquePointer {
        var handle: OpaquePointer?
        let flags = isFromEnvironment ? GIT_REPOSITORY_OPEN_FROM_ENV.rawValue : 0
        do throws(GitError) {
            try check("open the repository \(path)") {
                git_repository_open_ext(&handle, isFromEnvironment ? nil : path, flags, nil)
            }
        } catch {
            throw explainOpening(error, path)
        }
        guard let handle else { throw GitError(kind: .other, operation: "open \(path)", detail: "no handle") }
        return handle
    }

    private func explainOpening(_ error: GitError, _ path: String) -> GitError {
        var error = error
        error.hint =
            error.detail.contains("not owned")
            ? "If you trust it: git config --global --add safe.directory \(path)"
            : "Run it inside a clone, or name one with --repo PATH."
        return error
    }

    private func openCache(in directory: String) throws(GitError) -> OpaquePointer {
        do {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        } catch {
            throw unwritable(directory, (error as NSError).localizedDescription)
        }
        try takeLock(in: directory)
        let path = directory + "/repository.git"
        removeStaleLocks(below: path)
        var handle: OpaquePointer?
        if FileManager.default.fileExists(atPath: path) {
            do throws(GitError) {
                try check("open the cache \(path)") { git_repository_open_bare(&handle, path) }
                if let handle, isSound(handle) { return handle }
                git_repository_free(handle)
                handle = nil
            } catch {
                handle = nil
            }
            // Damaged, as after a full disk: it is only a cache, so it is made anew beside and takes the old one's place.
            do {
                try FileManager.default.removeItem(atPath: path)
            } catch {
                throw unwritable(directory, (error as NSError).localizedDescription)
            }
        }
        let fresh = directory + "/repository.new"
        try? FileManager.default.removeItem(atPath: fresh)
        try check("make the cache \(path)") { git_repository_init(&handle, fresh, 1) }
        git_repository_free(handle)
        handle = nil
        guard rename(fresh, path) == 0 else { throw unwritable(directory, String(cString: strerror(errno))) }
        try check("open the cache \(path)") { git_repository_open_bare(&handle, path) }
        guard let handle else { throw unwritable(directory, "no handle") }
        return handle
    }

    /// Whether the commit that was followed last can still be read with its tree.
    private func isSound(_ handle: OpaquePointer) -> Bool {
        var id = git_oid()
        let result = git_reference_name_to_id(&id, handle, Self.followedReference)
        if result == GIT_ENOTFOUND.rawValue { return true }
        var commit: OpaquePointer?
        var tree: OpaquePointer?
        defer {
            git_tree_free(tree)
            git_commit_free(commit)
        }
        return result == 0 && git_commit_lookup(&commit, handle, &id) == 0 && git_commit_tree(&tree, commit) == 0
    }

    /// Keeps two processes from writing one cache.
    private func takeLock(in directory: String) throws(GitError) {
        guard lock < 0 else { return }
        let path = directory + "/lock"
        let descriptor = Foundation.open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw unwritable(directory, String(cString: strerror(errno))) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            Foundation.close(descriptor)
            throw GitError(
                kind: .unwritable, operation: "use the cache \(directory)", detail: "another process uses it",
                hint: "Give each Bylaw its own --cache, or end the other one.")
        }
        lock = descriptor
    }

    /// Removes what a process that was killed while it wrote a reference left behind; libgit2 would wait for it for ever.
    ///
    /// Only under our own lock: nobody else writes here.
    private func removeStaleLocks(below path: String) {
        var locks = ["packed-refs.lock", "config.lock", "HEAD.lock", "FETCH_HEAD.lock"]
        let references = FileManager.default.enumerator(atPath: path + "/refs")
        while let name = references?.nextObject() as? String {
            if name.hasSuffix(".lock") { locks.append("refs/" + name) }
        }
        for lock in locks { unlink(path + "/" + lock) }
    }

    private func unwritable(_ directory: String, _ detail: String) -> GitError {
        GitError(
            kind: .unwritable, operation: "use the cache \(directory)", detail: detail,
            hint: "Check the folder's permissions and free space, or choose another with --cache.")
    }
}
