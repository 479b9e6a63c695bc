import Foundation
import HTTPClient
import HTTPServer
import TestSupport
import Testing

/// What a listener says of the clients that it asks for a certificate.
@Suite struct ClientCertificateTests {
    private let certificates: Certificates

    init() async throws { certificates = try await Certificates() }

    private func file(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(fileURLWithPath: certificates.path(name))))
    }

    private func identity(authorities: [UInt8]?) throws -> ServerIdentity {
        ServerIdentity(
            certificate: try file("server.crt"), key: try file("server.key"), clientAuthorities: authorities)
    }

    /// A listener that answers with what it made of the client's certificate.
    private func listener(authorities: [UInt8]?) throws -> HTTPListener {
        try HTTPListener(identity: try identity(authorities: authorities)) { request in
            ServerResponse(status: 200, body: Array("\(request.clientCertificate)".utf8))
        }
    }

    private func answer(_ listener: HTTPListener, to client: String?) async throws -> String {
        var tls = TLSConfiguration(certificateAuthorities: try file("authority.crt"))
        if let client {
            tls.clientCertificate = try file(client + ".crt")
            tls.clientKey = SecretBytes(try file(client + ".key"))
        }
        let exchanger = HTTPExchanger(tls: tls, proxy: .none)
        defer { exchanger.shutdown() }
        let answer = try await exchanger.send(HTTPRequest(url: "https://127.0.0.1:\(listener.port)/"))
        return String(decoding: answer.body, as: UTF8.self)
    }

    @Test func eachClientIsToldFromTheOthers() async throws {
        let listener = try listener(authorities: try file("authority.crt"))
        defer { listener.stop() }
        let refused = { (why: ClientCertificate.Refusal) in "\(ClientCertificate.refused(why))" }
        let expected: [(client: String?, answer: String)] = [
            (nil, "\(ClientCertificate.absent)"),
            ("client", "\(ClientCertificate.verified(commonName: "api-server"))"),
            ("unlimited", "\(ClientCertificate.verified(commonName: "api-server"))"),
            ("impostor", refused(.untrusted)), ("expired", refused(.expired)), ("future", refused(.notYetValid)),
            ("serverOnly", refused(.notForClients)), ("twoNames", refused(.unusable)),
            ("nameless", refused(.unusable)),
        ]
        for (client, wanted) in expected {
            #expect(try await answer(listener, to: client) == wanted, "\(client ?? "no certificate")")
        }
    }

    @Test func severalAuthoritiesMaySign() async throws {
        let listener = try listener(authorities: try file("other.crt") + file("authority.crt"))
        defer { listener.stop() }
        for client in ["client", "impostor"] {
            #expect(try await answer(listener, to: client).hasPrefix("verified"), "\(client)")
        }
    }

    @Test func whoIsNotAskedProvesNothing() async throws {
        let listener = try listener(authorities: nil)
        defer { listener.stop() }
        #expect(try await answer(listener, to: "client") == "absent")
    }

    @Test(arguments: ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
    func authoritiesThatAreNoneAreRefusedAtTheStart(_ text: String) throws {
        #expect(throws: ListenerError.self) { try listener(authorities: Array(text.utf8)) }
        // Neither is a file that is whole but for one of them.
        #expect(throws: ListenerError.self) {
            try listener(authorities: try file("authority.crt") + Array("-----BEGIN CERTIFICATE-----\nAAAA".utf8))
        }
    }
}
