internal import CGit2
import ChildProcess
import Foundation

/// Fetching from the remote.
extension GitWorker {
    func fetch(_ reference: FollowedReference, isCancelled: CancellationFlag) throws(GitError) -> GitCommit {
        let repository = try open()
        try checkFolder("fetch \(url)")
        if remote == nil {
            try check("prepare to fetch \(url)") { git_remote_create_anonymous(&remote, repository, url.text) }
        }
        let context = try FetchContext(
            .fetch, url: url, credentials: credentials, limits: limits, isCancelled: isCancelled,
            environment: environment)
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

    /// Refuses a folder that is not there before libgit2 gives it a less exact name.
    func checkFolder(_ operation: @autoclosure () -> String) throws(GitError) {
        guard url.scheme != .file || FileManager.default.fileExists(atPath: url.path) else {
            throw GitError(
                kind: .notFound, operation: operation(), detail: "there is no such folder",
                hint: "Check the path; for a repository on a server write https:// or ssh://.")
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
        let heads = try advertisedHeads(of: remote)
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
        try keep(id, as: Self.followedReference, repository: repository)
        if case .tag = reference { try keep(wanted.id, as: Self.followedTagReference, repository: repository) }
        return id
    }

    private func keep(_ id: String, as name: String, repository: OpaquePointer) throws(GitError) {
        var oid = git_oid()
        try check("read the id \(id)") { git_oid_fromstr(&oid, id) }
        var created: OpaquePointer?
        try check("keep \(url) in the cache") { git_reference_create(&created, repository, name, &oid, 1, nil) }
        git_reference_free(created)
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

    func advertisedHeads(of remote: OpaquePointer?) throws(GitError) -> [(name: String, id: String)] {
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
        if heads.isEmpty {
            throw GitError(
                kind: .noSuchReference, operation: "fetch \(url)", detail: "the repository has no commit yet",
                hint: "Push one; it is tried again by itself.")
        }
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
}
