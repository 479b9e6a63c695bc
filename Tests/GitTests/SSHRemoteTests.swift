import Foundation
import Git
import HTTPClient
import TestSupport
import Testing

/// Remotes over ssh, served by a real `sshd`.
@Suite(.timeLimit(.minutes(2)), .enabled(if: SSHServer.isPresent, SSHServer.absence)) struct SSHRemoteTests {
    let remote: ScratchRemote
    let server: SSHServer

    init() async throws {
        remote = try await ScratchRemote()
        server = try SSHServer.shared()
    }

    private static let limits = FetchLimits(
        total: .seconds(10), stall: .seconds(2), connect: .seconds(5), maximumBytes: 4 << 20)

    private func clone(
        _ path: String? = nil, key: SSHServer.Key = .good, knownHosts: String? = nil, port: Int? = nil,
        limits: FetchLimits = .short
    ) throws -> GitRepository {
        let allowed = CharacterSet.urlPathAllowed
        let encoded = (path ?? remote.path).addingPercentEncoding(withAllowedCharacters: allowed) ?? ""
        return try remote.clone(
            from: "ssh://\(NSUserName())@127.0.0.1:\(port ?? server.port)\(encoded)",
            credentials: GitCredentials(
                sshKeyFile: server.key(key), sshKnownHostsFile: knownHosts ?? server.knownHosts, proxy: .none),
            limits: limits)
    }

    private func error(_ clone: GitRepository) async throws -> GitError {
        let begun = ContinuousClock.now
        let error = try #require(await gitError { try await clone.fetch(.branch("main")) })
        #expect(ContinuousClock.now - begun < .seconds(40))
        #expect(error.description.contains("127.0.0.1"))
        #expect(!error.hint.isEmpty || error.kind == .cancelled, "\(error)")
        return error
    }

    @Test func clonesAndThenFetchesWhatIsNew() async throws {
        let first = try await remote.commit("First", ["a.yaml": "a"])
        let clone = try clone()
        #expect(try await clone.fetch(.defaultBranch).id == first)
        let text = (0..<100_000).map { String($0 &* $0, radix: 36) }.joined(separator: "\n")
        let second = try await remote.commit("Second", ["b.yaml": text])
        #expect(try await clone.fetch(.branch("main")).id == second)
        #expect(try await clone.fetch(.branch("main")).id == second)
        let files = try #require(try await clone.files(of: second, below: ""))
        let blobs = try await clone.blobs(files.map(\.blob), maximumBytes: 1 << 24)
        #expect(blobs == [Array("a".utf8), Array(text.utf8)])
    }

    @Test func aMissingBranchIsNamedBesideThoseThatExist() async throws {
        try await remote.commit("First")
        let error = try #require(await gitError { try await clone().fetch(.branch("nope")) })
        #expect(error.kind == .noSuchReference)
        #expect(error.hint.contains("main"))
    }

    /// The other side hands the path to a shell.
    @Test func aPathIsNeverReadAsACommand() async throws {
        let odd = try await ScratchRemote(
            named: "it's $(touch injected) `touch injected`; touch injected", in: remote.folder)
        let id = try await odd.commit("First")
        #expect(try await clone(odd.path).fetch(.branch("main")).id == id)
        for folder in [odd.path, remote.folder.path, NSHomeDirectory()] {
            #expect(!FileManager.default.fileExists(atPath: folder + "/injected"))
        }
    }

    @Test func anotherHostKeyIsRefused() async throws {
        try await remote.commit("First")
        let error = try await error(try clone(knownHosts: server.wrongKnownHosts))
        #expect(error.kind == .untrustedServer, "\(error)")
        #expect(error.description.lowercased().contains("host key"))
        #expect(error.hint.contains("known-hosts"))
    }

    @Test func anUnknownHostIsRefusedAndNotLearned() async throws {
        try await remote.commit("First")
        let error = try await error(try clone(knownHosts: server.emptyKnownHosts))
        #expect(error.kind == .untrustedServer, "\(error)")
        #expect(try String(contentsOfFile: server.emptyKnownHosts, encoding: .utf8).isEmpty)
    }

    @Test func aKeyThatIsNotLetInIsRefused() async throws {
        try await remote.commit("First")
        let error = try await error(try clone(key: .stranger))
        #expect(error.kind == .authentication, "\(error)")
        #expect(error.hint.contains("key"))
    }

    @Test func aRepositoryThatIsNotThereIsSaidSoByTheServer() async throws {
        let error = try await error(try clone(remote.folder.path + "/nowhere"))
        #expect(error.description.contains("nowhere"))
        #expect(error.kind == .network)
    }

    @Test func aFailedFetchDoesNotHarmTheNextOne() async throws {
        let clone = try clone()
        #expect(await gitError { try await clone.fetch(.branch("main")) }?.kind == .noSuchReference)
        let id = try await remote.commit("First")
        #expect(try await clone.fetch(.branch("main")).id == id)
        try FileManager.default.moveItem(atPath: remote.path, toPath: remote.path + "-away")
        #expect(try await error(clone).kind == .network)
        try FileManager.default.moveItem(atPath: remote.path + "-away", toPath: remote.path)
        #expect(try await clone.fetch(.branch("main")).id == id)
    }

    @Test func aServerThatFallsSilentIsLeftAfterTheLongestSilence() async throws {
        try await remote.commit("First")
        #expect(try await error(try clone(key: .silent, limits: Self.limits)).kind == .timedOut)
    }

    @Test(arguments: [SSHServer.Key.babbling, .leaving])
    func aServerThatDoesNotSpeakGitIsANetworkTrouble(_ key: SSHServer.Key) async throws {
        try await remote.commit("First")
        // No limit of time is what ends this.
        let error = try await error(try clone(key: key, limits: .short))
        #expect(error.kind == .network, "\(error)")
    }

    @Test func aServerThatTakesTheConnectionAndSaysNothingIsLeft() async throws {
        let error = try await error(try clone(port: try GitServer.shared().silent, limits: Self.limits))
        #expect([.timedOut, .network].contains(error.kind), "\(error)")
    }

    @Test func aCancelledFetchEndsAtOnce() async throws {
        try await remote.commit("First")
        let clone = try clone(key: .silent)
        let task = Task { await gitError { try await clone.fetch(.branch("main")) } }
        task.cancel()
        let begun = ContinuousClock.now
        #expect(await task.value?.kind == .cancelled)
        #expect(ContinuousClock.now - begun < .seconds(18))
    }

    @Test func aRepositoryBeyondTheLimitsIsRefused() async throws {
        let text = (0..<100_000).map { String($0 &* $0, radix: 36) }.joined(separator: "\n")
        try await remote.commit("Large", ["large": text])
        var limits = FetchLimits.short
        limits.maximumBytes = 100_000
        #expect(try await error(try clone(limits: limits)).kind == .tooLarge)
    }
}
