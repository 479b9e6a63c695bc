import Foundation
import HTTPClient
import TestSupport
import Testing

/// Who may send audit events to `bylaw run`, with real certificates, and what it refuses to start with.
@Suite struct AuditEndpointTests {
    private let program: Program
    private let cluster: ClusterUnderTest
    private let repository: PolicyRepository
    private let certificates: Certificates
    private let token: String

    init() async throws {
        program = try Program()
        cluster = try ClusterUnderTest(isEmbedded: true)
        repository = try await PolicyRepository()
        try repository.write(clusterRoleManifest("e2e-audit-endpoint"), to: "role.yaml")
        try await repository.commit("One role")
        certificates = try await Certificates()
        token = try program.folder.write("s3cret\n", to: "token")
    }

    private func words(_ access: [String], port: String = "0") -> [String] {
        [
            "run", "--audit-listen", "127.0.0.1:\(port)", "--audit-cert-file", certificates.path("server.crt"),
            "--audit-key-file", certificates.path("server.key"),
        ] + access + program.flags(repository: repository, cluster: cluster, instance: "audit-endpoint")
    }

    private var authority: [String] { ["--audit-client-ca-file", certificates.path("authority.crt")] }

    /// The status of the answer to an empty batch.
    private func status(_ port: Int, client: String? = nil, token: String? = nil) async throws -> Int {
        func file(_ name: String) throws -> [UInt8] {
            [UInt8](try Data(contentsOf: URL(fileURLWithPath: certificates.path(name))))
        }
        var tls = TLSConfiguration(certificateAuthorities: try file("authority.crt"))
        if let client {
            tls.clientCertificate = try file(client + ".crt")
            tls.clientKey = SecretBytes(try file(client + ".key"))
        }
        let exchanger = HTTPExchanger(tls: tls, proxy: .none)
        defer { exchanger.shutdown() }
        let answer = try await exchanger.send(
            HTTPRequest(
                method: "POST", url: "https://127.0.0.1:\(port)/audit?timeout=30s",
                headers: token.map { [("Authorization", "Bearer \($0)")] } ?? [],
                body: Array(#"{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[]}"#.utf8)))
        if answer.status != 200 {
            let text = String(decoding: answer.body, as: UTF8.self)
            #expect(!text.contains("api-server") && !text.contains("s3cret"), "\(text)")
        }
        return answer.status
    }

    private struct Sender: CustomStringConvertible {
        var client: String?
        var token: String?
        var description: String { "\(client ?? "no certificate"), \(token ?? "no token")" }
    }

    /// Runs the program, and says who is let in.
    private func admitted(_ access: [String]) async throws -> [String] {
        let running = try RunningProgram(program, words(access))
        try await running.untilItSays("Taking audit events")
        let line = try #require(running.text.split(separator: "\n").first { $0.contains("Taking audit events") })
        let port = try #require(line.firstMatch(of: /port=(\d+)/).flatMap { Int($0.1) })
        var admitted: [String] = []
        let clients: [String?] = [
            nil, "client", "unlimited", "impostor", "expired", "future", "serverOnly", "twoNames", "nameless",
        ]
        let senders =
            clients.map { Sender(client: $0) } + ["s3cret", "wrong", ""].map { Sender(token: $0) }
            + [Sender(client: "impostor", token: "s3cret")]
        for sender in senders {
            var answer = 503
            // Until it knows who it is, nobody's events are taken.
            try await eventually(within: .seconds(30), "it is ready") {
                answer = try await status(port, client: sender.client, token: sender.token)
                return answer != 503
            }
            #expect(answer == 200 || answer == 401, "\(sender): \(answer)")
            if answer == 200 { admitted.append("\(sender)") }
        }
        try await running.stop()
        return admitted
    }

    @Test func onlyWhoWasConfiguredIsLetIn() async throws {
        let certificates = ["client, no token", "unlimited, no token"]
        let tokens = ["no certificate, s3cret", "impostor, s3cret"]
        let tokenFlags = ["--audit-token-file", token]
        #expect(try await admitted(tokenFlags) == tokens)
        #expect(try await admitted(authority) == certificates)
        #expect(try await admitted(authority + tokenFlags) == certificates + tokens)
        let names = ["--audit-client-name", "other", "--audit-client-name", "api-server"]
        #expect(try await admitted(authority + names) == certificates)
        #expect(try await admitted(authority + ["--audit-client-name", "api"]).isEmpty)
    }

    @Test func whatLetsNobodyInOrEverybodyIsRefusedAtTheStart() async throws {
        let junk = try program.folder.write("no certificate", to: "junk.pem")
        let mistakes: [(access: [String], words: String)] = [
            ([], "--audit-token-file or --audit-client-ca-file"),
            (["--audit-token-file", token, "--audit-client-name", "api-server"], "--audit-client-ca-file"),
            (["--audit-client-ca-file", junk], "authorities"),
            (["--audit-client-ca-file", program.folder.path + "/absent"], "absent"),
        ]
        for (access, words) in mistakes {
            let outcome = try await program.run(self.words(access))
            #expect(outcome.status == 2, "\(access): \(outcome.errors)")
            #expect(outcome.errors.contains(words), "\(access): \(outcome.errors)")
        }
        let flags = program.flags(repository: repository, cluster: cluster, instance: "audit-endpoint")
        let nowhere = try await program.run(["run", "--audit-token-file", token] + flags)
        #expect(nowhere.status == 2 && nowhere.errors.contains("without --audit-listen"), "\(nowhere.errors)")
    }
}
