import Git
import GitSource
import HTTPClient
import Manifest
import Reconciler
import TestSupport
import Testing

/// Which revision is found, and what is told of it.
@Suite(.timeLimit(.minutes(2))) struct RevisionTests {
    let remote: PolicyRemote

    init() async throws { remote = try await PolicyRemote() }

    @Test func tellsWhoMadeItAndWhy() async throws {
        let parent = try await remote.commit("First")
        let id = try await remote.commit(
            "Let auditors read nodes (#42)\n\nThey asked.\n\nBylaw-Approved: risky-grant by Bob\nReviewed-by: Carol")
        let revision = try await remote.source().fetchNewest()
        #expect(revision.commit == id)
        #expect(revision.parents == [parent])
        #expect(revision.author == Person(name: "Ann Author", email: "ann@example.com"))
        #expect(revision.committer == Person(name: "Carl Committer", email: "carl@example.com"))
        #expect(revision.committedAt == Timestamp(microsecondsSinceEpoch: 1_700_000_000_000_000))
        #expect(revision.subject == "Let auditors read nodes (#42)")
        #expect(revision.pullRequest == 42)
        #expect(
            revision.trailers == [
                .init(key: "Bylaw-Approved", value: "risky-grant by Bob"), .init(key: "Reviewed-by", value: "Carol"),
            ])
    }

    /// Later ones could be written neither to the journal nor to the cluster.
    @Test(arguments: ["@253402300800 +0000", "@9999999999999999 +0000"])
    func aTimeOfCommitThatNobodyCanWriteIsTheLastOne(_ time: String) async throws {
        try await remote.commit("First")
        try await remote.git("commit", "--quiet", "--allow-empty", "--message", "Far ahead", committedAt: time)
        let revision = try await remote.source().fetchNewest()
        #expect(revision.committedAt == .latest)
    }

    @Test func aCommitInTheCacheNeedsNoRemote() async throws {
        let old = try await remote.commit("Old")
        let source = try remote.source()
        try await remote.commit("New")
        _ = try await source.fetchNewest()
        try await remote.git("checkout", "--quiet", "--detach")
        try await remote.git("branch", "--quiet", "--delete", "--force", "main")
        let revision = try await source.cachedRevision(commit: old)
        #expect(revision.commit == old)
        #expect(revision.subject == "Old")
        #expect(await explanation { try await source.cachedRevision(commit: String(repeating: "1", count: 40)) } != nil)
    }

    @Test func followsABranchATagAndACommit() async throws {
        let old = try await remote.commit("Old")
        try await remote.git("tag", "--annotate", "--message", "words", "v1")
        let new = try await remote.commit("New")
        for (reference, id) in [
            (FollowedReference.defaultBranch, new), (.branch("main"), new), (.tag("v1"), old), (.commit(old), old),
        ] {
            #expect(try await remote.source(reference, cache: "\(reference)").fetchNewest().commit == id)
        }
    }

    @Test func aForcePushIsSeen() async throws {
        let base = try await remote.commit("Base")
        let source = try remote.source()
        let lost = try await remote.commit("Lost")
        _ = try await source.fetchNewest()
        try await remote.git("reset", "--quiet", "--hard", base)
        let kept = try await remote.commit("Kept")
        #expect(try await source.fetchNewest().commit == kept)
        #expect(try await source.isAncestor(base, of: kept))
        #expect(try await source.isAncestor(lost, of: kept) == false)
        #expect(try await source.isAncestor(String(repeating: "1", count: 40), of: kept) == false)
        #expect(try await source.load(source.cachedRevision(commit: lost)).revision.subject == "Lost")
    }

    @Test func aMissingBranchWaitsForAChangeAndNamesThoseThatExist() async throws {
        try await remote.commit("First")
        let source = try remote.source(.branch("mian"))
        let error = try #require(await explanation { try await source.fetchNewest() })
        #expect(error.reason == "FetchFailed")
        #expect(error.retry == .afterChange)
        #expect(error.message.contains("branch mian"))
        #expect(error.message.contains(remote.path))
        #expect(error.hint.contains("main"))
    }

    @Test func aMissingRemoteIsNamedWithTheNextStep() async throws {
        let address = remote.folder.path + "/nowhere"
        let source = try remote.source(from: address)
        let error = try #require(await explanation { try await source.fetchNewest() })
        #expect(error.reason == "FetchFailed")
        #expect(error.message.contains(address))
        #expect(!error.hint.isEmpty)
    }

    @Test func aServerOutOfReachIsTriedAgainByItself() async throws {
        let source = try remote.source(from: "http://127.0.0.1:1/policies")
        let error = try #require(await explanation { try await source.fetchNewest() })
        #expect(error.reason == "FetchFailed")
        #expect(error.retry == .later)
    }

    @Test func aTokenFileThatIsNotThereWaitsForAChange() async throws {
        let file = remote.folder.path + "/no-token"
        let source = try remote.source(
            from: "https://127.0.0.1:1/policies", credentials: GitCredentials(tokenFile: file, proxy: .none))
        let error = try #require(await explanation { try await source.fetchNewest() })
        #expect(error.retry == .afterChange)
        #expect(error.message.contains(file))
    }

    @Test func noErrorHoldsACredential() async throws {
        let file = try remote.folder.write("hunter2", to: "token")
        let source = try remote.source(
            from: "https://127.0.0.1:1/policies", credentials: GitCredentials(tokenFile: file, proxy: .none))
        let error = try #require(await explanation { try await source.fetchNewest() })
        var dumped = ""
        dump(error, to: &dumped)
        #expect(!dumped.contains("hunter2"))
        #expect(!dumped.contains("Basic"))
    }
}

/// The numbers of pull requests, as hosts write them into messages.
@Suite struct PullRequestTests {
    @Test(
        arguments: [
            ("Merge pull request #12 from team/branch", "", 12),
            ("Merge pull request 'Let them in' (#13) from b into main", "", 13),
            ("Let them in (#14)", "", 14), (#"Revert "Let them in (#14)" (#15)"#, "", 15),
            ("Merge branch 'b' into 'main'", "Let them in\n\nSee merge request group/project!16", 16),
            ("Let them in", "See merge request top/sub/project!17\n", 17),
            ("Merged in branch (pull request #18)", "", 18),
            ("Let them in", "", nil), ("Fix #19", "", nil), ("Fix (#20) for good", "", nil),
            ("Let them in (#)", "", nil),
            ("Let them in (#99999999999999999999)", "", nil), ("", "", nil),
            ("Let them in", "This mentions See merge request group/project!21", nil),
        ] as [(String, String, Int?)])
    func areFoundWhereTheHostPutsThem(_ subject: String, _ body: String, _ number: Int?) {
        #expect(pullRequestNumber(subject: subject, message: subject + "\n\n" + body) == number)
    }
}
