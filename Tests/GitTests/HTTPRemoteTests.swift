import Foundation
import Git
import HTTPClient
import TestSupport
import Testing

/// Remotes over HTTPS, served by Git's own `http-backend`.
@Suite(.timeLimit(.minutes(2))) struct HTTPRemoteTests {
    let served: ServedRemote

    init() async throws { served = try await ServedRemote() }

    private func error(_ clone: GitRepository) async throws -> GitError {
        try #require(await gitError { try await clone.fetch(.branch("main")) })
    }

    @Test func clonesAndThenFetchesWhatIsNew() async throws {
        let first = try await served.remote.commit("First", ["a.yaml": "a"])
        let clone = try served.clone()
        #expect(try await clone.fetch(.defaultBranch).id == first)
        let second = try await served.remote.commit("Second", ["b.yaml": "b"])
        #expect(try await clone.fetch(.branch("main")).id == second)
        #expect(try await clone.fetch(.branch("main")).id == second)
        let files = try #require(try await clone.files(of: second, below: ""))
        #expect(try await clone.blobs(files.map(\.blob), maximumBytes: 10) == [Array("a".utf8), Array("b".utf8)])
        #expect(try await clone.isAncestor(first, of: second))
    }

    @Test func findsTagsCommitsAndWhatIsMissing() async throws {
        let old = try await served.remote.commit("Old")
        try await served.remote.git("tag", "--annotate", "--message", "words", "v1")
        try await served.remote.commit("New")
        let clone = try served.clone()
        #expect(try await clone.fetch(.tag("v1")).id == old)
        #expect(try await clone.fetch(.commit(old)).id == old)
        let error = try #require(await gitError { try await clone.fetch(.branch("nope")) })
        #expect(error.kind == .noSuchReference)
        #expect(error.hint.contains("main"))
    }

    @Test func bringsMoreThanOneBufferOfData() async throws {
        // Text that does not compress away: the squares of the numbers.
        let text = (0..<200_000).map { String($0 &* $0, radix: 36) }.joined(separator: "\n")
        let id = try await served.remote.commit("Large", ["large": text])
        let clone = try served.clone()
        _ = try await clone.fetch(.branch("main"))
        let blob = try #require(try await clone.files(of: id, below: "")?.first?.blob)
        #expect(try await clone.blobs([blob], maximumBytes: 1 << 24) == [Array(text.utf8)])
    }

    @Test(arguments: ["s3cret", "s3cret\n", " s3cret\r\n"])
    func showsItsTokenWithoutTheSpaceAroundIt(_ content: String) async throws {
        let id = try await served.remote.commit("First")
        try served.setToken("s3cret")
        let clone = try served.clone(credentials: served.credentials(token: content))
        #expect(try await clone.fetch(.branch("main")).id == id)
    }

    @Test func showsANameAndAPassword() async throws {
        let id = try await served.remote.commit("First")
        try served.setToken("ann:s3:cret")
        var credentials = try served.credentials()
        credentials.userName = "ann"
        credentials.passwordFile = try served.folder.write("s3:cret", to: "password")
        #expect(try await served.clone(credentials: credentials).fetch(.branch("main")).id == id)
    }

    @Test func aWrongTokenIsRefusedAndNeverShown() async throws {
        try await served.remote.commit("First")
        try served.setToken("right-token")
        let clone = try served.clone(credentials: served.credentials(token: "wrong-token"))
        let error = try await error(clone)
        #expect(error.kind == .authentication)
        #expect(error.description.contains("HTTP 401"))
        #expect(error.description.contains(served.path))
        #expect(error.hint.contains("token"))
        var dumped = "\(error) \(error.hint) "
        dump(error, to: &dumped)
        for secret in ["wrong-token", Data("x-access-token:wrong-token".utf8).base64EncodedString()] {
            #expect(!dumped.contains(secret))
        }
    }

    @Test func aTokenThatTheServerRepeatsIsNotShown() async throws {
        try await served.remote.commit("First")
        try served.setMode("echo")
        let error = try await error(try served.clone(credentials: served.credentials(token: "right-token")))
        let pair = Data("x-access-token:right-token".utf8).base64EncodedString()
        for secret in ["right-token", pair] { #expect(!"\(error) \(error.hint)".contains(secret)) }
        #expect(error.detail.contains("credentials"), "\(error)")
    }

    @Test func noTokenWhereOneIsWantedIsTheSame() async throws {
        try await served.remote.commit("First")
        try served.setToken("right-token")
        #expect(try await error(try served.clone()).kind == .authentication)
    }

    @Test(arguments: [nil, "", " \n"])
    func aTokenFileWithoutATokenIsNamed(_ content: String?) async throws {
        try await served.remote.commit("First")
        var credentials = try served.credentials()
        let path = served.folder.path + "/empty-token"
        if let content { try served.folder.write(content, to: "empty-token") }
        credentials.tokenFile = path
        let error = try await error(try served.clone(credentials: credentials))
        #expect(error.kind == .authentication)
        #expect("\(error)\(error.hint)".contains(path), "\(error)")
    }

    /// Tokens are short-lived and their files are replaced: each fetch shows what stands there now.
    @Test func aReplacedTokenIsUsedByTheNextFetch() async throws {
        try await served.remote.commit("First")
        try served.setToken("first-token")
        let clone = try served.clone(credentials: served.credentials(token: "first-token"))
        _ = try await clone.fetch(.branch("main"))
        try served.setToken("second-token")
        try served.folder.write("second-token", to: "token")
        let id = try await served.remote.commit("Second")
        #expect(try await clone.fetch(.branch("main")).id == id)
    }

    @Test func aTokenThatWasWithdrawnIsRefusedAtTheNextFetch() async throws {
        try await served.remote.commit("First")
        try served.setToken("first-token")
        let clone = try served.clone(credentials: served.credentials(token: "first-token"))
        _ = try await clone.fetch(.branch("main"))
        try served.setToken("second-token")
        let error = try await error(clone)
        #expect(error.kind == .authentication, "\(error)")
    }

    @Test func aFailedFetchDoesNotHarmTheNextOne() async throws {
        let id = try await served.remote.commit("First")
        let clone = try served.clone()
        for mode in ["close", "503", "rubbish"] {
            try served.setMode(mode)
            _ = try await error(clone)
        }
        try served.setMode("")
        #expect(try await clone.fetch(.branch("main")).id == id)
    }

    @Test func anAuthorityThatIsNotTrustedIsRefused() async throws {
        try await served.remote.commit("First")
        let error = try await error(try served.clone(credentials: GitCredentials.none))
        #expect(error.kind == .untrustedServer)
        #expect(error.hint.contains("--git-ca-file"))
    }

    @Test func aCertificateForAnotherNameIsRefusedAndSaysSo() async throws {
        try await served.remote.commit("First")
        let error = try await error(try served.clone(at: served.server.named))
        #expect(error.kind == .untrustedServer, "\(error) \(error.hint)")
    }

    @Test func anAuthorityFileThatIsNotThereIsNamed() async throws {
        try await served.remote.commit("First")
        let path = served.folder.path + "/no-authority.crt"
        let error = try await error(
            try served.clone(credentials: GitCredentials(certificateAuthorityFile: path, proxy: .none)))
        #expect(error.description.contains(path))
    }

    @Test func aRepositoryThatIsNotThereIsNamed() async throws {
        let address = served.server.tls + "/nowhere.git"
        let clone = try served.remote.clone(
            from: address, cache: served.folder.path + "/cache", credentials: try served.credentials())
        let error = try await error(clone)
        #expect(error.kind == .network)
        #expect(error.description.contains(address))
        #expect(error.description.contains("404"))
    }
}
