import Foundation
import Git
import TestSupport
import Testing

/// Taking commits back in the bare clone, compared with what the `git` command makes of the same.
@Suite(.timeLimit(.minutes(2))) struct RevertTests {
    let remote: ScratchRemote
    private let person = GitPerson(name: "Rita Revert", email: "rita@example.com")
    private let lines = (1...20).map { "line \($0)\n" }

    init() async throws { remote = try await ScratchRemote() }

    /// The lines of a file with some of them replaced.
    private func text(_ changes: [Int: String] = [:]) -> String {
        lines.enumerated().map { changes[$0.offset + 1].map { $0 + "\n" } ?? $0.element }.joined()
    }

    private func tree(_ result: GitRevertResult) throws -> String {
        guard case .tree(let tree) = result else { throw ServerFailure(description: "\(result)") }
        return tree
    }

    /// What `git revert` makes, on a branch of its own.
    private func treeByGit(_ arguments: [String]) async throws -> String {
        try await remote.git("checkout", "--quiet", "-b", UUID().uuidString, "main")
        for argument in arguments {
            if argument.hasPrefix("-m ") {
                try await remote.git("revert", "--no-edit", "-m", "1", String(argument.dropFirst(3)))
            } else {
                try await remote.git("revert", "--no-edit", argument)
            }
        }
        let tree = try await remote.git("rev-parse", "HEAD^{tree}")
        try await remote.git("checkout", "--quiet", "main")
        return tree
    }

    @Test func takesBackOneCommitAndKeepsWhatCameLater() async throws {
        let first = try await remote.commit("First", ["p/a.yaml": text()])
        let bad = try await remote.commit("Bad", ["p/a.yaml": text([3: "bad"]), "p/new.yaml": "new", "README": "x"])
        let later = try await remote.commit("Later", ["p/a.yaml": text([3: "bad", 18: "good"])])
        let clone = try remote.clone()
        _ = try await clone.fetch(.branch("main"))
        let tree = try tree(try await clone.revert(from: bad, backTo: first, onto: later))
        #expect(tree == (try await treeByGit([bad])))
        #expect(
            try await clone.changedFiles(from: later, toTree: tree) == [
                GitChangedFile(path: "README", change: .removed), GitChangedFile(path: "p/a.yaml", change: .modified),
                GitChangedFile(path: "p/new.yaml", change: .removed),
            ])
    }

    @Test func takesBackAMergeAsItsFirstParentSawIt() async throws {
        let first = try await remote.commit("First", ["a.yaml": text()])
        try await remote.git("checkout", "--quiet", "-b", "side")
        try await remote.commit("One", ["a.yaml": text([3: "bad"])])
        try await remote.commit("Two", ["b.yaml": "b"])
        try await remote.git("checkout", "--quiet", "main")
        let own = try await remote.commit("Own", ["c.yaml": "c"])
        try await remote.git("merge", "--quiet", "--no-edit", "side")
        let merge = try await remote.git("rev-parse", "HEAD")
        let later = try await remote.commit("Later", ["d.yaml": "d"])
        let clone = try remote.clone()
        _ = try await clone.fetch(.branch("main"))
        let result = try tree(try await clone.revert(from: merge, backTo: own, onto: later))
        #expect(result == (try await treeByGit(["-m " + merge])))
        let line = try await clone.firstParentLine(from: later, backTo: first, maximumCount: 10)
        #expect(line?.map(\.id) == [later, merge, own, first])
        #expect(try await clone.firstParentLine(from: own, backTo: merge, maximumCount: 10) == nil)
        let error = await gitError { try await clone.firstParentLine(from: later, backTo: first, maximumCount: 3) }
        #expect(error?.kind == .tooLarge)
    }

    @Test func takesBackARangeAsCommitByCommit() async throws {
        let first = try await remote.commit("First", ["a.yaml": text()])
        let one = try await remote.commit("One", ["a.yaml": text([3: "one"]), "b.yaml": "b"])
        let two = try await remote.commit("Two", ["a.yaml": text([3: "two", 9: "two"])])
        let later = try await remote.commit("Later", ["a.yaml": text([3: "two", 9: "two", 19: "later"])])
        let clone = try remote.clone()
        _ = try await clone.fetch(.branch("main"))
        let result = try tree(try await clone.revert(from: two, backTo: first, onto: later))
        #expect(result == (try await treeByGit([two, one])))
        #expect(
            try await clone.revert(from: one, backTo: first, onto: later) == .conflicts(["a.yaml"]),
            "the one alone is in the way of the other")
    }

    @Test func namesEachFileInConflictAndWhoChangedItLast() async throws {
        let first = try await remote.commit("First", ["p/a.yaml": text(), "p/b.yaml": text(), "c.yaml": text()])
        let bad = try await remote.commit(
            "Bad", ["p/a.yaml": text([3: "bad"]), "p/b.yaml": text([3: "bad"]), "c.yaml": text([3: "bad"])])
        let again = try await remote.commit("Again", ["p/a.yaml": text([3: "again"])])
        try await remote.git("checkout", "--quiet", "-b", "side", bad)
        try FileManager.default.removeItem(atPath: remote.path + "/p/b.yaml")
        try await remote.commit("Remove")
        try await remote.git("checkout", "--quiet", "main")
        try await remote.git("merge", "--quiet", "--no-edit", "side")
        let merge = try await remote.git("rev-parse", "HEAD")
        let tip = try await remote.commit("Elsewhere", ["d.yaml": "d"])
        let clone = try remote.clone()
        _ = try await clone.fetch(.branch("main"))
        let result = try await clone.revert(from: bad, backTo: first, onto: tip)
        #expect(result == .conflicts(["p/a.yaml", "p/b.yaml"]))
        let touches = try await clone.firstParentTouches(
            of: ["p/a.yaml", "p/b.yaml", "c.yaml"], after: bad, upTo: tip)
        #expect(touches == ["p/a.yaml": again, "p/b.yaml": merge])
    }

    @Test func whatIsTakenBackAlreadyChangesNothing() async throws {
        let first = try await remote.commit("First", ["a.yaml": text()])
        let bad = try await remote.commit("Bad", ["a.yaml": text([3: "bad"])])
        try await remote.git("revert", "--no-edit", bad)
        let tip = try await remote.commit("Later", ["b.yaml": "b"])
        let clone = try remote.clone()
        _ = try await clone.fetch(.branch("main"))
        let result = try tree(try await clone.revert(from: bad, backTo: first, onto: tip))
        #expect(result == (try await remote.git("rev-parse", "HEAD^{tree}")))
        #expect(try await clone.changedFiles(from: tip, toTree: result).isEmpty)
    }

    @Test func theFirstCommitHasNothingBeforeIt() async throws {
        let first = try await remote.commit("First", ["a.yaml": "a"])
        let tip = try await remote.commit("Second", ["b.yaml": "b"])
        let clone = try remote.clone()
        _ = try await clone.fetch(.branch("main"))
        let result = try tree(try await clone.revert(from: first, backTo: nil, onto: tip))
        #expect(
            try await clone.changedFiles(from: tip, toTree: result) == [
                GitChangedFile(path: "a.yaml", change: .removed)
            ])
    }

    @Test func equalFoldersHaveEqualTrees() async throws {
        let first = try await remote.commit("First", ["p/q/a.yaml": "a", "README": "1"])
        let second = try await remote.commit("Second", ["README": "2"])
        let clone = try remote.clone()
        _ = try await clone.fetch(.branch("main"))
        let tree = try await clone.treeID(of: first, below: "p/q")
        #expect(tree == (try await remote.git("rev-parse", "HEAD:p/q")))
        #expect(try await clone.treeID(of: second, below: "./p//q/") == tree)
        #expect(try await clone.treeID(of: first, below: "") != (try await clone.treeID(of: second, below: "")))
        #expect(try await clone.treeID(of: first, below: "none") == nil)
        #expect(try await clone.treeID(of: first, below: "README") == nil, "a file is no folder")
    }

    @Test func aCommitIsWrittenAsGiven() async throws {
        let tip = try await remote.commit("First", ["a.yaml": "a"])
        let clone = try remote.clone()
        _ = try await clone.fetch(.branch("main"))
        let message = "Revert \"a \"quoted\" \\ subject\"\n\nThis reverts commit \(tip).\n\nBylaw-Reverts: \(tip)\n"
        let tree = try await remote.git("rev-parse", "HEAD^{tree}")
        let id = try await clone.makeCommit(
            tree: tree, parent: tip, author: person, committer: GitPerson(name: "Carl", email: "carl@example.com"),
            time: 1_700_000_001, message: message)
        let commit = try await clone.commit(id)
        #expect(commit.message == message)
        #expect(commit.parents == [tip])
        #expect(commit.authorEmail == "rita@example.com")
        #expect(commit.committerName == "Carl")
        #expect(commit.committedAt == 1_700_000_001)
        #expect(commit.trailers.map(\.key) == ["Bylaw-Reverts"])
        #expect(try await clone.branch("new") == nil)
        try await clone.makeBranch("new", at: id)
        #expect(try await clone.branch("new") == id)
        #expect(await gitError { try await clone.makeBranch("new", at: tip) } != nil, "a branch is never moved")
        #expect(try await clone.branch("new") == id)
        try await remote.git("fetch", "--quiet", remote.cache + "/repository.git", "new")
        #expect(try await remote.git("rev-parse", "FETCH_HEAD") == id)
        try await remote.git("fsck", "--strict")
    }

    @Test(arguments: [
        GitPerson(name: "Eve\nauthor Ann <ann@example.com>", email: "e@example.com"), GitPerson(name: "", email: "e"),
        GitPerson(name: "Eve", email: "e> 0 +0000\ngpgsig x"), GitPerson(name: "Eve <x>", email: "e@example.com"),
    ])
    func aPersonThatWouldBeAnotherHeaderIsRefused(_ eve: GitPerson) async throws {
        let tip = try await remote.commit("First")
        let clone = try remote.clone()
        _ = try await clone.fetch(.branch("main"))
        let tree = try await remote.git("rev-parse", "HEAD^{tree}")
        for (author, committer) in [(eve, person), (person, eve)] {
            let error = await gitError {
                try await clone.makeCommit(
                    tree: tree, parent: tip, author: author, committer: committer, time: 0, message: "x")
            }
            #expect(error?.hint.contains("--author") == true, "\(String(describing: error))")
        }
        let error = await gitError {
            try await clone.makeCommit(
                tree: tree, parent: tip, author: person, committer: person, time: 0, message: "a\0b")
        }
        #expect(error?.detail.contains("NUL") == true)
    }

    @Test(arguments: ["", "-x", "a..b", "a b", "x.lock", "HEAD", "a\nb", "/a", String(repeating: "x", count: 300)])
    func aNameThatGitTakesForNoBranchIsRefused(_ name: String) async throws {
        let tip = try await remote.commit("First")
        let clone = try remote.clone()
        _ = try await clone.fetch(.branch("main"))
        #expect(await gitError { try await clone.branch(name) }?.hint.contains("--new-branch") == true)
        #expect(await gitError { try await clone.makeBranch(name, at: tip) } != nil)
    }

    @Test func whoOneIsStandsInGitsOwnConfiguration() throws {
        let folder = try ScratchDirectory(named: "bylaw-git-config")
        let home = folder.path
        #expect(try configuredPerson(environment: ["HOME": home, "GIT_CONFIG_NOSYSTEM": "1"]) == nil)
        try folder.write("[user]\n\tname = Xenia\n\temail = x@example.com\n", to: ".config/git/config")
        try folder.write("[user]\n\temail = home@example.com\n", to: ".gitconfig")
        #expect(
            try configuredPerson(environment: ["HOME": home, "GIT_CONFIG_NOSYSTEM": "1"])
                == GitPerson(name: "Xenia", email: "home@example.com"))
        #expect(
            try configuredPerson(
                environment: ["HOME": home, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null"]) == nil)
        try folder.write("[user\nname", to: ".gitconfig")
        do {
            _ = try configuredPerson(environment: ["HOME": home, "GIT_CONFIG_NOSYSTEM": "1"])
            Issue.record("a broken file passes")
        } catch {
            #expect(error.description.contains(".gitconfig"))
            #expect(error.hint.contains("--author"))
        }
    }
}
