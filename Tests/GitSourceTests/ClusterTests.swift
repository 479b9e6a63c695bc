import Foundation
import GitSource
import Manifest
import Policy
import Reconciler
import Testing

/// One repository for two clusters.
@Suite(.timeLimit(.minutes(2))) struct ClusterTests {
    let remote: PolicyRemote

    init() async throws {
        remote = try await PolicyRemote()
        try remote.write(clusterRole("common"), to: "base/common.yaml")
        try remote.write(clusterRole("moved"), to: "base/moved.yaml")
        try remote.write(clusterRole("eu"), to: "clusters/eu/own.yaml")
        try remote.write(clusterRole("us"), to: "clusters/us/own.yaml")
        try await remote.commit("Two clusters")
    }

    private func declared(_ loaded: LoadedRevision) -> [String] { loaded.declared.objects.keys.map(\.name).sorted() }
    private func ids(_ names: String...) -> Set<ObjectID> { Set(names.map(clusterRoleID)) }

    @Test func eachGetsItsFolders() async throws {
        let eu = try await remote.source(cluster: "eu").loadNewest()
        #expect(eu.findings == [])
        #expect(declared(eu) == ["common", "eu", "moved"])
        #expect(eu.fileCount == 3, "files of others are not read")
        #expect(declared(try await remote.source(cluster: "us").loadNewest()) == ["common", "moved", "us"])
    }

    @Test func anObjectMovesFromTheBaseToACluster() async throws {
        let eu = try remote.source(cluster: "eu")
        let us = try remote.source(cluster: "us", cache: "us")
        _ = try await eu.loadNewest()
        try await remote.git("mv", "base/moved.yaml", "clusters/us/moved.yaml")
        try await remote.commit("Only for us")
        #expect(declared(try await eu.loadNewest()) == ["common", "eu"])
        let loaded = try await us.loadNewest()
        #expect(declared(loaded) == ["common", "moved", "us"])
        #expect(loaded.declared.objects[clusterRoleID("moved")]?.origin.file == "clusters/us/moved.yaml")
    }

    @Test func aPatchIsReadAgainOnlyWhereItChanged() async throws {
        func patch(_ verb: String) -> String {
            """
            apiVersion: rbac.authorization.k8s.io/v1
            kind: ClusterRole
            metadata: {name: common, annotations: {bylaw.dev/patch: merge}}
            rules: [{apiGroups: [""], resources: [nodes], verbs: [\(verb)]}]

            """
        }
        try remote.write(patch("list"), to: "clusters/eu/patch.yaml")
        try await remote.commit("Patch")
        let source = try remote.source(cluster: "eu")
        func verbs(_ loaded: LoadedRevision) -> Tree? {
            loaded.declared.objects[clusterRoleID("common")]?.tree["rules"]?.array?.first?["verbs"]
        }
        #expect(verbs(try await source.loadNewest()) == ["list"])
        try remote.write(clusterRole("us", verb: "list"), to: "clusters/us/own.yaml")
        try await remote.commit("Another cluster's")
        let known = try await source.loadNewest()
        #expect(known.parsedFileCount == 0)
        #expect(verbs(known) == ["list"])
        try remote.write(patch("watch"), to: "clusters/eu/patch.yaml")
        try await remote.commit("Another patch")
        #expect(verbs(try await source.loadNewest()) == ["watch"])
    }

    @Test func whoIsNotNamedOrNotKnownGetsNothing() async throws {
        let unnamed = try await remote.source().loadNewest()
        #expect(unnamed.declared.objects.isEmpty)
        #expect(unnamed.findings.map(\.hint) == ["Name one with --cluster: eu, us."])
        let unknown = try await remote.source(cluster: "asia").loadNewest()
        #expect(unknown.declared.objects.isEmpty)
        #expect(unknown.findings.map(\.severity) == [.error])
    }

    @Test func aFolderThatVanishedRefusesTheRevision() async throws {
        try await remote.git("rm", "-r", "--quiet", "clusters/eu")
        try await remote.commit("Gone")
        #expect(try await remote.source(cluster: "eu").loadNewest().findings.map(\.severity) == [.error])
        #expect(try await remote.source(cluster: "us").loadNewest().findings == [])
        try await remote.git("mv", "base", "common")
        try await remote.commit("Base is gone too")
        let loaded = try await remote.source(cluster: "us").loadNewest()
        #expect(loaded.declared.objects.isEmpty && loaded.findings.contains { $0.severity == .error })
    }

    @Test func theListOfClustersIsThatOfTheRevision() async throws {
        let source = try remote.source(cluster: "us")
        try remote.write(
            """
            apiVersion: bylaw.dev/v1
            kind: Configuration
            clusters:
              - {name: us, labels: {region: us}, folders: [base, clusters/us, clusters/eu]}
            """, to: "bylaw.yaml")
        let first = try await remote.commit("A list")
        let loaded = try await source.loadNewest()
        #expect(loaded.findings == [])
        #expect(declared(loaded) == ["common", "eu", "moved", "us"])
        try await remote.git("revert", "--no-edit", "HEAD")
        #expect(declared(try await source.loadNewest()) == ["common", "moved", "us"])
        #expect(declared(try await source.load(try await source.cachedRevision(commit: first))).contains("eu"))
    }

    @Test func aPathMayLeadToTheFolders() async throws {
        for folder in ["base", "clusters"] {
            try await remote.git("mv", folder, "moved-\(folder)")
        }
        try FileManager.default.createDirectory(atPath: remote.path + "/policy", withIntermediateDirectories: true)
        for folder in ["base", "clusters"] { try await remote.git("mv", "moved-\(folder)", "policy/\(folder)") }
        try await remote.commit("Below a folder")
        let loaded = try await remote.source(path: "policy", cluster: "eu").loadNewest()
        #expect(loaded.findings == [])
        #expect(declared(loaded) == ["common", "eu", "moved"])
        #expect(loaded.declared.objects[clusterRoleID("eu")]?.origin.file == "policy/clusters/eu/own.yaml")
    }

    // MARK: What an earlier revision proves

    @Test func onlyWhatThisClusterGotProvesItsOwnership() async throws {
        try remote.write(
            """
            apiVersion: rbac.authorization.k8s.io/v1
            kind: ClusterRole
            metadata: {name: chosen, annotations: {bylaw.dev/clusters: us}}
            rules: []

            """, to: "base/chosen.yaml")
        try await remote.commit("One for us in the base")
        try await remote.git("rm", "-r", "--quiet", "clusters", "base")
        try remote.write(clusterRole("now"), to: "now.yaml")
        let head = try await remote.commit("Now")
        func earlier(_ cluster: String?) async throws -> Set<ObjectID> {
            let source = try remote.source(cluster: cluster)
            _ = try await source.fetchNewest()
            return try await source.declaredEarlier(ids("common", "moved", "eu", "us", "chosen", "now"), before: head)
        }
        #expect(try await earlier("eu") == ids("common", "moved", "eu"))
        #expect(try await earlier("us") == ids("common", "moved", "us", "chosen"))
        #expect(try await earlier(nil).isEmpty)
    }

    @Test func aRevisionThatWasRefusedForItsFoldersProvesNothing() async throws {
        let other = try await PolicyRemote()
        try other.write(clusterRole("us"), to: "clusters/us/own.yaml")
        try other.write(clusterRole("eu"), to: "clusters/eu/own.yaml")
        try await other.commit("Without a base")
        let head = try await other.commit("Now")
        let source = try other.source(cluster: "us")
        _ = try await source.fetchNewest()
        #expect(try await source.declaredEarlier(ids("eu", "us"), before: head).isEmpty)
    }

    @Test func beforeThereWereClustersEverythingWasThisOnes() async throws {
        let other = try await PolicyRemote()
        try other.write(clusterRole("old"), to: "old.yaml")
        try await other.commit("One cluster")
        try other.remove("old.yaml")
        try other.write(clusterRole("common"), to: "base/common.yaml")
        try other.write(clusterRole("us"), to: "clusters/us/own.yaml")
        let head = try await other.commit("Several")
        let source = try other.source(cluster: "us")
        _ = try await source.fetchNewest()
        #expect(try await source.declaredEarlier(ids("old", "us"), before: head) == ids("old"))
    }
}
