internal import CGit2
import Foundation

/// Reading what was fetched.
extension GitWorker {
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

    private func tooLarge(_ detail: String) -> GitError {
        GitError(
            kind: .tooLarge, operation: "read the tree of the policy repository", detail: detail,
            hint: "Flatten the folders, or narrow the path with --path.")
    }

    private static let maximumDepth = 64
    private static let maximumEntries = 1_000_000

    private func collect(
        _ tree: OpaquePointer, prefix: String, depth: Int, repository: OpaquePointer,
        into entries: inout [GitTreeEntry]
    ) throws(GitError) {
        guard depth < Self.maximumDepth else {
            throw tooLarge("folders stand more than \(Self.maximumDepth) deep, at \(prefix.prefix(200))...")
        }
        guard entries.count < Self.maximumEntries else {
            throw tooLarge("it has more than \(Self.maximumEntries) files")
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

    /// The commits that lead to one, newest first, that one left out.
    func history(of commit: String, maximumCount: Int) throws(GitError) -> [String] {
        Array(try walk(from: commit, without: [], maximumCount: maximumCount + 1).dropFirst())
    }

    /// The commits that `head` has and none of `bases` has, newest first.
    func commits(of head: String, without bases: [String], maximumCount: Int) throws(GitError) -> [GitCommit] {
        try walk(from: head, without: bases, maximumCount: maximumCount).map { id throws(GitError) in try commit(id) }
    }

    private func walk(from head: String, without bases: [String], maximumCount: Int) throws(GitError) -> [String] {
        let repository = try open()
        var id = try objectID(head)
        var walk: OpaquePointer?
        try check("walk the history") { git_revwalk_new(&walk, repository) }
        defer { git_revwalk_free(walk) }
        git_revwalk_sorting(walk, GIT_SORT_TOPOLOGICAL.rawValue | GIT_SORT_TIME.rawValue)
        try check("walk the history of \(head)") { git_revwalk_push(walk, &id) }
        for base in bases {
            var hidden = try objectID(base)
            try check("leave out the history of \(base)") { git_revwalk_hide(walk, &hidden) }
        }
        var commits: [String] = []
        var next = git_oid()
        while commits.count < maximumCount, git_revwalk_next(&next, walk) == 0 { commits.append(text(of: &next)) }
        return commits
    }

    func hasCommit(_ text: String) throws(GitError) -> Bool {
        let repository = try open()
        var id = try objectID(text)
        var commit: OpaquePointer?
        defer { git_commit_free(commit) }
        return git_commit_lookup(&commit, repository, &id) == 0
    }

    func lookUpCommit(_ text: String) throws(GitError) -> OpaquePointer {
        let repository = try open()
        var id = try objectID(text)
        var commit: OpaquePointer?
        try check("read the commit \(text)") { git_commit_lookup(&commit, repository, &id) }
        guard let commit else {
            throw GitError(kind: .notFound, operation: "read the commit \(text)", detail: "no such commit")
        }
        return commit
    }

    func objectID(_ text: String) throws(GitError) -> git_oid {
        var id = git_oid()
        guard text.utf8.count == 40 else {
            throw GitError(
                kind: .noSuchReference, operation: "read the id \"\(text)\"", detail: "it is no full commit id",
                hint: "Write all 40 digits.")
        }
        try check("read the id \(text)") { git_oid_fromstr(&id, text) }
        return id
    }

    func text(of id: inout git_oid) -> String {
        var buffer = [CChar](repeating: 0, count: 41)
        git_oid_tostr(&buffer, buffer.count, &id)
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
