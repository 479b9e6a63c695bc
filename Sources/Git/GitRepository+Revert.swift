import ChildProcess

/// Taking commits back, and carrying that to the remote.
extension GitRepository {
    /// The tree of `tip` without what lies between `before` and `newest`: one merge of three trees, as `git revert` does it.
    ///
    /// A whole range taken back at once is the same as commit by commit, newest first, wherever both succeed; and it meets
    /// no conflict between commits that are all to go.
    ///
    /// - Parameter before: The commit before the change, for a merge its first parent; nil where the change begins the
    ///   history.
    package func revert(
        from newest: String, backTo before: String?, onto tip: String
    ) async throws(GitError) -> GitRevertResult {
        try await run { worker throws(GitError) in
            try worker.revert(from: newest, backTo: before, onto: tip)
        }.get()
    }

    /// The id of the tree that stands at a folder; nil where there is none.
    ///
    /// Two commits with equal ids hold the same files there, byte for byte.
    package func treeID(of commit: String, below path: String) async throws(GitError) -> String? {
        try await run { worker throws(GitError) in try worker.treeID(of: commit, below: path) }.get()
    }

    /// The files that a tree holds otherwise than a commit, in the order of their paths.
    package func changedFiles(from commit: String, toTree tree: String) async throws(GitError) -> [GitChangedFile] {
        try await run { worker throws(GitError) in try worker.changedFiles(from: commit, toTree: tree) }.get()
    }

    /// The commits from one back to another along first parents, newest first, both among them.
    ///
    /// - Returns: Nil where the other is not on that line.
    /// - Throws: ``GitError`` of kind `tooLarge` where it is longer than `maximumCount`.
    package func firstParentLine(
        from newest: String, backTo oldest: String, maximumCount: Int
    ) async throws(GitError) -> [GitCommit]? {
        try await run { worker throws(GitError) in
            try worker.firstParentLine(from: newest, backTo: oldest, maximumCount: maximumCount)
        }.get()
    }

    /// For each path the newest commit after `base` that changed it, on the line of first parents of `head`.
    ///
    /// Of a merge its own commit is named, not the one that it brought. As far as that can be told within
    /// `maximumLookUps` looks into trees.
    package func firstParentTouches(
        of paths: [String], after base: String, upTo head: String, maximumLookUps: Int = 200_000
    ) async throws(GitError) -> [String: String] {
        try await run { worker throws(GitError) in
            try worker.firstParentTouches(of: paths, after: base, upTo: head, maximumLookUps: maximumLookUps)
        }.get()
    }

    /// Writes a commit that no reference leads to yet, so that it can be looked at before anybody sees it.
    ///
    /// - Parameter time: Seconds since 1970; written in UTC.
    /// - Returns: Its id.
    package func makeCommit(
        tree: String, parent: String, author: GitPerson, committer: GitPerson, time: Int64, message: String
    ) async throws(GitError) -> String {
        try await run { worker throws(GitError) in
            try worker.makeCommit(
                tree: tree, parent: parent, author: author, committer: committer, time: time, message: message)
        }.get()
    }

    /// The commit that a branch of the clone itself leads to; nil where there is no such branch.
    package func branch(_ name: String) async throws(GitError) -> String? {
        try await run { worker throws(GitError) in try worker.branch(name) }.get()
    }

    /// Makes a branch of the clone; one that is there already is never moved.
    package func makeBranch(_ name: String, at commit: String) async throws(GitError) {
        try await run { worker throws(GitError) in try worker.makeBranch(name, at: commit) }.get()
    }

    /// Pushes a branch of the clone to the remote, where it must be new.
    ///
    /// The bounds of a fetch hold for it too, and no more than 64 MiB are sent.
    ///
    /// - Parameter commit: What the branch leads to.
    package func push(branch: String, at commit: String) async throws(GitError) -> GitPushOutcome {
        let flag = CancellationFlag()
        return try await withTaskCancellationHandler {
            await run { worker throws(GitError) in
                try worker.push(branch: branch, at: commit, isCancelled: flag)
            }
        } onCancel: {
            flag.set()
        }.get()
    }
}
