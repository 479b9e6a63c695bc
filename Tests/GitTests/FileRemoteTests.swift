import Foundation
import Git
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(2))) struct FileRemoteTests {
    let remote: ScratchRemote

    init() async throws { remote = try await ScratchRemote() }

    @Test func theFirstFetchClonesAndTellsWhatTheCommitIs() async throws {
        let parent = try await remote.commit("First", ["a.yaml": "a"])
        let message = "Second\n\nBecause.\n\nBylaw-Approved: risky-grant by Bob\nReviewed-by: Carol <carol@example.com>"
        let id = try await remote.commit(message, ["b.yaml": "b"])
        let commit = try await remote.clone().fetch(.defaultBranch)
        #expect(commit.id == id)
        #expect(commit.parents == [parent])
        #expect(commit.tree == (try await remote.git("rev-parse", "HEAD^{tree}")))
        #expect(commit.authorName == "Ann Author")
        #expect(commit.authorEmail == "ann@example.com")
        #expect(commit.committerName == "Carl Committer")
        #expect(commit.committerEmail == "carl@example.com")
        #expect(commit.committedAt == 1_700_000_000)
        #expect(commit.message == message + "\n")
        #expect(commit.trailers.map(\.key) == ["Bylaw-Approved", "Reviewed-by"])
        #expect(commit.trailers.map(\.value) == ["risky-grant by Bob", "Carol <carol@example.com>"])
    }

    @Test func laterFetchesBringWhatIsNew() async throws {
        let first = try await remote.commit("First", ["a.yaml": "a"])
        let clone = try remote.clone()
        #expect(try await clone.fetch(.defaultBranch).id == first)
        #expect(try await clone.fetch(.defaultBranch).id == first, "nothing is new")
        let second = try await remote.commit("Second", ["b.yaml": "b"])
        let commit = try await clone.fetch(.defaultBranch)
        #expect(commit.id == second)
        let files = try #require(try await clone.files(of: second, below: ""))
        #expect(try await clone.blobs(files.map(\.blob), maximumBytes: 100) == [Array("a".utf8), Array("b".utf8)])
    }

    @Test func aFileAddressIsTheSameAsAPath() async throws {
        let id = try await remote.commit("First")
        #expect(try await remote.clone(from: "file://" + remote.path).fetch(.defaultBranch).id == id)
    }

    @Test func aBareRepositoryWillDo() async throws {
        let id = try await remote.commit("First")
        try await remote.git("clone", "--quiet", "--bare", remote.path, remote.folder.path + "/bare.git")
        #expect(try await remote.clone(from: remote.folder.path + "/bare.git").fetch(.branch("main")).id == id)
    }

    @Test func followsABranchATagOrACommit() async throws {
        let old = try await remote.commit("Old")
        try await remote.git("tag", "light")
        try await remote.git("tag", "--annotate", "--message", "words", "annotated")
        try await remote.git("branch", "team/one")
        let new = try await remote.commit("New")
        let wanted: [(FollowedReference, String)] = [
            (.defaultBranch, new), (.branch("main"), new), (.branch("team/one"), old), (.tag("light"), old),
            (.tag("annotated"), old), (.commit(old), old), (.commit(new), new),
        ]
        let clone = try remote.clone()
        for (reference, id) in wanted {
            #expect(try await clone.fetch(reference).id == id, "\(reference)")
            let fresh = try remote.clone(cache: remote.folder.path + "/\(UUID().uuidString)")
            #expect(try await fresh.fetch(reference).id == id, "\(reference) in an empty cache")
        }
    }

    @Test func followsTheBranchThatHeadNames() async throws {
        try await remote.commit("On main")
        try await remote.git("checkout", "--quiet", "-b", "trunk")
        let id = try await remote.commit("On trunk")
        #expect(try await remote.clone().fetch(.defaultBranch).id == id)
    }

    @Test func followsATagThatIsMoved() async throws {
        try await remote.commit("Old")
        try await remote.git("tag", "release")
        let clone = try remote.clone()
        _ = try await clone.fetch(.tag("release"))
        let new = try await remote.commit("New")
        try await remote.git("tag", "--force", "release")
        #expect(try await clone.fetch(.tag("release")).id == new)
    }

    @Test func aForcePushIsSeenAndTheOldHistoryStays() async throws {
        let base = try await remote.commit("Base", ["a.yaml": "a"])
        let lost = try await remote.commit("Lost", ["b.yaml": "b"])
        let clone = try remote.clone()
        _ = try await clone.fetch(.branch("main"))
        try await remote.git("reset", "--quiet", "--hard", base)
        let kept = try await remote.commit("Kept", ["c.yaml": "c"])
        #expect(try await clone.fetch(.branch("main")).id == kept)
        #expect(try await clone.isAncestor(lost, of: kept) == false)
        #expect(try await clone.isAncestor(base, of: kept))
        #expect(try await clone.commit(lost).message == "Lost\n")
        #expect(try await clone.files(of: lost, below: "")?.map(\.path) == ["a.yaml", "b.yaml"])
    }

    @Test func aMissingBranchIsNamedBesideThoseThatExist() async throws {
        try await remote.commit("First")
        try await remote.git("branch", "other")
        try await remote.git("tag", "v1")
        let error = try #require(await gitError { try await remote.clone().fetch(.branch("mian")) })
        #expect(error.kind == .noSuchReference)
        #expect(error.description.contains("branch mian"))
        #expect(error.description.contains(remote.path))
        #expect(error.hint.contains("main, other"))
        #expect(!error.hint.contains("v1"))
    }

    @Test func aMissingTagIsNamedBesideThoseThatExist() async throws {
        try await remote.commit("First")
        try await remote.git("tag", "--annotate", "--message", "words", "v1")
        let error = try #require(await gitError { try await remote.clone().fetch(.tag("v2")) })
        #expect(error.kind == .noSuchReference)
        #expect(error.description.contains("tag v2"))
        #expect(error.hint.contains("v1."))
        #expect(!error.hint.contains("main"))
    }

    @Test(arguments: ["0123456789012345678901234567890123456789", "0000000000000000000000000000000000000000"])
    func aMissingCommitIsNamed(_ id: String) async throws {
        try await remote.commit("First")
        let error = try #require(await gitError { try await remote.clone().fetch(.commit(id)) })
        #expect([.noSuchReference, .notFound].contains(error.kind))
        #expect(error.description.contains(id))
        #expect(!error.hint.contains("is a Git repository"), "the repository is not what is missing")
    }

    @Test func anEmptyRepositoryHasNothingToFollow() async throws {
        let error = try #require(await gitError { try await remote.clone().fetch(.defaultBranch) })
        #expect(error.kind == .noSuchReference)
        #expect(error.detail.contains("no commit yet"))
    }

    @Test(arguments: ["nowhere", "no-repository"])
    func aRemoteThatIsNotThereIsNamed(_ name: String) async throws {
        let path = remote.folder.path + "/" + name
        try remote.folder.write("a file", to: "no-repository/file")
        let error = try #require(await gitError { try await remote.clone(from: path).fetch(.defaultBranch) })
        #expect(error.description.contains(path))
        #expect(!error.hint.isEmpty)
        #expect([.notFound, .other].contains(error.kind), "\(error)")
    }

    @Test func whatWasFetchedStaysUsableWithoutTheRemote() async throws {
        let id = try await remote.commit("First", ["a.yaml": "a"])
        let clone = try remote.clone()
        _ = try await clone.fetch(.branch("main"))
        try FileManager.default.moveItem(atPath: remote.path, toPath: remote.path + "-away")
        #expect(await gitError { try await clone.fetch(.branch("main")) } != nil)
        #expect(try await clone.commit(id).message == "First\n")
        #expect(try await clone.files(of: id, below: "")?.count == 1)
        try FileManager.default.moveItem(atPath: remote.path + "-away", toPath: remote.path)
        #expect(try await clone.fetch(.branch("main")).id == id, "and it recovers by itself")
    }

    @Test func aBranchThatWasDeletedDoesNotTakeTheCacheWithIt() async throws {
        let id = try await remote.commit("First")
        try await remote.git("branch", "gone")
        let clone = try remote.clone()
        _ = try await clone.fetch(.branch("gone"))
        try await remote.git("branch", "--quiet", "--delete", "--force", "gone")
        #expect(await gitError { try await clone.fetch(.branch("gone")) }?.kind == .noSuchReference)
        #expect(try await clone.commit(id).id == id)
    }

    @Test func fetchesAtTheSameTimeDoNotDisturbEachOther() async throws {
        let id = try await remote.commit("First", ["a.yaml": "a"])
        let clone = try remote.clone()
        let ids = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<8 { group.addTask { try await clone.fetch(.branch("main")).id } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(ids == Array(repeating: id, count: 8))
    }

    @Test(arguments: [FetchLimits(maximumObjects: 2), FetchLimits(maximumBytes: 100)])
    func aRepositoryBeyondTheLimitsIsRefused(_ limits: FetchLimits) async throws {
        try await remote.commit("First", ["a.yaml": String((0..<2000).map { "\($0)" }.joined(separator: " "))])
        let error = try #require(await gitError { try await remote.clone(limits: limits).fetch(.branch("main")) })
        #expect(error.kind == .tooLarge, "\(error)")
        #expect(!error.hint.isEmpty)
    }
}

/// The cache folder.
@Suite(.timeLimit(.minutes(2))) struct CacheTests {
    let remote: ScratchRemote

    init() async throws { remote = try await ScratchRemote() }

    /// Fetches and lets the clone go.
    private func fetchOnce() async throws -> String { try await remote.clone().fetch(.branch("main")).id }

    /// Does what needs the cache once a clone that was let go has given it back, which its queue does in its time.
    private func whenReleased<Value>(_ body: () async throws -> Value) async throws -> Value {
        let end = ContinuousClock.now + .seconds(20)
        while true {
            do {
                return try await body()
            } catch let error as GitError where error.detail == "another process uses it" && .now < end {
                await Task.yield()
            }
        }
    }

    private func files(in folder: String) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: folder).map { folder + "/" + $0 }.filter {
            var isFolder: ObjCBool = false
            return FileManager.default.fileExists(atPath: $0, isDirectory: &isFolder) && !isFolder.boolValue
        }
    }

    @Test func isReadAgainByTheNextProcessWithoutTheRemote() async throws {
        let id = try await remote.commit("First", ["a.yaml": "a"])
        _ = try await fetchOnce()
        try FileManager.default.removeItem(atPath: remote.path)
        let paths = try await whenReleased { try await remote.clone().files(of: id, below: "")?.map(\.path) }
        #expect(paths == ["a.yaml"])
    }

    @Test func isUsedByOneAtATime() async throws {
        try await remote.commit("First")
        let first = try remote.clone()
        _ = try await first.fetch(.branch("main"))
        let error = try #require(await gitError { try await remote.clone().fetch(.branch("main")) })
        #expect(error.kind == .unwritable)
        #expect(error.description.contains("another process uses it"))
        #expect(error.hint.contains("--cache"))
        _ = try await first.fetch(.branch("main"))
    }

    @Test(arguments: ["objects", "HEAD", "config"])
    func isMadeAnewWhereItIsDamaged(_ part: String) async throws {
        let id = try await remote.commit("First", ["a.yaml": "a"])
        _ = try await fetchOnce()
        let damaged = try files(in: remote.cache + "/repository.git").filter { $0.contains("/repository.git/\(part)") }
        try #require(!damaged.isEmpty)
        for file in damaged {
            try FileManager.default.removeItem(atPath: file)
            try Data("rubbish".utf8).write(to: URL(fileURLWithPath: file))
        }
        let clone = try remote.clone()
        #expect(try await whenReleased { try await clone.fetch(.branch("main")).id } == id)
        let blobs = try #require(try await clone.files(of: id, below: "")).map(\.blob)
        #expect(try await clone.blobs(blobs, maximumBytes: 10) == [Array("a".utf8)])
    }

    @Test func isMadeAnewAfterACrashWhileItWasMade() async throws {
        let id = try await remote.commit("First")
        try remote.folder.write("half", to: "cache/repository.new/HEAD")
        #expect(try await fetchOnce() == id)
    }

    @Test func tellsThatItsFolderCannotBeWritten() async throws {
        try await remote.commit("First")
        let file = try remote.folder.write("a file", to: "file")
        let error = try #require(await gitError { try await remote.clone(cache: file).fetch(.branch("main")) })
        #expect(error.kind == .unwritable)
        #expect(error.description.contains(file))
        #expect(error.hint.contains("--cache"))
    }
}
