internal import CGit2

/// Finding commits by what people call them, and by what they changed.
extension GitWorker {
    func resolve(_ name: String) throws(GitError) -> GitCommit {
        let repository = try open()
        var object: OpaquePointer?
        var commit: OpaquePointer?
        defer {
            git_object_free(object)
            git_object_free(commit)
        }
        do throws(GitError) {
            try check("find the revision \"\(name)\"") { git_revparse_single(&object, repository, name) }
            try check("find the commit of \"\(name)\"") { git_object_peel(&commit, object, GIT_OBJECT_COMMIT) }
        } catch {
            throw GitError(
                kind: .noSuchReference, operation: error.operation, detail: error.detail,
                hint: "Fetch it first, and in a pipeline fetch the whole history: git fetch --unshallow origin.")
        }
        guard var id = git_object_id(commit)?.pointee else {
            throw GitError(kind: .noSuchReference, operation: "find the revision \"\(name)\"", detail: "no commit")
        }
        return try self.commit(text(of: &id))
    }

    func mergeBase(_ one: String, _ other: String) throws(GitError) -> String? {
        let repository = try open()
        var left = try objectID(one)
        var right = try objectID(other)
        var base = git_oid()
        let found = git_merge_base(&base, repository, &left, &right)
        if found == GIT_ENOTFOUND.rawValue { return nil }
        try check("find where \(other) branched off from \(one)") { found }
        return text(of: &base)
    }

    func lastTouches(
        of paths: [String], after base: String, upTo head: String, maximumLookUps: Int
    ) throws(GitError) -> [String: String] {
        let repository = try open()
        return try newestTouches(of: paths, after: base, upTo: head, maximumLookUps: maximumLookUps) {
            (id, waiting) throws(GitError) in try pathsTouched(by: id, among: waiting, repository)
        }
    }

    /// For each path the newest commit that `head` has and `base` has not and that `touched` says it of.
    ///
    /// - Parameters:
    ///   - maximumLookUps: After so many looks at a path in a commit the rest stays unknown.
    ///   - isAlongFirstParents: Whether only the line of first parents is walked.
    ///   - touched: Which of the paths that are still looked for a commit touched; nil ends the walk.
    func newestTouches(
        of paths: [String], after base: String, upTo head: String, maximumLookUps: Int,
        isAlongFirstParents: Bool = false, touched: (git_oid, [String]) throws(GitError) -> [String]?
    ) throws(GitError) -> [String: String] {
        let repository = try open()
        var walk: OpaquePointer?
        try check("walk the history") { git_revwalk_new(&walk, repository) }
        defer { git_revwalk_free(walk) }
        git_revwalk_sorting(walk, GIT_SORT_TOPOLOGICAL.rawValue | GIT_SORT_TIME.rawValue)
        if isAlongFirstParents { try check("walk along first parents") { git_revwalk_simplify_first_parent(walk) } }
        var start = try objectID(head)
        var end = try objectID(base)
        try check("walk the history of \(head)") { git_revwalk_push(walk, &start) }
        try check("walk the history of \(base)") { git_revwalk_hide(walk, &end) }
        var touches: [String: String] = [:]
        var waiting = paths
        var lookUps = 0
        var next = git_oid()
        while !waiting.isEmpty, git_revwalk_next(&next, walk) == 0 {
            lookUps += waiting.count
            guard lookUps <= maximumLookUps, let found = try touched(next, waiting) else { break }
            for path in found { touches[path] = text(of: &next) }
            if !found.isEmpty { waiting.removeAll { touches[$0] != nil } }
        }
        return touches
    }

    /// The paths that are in a commit otherwise than in each of its parents.
    private func pathsTouched(
        by id: git_oid, among paths: [String], _ repository: OpaquePointer
    ) throws(GitError) -> [String] {
        var id = id
        var commit: OpaquePointer?
        try check("read a commit") { git_commit_lookup(&commit, repository, &id) }
        defer { git_commit_free(commit) }
        let own = try entries(of: commit, paths)
        var untouched: Set<String> = []
        let parents = git_commit_parentcount(commit)
        for index in 0..<parents {
            var parent: OpaquePointer?
            // A shallow clone ends here: what lies behind is not known to be the same.
            guard git_commit_parent(&parent, commit, index) == 0 else { continue }
            defer { git_commit_free(parent) }
            let others = try entries(of: parent, paths)
            for (index, path) in paths.enumerated() where own[index] == others[index] { untouched.insert(path) }
        }
        return paths.enumerated().filter { index, path in
            !untouched.contains(path) && (parents > 0 || own[index] != nil)
        }.map(\.element)
    }

    /// The ids of what stands at some paths; nil where nothing does.
    func entries(of commit: OpaquePointer?, _ paths: [String]) throws(GitError) -> [String?] {
        var tree: OpaquePointer?
        try check("read the tree of a commit") { git_commit_tree(&tree, commit) }
        defer { git_tree_free(tree) }
        return paths.map { path in
            var entry: OpaquePointer?
            guard git_tree_entry_bypath(&entry, tree, path) == 0 else { return nil }
            defer { git_tree_entry_free(entry) }
            guard var id = git_tree_entry_id(entry)?.pointee else { return nil }
            return text(of: &id)
        }
    }
}
