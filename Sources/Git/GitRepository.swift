internal import CGit2
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
            url: url, directory: directory, credentials: credentials, limits: limits, environment: environment)
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

    package func isAncestor(_ ancestor: String, of descendant: String) async throws(GitError) -> Bool {
        try await run { worker throws(GitError) in try worker.isAncestor(ancestor, of: descendant) }.get()
    }

    /// The commits that lead to `commit`, newest first, that one left out.
    package func history(of commit: String, maximumCount: Int) async throws(GitError) -> [String] {
        try await run { worker throws(GitError) in try worker.history(of: commit, maximumCount: maximumCount) }.get()
    }

    private func run<Value: Sendable>(
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

/// What runs on the queue of one repository.
///
/// `@unchecked Sendable`: it is only ever touched on that queue.
private final class GitWorker: @unchecked Sendable {
    private let url: RemoteURL
    private let directory: String
    private let credentials: GitCredentials
    private let limits: FetchLimits
    private let environment: [String: String]
    private var repository: OpaquePointer?
    private var remote: OpaquePointer?
    private var lock: Int32 = -1
    private let slot = FetchSlot()

    private static let followedReference = "refs/bylaw/followed"

    init(
        url: RemoteURL, directory: String, credentials: GitCredentials, limits: FetchLimits,
        environment: [String: String]
    ) {
        self.url = url
        self.directory = directory
        self.credentials = credentials
        self.limits = limits
        self.environment = environment
    }

    deinit {
        git_remote_free(remote)
        git_repository_free(repository)
        if lock >= 0 { close(lock) }
    }

    // MARK: The cache

    private func open() throws(GitError) -> OpaquePointer {
        if let repository { return repository }
        try check("start libgit2") { libraryStarts }
        do {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        } catch {
            throw unwritable((error as NSError).localizedDescription)
        }
        try takeLock()
        let path = directory + "/repository.git"
        removeStaleLocks(below: path)
        var handle: OpaquePointer?
        if FileManager.default.fileExists(atPath: path) {
            do throws(GitError) {
                try check("open the cache \(path)") { git_repository_open_bare(&handle, path) }
                if let handle, isSound(handle) {
                    repository = handle
                    return handle
                }
                git_repository_free(handle)
                handle = nil
            } catch {
                handle = nil
            }
            // Damaged, as after a full disk: it is only a cache, so it is made anew beside and takes the old one's place.
            do {
                try FileManager.default.removeItem(atPath: path)
            } catch {
                throw unwritable((error as NSError).localizedDescription)
            }
        }
        let fresh = directory + "/repository.new"
        try? FileManager.default.removeItem(atPath: fresh)
        try check("make the cache \(path)") { git_repository_init(&handle, fresh, 1) }
        git_repository_free(handle)
        handle = nil
        guard rename(fresh, path) == 0 else { throw unwritable(String(cString: strerror(errno))) }
        try check("open the cache \(path)") { git_repository_open_bare(&handle, path) }
        guard let handle else { throw unwritable("no handle") }
        repository = handle
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
    private func takeLock() throws(GitError) {
        guard lock < 0 else { return }
        let path = directory + "/lock"
        let descriptor = Foundation.open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw unwritable(String(cString: strerror(errno))) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
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

    private func unwritable(_ detail: String) -> GitError {
        GitError(
            kind: .unwritable, operation: "use the cache \(directory)", detail: detail,
            hint: "Check the folder's permissions and free space, or choose another with --cache.")
    }

    // MARK: Fetch

    func fetch(_ reference: FollowedReference, isCancelled: CancellationFlag) throws(GitError) -> GitCommit {
        let repository = try open()
        guard url.scheme != .file || FileManager.default.fileExists(atPath: url.path) else {
            throw GitError(
                kind: .notFound, operation: "fetch \(url)", detail: "there is no such folder",
                hint: "Check the path; for a repository on a server write https:// or ssh://.")
        }
        if remote == nil {
            try check("prepare to fetch \(url)") { git_remote_create_anonymous(&remote, repository, url.text) }
        }
        let context = try FetchContext(
            url: url, credentials: credentials, limits: limits, isCancelled: isCancelled, environment: environment)
        slot.current = context
        do throws(GitError) {
            let id = try fetch(
                reference, repository: repository, payload: Unmanaged.passUnretained(slot).toOpaque())
            return try commit(id)
        } catch {
            // What our own transport knows is more exact than what libgit2 was told.
            throw context.withoutSecrets(context.failure ?? explain(error))
        }
    }

    private func fetch(
        _ reference: FollowedReference, repository: OpaquePointer, payload: UnsafeMutableRawPointer
    ) throws(GitError) -> String {
        var options = git_fetch_options()
        git_fetch_options_init(&options, UInt32(GIT_FETCH_OPTIONS_VERSION))
        options.callbacks.payload = payload
        if url.scheme != .file { options.callbacks.transport = makeTransport }
        options.callbacks.transfer_progress = { progress, payload in
            guard let payload, let progress,
                let context = Unmanaged<FetchSlot>.fromOpaque(payload).takeUnretainedValue().current
            else { return -1 }
            if let error = context.mustEnd {
                context.note(error)
                return -1
            }
            let limits = context.limits
            guard progress.pointee.received_bytes <= limits.maximumBytes,
                progress.pointee.total_objects <= limits.maximumObjects
            else {
                context.note(
                    GitError(
                        kind: .tooLarge, operation: "fetch \(context.url)",
                        detail: "it has more than \(limits.maximumBytes) bytes or \(limits.maximumObjects) objects",
                        hint: "Follow a smaller repository."))
                return -1
            }
            return 0
        }
        options.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE
        try check("fetch \(url)") { git_remote_connect(remote, GIT_DIRECTION_FETCH, &options.callbacks, nil, nil) }
        defer { git_remote_disconnect(remote) }
        let heads = try advertisedHeads()
        let wanted = try wantedReference(reference, heads: heads)
        let refspecs: [String]
        if case .commit = reference {
            // Old servers give out only what a reference names, so all of them are fetched.
            refspecs = ["+refs/heads/*:refs/bylaw/heads/*", "+refs/tags/*:refs/bylaw/tags/*"]
        } else {
            refspecs = ["+\(wanted.name):\(Self.followedReference)"]
        }
        try download(refspecs, &options, repository: repository, heads: heads)
        let id = try peelToCommit(wanted.id, named: wanted.name, repository: repository)
        var oid = git_oid()
        try check("read the id \(id)") { git_oid_fromstr(&oid, id) }
        var created: OpaquePointer?
        try check("keep \(url) in the cache") {
            git_reference_create(&created, repository, Self.followedReference, &oid, 1, nil)
        }
        git_reference_free(created)
        return id
    }

    private func download(
        _ refspecs: [String], _ options: inout git_fetch_options, repository: OpaquePointer,
        heads: [(name: String, id: String)]
    ) throws(GitError) {
        var strings: [UnsafeMutablePointer<CChar>?] = refspecs.map { strdup($0) }
        defer { for string in strings { free(string) } }
        let code = strings.withUnsafeMutableBufferPointer { buffer in
            var array = git_strarray(strings: buffer.baseAddress, count: buffer.count)
            return git_remote_download(remote, &array, &options)
        }
        try check("fetch \(url)") { code }
    }

    private func advertisedHeads() throws(GitError) -> [(name: String, id: String)] {
        var list: UnsafeMutablePointer<UnsafePointer<git_remote_head>?>?
        var count = 0
        try check("list the references of \(url)") { git_remote_ls(&list, &count, remote) }
        guard let list else { return [] }
        return (0..<count).compactMap { index in
            guard let head = list[index], let name = head.pointee.name else { return nil }
            var id = head.pointee.oid
            return (String(cString: name), text(of: &id))
        }
    }

    private func wantedReference(
        _ reference: FollowedReference, heads: [(name: String, id: String)]
    ) throws(GitError) -> (name: String, id: String) {
        func find(_ name: String) -> (name: String, id: String)? { heads.first { $0.name == name } }
        let found: (name: String, id: String)?
        switch reference {
        case .defaultBranch: found = find("HEAD")
        case .branch(let name): found = find("refs/heads/\(name)")
        case .tag(let name): found = find("refs/tags/\(name)")
        case .commit(let id): found = (id, id)
        }
        if let found { return found }
        let branches = heads.map(\.name).filter { $0.hasPrefix("refs/heads/") }.map { String($0.dropFirst(11)) }
        let tags = heads.map(\.name).filter { $0.hasPrefix("refs/tags/") && !$0.hasSuffix("^{}") }
            .map { String($0.dropFirst(10)) }
        let known: [String] = if case .tag = reference { tags } else { branches }
        let list = known.isEmpty ? "it has none" : "it has " + known.sorted().prefix(20).joined(separator: ", ")
        throw GitError(
            kind: .noSuchReference, operation: "fetch \(url)", detail: "the repository does not have \(reference)",
            hint: "Name one that exists: \(list).")
    }

    private func peelToCommit(_ id: String, named name: String, repository: OpaquePointer) throws(GitError) -> String {
        var object: OpaquePointer?
        var commit: OpaquePointer?
        defer {
            git_object_free(object)
            git_object_free(commit)
        }
        let found = git_revparse_single(&object, repository, id)
        guard found != GIT_ENOTFOUND.rawValue else {
            throw GitError(
                kind: .noSuchReference, operation: "fetch \(url)",
                detail: "the repository does not have commit \(name)",
                hint: "Check the commit's id, and that a branch or tag contains it.")
        }
        try check("find \(name) in \(url)") { found }
        try check("find the commit of \(name) in \(url)") { git_object_peel(&commit, object, GIT_OBJECT_COMMIT) }
        guard let pointer = git_object_id(commit) else {
            throw GitError(kind: .other, operation: "find the commit of \(name)", detail: "it has no id")
        }
        var oid = pointer.pointee
        return text(of: &oid)
    }

    private func explain(_ error: GitError) -> GitError {
        var error = error
        if url.scheme != .file, error.kind == .corrupt {
            // What cannot be unpacked came from the server; the cache keeps only what could.
            error.kind = .network
        }
        guard error.hint.isEmpty else { return error }
        switch (url.scheme, error.kind) {
        case (.file, .notFound), (.file, .other):
            error.hint = "Check that \(url) is a Git repository and may be read."
        case (.file, _): break
        case (_, .network), (_, .other), (_, .notFound):
            error.hint = "Check that the address is that of a Git repository; it is tried again by itself."
        default: break
        }
        return error
    }

    // MARK: Objects

    func commit(_ text: String) throws(GitError) -> GitCommit {
        let handle = try lookUpCommit(text)
        defer { git_commit_free(handle) }
        func string(_ pointer: UnsafePointer<CChar>?) -> String { pointer.map { String(cString: $0) } ?? "" }
        let author = git_commit_author(handle)?.pointee
        let committer = git_commit_committer(handle)?.pointee
        var tree = git_commit_tree_id(handle)?.pointee ?? git_oid()
        let message = string(git_commit_message(handle))
        return GitCommit(
            id: text, tree: self.text(of: &tree),
            parents: (0..<git_commit_parentcount(handle)).compactMap { index in
                guard var id = git_commit_parent_id(handle, index)?.pointee else { return nil }
                return self.text(of: &id)
            },
            authorName: string(author?.name), authorEmail: string(author?.email),
            committerName: string(committer?.name), committerEmail: string(committer?.email),
            committedAt: committer?.when.time ?? 0, message: message, trailers: trailers(of: message))
    }

    private func trailers(of message: String) -> [(key: String, value: String)] {
        var array = git_message_trailer_array()
        guard git_message_trailers(&array, message) == 0 else { return [] }
        defer { git_message_trailer_array_free(&array) }
        return (0..<array.count).map { index in
            (String(cString: array.trailers[index].key), String(cString: array.trailers[index].value))
        }
    }

    func files(of commit: String, below path: String) throws(GitError) -> [GitTreeEntry]? {
        let repository = try open()
        let handle = try lookUpCommit(commit)
        defer { git_commit_free(handle) }
        var tree: OpaquePointer?
        try check("read the tree of \(commit)") { git_commit_tree(&tree, handle) }
        defer { git_tree_free(tree) }
        guard let tree else { return nil }
        let folder = path.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
        var entries: [GitTreeEntry] = []
        if folder.isEmpty {
            try collect(tree, prefix: "", depth: 0, repository: repository, into: &entries)
            return entries
        }
        var entry: OpaquePointer?
        let found = git_tree_entry_bypath(&entry, tree, folder)
        if found == GIT_ENOTFOUND.rawValue { return nil }
        try check("find \(folder) in \(commit)") { found }
        defer { git_tree_entry_free(entry) }
        guard git_tree_entry_type(entry) == GIT_OBJECT_TREE else { return nil }
        var child: OpaquePointer?
        try check("read \(folder) of \(commit)") { git_tree_lookup(&child, repository, git_tree_entry_id(entry)) }
        defer { git_tree_free(child) }
        guard let child else { return nil }
        try collect(child, prefix: "", depth: 0, repository: repository, into: &entries)
        return entries
    }

    private static let maximumDepth = 64
    private static let maximumEntries = 1_000_000

    private func collect(
        _ tree: OpaquePointer, prefix: String, depth: Int, repository: OpaquePointer,
        into entries: inout [GitTreeEntry]
    ) throws(GitError) {
        guard depth < Self.maximumDepth, entries.count < Self.maximumEntries else {
            throw GitError(
                kind: .tooLarge, operation: "read the tree of the policy repository",
                detail: "it is more than \(Self.maximumDepth) folders deep or has too many files",
                hint: "Narrow the path with --path.")
        }
        for index in 0..<git_tree_entrycount(tree) {
            guard let entry = git_tree_entry_byindex(tree, index), let name = git_tree_entry_name(entry),
                var id = git_tree_entry_id(entry)?.pointee
            else { continue }
            let path = prefix + String(cString: name)
            switch git_tree_entry_filemode(entry) {
            case GIT_FILEMODE_TREE:
                var child: OpaquePointer?
                try check("read the folder \(path)") { git_tree_lookup(&child, repository, &id) }
                defer { git_tree_free(child) }
                if let child {
                    try collect(child, prefix: path + "/", depth: depth + 1, repository: repository, into: &entries)
                }
            case GIT_FILEMODE_LINK: entries.append(GitTreeEntry(path: path, blob: text(of: &id), kind: .symbolicLink))
            case GIT_FILEMODE_COMMIT: entries.append(GitTreeEntry(path: path, blob: text(of: &id), kind: .submodule))
            default: entries.append(GitTreeEntry(path: path, blob: text(of: &id), kind: .file))
            }
        }
    }

    func blob(_ text: String, maximumBytes: Int) throws(GitError) -> [UInt8]? {
        let repository = try open()
        var id = try objectID(text)
        var blob: OpaquePointer?
        try check("read the file \(text)") { git_blob_lookup(&blob, repository, &id) }
        defer { git_blob_free(blob) }
        let size = git_blob_rawsize(blob)
        guard size <= maximumBytes else { return nil }
        guard let content = git_blob_rawcontent(blob), size > 0 else { return [] }
        return [UInt8](UnsafeRawBufferPointer(start: content, count: Int(size)))
    }

    func isAncestor(_ ancestor: String, of descendant: String) throws(GitError) -> Bool {
        guard ancestor != descendant else { return true }
        let repository = try open()
        var old = try objectID(ancestor)
        var new = try objectID(descendant)
        var commit: OpaquePointer?
        guard git_commit_lookup(&commit, repository, &old) == 0 else { return false }
        git_commit_free(commit)
        let result = git_graph_descendant_of(repository, &new, &old)
        try check("compare \(ancestor) with \(descendant)") { result }
        return result == 1
    }

    func history(of commit: String, maximumCount: Int) throws(GitError) -> [String] {
        let repository = try open()
        var id = try objectID(commit)
        var walk: OpaquePointer?
        try check("walk the history") { git_revwalk_new(&walk, repository) }
        defer { git_revwalk_free(walk) }
        git_revwalk_sorting(walk, GIT_SORT_TOPOLOGICAL.rawValue | GIT_SORT_TIME.rawValue)
        try check("walk the history of \(commit)") { git_revwalk_push(walk, &id) }
        var commits: [String] = []
        var next = git_oid()
        while commits.count <= maximumCount, git_revwalk_next(&next, walk) == 0 { commits.append(text(of: &next)) }
        return Array(commits.dropFirst())
    }

    private func lookUpCommit(_ text: String) throws(GitError) -> OpaquePointer {
        let repository = try open()
        var id = try objectID(text)
        var commit: OpaquePointer?
        try check("read the commit \(text)") { git_commit_lookup(&commit, repository, &id) }
        guard let commit else {
            throw GitError(kind: .notFound, operation: "read the commit \(text)", detail: "no such commit")
        }
        return commit
    }

    private func objectID(_ text: String) throws(GitError) -> git_oid {
        var id = git_oid()
        guard text.utf8.count == 40 else {
            throw GitError(
                kind: .noSuchReference, operation: "read the id \"\(text)\"", detail: "it is no full commit id",
                hint: "Write all 40 digits.")
        }
        try check("read the id \(text)") { git_oid_fromstr(&id, text) }
        return id
    }

    private func text(of id: inout git_oid) -> String {
        var buffer = [CChar](repeating: 0, count: 41)
        git_oid_tostr(&buffer, buffer.count, &id)
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
