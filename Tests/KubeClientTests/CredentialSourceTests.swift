import Foundation
import HTTPClient
import KubeClient
import Manifest
import TestSupport
import Testing

/// Rotation of files, with a clock that is moved by hand.
@Suite struct CredentialSourceTests {
    let scratch: ScratchDirectory
    let clock = ManualClock()

    init() throws { scratch = try ScratchDirectory() }

    private func tokenSource(fallback: String? = nil) throws -> (CredentialSource, path: String) {
        let path = try scratch.write("first\n", to: "token")
        return (
            CredentialSource(
                .tokenFile(path, fallback: fallback.map { SecretBytes(bytes($0)) }), uptime: clock.uptime,
                time: clock.time), path
        )
    }

    @Test func readsATokenFileAgainEachMinute() async throws {
        let (source, _) = try tokenSource()
        #expect(try await source.authorization().text == "Bearer first")
        try scratch.write("second", to: "token")
        clock.advance(by: .seconds(30))
        #expect(try await source.authorization().text == "Bearer first", "not before it is due")
        clock.advance(by: .seconds(30))
        #expect(try await source.authorization().text == "Bearer second")
    }

    @Test func followsALinkThatIsSwapped() async throws {
        // As a projected volume does it: token -> ..data/token, and ..data is replaced as a whole.
        try scratch.write("first", to: "..1/token")
        try scratch.write("second", to: "..2/token")
        let manager = FileManager.default
        try manager.createSymbolicLink(atPath: scratch.path + "/..data", withDestinationPath: "..1")
        try manager.createSymbolicLink(atPath: scratch.path + "/linked", withDestinationPath: "..data/token")
        let source = CredentialSource(.tokenFile(scratch.path + "/linked", fallback: nil), uptime: clock.uptime)
        #expect(try await source.authorization().text == "Bearer first")
        try manager.removeItem(atPath: scratch.path + "/..data")
        try manager.createSymbolicLink(atPath: scratch.path + "/..data", withDestinationPath: "..2")
        clock.advance(by: .seconds(60))
        #expect(try await source.authorization().text == "Bearer second")
    }

    @Test(arguments: ["", "  \n", "two words", nil])
    func keepsTheLastGoodToken(_ content: String?) async throws {
        let (source, _) = try tokenSource(fallback: "literal")
        #expect(try await source.authorization().text == "Bearer first")
        if let content { try scratch.write(content, to: "token") } else { try scratch.remove("token") }
        clock.advance(by: .seconds(600))
        #expect(try await source.authorization().text == "Bearer first", "also before the literal (rule A2)")
        try scratch.write("third", to: "token")
        #expect(try await source.authorization().text == "Bearer third", "as soon as it can be read")
    }

    @Test func failsWhereNoTokenWasEverRead() async throws {
        let path = scratch.path + "/none"
        let error = try await #require(throws: ClusterConfigurationError.self) {
            try await CredentialSource(.tokenFile(path, fallback: nil)).authorization()
        }
        #expect(error.message.contains("read the token file \(path)"))
        #expect(!error.hint.isEmpty)
    }

    @Test func readsAgainAfterARefusalOfWhatIsOlderThanTheRequest() async throws {
        let (source, _) = try tokenSource()
        let before = clock.now
        clock.advance(by: .seconds(1))
        #expect(try await source.authorization().text == "Bearer first")
        try scratch.write("second", to: "token")
        source.invalidate(startedAt: before)
        #expect(try await source.authorization().text == "Bearer first", "the refused request had an older token")
        source.invalidate(startedAt: clock.now)
        #expect(try await source.authorization().text == "Bearer second")
        try scratch.write("third", to: "token")
        source.invalidate()
        #expect(try await source.authorization().text == "Bearer third")
    }

    @Test func rotatesACertificateWithItsKey() async throws {
        try scratch.write(certificate(1), to: "tls.crt")
        try scratch.write(key(1), to: "tls.key")
        let source = CredentialSource(
            .clientCertificate(.path(scratch.path + "/tls.crt"), key: .path(scratch.path + "/tls.key")),
            uptime: clock.uptime)
        #expect(try await source.authorization().clientCertificate == bytes(certificate(1)))
        try scratch.write(certificate(2), to: "tls.crt")
        try scratch.write("-----BEGIN PRIVATE KEY-----\nMA", to: "tls.key")
        clock.advance(by: .seconds(60))
        let kept = try await source.authorization()
        #expect(kept.clientCertificate == bytes(certificate(1)), "never a new certificate with an old key")
        #expect(kept.clientKey == SecretBytes(bytes(key(1))))
        try scratch.write(key(2), to: "tls.key")
        clock.advance(by: .seconds(60))
        let rotated = try await source.authorization()
        #expect(rotated.clientCertificate == bytes(certificate(2)))
        #expect(rotated.clientKey == SecretBytes(bytes(key(2))))
    }

    @Test(arguments: ["", "rubbish", "-----BEGIN CERTIFICATE-----\nMAMCAQ\n-----END CERTIFICATE-----\n", nil])
    func rotatesAuthoritiesAndKeepsTheLastGoodOnes(_ content: String?) async throws {
        let path = try scratch.write(certificate(1), to: "ca.crt")
        let endpoint = ClusterEndpoint(
            server: "https://api.test/", name: "x", certificateAuthorities: .path(path),
            credentials: CredentialSource(.none, uptime: clock.uptime))
        func authorities() async throws -> [UInt8]? { try await endpoint.access().tls.certificateAuthorities }
        #expect(try await authorities() == bytes(certificate(1)))
        if let content { try scratch.write(content, to: "ca.crt") } else { try scratch.remove("ca.crt") }
        clock.advance(by: .seconds(60))
        #expect(try await authorities() == bytes(certificate(1)))
        try scratch.write(certificate(2) + certificate(3), to: "ca.crt")
        #expect(try await authorities() == bytes(certificate(2) + certificate(3)))
    }

    @Test func failsWithoutAuthoritiesThatAreNamed() async throws {
        let endpoint = ClusterEndpoint(
            server: "https://api.test", name: "x", certificateAuthorities: .path(scratch.path + "/none"),
            credentials: CredentialSource(.none))
        let error = try await #require(throws: ClusterConfigurationError.self) { try await endpoint.access() }
        #expect(error.message.contains("read the certificate authority \(scratch.path)/none"))
    }

    @Test func refusesWhatIsNoFileOrTooLarge() async throws {
        for path in ["/dev/zero", scratch.path, try scratch.write(String(repeating: "x", count: 2 << 20), to: "big")] {
            await #expect(throws: ClusterConfigurationError.self) {
                try await CredentialSource(.tokenFile(path, fallback: nil)).authorization()
            }
        }
    }

    @Test func neverShowsASecret() async throws {
        let source = CredentialSource(.basic(user: "me", password: SecretBytes(bytes("hunter2"))))
        let authorization = try await source.authorization()
        var dumped = ""
        dump(authorization, to: &dumped)
        dump(source, to: &dumped)
        dumped += "\(authorization)\(source)\(String(reflecting: authorization))"
        #expect(!dumped.contains("hunter2"))
        #expect(!dumped.contains("bWU6aHVudGVyMg"))
        #expect(dumped.contains("(redacted)"))
    }
}
