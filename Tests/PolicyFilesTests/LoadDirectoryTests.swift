import Foundation
import Manifest
import Policy
import PolicyFiles
import TestSupport
import Testing

@Suite struct LoadDirectoryTests {
    private let scratch: ScratchDirectory

    init() throws { scratch = try ScratchDirectory(named: "policy-files") }

    private func namespace(_ name: String) -> String { "apiVersion: v1\nkind: Namespace\nmetadata: {name: \(name)}\n" }

    private func link(_ path: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(atPath: scratch.path + "/" + path, withDestinationPath: target)
    }

    @Test func readsAllFoldersInTheOrderOfPaths() throws {
        try scratch.write(namespace("c"), to: "z/deep/er/c.yaml")
        try scratch.write(namespace("a"), to: "a.yml")
        try scratch.write(#"{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "b"}}"#, to: "b.json")
        try scratch.write("no manifest", to: "README.md")
        try scratch.write("kind: [", to: ".github/workflows/ci.yaml")
        try scratch.write("kind: [", to: "z/.hidden.yaml")
        let load = try loadDirectory(at: scratch.path)
        #expect(load.findings == [])
        #expect(load.verdicts.map(\.file) == ["a.yml", "b.json", "z/deep/er/c.yaml"])
        #expect(load.state.objects.count == 3)
    }

    @Test func findsDuplicatesAcrossFiles() throws {
        try scratch.write(namespace("a"), to: "one.yaml")
        try scratch.write(namespace("b") + "---\n" + namespace("a"), to: "two.yaml")
        let load = try loadDirectory(at: scratch.path)
        #expect(load.findings.map(\.message) == ["Namespace a is declared twice, first at one.yaml:1"])
        #expect(load.findings.map(\.position.line) == [5])
        #expect(load.state.objects.isEmpty)
    }

    @Test func readsOneNamedFile() throws {
        let path = try scratch.write(namespace("a"), to: "policy.txt")
        #expect(try loadDirectory(at: path).state.objects.count == 1)
    }

    @Test func sayWhatCannotBeOpened() throws {
        #expect(throws: DirectoryError.self) { try loadDirectory(at: scratch.path + "/none") }
        #expect(throws: DirectoryError.self) { try loadDirectory(at: "/dev/null") }
    }

    @Test func nothingDeclaredIsAnErrorAsInARevision() throws {
        for text in [nil, "# nothing yet\n"] {
            if let text { try scratch.write(text, to: "a.yaml") }
            let load = try loadDirectory(at: scratch.path)
            #expect(load.state.objects.isEmpty)
            #expect(load.findings.map(\.severity) == [.error])
            #expect(load.findings.first?.message.contains("nothing is declared") == true)
        }
    }

    @Test(.enabled(if: geteuid() != 0, "skipped: root may read everything"))
    func whatCannotBeReadIsAnError() throws {
        let file = try scratch.write(namespace("a"), to: "a.yaml")
        let folder = scratch.path + "/closed"
        try scratch.write(namespace("b"), to: "closed/b.yaml")
        try FileManager.default.setAttributes([.posixPermissions: 0], ofItemAtPath: file)
        try FileManager.default.setAttributes([.posixPermissions: 0], ofItemAtPath: folder)
        defer { try? FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: folder) }
        let load = try loadDirectory(at: scratch.path)
        #expect(load.findings.map(\.file) == ["a.yaml", "closed"])
        #expect(load.findings.allSatisfy { $0.severity == .error })
    }

    @Test func linksLeadNowhereOutside() throws {
        let outside = try ScratchDirectory(named: "outside")
        try outside.write(namespace("secret"), to: "a.yaml")
        try scratch.write(namespace("a"), to: "real/a.yaml.txt")
        try link("inside.yaml", to: "real/a.yaml.txt")
        try link("outside.yaml", to: outside.path + "/a.yaml")
        try link("folder", to: outside.path)
        try link("loop", to: ".")
        try link("broken.yaml", to: "none")
        try link("readme", to: "real/a.yaml.txt")
        try link("out", to: outside.path + "/a.yaml")
        try link("policy", to: "real/b.yaml")
        try scratch.write(namespace("b"), to: "real/b.yaml")
        try link("gone", to: "nowhere")
        try link("again", to: "readme")
        try link("detour", to: "loop/real/a.yaml.txt")
        try scratch.write("gitdir: elsewhere", to: "module/.git")
        try scratch.write(namespace("c"), to: "module/c.yaml")
        let load = try loadDirectory(at: scratch.path)
        #expect(
            load.findings.map(\.file) == [
                "again", "broken.yaml", "detour", "folder", "gone", "inside.yaml", "loop", "module", "out",
                "outside.yaml",
                "policy",
            ])
        #expect(load.findings.allSatisfy { $0.message == "a symbolic link or submodule is not followed" })
        #expect(load.verdicts.flatMap(\.declarations).map(\.id.name) == ["b"])
    }

    @Test func aNamedPipeDoesNotStall() throws {
        #expect(mkfifo(scratch.path + "/pipe.yaml", 0o600) == 0)
        let load = try loadDirectory(at: scratch.path)
        #expect(load.findings.map(\.message) == ["this is no regular file"])
    }

    @Test func theWholeIsBounded() throws {
        for name in ["a", "b", "c"] { try scratch.write(namespace(name), to: "\(name).yaml") }
        let files = try loadDirectory(at: scratch.path, limits: RepositoryLimits(maximumFiles: 2))
        #expect(files.findings.map(\.message) == ["there are more than 2 manifests"])
        let bytes = try loadDirectory(at: scratch.path, limits: RepositoryLimits(maximumTotalBytes: 100))
        #expect(bytes.findings.map(\.message) == ["the manifests together are larger than 100 bytes"])
        #expect(bytes.state.objects.isEmpty)
        try scratch.write(namespace("d"), to: "1/2/3/d.yaml")
        let depth = try loadDirectory(at: scratch.path, limits: RepositoryLimits(maximumFolderDepth: 2))
        #expect(depth.findings.map(\.file) == ["1/2/3"])
    }
}

@Suite struct LoadClustersTests {
    private let scratch: ScratchDirectory

    init() throws {
        scratch = try ScratchDirectory(named: "policy-clusters")
        try scratch.write(namespace("all"), to: "base/all.yaml")
        try scratch.write(namespace("eu"), to: "clusters/eu/a.yaml")
        try scratch.write(namespace("us") + "---\n" + namespace("more"), to: "clusters/us/a.yaml")
    }

    private func namespace(_ name: String) -> String { "apiVersion: v1\nkind: Namespace\nmetadata: {name: \(name)}\n" }

    @Test func everyClusterIsLookedAt() throws {
        let load = try loadDirectory(at: scratch.path)
        #expect(load.findings == [])
        #expect(load.clusters.map(\.name) == ["eu", "us"])
        #expect(load.clusters.map(\.objectCount) == [2, 3])
        #expect(load.objectCount == 5)
    }

    @Test func orTheNamedOne() throws {
        try scratch.write("kind: [", to: "clusters/us/broken.yaml")
        let load = try loadDirectory(at: scratch.path, cluster: "eu")
        #expect(load.findings == [])
        #expect(load.clusters.map(\.name) == ["eu"])
        #expect(load.state.objects.keys.map(\.name).sorted() == ["all", "eu"])
        let all = try loadDirectory(at: scratch.path)
        #expect(all.findings.map(\.file) == ["clusters/us/broken.yaml"])
        #expect(all.clusters.map(\.objectCount) == [2, 0])
    }

    @Test func anUnknownNameIsAFinding() throws {
        let load = try loadDirectory(at: scratch.path, cluster: "asia")
        #expect(load.findings.map(\.hint) == ["This repository is for eu, us."])
        #expect(load.state.objects.isEmpty)
    }

    /// Git keeps no empty folder, so what counts here counts in a revision too.
    @Test func aFolderIsThereByItsFiles() throws {
        try FileManager.default.createDirectory(
            atPath: scratch.path + "/clusters/asia", withIntermediateDirectories: false)
        #expect(try loadDirectory(at: scratch.path).clusters.map(\.name) == ["eu", "us"])
        try scratch.write("", to: "clusters/asia/.gitkeep")
        try scratch.write("words", to: "clusters/africa/README.md")
        #expect(try loadDirectory(at: scratch.path).clusters.map(\.name) == ["africa", "asia", "eu", "us"])
    }

    @Test func theListOfClustersIsReadFromTheFolder() throws {
        try scratch.write(
            """
            apiVersion: bylaw.dev/v1
            kind: Configuration
            clusters:
              - {name: eu}
              - name: us
              - {name: gone}
            """, to: "bylaw.yaml")
        let load = try loadDirectory(at: scratch.path)
        #expect(load.findings.map(\.position) == [SourcePosition(line: 6, column: 5)])
        #expect(load.findings.first?.message == "there is no folder clusters/gone (for the cluster gone)")
        #expect(load.clusters.map(\.objectCount) == [2, 3, 0])
    }

    @Test func aClusterThatGetsNothingIsRefused() throws {
        try scratch.write("# nothing yet\n", to: "base/all.yaml")
        try scratch.write("# nothing yet\n", to: "clusters/eu/a.yaml")
        let load = try loadDirectory(at: scratch.path)
        #expect(load.findings.map(\.severity) == [.error])
        #expect(load.findings.first?.message.hasSuffix("nothing is deleted (for the cluster eu)") == true)
        #expect(load.clusters.map(\.objectCount) == [0, 2])
    }

    @Test func aLinkInAClustersPlaceIsAFindingOfThatCluster() throws {
        try FileManager.default.createSymbolicLink(
            atPath: scratch.path + "/clusters/us/more", withDestinationPath: "../eu")
        #expect(try loadDirectory(at: scratch.path, cluster: "eu").findings == [])
        #expect(try loadDirectory(at: scratch.path, cluster: "us").findings.map(\.file) == ["clusters/us/more"])
    }
}

@Suite struct VerdictCacheTests {
    @Test func givesBackWhatIsUnchanged() {
        var cache = VerdictCache()
        cache.insert(FileVerdict(file: "a.yaml"), blob: "1", path: "a.yaml", bytes: 10)
        #expect(cache.verdict(blob: "1", path: "a.yaml")?.verdict.file == "a.yaml")
        #expect(cache.verdict(blob: "2", path: "a.yaml") == nil)
        #expect(cache.verdict(blob: "1", path: "b.yaml") == nil)
    }

    @Test func isBoundedAndForgetsWhatIsNotAskedFor() {
        var cache = VerdictCache(maximumBytes: 100_000)
        for index in 0..<10_000 {
            cache.insert(FileVerdict(file: "\(index)"), blob: "\(index)", path: "a", bytes: 1000)
            _ = cache.verdict(blob: "0", path: "a")
            #expect(cache.bytes <= 100_000)
        }
        #expect(cache.verdict(blob: "0", path: "a") != nil)
        #expect(cache.verdict(blob: "9999", path: "a") != nil)
        #expect(cache.verdict(blob: "5000", path: "a") == nil)
        #expect(cache.count < 100)
    }

    @Test func replacesWithoutCountingTwice() {
        var cache = VerdictCache()
        for _ in 0..<3 { cache.insert(FileVerdict(file: "a"), blob: "1", path: "a", bytes: 10) }
        #expect(cache.bytes == 266)
        #expect(cache.count == 1)
    }
}
