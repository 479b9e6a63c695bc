import Foundation
import HTTPClient
import Testing

@Suite struct TLSTests {
    let server: TestServer

    init() throws { server = try TestServer.shared() }

    private func kind(of url: String, _ tls: TLSConfiguration) async -> HTTPError.Kind? {
        await error(of: url, tls)?.kind
    }

    private func error(of url: String, _ tls: TLSConfiguration) async -> HTTPError? {
        let exchanger = HTTPExchanger(tls: tls, proxy: .none)
        do throws(HTTPError) {
            _ = try await exchanger.send(HTTPRequest(url: url + "/echo"))
            return nil
        } catch {
            return error
        }
    }

    @Test func trustsItsOwnAuthorityAndAnAddressAmongTheNames() async throws {
        let answer = try await server.exchanger().send(HTTPRequest(url: server.tls + "/echo"))
        #expect(answer.status == 200)
        // An address is never asked for by name (rule A7).
        #expect(try object(answer.body)["sni"] is NSNull)
    }

    @Test func refusesAnotherAuthority() async throws {
        #expect(await kind(of: server.stranger, try server.trust()) == .tlsUntrusted)
    }

    @Test func refusesAPrivateAuthorityWithTheSystemsTrust() async throws {
        #expect(await kind(of: server.tls, TLSConfiguration()) == .tlsUntrusted)
    }

    @Test func tellsAWrongNameFromAWrongAuthority() async throws {
        let error = await error(of: server.named, try server.trust())
        #expect(error?.kind == .tlsNameMismatch)
        #expect(error?.mayHaveBeenSent == false)
    }

    @Test func asksForAndVerifiesAnotherNameThanTheAddress() async throws {
        var tls = try server.trust()
        tls.serverName = "api.test"
        let answer = try await HTTPExchanger(tls: tls, proxy: .none).send(HTTPRequest(url: server.named + "/echo"))
        let echo = try object(answer.body)
        #expect(echo["sni"] as? String == "api.test")
        let headers = try #require(echo["headers"] as? [[String]])
        #expect(headers.contains(["host", server.named.replacingOccurrences(of: "https://", with: "")]))

        tls.serverName = "other.test"
        #expect(await kind(of: server.named, tls) == .tlsNameMismatch)
        #expect(await kind(of: server.tls, tls) == .tlsNameMismatch, "the address no longer counts")
    }

    @Test func verifiesNothingWhenToldTo() async throws {
        #expect(await kind(of: server.stranger, TLSConfiguration(isVerificationDisabled: true)) == nil)
        #expect(await kind(of: server.named, TLSConfiguration(isVerificationDisabled: true)) == nil)
    }

    @Test func refusesAnAuthorityThatIsNone() async throws {
        let tls = TLSConfiguration(certificateAuthorities: Array("no certificate".utf8))
        #expect(await kind(of: server.tls, tls) == .tlsUntrusted)
    }

    @Test func showsItsCertificate() async throws {
        for url in [server.mutual, server.mutualOlder] {
            let answer = try await HTTPExchanger(tls: try server.identity(), proxy: .none)
                .send(HTTPRequest(url: url + "/echo"))
            #expect((try object(answer.body)["client"] as? String)?.contains("client") == true)
        }
    }

    /// With TLS 1.3 the refusal comes after the handshake, and may be overtaken by the end of the connection; TLS 1.2
    /// has no word for a missing certificate.
    private static let refusals: Set<HTTPError.Kind> = [.tlsClientCertificate, .tlsOther, .closedEarly]

    @Test func failsWithoutTheCertificateThatIsWanted() async throws {
        for url in [server.mutual, server.mutualOlder] {
            let error = try #require(await error(of: url, try server.trust()))
            #expect(Self.refusals.contains(error.kind), "\(error.message)")
        }
    }

    @Test func tellsThatItsCertificateIsRefused() async throws {
        var tls = try server.identity()
        tls.clientCertificate = try server.file("impostor.crt")
        tls.clientKey = SecretBytes(try server.file("impostor.key"))
        let error = try #require(await error(of: server.mutual, tls))
        #expect(Self.refusals.contains(error.kind), "\(error.message)")
        #expect(await kind(of: server.mutualOlder, tls) == .tlsClientCertificate)
    }

    @Test func tellsThatItsKeyIsOfAnotherCertificate() async throws {
        var tls = try server.identity()
        tls.clientKey = SecretBytes(try server.file("second.key"))
        #expect(await kind(of: server.mutual, tls) == .tlsClientCertificate)
    }

    @Test func neverShowsAKey() throws {
        let tls = try server.identity()
        var dumped = ""
        dump(tls, to: &dumped)
        let bytes = SecretBytes(Array("hunter2".utf8))
        #expect("\(bytes) \(String(reflecting: bytes))" == "(redacted) (redacted)")
        let key = try #require(tls.clientKey)
        #expect(!dumped.contains("\(key.bytes[40]), \(key.bytes[41]), \(key.bytes[42])"))
        #expect(Mirror(reflecting: key).children.isEmpty)
    }
}
