internal import CGit2
import Foundation

/// What taking a change back gives.
package enum GitRevertResult: Sendable, Equatable {
    /// The tree with the change taken back.
    case tree(String)
    /// The files that were changed since then in the same places.
    case conflicts([String])
}

/// A file that two trees hold otherwise.
package struct GitChangedFile: Sendable, Equatable {
    package enum Change: String, Sendable { case added, removed, modified }

    /// From the root of the repository.
    package var path: String
    package var change: Change

    package init(path: String, change: Change) {
        self.path = path
        self.change = change
    }
}

/// Who makes a commit, and when.
package struct GitPerson: Sendable, Equatable {
    package var name: String
    package var email: String

    package init(name: String, email: String) {
        self.name = name
        self.email = email
    }
}

/// Making a commit that takes others back, in the bare clone and without a work tree.
extension GitWorker {
    private static let maximumConflicts = 10_000

    /// The tree of `tip` without what lies between `before` and `newest`.
    ///
    /// - Parameter before: The commit before the change; nil where the change begins the history.
    func revert(from newest: String, backTo before: String?, onto tip: String) throws(GitError) -> GitRevertResult {
        let repository = try open()
        let changed = try tree(of: newest)
        defer { git_tree_free(changed) }
        let ours = try tree(of: tip)
        defer { git_tree_free(ours) }
        var earlier: OpaquePointer?
        if let before { earlier = try tree(of: before) }
        defer { git_tree_free(earlier) }
        var options = git_merge_options()
        git_merge_options_init(&options, UInt32(GIT_MERGE_OPTIONS_VERSION))
        var index: OpaquePointer?
        try check("take back \(newest)") { git_merge_trees(&index, repository, changed, ours, earlier, &options) }
        defer { git_index_free(index) }
        guard git_index_has_conflicts(index) == 0 else { return .conflicts(try conflicts(in: index)) }
        var id = git_oid()
        try check("write the tree without \(newest)") { git_index_write_tree_to(&id, index, repository) }
        return .tree(text(of: &id))
    }

    private func conflicts(in index: OpaquePointer?) throws(GitError) -> [String] {
        var iterator: OpaquePointer?
        try check("list the conflicts") { git_index_conflict_iterator_new(&iterator, index) }
        defer { git_index_conflict_iterator_free(iterator) }
        var paths: Set<String> = []
        var ancestor: UnsafePointer<git_index_entry>?
        var ours: UnsafePointer<git_index_entry>?
        var theirs: UnsafePointer<git_index_entry>?
        while paths.count < Self.maximumConflicts,
            git_index_conflict_next(&ancestor, &ours, &theirs, iterator) == 0
        {
            if let path = (ours ?? ancestor ?? theirs)?.pointee.path { paths.insert(String(cString: path)) }
        }
        return paths.sorted()
    }

    /// The tree of a commit; the caller frees it.
    private func tree(of commit: String) throws(GitError) -> OpaquePointer? {
        let handle = try lookUpCommit(commit)
        defer { git_commit_free(handle) }
        var tree: OpaquePointer?
        try check("read the tree of \(commit)") { git_commit_tree(&tree, handle) }
        return tree
    }

    /// The id of the tree that stands at a folder; nil where there is none.
    func treeID(of commit: String, below path: String) throws(GitError) -> String? {
        let root = try tree(of: commit)
        defer { git_tree_free(root) }
        let folder = path.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
        guard !folder.isEmpty else {
            guard var id = git_tree_id(root)?.pointee else { return nil }
            return text(of: &id)
        }
        var entry: OpaquePointer?
        let found = git_tree_entry_bypath(&entry, root, folder)
        if found == GIT_ENOTFOUND.rawValue { return nil }
        try check("find \(folder) in \(commit)") { found }
        defer { git_tree_entry_free(entry) }
        guard git_tree_entry_type(entry) == GIT_OBJECT_TREE, var id = git_tree_entry_id(entry)?.pointee else {
            return nil
        }
        return text(of: &id)
    }

    /// The files that a tree holds otherwise than a commit, by their paths.
    func changedFiles(from commit: String, toTree other: String) throws(GitError) -> [GitChangedFile] {
        let repository = try open()
        let old = try tree(of: commit)
        defer { git_tree_free(old) }
        var id = try objectID(other)
        var new: OpaquePointer?
        try check("read the tree \(other)") { git_tree_lookup(&new, repository, &id) }
        defer { git_tree_free(new) }
        var diff: OpaquePointer?
        try check("compare with \(commit)") { git_diff_tree_to_tree(&diff, repository, old, new, nil) }
        defer { git_diff_free(diff) }
        return (0..<git_diff_num_deltas(diff)).compactMap { index in
            guard let delta = git_diff_get_delta(diff, index)?.pointee else { return nil }
            guard let path = delta.new_file.path ?? delta.old_file.path else { return nil }
            let change: GitChangedFile.Change =
                switch delta.status {
                case GIT_DELTA_ADDED: .added
                case GIT_DELTA_DELETED: .removed
                default: .modified
                }
            return GitChangedFile(path: String(cString: path), change: change)
        }
    }

    /// The commits from one back to another along first parents, newest first; nil where the other is not on that line.
    func firstParentLine(
        from newest: String, backTo oldest: String, maximumCount: Int
    ) throws(GitError) -> [GitCommit]? {
        var line = [try commit(newest)]
        while let last = line.last, last.id != oldest {
            guard let parent = last.parents.first else { return nil }
            guard line.count < maximumCount else {
                throw GitError(
                    kind: .tooLarge, operation: "walk from \(newest.prefix(12)) back to \(oldest.prefix(12))",
                    detail: "there are more than the \(maximumCount) commits allowed",
                    hint: "Name a range that is shorter, or write the revert by hand.")
            }
            line.append(try commit(parent))
        }
        return line
    }

    /// For each path the newest commit on the line of first parents that `head` has and `base` has not and that changed
    /// it, as far as that can be told within `maximumLookUps` looks into trees.
    func firstParentTouches(
        of paths: [String], after base: String, upTo head: String, maximumLookUps: Int
    ) throws(GitError) -> [String: String] {
        try newestTouches(
            of: paths, after: base, upTo: head, maximumLookUps: maximumLookUps, isAlongFirstParents: true
        ) { (id, waiting) throws(GitError) in
            var id = id
            let own = try lookUpCommit(text(of: &id))
            defer { git_commit_free(own) }
            var parent: OpaquePointer?
            guard git_commit_parent(&parent, own, 0) == 0 else { return nil }
            defer { git_commit_free(parent) }
            let both = zip(try entries(of: own, waiting), try entries(of: parent, waiting))
            return zip(waiting, both).compactMap { path, entries in entries.0 != entries.1 ? path : nil }
        }
    }

    /// Writes a commit that no reference leads to yet.
    ///
    /// - Parameter time: Seconds since 1970, in UTC.
    func makeCommit(
        tree treeID: String, parent: String, author: GitPerson, committer: GitPerson, time: Int64, message: String
    ) throws(GitError) -> String {
        let repository = try open()
        guard !message.utf8.contains(0) else {
            throw GitError(kind: .other, operation: "write the commit", detail: "its message holds a NUL")
        }
        var oid = try objectID(treeID)
        var tree: OpaquePointer?
        try check("read the tree \(treeID)") { git_tree_lookup(&tree, repository, &oid) }
        defer { git_tree_free(tree) }
        var parents: [OpaquePointer?] = [try lookUpCommit(parent)]
        defer { for parent in parents { git_commit_free(parent) } }
        let authorSignature = try signature(author, time)
        defer { git_signature_free(authorSignature) }
        let committerSignature = try signature(committer, time)
        defer { git_signature_free(committerSignature) }
        var id = git_oid()
        try check("write the commit") {
            git_commit_create(
                &id, repository, nil, authorSignature, committerSignature, nil, message, tree, parents.count, &parents)
        }
        return text(of: &id)
    }

    /// - Returns: A signature that the caller frees.
    private func signature(_ person: GitPerson, _ time: Int64) throws(GitError) -> UnsafeMutablePointer<git_signature>?
    {
        // A line break would begin a header of its own.
        let isPlain = { (text: String) in
            !text.unicodeScalars.contains { $0.properties.generalCategory == .control || $0 == "<" || $0 == ">" }
        }
        guard isPlain(person.name), isPlain(person.email) else {
            throw GitError(
                kind: .other, operation: "name who makes the commit",
                detail: "the name or address holds a bracket or a control character",
                hint: "Write it as --author \"NAME <ADDRESS>\".")
        }
        var signature: UnsafeMutablePointer<git_signature>?
        do throws(GitError) {
            try check("name who makes the commit") {
                git_signature_new(&signature, person.name, person.email, time, 0)
            }
        } catch {
            throw GitError(
                kind: .other, operation: error.operation, detail: error.detail,
                hint: "Write it as --author \"NAME <ADDRESS>\".")
        }
        return signature
    }

    /// The commit that a branch of the clone itself leads to; nil where there is no such branch.
    func branch(_ name: String) throws(GitError) -> String? {
        let repository = try open()
        try checkBranchName(name)
        var id = git_oid()
        let found = git_reference_name_to_id(&id, repository, "refs/heads/\(name)")
        if found == GIT_ENOTFOUND.rawValue { return nil }
        try check("read the branch \(name)") { found }
        return text(of: &id)
    }

    /// Makes a branch of the clone; one that is there already is never moved.
    func makeBranch(_ name: String, at commit: String) throws(GitError) {
        let repository = try open()
        try checkBranchName(name)
        var id = try objectID(commit)
        var created: OpaquePointer?
        try check("make the branch \(name)") {
            git_reference_create(&created, repository, "refs/heads/\(name)", &id, 0, nil)
        }
        git_reference_free(created)
    }

    private func checkBranchName(_ name: String) throws(GitError) {
        var isValid: Int32 = 0
        let code = name.utf8.count <= 200 ? git_branch_name_is_valid(&isValid, name) : 0
        guard code == 0, isValid == 1 else {
            throw GitError(
                kind: .other, operation: "name a branch", detail: "\"\(name)\" is no name that Git takes for one",
                hint: "Use letters, digits, dashes and slashes, such as --new-branch fix/shop.")
        }
    }
}
