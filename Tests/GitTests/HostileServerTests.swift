import Foundation
import Git
import HTTPClient
import TestSupport
import Testing

/// Servers that misbehave: each fetch ends within its limits, and says why.
@Suite(.timeLimit(.minutes(2))) struct HostileServerTests {
    let served: ServedRemote

    init() async throws { served = try await ServedRemote() }

    /// The limits for a server that falls silent, and those for one that answers, however slow the machine is.
    private static let shortLimits = FetchLimits(
        total: .seconds(3), stall: .seconds(1), connect: .seconds(1), maximumBytes: 4 << 20)
    private static let longLimits = FetchLimits(
        total: .seconds(60), stall: .seconds(60), connect: .seconds(60), maximumBytes: 4 << 20)
    /// The time after which a fetch that keeps either of them has surely ended.
    private static let patience = Duration.seconds(90)

    private func error(_ clone: GitRepository) async throws -> GitError {
        let begun = ContinuousClock.now
        let error = try #require(await gitError { try await clone.fetch(.branch("main")) })
        #expect(ContinuousClock.now - begun < Self.patience)
        #expect(!error.detail.isEmpty && error.detail != "no detail", "\(error)")
        return error
    }

    private func error(mode: String, limits: FetchLimits = longLimits) async throws -> GitError {
        try await served.remote.commit("First", ["a.yaml": "a"])
        try served.setMode(mode)
        let error = try await error(try served.clone(at: served.server.plain, limits: limits))
        #expect("\(error)".contains(served.path), "\(error)")
        return error
    }

    @Test(arguments: ["hang", "stall", "pack-hang", "pack-stall"])
    func aServerThatFallsSilentIsLeftAfterTheLongestSilence(_ mode: String) async throws {
        let error = try await error(mode: mode, limits: Self.shortLimits)
        #expect(error.kind == .timedOut, "\(error)")
        #expect(!error.hint.isEmpty)
    }

    @Test(arguments: ["trickle", "pack-trickle"])
    func aServerThatNeverComesToAnEndIsLeftAtTheDeadline(_ mode: String) async throws {
        let error = try await error(mode: mode, limits: Self.shortLimits)
        #expect(error.kind == .timedOut, "\(error)")
        #expect(!error.hint.isEmpty)
    }

    @Test(arguments: ["endless", "pack-endless"])
    func aServerThatSendsTooMuchIsLeftAtTheLimit(_ mode: String) async throws {
        let error = try await error(mode: mode)
        #expect(error.kind == .tooLarge, "\(error)")
        #expect(!error.hint.isEmpty)
    }

    @Test func headersWithoutAnEndAreCutOff() async throws {
        let error = try await error(mode: "endless-headers")
        #expect([.tooLarge, .network].contains(error.kind), "\(error)")
    }

    @Test(arguments: ["close", "short", "no-http", "page", "empty", "rubbish", "pack-close", "pack-page", "pack-empty"])
    func aServerThatDoesNotAnswerAsAGitServerIsANetworkTrouble(_ mode: String) async throws {
        let error = try await error(mode: mode)
        #expect(error.kind == .network, "\(error)")
        #expect(!error.hint.isEmpty, "\(error)")
    }

    /// Damage that came from the server is no damage of the cache, which is as sound as before.
    @Test(arguments: ["pack-rubbish", "pack-rubbish-pack", "pack-short"])
    func aDamagedPackIsTheServersFaultAndLeavesTheCacheSound(_ mode: String) async throws {
        let clone = try served.clone(at: served.server.plain, limits: Self.longLimits)
        let id = try await served.remote.commit("First", ["a.yaml": "a"])
        for _ in 1...2 {
            try served.setMode(mode)
            let error = try await error(clone)
            #expect(error.kind == .network, "\(error)")
            #expect("\(error)".contains(served.path), "\(error)")
            try served.setMode("")
            #expect(try await clone.fetch(.branch("main")).id == id)
            #expect(try await clone.files(of: id, below: "")?.map(\.path) == ["a.yaml"])
        }
    }

    @Test func aServerThatTellsItsErrorIsQuoted() async throws {
        let error = try await error(mode: "error-line")
        #expect("\(error)".contains("the disk is full"), "\(error)")
    }

    @Test(arguments: [
        ("401", GitError.Kind.authentication), ("403", .authentication), ("404", .network), ("410", .network),
        ("429", .network), ("500", .network), ("503", .network), ("pack-403", .authentication), ("pack-502", .network),
    ])
    func aRefusalNamesItsStatus(_ mode: String, _ kind: GitError.Kind) async throws {
        let error = try await error(mode: mode)
        #expect(error.kind == kind)
        #expect(error.description.contains("HTTP \(mode.suffix(3))"), "\(error)")
        #expect(!error.hint.isEmpty)
    }

    @Test func aRedirectIsNotFollowedAndNamedWithoutItsSecret() async throws {
        let error = try await error(mode: "elsewhere")
        #expect(error.kind == .network)
        #expect(error.hint.contains("other.test/policies"))
        #expect(!"\(error) \(error.hint)".contains("hunter2"))
    }

    @Test(arguments: ["http", "https"])
    func aServerThatTakesTheConnectionAndSaysNothingIsLeft(_ scheme: String) async throws {
        let address = "\(scheme)://127.0.0.1:\(served.server.silent)/p"
        let clone = try served.remote.clone(
            from: address, cache: served.folder.path + "/cache", credentials: try served.credentials(),
            limits: Self.shortLimits)
        let error = try await error(clone)
        #expect(error.kind == .timedOut, "\(error)")
        #expect(error.description.contains(address))
    }

    @Test func aPortThatNobodyListensOnIsANetworkTrouble() async throws {
        let clone = try served.remote.clone(
            from: "http://127.0.0.1:1/p", cache: served.folder.path + "/cache", limits: Self.longLimits)
        #expect(try await error(clone).kind == .network)
    }

    /// The second fetch over the same connection object is bound by its own limits, not by those of the first.
    @Test func aServerThatFallsSilentLaterIsLeftAsWell() async throws {
        let id = try await served.remote.commit("First")
        // Long enough for the first fetch on a busy machine.
        let limits = FetchLimits(total: .seconds(60), stall: .seconds(8), connect: .seconds(8), maximumBytes: 4 << 20)
        let clone = try served.clone(at: served.server.plain, limits: limits)
        #expect(try await clone.fetch(.branch("main")).id == id)
        try served.setMode("hang")
        let error = try await error(clone)
        #expect(error.kind == .timedOut, "\(error)")
        #expect(!error.hint.isEmpty, "\(error)")
    }

    @Test(arguments: ["", "hang", "trickle"])
    func aCancelledFetchEndsAtOnce(_ mode: String) async throws {
        try await served.remote.commit("First")
        try served.setMode(mode)
        let clone = try served.clone(at: served.server.plain)
        let task = Task { await gitError { try await clone.fetch(.branch("main")) } }
        task.cancel()
        let begun = ContinuousClock.now
        let error = await task.value
        #expect(error?.kind == .cancelled, "\(String(describing: error))")
        #expect(ContinuousClock.now - begun < .seconds(18))
    }

    @Test func aFetchThatIsCancelledLaterEndsAtOnceAsWell() async throws {
        try await served.remote.commit("First")
        let clone = try served.clone(at: served.server.plain)
        _ = try await clone.fetch(.branch("main"))
        try served.setMode("hang")
        let task = Task { await gitError { try await clone.fetch(.branch("main")) } }
        task.cancel()
        let begun = ContinuousClock.now
        let error = await task.value
        #expect(error?.kind == .cancelled, "\(String(describing: error))")
        #expect(ContinuousClock.now - begun < .seconds(18))
    }
}
