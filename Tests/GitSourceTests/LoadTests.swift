import Foundation
import Git
import GitSource
import Manifest
import Policy
import PolicyFiles
import Reconciler
import Testing

/// What a revision declares.
@Suite(.timeLimit(.minutes(2))) struct LoadTests {
    let remote: PolicyRemote

    init() async throws { remote = try await PolicyRemote() }

    private func declared(_ loaded: LoadedRevision) -> [String] { loaded.declared.objects.keys.map(\.name).sorted() }

    @Test func declaresWhatTheManifestsOfTheCommitSay() async throws {
        try remote.write(clusterRole("one"), to: "one.yaml")
        try remote.write(clusterRole("two") + "---\n" + clusterRole("three"), to: "deep/er/more.yml")
        try remote.write("# Policies", to: "README.md")
        try remote.write("not: [a manifest", to: ".ci/pipeline.yaml")
        let id = try await remote.commit("First")
        let loaded = try await remote.source().loadNewest()
        #expect(loaded.revision.commit == id)
        #expect(loaded.findings.isEmpty)
        #expect(declared(loaded) == ["one", "three", "two"])
        #expect(loaded.fileCount == 2)
        #expect(loaded.parsedFileCount == 2)
        let origin = try #require(loaded.declared.objects[clusterRoleID("three")]?.origin)
        #expect(origin.file == "deep/er/more.yml")
        #expect(origin.line == 6)
    }

    @Test func readsTheCommitAndNotTheWorkTree() async throws {
        try remote.write(clusterRole("one"), to: "one.yaml")
        try await remote.commit("First")
        try remote.write(clusterRole("uncommitted"), to: "two.yaml")
        #expect(declared(try await remote.source().loadNewest()) == ["one"])
    }

    @Test(arguments: ["clusters/prod", "clusters/prod/", "/clusters/prod", "./clusters/prod"])
    func aSubPathIsReadAloneAndNamedInWhole(_ path: String) async throws {
        try remote.write(clusterRole("prod"), to: "clusters/prod/role.yaml")
        try remote.write("kind: Broken", to: "clusters/prod/broken.yaml")
        try remote.write(clusterRole("test"), to: "clusters/test/role.yaml")
        try await remote.commit("First")
        let source = try remote.source(path: path)
        let loaded = try await source.loadNewest()
        #expect(loaded.fileCount == 2)
        #expect(
            Set(loaded.findings.map(\.file)) == ["clusters/prod/broken.yaml"], "as people find it in the repository")
        try remote.remove("clusters/prod/broken.yaml")
        try await remote.commit("Mended")
        let mended = try await source.loadNewest()
        #expect(declared(mended) == ["prod"])
        #expect(mended.declared.objects[clusterRoleID("prod")]?.origin.file == "clusters/prod/role.yaml")
    }

    @Test(arguments: ["nowhere", "clusters/prod/role.yaml", "../policies"])
    func aSubPathThatIsNotThereIsAnErrorAndNotAnEmptyState(_ path: String) async throws {
        try remote.write(clusterRole("prod"), to: "clusters/prod/role.yaml")
        try await remote.commit("First")
        let source = try remote.source(path: path)
        let error = try #require(await explanation { try await source.loadNewest() })
        #expect(error.message.contains(path))
        #expect(error.retry == .afterChange)
        #expect(error.hint.contains("--path"))
    }

    @Test func onlyChangedFilesAreParsedAgain() async throws {
        for number in 0..<20 { try remote.write(clusterRole("role-\(number)"), to: "roles/\(number).yaml") }
        try await remote.commit("Twenty")
        let source = try remote.source()
        #expect(try await source.loadNewest().parsedFileCount == 20)
        #expect(try await source.loadNewest().parsedFileCount == 0)

        try remote.write(clusterRole("role-7", verb: "list"), to: "roles/7.yaml")
        try remote.write(clusterRole("new"), to: "new.yaml")
        try remote.remove("roles/3.yaml")
        try await remote.commit("One changed, one new, one gone")
        let loaded = try await source.loadNewest()
        #expect(loaded.fileCount == 20)
        #expect(loaded.parsedFileCount == 2)
        #expect(loaded.declared.objects[clusterRoleID("role-3")] == nil)
        let rules = loaded.declared.objects[clusterRoleID("role-7")]?.tree["rules"]
        #expect(rules?.array?.first?["verbs"] == ["list"])

        try await remote.git("revert", "--no-edit", "HEAD")
        let reverted = try await source.loadNewest()
        #expect(reverted.parsedFileCount == 0, "what an earlier revision held is known still")
        #expect(reverted.declared.objects[clusterRoleID("role-3")] != nil)
    }

    @Test func aBrokenFileIsNotTakenForAKnownOneAfterItIsMended() async throws {
        try remote.write(clusterRole("one"), to: "one.yaml")
        try remote.write("kind: [", to: "two.yaml")
        try await remote.commit("Broken")
        let source = try remote.source()
        let broken = try await source.loadNewest()
        #expect(broken.findings.contains { $0.severity == .error && $0.file == "two.yaml" })
        #expect(broken.declared.objects.isEmpty, "a revision is good as a whole or not at all")
        let again = try await source.loadNewest()
        #expect(again.parsedFileCount == 0)
        #expect(again.findings == broken.findings)
        try remote.write(clusterRole("two"), to: "two.yaml")
        try await remote.commit("Mended")
        #expect(declared(try await source.loadNewest()) == ["one", "two"])
    }

    @Test func theSameBytesInTwoFilesAreTwoDeclarations() async throws {
        try remote.write(clusterRole("one"), to: "a.yaml")
        try await remote.commit("One")
        let source = try remote.source()
        _ = try await source.loadNewest()
        try remote.write(clusterRole("one"), to: "b.yaml")
        try await remote.commit("Twice")
        let loaded = try await source.loadNewest()
        #expect(loaded.findings.map(\.file) == ["b.yaml"])
        #expect(loaded.findings.first?.message.contains("a.yaml") == true)
    }

    @Test func linksAreNotFollowed() async throws {
        try remote.write(clusterRole("one"), to: "one.yaml")
        try FileManager.default.createSymbolicLink(
            atPath: remote.path + "/link.yaml", withDestinationPath: "/etc/hostname")
        try await remote.commit("A link")
        let loaded = try await remote.source().loadNewest()
        #expect(loaded.findings.map(\.file) == ["link.yaml"])
        #expect(loaded.findings.first?.severity == .error)
    }

    /// What the offline check passes over, a revision must pass over as well, and the other way round.
    @Test func linksAndSubmodulesAreJudgedAsTheOfflineCheckDoes() async throws {
        try remote.write(clusterRole("one"), to: "one.yaml")
        try remote.write("words", to: "docs/LICENSE")
        let links = [
            "LICENSE": "docs/LICENSE", "docs/up": "../one.yaml", "out": "/etc", "gone": "nowhere", "again": "LICENSE",
            "over": "../../etc/hostname", "docs/here": ".", "named.yaml": "docs/LICENSE",
        ]
        for (link, target) in links {
            try FileManager.default.createSymbolicLink(atPath: "\(remote.path)/\(link)", withDestinationPath: target)
        }
        try await remote.git("init", "--quiet", "module")
        try await remote.git("-C", "module", "commit", "--quiet", "--allow-empty", "--message", "Begin")
        try await remote.commit("Links and a submodule")
        let files = try await remote.source().loadNewest().findings.map(\.file)
        #expect(files == ["again", "docs/here", "docs/up", "gone", "module", "named.yaml", "out", "over"])
        #expect(try loadDirectory(at: remote.path).findings.map(\.file) == files)
    }

    @Test func whatIsBeyondTheBoundsIsAFindingOfTheRevision() async throws {
        try remote.write(clusterRole("one"), to: String(repeating: "d/", count: 70) + "one.yaml")
        try await remote.commit("Deep")
        let loaded = try await remote.source().loadNewest()
        #expect(loaded.findings.map(\.severity) == [.error])
        #expect(loaded.findings.first?.message.contains("64 deep") == true, "\(loaded.findings)")
        #expect(loaded.declared.objects.isEmpty)
    }

    @Test func whatACommitSaysOfItselfIsBounded() async throws {
        try remote.write(clusterRole("one"), to: "one.yaml")
        try await remote.commit(String(repeating: "long ", count: 10_000))
        #expect(try await remote.source().loadNewest().revision.subject.utf8.count < 1000)
    }

    @Test func aRepositoryThatDeclaresNothingIsRead() async throws {
        try remote.write("# Policies", to: "README.md")
        try await remote.commit("Nothing")
        let loaded = try await remote.source().loadNewest()
        #expect(loaded.fileCount == 0)
        #expect(loaded.declared.objects.isEmpty)
        #expect(loaded.findings.isEmpty)
    }

    @Test func aFileBeyondTheLimitIsAFindingAndTheRestIsReadOn() async throws {
        try remote.write(clusterRole("one"), to: "one.yaml")
        try remote.write("# " + String(repeating: "x", count: 2000), to: "large.yaml")
        try await remote.commit("Large")
        let loaded = try await remote.source(limits: RepositoryLimits(maximumFileBytes: 1000)).loadNewest()
        #expect(loaded.findings.map(\.file) == ["large.yaml"])
        #expect(loaded.fileCount == 2)
    }

    @Test func moreFilesThanAllowedAreRefused() async throws {
        for number in 0..<4 { try remote.write(clusterRole("role-\(number)"), to: "\(number).yaml") }
        try await remote.commit("Four")
        let source = try remote.source(limits: RepositoryLimits(maximumFiles: 3))
        let finding = try #require(try await source.loadNewest().findings.first)
        #expect(finding.severity == .error)
        #expect(finding.message.contains("4"))
        #expect(finding.hint.contains("--path"))
    }

    /// Whether a revision is good must not depend on what this process has seen before.
    @Test func theLimitOnAllManifestsCountsThoseThatAreKnown() async throws {
        let padding = "# " + String(repeating: "x", count: 600) + "\n"
        let limits = RepositoryLimits(maximumTotalBytes: 1000)
        let source = try remote.source(limits: limits)
        try remote.write(padding + clusterRole("one"), to: "one.yaml")
        try await remote.commit("One")
        #expect(declared(try await source.loadNewest()) == ["one"])
        try remote.write(padding + clusterRole("two"), to: "two.yaml")
        try await remote.commit("Two")
        let fresh = try remote.source(cache: "fresh", limits: limits)
        #expect(try await fresh.loadNewest().findings.map(\.severity) == [.error])
        #expect(try await source.loadNewest().findings.map(\.severity) == [.error])
    }
}

/// What proves ownership where the journal was lost.
@Suite(.timeLimit(.minutes(2))) struct DeclaredEarlierTests {
    let remote: PolicyRemote

    init() async throws { remote = try await PolicyRemote() }

    private func ids(_ names: String...) -> Set<ObjectID> { Set(names.map(clusterRoleID)) }

    @Test func findsWhatAnyEarlierRevisionDeclared() async throws {
        try remote.write(clusterRole("first"), to: "a.yaml")
        try await remote.commit("One")
        try remote.write(clusterRole("second"), to: "a.yaml")
        try await remote.commit("Two")
        try remote.write(clusterRole("now"), to: "a.yaml")
        let head = try await remote.commit("Three")
        let source = try remote.source()
        _ = try await source.fetchNewest()
        #expect(
            try await source.declaredEarlier(ids("first", "second", "now", "never"), before: head)
                == ids("first", "second"), "the revision itself proves nothing about the time before it")
        #expect(try await source.declaredEarlier([], before: head).isEmpty)
    }

    @Test func looksAtMergedBranchesToo() async throws {
        try await remote.commit("Base")
        try await remote.git("checkout", "--quiet", "-b", "side")
        try remote.write(clusterRole("side"), to: "side.yaml")
        try await remote.commit("Side")
        try remote.remove("side.yaml")
        try await remote.commit("Side, undone")
        try await remote.git("checkout", "--quiet", "main")
        try await remote.git("merge", "--quiet", "--no-ff", "--message", "Merge", "side")
        let source = try remote.source()
        let head = try await source.fetchNewest().commit
        #expect(try await source.declaredEarlier(ids("side"), before: head) == ids("side"))
    }

    @Test func onlyTheConfiguredFolderCounts() async throws {
        try remote.write(clusterRole("other"), to: "other/a.yaml")
        try await remote.commit("Before the folder was there")
        try remote.write(clusterRole("mine"), to: "mine/a.yaml")
        try await remote.commit("The folder")
        let head = try await remote.commit("Now")
        let source = try remote.source(path: "mine")
        _ = try await source.fetchNewest()
        #expect(try await source.declaredEarlier(ids("other", "mine"), before: head) == ids("mine"))
    }

    @Test func whatWasNeverValidOrNeverReadCountsForNothing() async throws {
        try remote.write(clusterRole("broken") + "---\nkind: [", to: "a.yaml")
        try remote.write(clusterRole("hidden"), to: ".hidden/a.yaml")
        try remote.write(clusterRole("text"), to: "a.txt")
        try await remote.commit("Broken")
        try remote.remove("a.yaml")
        let head = try await remote.commit("Now")
        let source = try remote.source()
        _ = try await source.fetchNewest()
        #expect(try await source.declaredEarlier(ids("broken", "hidden", "text"), before: head).isEmpty)
    }

    @Test func historyThatAForcePushTookAwayCountsForNothing() async throws {
        let base = try await remote.commit("Base")
        try remote.write(clusterRole("lost"), to: "a.yaml")
        try await remote.commit("Lost")
        let source = try remote.source()
        _ = try await source.fetchNewest()
        try await remote.git("reset", "--quiet", "--hard", base)
        let head = try await remote.commit("Kept")
        _ = try await source.fetchNewest()
        #expect(try await source.declaredEarlier(ids("lost"), before: head).isEmpty)
    }

    @Test func aCommitThatIsNotThereIsAnErrorAndNotAnEmptyAnswer() async throws {
        try await remote.commit("First")
        let source = try remote.source()
        _ = try await source.fetchNewest()
        let missing = String(repeating: "1", count: 40)
        #expect(await explanation { try await source.declaredEarlier(ids("a"), before: missing) } != nil)
    }
}
