package import Git
package import Reconciler

/// The commits that a rollback takes back, and what it stands on.
package struct RollbackRange: Sendable, Equatable {
    /// The commits to take back, newest first; never empty.
    package var reverts: [Revision]
    package var newest: Revision
    package var oldest: Revision
    /// What came before the oldest of them; nil where it begins the history.
    package var before: Revision?
    /// The tip of the followed branch, which the new commit follows.
    package var tip: Revision
}

/// A file that was changed again, in the same places, since the commits that are to be taken back.
package struct RollbackConflict: Sendable, Equatable {
    package var file: String
    /// The newest commit on the branch that changed it since; nil where that cannot be told.
    package var later: Revision?

    package init(file: String, later: Revision?) {
        self.file = file
        self.later = later
    }
}

/// What taking commits back comes to.
package enum RollbackMerge: Sendable, Equatable {
    /// The tip is without them already.
    case nothing
    case conflicts([RollbackConflict])
    /// The tree of the new commit, with what it holds otherwise than the tip.
    case tree(String, changed: [GitChangedFile])
}

/// Taking revisions back by a commit on top of the followed branch.
extension GitRevisionSource {
    /// The bare clone; what ``makeBranch(_:at:)`` makes is there.
    package nonisolated var clonePath: String { configuration.cacheDirectory + "/repository.git" }

    private static let maximumReverts = RevertClaims.maximumCount

    /// Finds the commits that are to be taken back.
    ///
    /// - Parameters:
    ///   - name: The oldest of them: an id or its beginning, or `HEAD` and the followed branch with `~N`.
    ///   - later: The newest of them, where a whole range is meant: all on the line of first parents that leads to it.
    ///   - tip: What was fetched.
    package func rollbackRange(
        from name: String, to later: String?, tip: Revision
    ) async throws(SourceError) -> RollbackRange {
        let oldest = try await revertible(name, tip)
        let newest = if let later { try await revertible(later, tip) } else { oldest }
        do throws(GitError) {
            guard
                let line = try await repository.firstParentLine(
                    from: newest.id, backTo: oldest.id, maximumCount: Self.maximumReverts)
            else {
                throw GitError(
                    kind: .noSuchReference, operation: "take back \(oldest.id.prefix(12)) to \(newest.id.prefix(12))",
                    detail: "the one does not lead to the other along first parents",
                    hint:
                        "Name the older one first, and of what a merge brought name the merge (git log --first-parent)."
                )
            }
            var before: Revision?
            if let parent = oldest.parents.first { before = revision(try await repository.commit(parent)) }
            return RollbackRange(
                reverts: line.map(revision), newest: revision(newest), oldest: revision(oldest), before: before,
                tip: tip)
        } catch {
            throw sourceError(error)
        }
    }

    /// The revision of an id or the beginning of one, which what is followed must contain.
    package func revision(named name: String, containedIn tip: Revision) async throws(SourceError) -> Revision {
        revision(try await contained(name, in: tip, for: "keep"))
    }

    private func revertible(_ name: String, _ tip: Revision) async throws(SourceError) -> GitCommit {
        try await contained(
            name, in: tip, for: "take back",
            hint: "Nothing has to be taken back, or another branch is meant: name it with --branch.")
    }

    private func contained(
        _ name: String, in tip: Revision, for verb: String,
        hint: String = "Name a commit of the followed branch, or another branch with --branch."
    ) async throws(SourceError) -> GitCommit {
        do throws(GitError) {
            let commit: GitCommit
            do throws(GitError) {
                commit = try await repository.resolve(nameInClone(name, tip))
            } catch {
                throw GitError(
                    kind: .noSuchReference, operation: "find the revision \"\(name)\" in \(configuration.url)",
                    detail: error.detail,
                    hint: "Name a commit of \(configuration.reference) by its id or the beginning of it, or as HEAD~1.")
            }
            guard try await repository.isAncestor(commit.id, of: tip.commit) else {
                throw GitError(
                    kind: .noSuchReference, operation: "\(verb) \(commit.id.prefix(12))",
                    detail: "\(configuration.reference) at \(tip.commit.prefix(12)) does not contain it",
                    hint: hint)
            }
            return commit
        } catch {
            throw sourceError(error)
        }
    }

    /// The clone has the followed branch under a name of its own.
    private func nameInClone(_ name: String, _ tip: Revision) -> String {
        let mark = name.firstIndex { $0 == "~" || $0 == "^" } ?? name.endIndex
        var names = ["HEAD"]
        if case .branch(let branch) = configuration.reference { names.append(branch) }
        return names.contains(String(name[..<mark])) ? tip.commit + name[mark...] : name
    }

    /// Takes commits back in memory: no reference and no commit comes of it.
    package func takeBack(_ range: RollbackRange) async throws(SourceError) -> RollbackMerge {
        do throws(GitError) {
            let result = try await repository.revert(
                from: range.newest.commit, backTo: range.before?.commit, onto: range.tip.commit)
            switch result {
            case .conflicts(let files):
                let touches = try await repository.firstParentTouches(
                    of: files, after: range.newest.commit, upTo: range.tip.commit)
                var revisions: [String: Revision] = [:]
                for commit in Set(touches.values) { revisions[commit] = revision(try await repository.commit(commit)) }
                return .conflicts(
                    files.map { RollbackConflict(file: $0, later: touches[$0].flatMap { revisions[$0] }) })
            case .tree(let tree):
                let changed = try await repository.changedFiles(from: range.tip.commit, toTree: tree)
                return changed.isEmpty ? .nothing : .tree(tree, changed: changed)
            }
        } catch {
            throw sourceError(error)
        }
    }

    /// Writes the commit that takes others back; no branch leads to it yet.
    ///
    /// - Parameters:
    ///   - tree: From ``takeBack(_:)``.
    ///   - time: Seconds since 1970.
    ///   - words: Makes the message, given the earlier revision whose declared files the commit brings back exactly.
    package func makeRollback(
        _ range: RollbackRange, tree: String, author: GitPerson, committer: GitPerson, time: Int64,
        words: (_ restores: String?) -> String
    ) async throws(SourceError) -> Revision {
        do throws(GitError) {
            func commit(_ message: String) async throws(GitError) -> String {
                try await repository.makeCommit(
                    tree: tree, parent: range.tip.commit, author: author, committer: committer, time: time,
                    message: message)
            }
            let id = try await commit(words(nil))
            // What it restores shows in its tree, and then its words can say so.
            guard let before = range.before?.commit,
                let declared = try await repository.treeID(of: id, below: configuration.path),
                try await repository.treeID(of: before, below: configuration.path) == declared
            else { return revision(try await repository.commit(id)) }
            return revision(try await repository.commit(try await commit(words(before))))
        } catch {
            throw sourceError(error)
        }
    }

    /// What a commit takes back and restores, by its words and by the trees of its history.
    package func recogniseRevert(_ commit: String) async throws(SourceError) -> RevertRecognition {
        do throws(GitError) {
            let facts = try await repository.commit(commit)
            let claims = RevertClaims(
                message: facts.message,
                trailers: facts.trailers.map { Revision.Trailer(key: $0.key, value: $0.value) })
            var known: [String: RevertRecognition.EarlierRevision] = [:]
            for id in claims.restores + claims.reverts where known[id] == nil {
                known[id] = try await earlierRevision(id, before: commit)
                guard let parent = known[id]?.firstParent, known[parent] == nil else { continue }
                known[parent] = try await earlierRevision(parent, before: commit)
            }
            return RevertRecognition(
                claims, tree: try await repository.treeID(of: commit, below: configuration.path)
            ) { known[$0] }
        } catch {
            throw sourceError(error)
        }
    }

    package func commitsTakenBack(by revision: Revision, after earlier: String) async throws(SourceError) -> [String] {
        let since = try await commits(upTo: revision, after: earlier, wholeHistory: false)
        do throws(GitError) {
            var found: [String] = []
            var known: Set<String> = []
            for commit in since {
                let facts = try await repository.commit(commit.commit)
                let claims = RevertClaims(message: facts.message, trailers: commit.trailers)
                for id in claims.reverts where found.count < Self.maximumReverts && known.insert(id).inserted {
                    if try await repository.isAncestor(id, of: earlier) { found.append(id) }
                }
            }
            return found
        } catch {
            throw sourceError(error)
        }
    }

    /// What is known of a commit; nil where it is not in the history of another.
    private func earlierRevision(
        _ id: String, before commit: String
    ) async throws(GitError) -> RevertRecognition.EarlierRevision? {
        guard id != commit, try await repository.isAncestor(id, of: commit) else { return nil }
        return RevertRecognition.EarlierRevision(
            tree: try await repository.treeID(of: id, below: configuration.path),
            firstParent: try await repository.commit(id).parents.first)
    }

    /// The revision that a branch of the clone leads to; nil where there is no such branch.
    package func branch(_ name: String) async throws(SourceError) -> (revision: Revision, tree: String)? {
        do throws(GitError) {
            guard let id = try await repository.branch(name) else { return nil }
            let commit = try await repository.commit(id)
            return (revision(commit), commit.tree)
        } catch {
            throw sourceError(error)
        }
    }

    /// Makes a branch of the clone; one that is there already is never moved.
    package func makeBranch(_ name: String, at revision: Revision) async throws(SourceError) {
        do throws(GitError) {
            try await repository.makeBranch(name, at: revision.commit)
        } catch {
            throw sourceError(error)
        }
    }

    /// Pushes a branch of the clone to the remote, where it must be new.
    package func push(branch: String, at revision: Revision) async throws(SourceError) -> GitPushOutcome {
        do throws(GitError) {
            return try await repository.push(branch: branch, at: revision.commit)
        } catch {
            throw sourceError(error)
        }
    }
}
