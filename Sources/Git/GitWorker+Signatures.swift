internal import CGit2

/// Reading signatures, which are checked elsewhere.
extension GitWorker {
    /// What the tag that was fetched last names: a tag object, or the commit where it is lightweight.
    static let followedTagReference = "refs/bylaw/followed-tag"

    /// The largest commit or tag that is read for its signature.
    ///
    /// A `mergetag` header holds a whole message; what is larger is no work of people.
    private static let maximumObjectBytes = 4 << 20

    func signature(ofCommit text: String) throws(GitError) -> GitSignature? {
        // What libgit2 cannot read as a commit has no parents and no tree that a signature could be for.
        _ = try commit(text)
        var id = try objectID(text)
        return GitSignature(rawCommit: try rawObject(&id, "the commit \(text)"))
    }

    func signature(ofTag name: String, on commit: String) throws(GitError) -> GitSignature? {
        let operation = "read the tag \(name)"
        let repository = try open()
        var id = try tagObject(name, repository)
        var type = GIT_OBJECT_INVALID
        var size = 0
        var database: OpaquePointer?
        try check(operation) { git_repository_odb(&database, repository) }
        defer { git_odb_free(database) }
        try check(operation) { git_odb_read_header(&size, &type, database, &id) }
        guard type == GIT_OBJECT_TAG else { return nil }
        let raw = try rawObject(&id, "the tag \(name)")
        guard let signature = GitSignature(rawTag: raw) else { return nil }
        // Git writes these first, in this order, and signs them.
        let target = "object \(commit)\ntype commit\n"
        guard raw.starts(with: target.utf8) else {
            throw GitError(
                kind: .noSuchReference, operation: operation,
                detail: "its signature is for something else than commit \(commit)",
                hint: "Make the tag anew on that commit, and sign it.")
        }
        guard raw.dropFirst(target.utf8.count).starts(with: "tag \(name)\n".utf8) else {
            throw GitError(
                kind: .noSuchReference, operation: operation,
                detail: "it was signed under another name and copied to this one",
                hint: "Make a tag of this name anew, and sign it.")
        }
        return signature
    }

    /// What a tag's reference names: as fetched last, or in somebody's clone.
    private func tagObject(_ name: String, _ repository: OpaquePointer) throws(GitError) -> git_oid {
        var id = git_oid()
        if git_reference_name_to_id(&id, repository, Self.followedTagReference) == 0 { return id }
        let found = git_reference_name_to_id(&id, repository, "refs/tags/\(name)")
        guard found != GIT_ENOTFOUND.rawValue, found != GIT_EINVALIDSPEC.rawValue else {
            throw GitError(
                kind: .noSuchReference, operation: "read the tag \(name)", detail: "the repository does not have it",
                hint: "Fetch it first.")
        }
        try check("read the tag \(name)") { found }
        return id
    }

    private func rawObject(_ id: inout git_oid, _ what: String) throws(GitError) -> [UInt8] {
        let repository = try open()
        var database: OpaquePointer?
        try check("read \(what)") { git_repository_odb(&database, repository) }
        defer { git_odb_free(database) }
        var object: OpaquePointer?
        try check("read \(what)") { git_odb_read(&object, database, &id) }
        defer { git_odb_object_free(object) }
        let size = git_odb_object_size(object)
        guard size <= Self.maximumObjectBytes else {
            throw GitError(
                kind: .tooLarge, operation: "read \(what)",
                detail: "it has more than \(Self.maximumObjectBytes) bytes",
                hint: "Write it anew with a shorter message.")
        }
        guard let data = git_odb_object_data(object), size > 0 else { return [] }
        return [UInt8](UnsafeRawBufferPointer(start: data, count: size))
    }
}
