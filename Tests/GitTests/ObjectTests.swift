import Foundation
import Git
import TestSupport
import Testing

/// What is read from the object database.
@Suite(.timeLimit(.minutes(2))) struct ObjectTests {
    let remote: ScratchRemote

    init() async throws { remote = try await ScratchRemote() }

    private func fetched() async throws -> (clone: GitRepository, id: String) {
        let clone = try remote.clone()
        return (clone, try await clone.fetch(.defaultBranch).id)
    }

    @Test func filesComeInTheOrderOfTheirPathsBytes() async throws {
        let names = ["a-b.yaml", "a.yaml", "a/b.yaml", "a/c/d.yaml", "a0.yaml", "Z.yaml", "é.yaml"]
        try await remote.commit("Files", Dictionary(uniqueKeysWithValues: names.map { ($0, $0) }))
        let (clone, id) = try await fetched()
        let files = try #require(try await clone.files(of: id, below: ""))
        #expect(files.map(\.path) == ["Z.yaml", "a-b.yaml", "a.yaml", "a/b.yaml", "a/c/d.yaml", "a0.yaml", "é.yaml"])
        #expect(files.allSatisfy { $0.kind == .file })
    }

    @Test(arguments: [
        ("team", ["a.yaml", "deep/b.yaml"]), ("/team/", ["a.yaml", "deep/b.yaml"]),
        ("./team", ["a.yaml", "deep/b.yaml"]),
        ("team/deep", ["b.yaml"]), ("", ["other/c.yaml", "team/a.yaml", "team/deep/b.yaml"]),
        (".", ["other/c.yaml", "team/a.yaml", "team/deep/b.yaml"]), ("nowhere", nil), ("team/a.yaml", nil),
        ("tea", nil),
        ("../team", nil), ("team/..", nil),
    ])
    func aFolderIsReadAlone(_ folder: String, _ paths: [String]?) async throws {
        try await remote.commit("Files", ["team/a.yaml": "a", "team/deep/b.yaml": "b", "other/c.yaml": "c"])
        let (clone, id) = try await fetched()
        #expect(try await clone.files(of: id, below: folder)?.map(\.path) == paths)
    }

    /// What a new revision brings along: its own commits and those that it merged.
    @Test func theCommitsSinceAnotherAreThoseThatItLacks() async throws {
        let first = try await remote.commit("First", ["a.yaml": "a"])
        try await remote.git("switch", "--quiet", "--create", "side")
        let side = try await remote.commit("Side", ["b.yaml": "b"])
        try await remote.git("switch", "--quiet", "main")
        let second = try await remote.commit("Second", ["c.yaml": "c"])
        try await remote.git("merge", "--quiet", "--no-edit", "side")
        let (clone, head) = try await fetched()
        func ids(after base: String?, _ count: Int = 100) async throws -> Set<String> {
            Set(try await clone.commits(of: head, after: base, maximumCount: count).map(\.id))
        }
        #expect(try await ids(after: first) == [head, side, second])
        #expect(try await ids(after: second) == [head, side])
        #expect(try await ids(after: head) == [])
        // Without a base, or with one that is gone, the newest and what it merged.
        #expect(try await ids(after: nil) == [head, side])
        #expect(try await ids(after: String(repeating: "0", count: 40)) == [head, side])
        #expect(try await ids(after: first, 2).count == 2)
    }

    @Test func linksAndSubmodulesAreToldFromFiles() async throws {
        try await remote.commit("File", ["a.yaml": "a", "tool.yaml": "#!/bin/sh"])
        try FileManager.default.createSymbolicLink(
            atPath: remote.path + "/link.yaml", withDestinationPath: "/etc/passwd")
        try await remote.git("update-index", "--chmod=+x", "tool.yaml")
        try await remote.git("add", "link.yaml")
        let head = try await remote.git("rev-parse", "HEAD")
        try await remote.git("update-index", "--add", "--cacheinfo", "160000,\(head),module.yaml")
        try await remote.git("commit", "--quiet", "--message", "Links")
        let (clone, id) = try await fetched()
        let files = try #require(try await clone.files(of: id, below: ""))
        #expect(files.map(\.path) == ["a.yaml", "link.yaml", "module.yaml", "tool.yaml"])
        #expect(files.map(\.kind) == [.file, .symbolicLink, .submodule, .file])
    }

    @Test func anUnchangedFileKeepsItsBlob() async throws {
        let first = try await remote.commit("One", ["a.yaml": "a", "b.yaml": "b"])
        let second = try await remote.commit("Two", ["b.yaml": "changed"])
        let (clone, _) = try await fetched()
        let before = try #require(try await clone.files(of: first, below: ""))
        let after = try #require(try await clone.files(of: second, below: ""))
        #expect(before.first == after.first)
        #expect(before.last?.blob != after.last?.blob)
    }

    @Test func blobsComeInOrderAndNoLargerThanAllowed() async throws {
        try await remote.commit("Files", ["a": "", "b": "12345", "c": "123456"])
        let (clone, id) = try await fetched()
        let files = try #require(try await clone.files(of: id, below: ""))
        let blobs = try await clone.blobs(files.map(\.blob).reversed(), maximumBytes: 5)
        #expect(blobs == [nil, Array("12345".utf8), []])
    }

    @Test(arguments: ["0123456789012345678901234567890123456789", "main", "zz", String(repeating: "z", count: 40)])
    func whatIsNoObjectIsAnErrorThatNamesIt(_ id: String) async throws {
        let head = try await remote.commit("First")
        let (clone, _) = try await fetched()
        for error in [
            await gitError { try await clone.commit(id) }, await gitError { try await clone.files(of: id, below: "") },
            await gitError { try await clone.blobs([id], maximumBytes: 1) },
            await gitError { try await clone.history(of: id, maximumCount: 1) },
        ] {
            #expect(error?.description.contains(id) == true, "\(String(describing: error))")
        }
        #expect(await gitError { try await clone.blobs([head], maximumBytes: 1) } != nil, "a commit is no file")
    }

    @Test func tellsWhetherOneCommitContainsAnother() async throws {
        let base = try await remote.commit("Base")
        try await remote.git("checkout", "--quiet", "-b", "side")
        let side = try await remote.commit("Side")
        try await remote.git("checkout", "--quiet", "main")
        let main = try await remote.commit("Main")
        try await remote.git("merge", "--quiet", "--no-ff", "--message", "Merge", "side")
        let merge = try await remote.git("rev-parse", "HEAD")
        let (clone, _) = try await fetched()
        let answers: [(String, String, Bool)] = [
            (base, base, true), (base, merge, true), (side, merge, true), (main, merge, true), (main, side, false),
            (merge, base, false), (String(repeating: "1", count: 40), merge, false),
        ]
        for (ancestor, descendant, isAncestor) in answers {
            #expect(try await clone.isAncestor(ancestor, of: descendant) == isAncestor)
        }
        #expect(try await clone.commit(merge).parents == [main, side])
    }

    @Test func historyIsNewestFirstAndBounded() async throws {
        var ids: [String] = []
        for number in 1...5 { ids.append(try await remote.commit("Commit \(number)")) }
        let (clone, id) = try await fetched()
        #expect(try await clone.history(of: id, maximumCount: 100) == ids.dropLast().reversed())
        #expect(try await clone.history(of: id, maximumCount: 2) == [ids[3], ids[2]])
        #expect(try await clone.history(of: ids[0], maximumCount: 2).isEmpty)
    }
}
