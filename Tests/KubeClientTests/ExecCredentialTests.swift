import Foundation
import HTTPClient
import JSON
import KubeClient
import Manifest
import TestSupport
import Testing

/// Real programs that hand out credentials: scripts which count their runs.
@Suite struct ExecCredentialTests {
    let scratch: ScratchDirectory
    let clock = ManualClock()

    private static let version = "client.authentication.k8s.io/v1"

    init() throws { scratch = try ScratchDirectory() }

    private func answer(_ status: String, version: String = Self.version) -> String {
        #"{"apiVersion":"\#(version)","kind":"ExecCredential","status":\#(status)}"#
    }

    /// - Parameter before: What the script does first.
    private func source(_ output: String, before: String = "", _ change: (inout ExecCredential) -> Void = { _ in })
        throws
        -> CredentialSource
    {
        try scratch.write(output, to: "output")
        try scratch.writeProgram(
            """
            #!/bin/sh
            cd '\(scratch.path)'
            echo run >> runs
            printf '%s' "$KUBERNETES_EXEC_INFO" > info
            printf '%s|' "$@" > arguments
            env > environment
            \(before)
            cat output
            """, to: "bin/credentials")
        var exec = ExecCredential(apiVersion: Self.version, command: "bin/credentials", directory: scratch.path)
        change(&exec)
        return CredentialSource(
            .exec(exec), uptime: clock.uptime, time: clock.time,
            environment: ["PATH": "/usr/bin:/bin", "INHERITED": "yes", "BOTH": "outer"])
    }

    private func content(_ name: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(fileURLWithPath: scratch.path + "/" + name)), as: UTF8.self)
    }

    private func runs() throws -> Int { try content("runs").split(separator: "\n").count }

    private func failure(_ source: CredentialSource) async throws -> ClusterConfigurationError {
        try await #require(throws: ClusterConfigurationError.self) { try await source.authorization() }
    }

    @Test func tellsTheProgramWhatItNeedsAndTakesItsToken() async throws {
        let source = try source(answer(#"{"token":"abc"}"#)) { exec in
            exec.arguments = ["get", "a b"]
            exec.environment = ["BOTH": "inner"]
            exec.clusterInfo = ["server": "https://api.test"]
        }
        #expect(try await source.authorization().text == "Bearer abc")
        let info = try parseJSON(try content("info"))
        #expect(
            info == [
                "apiVersion": .string(Self.version), "kind": "ExecCredential",
                "spec": ["interactive": false, "cluster": ["server": "https://api.test"]],
            ])
        #expect(try content("arguments") == "get|a b|")
        let environment = try content("environment").split(separator: "\n")
        #expect(environment.contains("INHERITED=yes"))
        #expect(environment.contains("BOTH=inner"))
    }

    @Test func takesACertificateWithItsKey() async throws {
        let status: Tree = ["clientCertificateData": .string(certificate(4)), "clientKeyData": .string(key(4))]
        let authorization = try await source(answer(status.jsonText())).authorization()
        #expect(authorization.header == nil)
        #expect(authorization.clientCertificate == bytes(certificate(4)))
        #expect(authorization.clientKey == SecretBytes(bytes(key(4))))
    }

    @Test func keepsAnAnswerUntilItExpires() async throws {
        let end = clock.time().advanced(by: .seconds(100))
        let source = try source(answer(#"{"token":"abc","expirationTimestamp":"\#(end)"}"#))
        for _ in 0..<3 { _ = try await source.authorization() }
        clock.advance(by: .seconds(99))
        _ = try await source.authorization()
        #expect(try runs() == 1)
        clock.advance(by: .seconds(1))
        _ = try await source.authorization()
        #expect(try runs() == 2)
    }

    @Test func keepsAnAnswerWithoutAnEndUntilItIsRefused() async throws {
        let source = try source(answer(#"{"token":"abc"}"#))
        let before = clock.now
        clock.advance(by: .seconds(1))
        _ = try await source.authorization()
        clock.advance(by: .seconds(1_000_000))
        source.invalidate(startedAt: before)
        _ = try await source.authorization()
        #expect(try runs() == 1, "the refused request was older than the answer")
        source.invalidate(startedAt: clock.now)
        _ = try await source.authorization()
        #expect(try runs() == 2)
    }

    @Test func runsOnceForAllWhoWait() async throws {
        let source = try source(answer(#"{"token":"abc"}"#), before: "sleep 0.3")
        let texts = try await withThrowingTaskGroup(of: String?.self) { group in
            for _ in 0..<20 { group.addTask { try await source.authorization().text } }
            return try await group.reduce(into: Set<String?>()) { $0.insert($1) }
        }
        #expect(texts == ["Bearer abc"])
        #expect(try runs() == 1)
    }

    @Test func doesNotHoldACancelledRequest() async throws {
        let source = try source(answer(#"{"token":"abc"}"#), before: "exec sleep 300")
        let task = Task { try await source.authorization() }
        task.cancel()
        let error = await #expect(throws: ClusterConfigurationError.self) { try await task.value }
        // After a minute it would be told that the plugin took too long.
        #expect(error?.message.contains("was not waited for") == true, "\(String(describing: error))")
    }

    @Test func runsAgainAfterAFailure() async throws {
        let source = try source(answer("{}"))
        _ = try await failure(source)
        try scratch.write(answer(#"{"token":"abc"}"#), to: "output")
        #expect(try await source.authorization().text == "Bearer abc")
    }

    @Test(arguments: [
        ("not JSON hunter2", "did not write JSON"),
        (#"{"kind":"Other"}"#, "did not answer with an ExecCredential of client.authentication.k8s.io/v1"),
        (
            #"{"apiVersion":"client.authentication.k8s.io/v1beta1","kind":"ExecCredential","status":{}}"#,
            "did not answer with an ExecCredential of client.authentication.k8s.io/v1"
        ),
        (#"{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential"}"#, "gave no status"),
    ])
    func refusesAnAnswerOfAnotherKind(_ output: String, _ says: String) async throws {
        let error = try await failure(source(output))
        #expect(error.message.hasSuffix(says), "\(error.message)")
        #expect(!error.message.contains("hunter2"))
    }

    @Test(arguments: [
        ("{}", "gave neither token nor certificate"),
        (#"{"token":""}"#, "gave neither token nor certificate"),
        (#"{"token":"hunter2 x"}"#, "gave a token that holds something else than one token"),
        (#"{"token":"hunter2","clientKeyData":"x"}"#, "gave a certificate without its key, or the reverse"),
        (#"{"clientCertificateData":"x","clientKeyData":"y"}"#, "gave a certificate that holds no PEM text"),
        (#"{"token":"hunter2","expirationTimestamp":"tomorrow"}"#, "gave an expirationTimestamp that is no time"),
    ])
    func refusesAnIncompleteAnswer(_ status: String, _ says: String) async throws {
        let error = try await failure(source(answer(status)))
        #expect(error.message.hasSuffix(says), "\(error.message)")
        #expect(!error.message.contains("hunter2"))
    }

    @Test func tellsHowTheProgramEndedAndNothingItWrote() async throws {
        let source = try source("hunter2", before: "echo hunter2 >&2; cat output; exit 3") {
            $0.installHint = "Install\nit."
        }
        let error = try await failure(source)
        #expect(error.message == "the credential program bin/credentials failed with exit status 3")
        #expect(error.hint == "Install it.")
    }

    @Test func tellsThatTheProgramIsMissing() async throws {
        let error = try await failure(source("") { $0.command = "no-such-program" })
        #expect(error.message.contains("the credential program no-such-program could not be run"))
    }

    @Test func boundsWhatTheProgramWrites() async throws {
        let error = try await failure(source("", before: "exec cat /dev/zero"))
        #expect(error.message.contains("could not be run: wrote more than"))
    }

    @Test func passesTheWholeClusterOnWhenAsked() async throws {
        _ = try source(answer(#"{"token":"abc"}"#))
        try scratch.write(certificate(9), to: "ca.crt")
        let file = try scratch.write(
            """
            current-context: a
            contexts: [{name: a, context: {cluster: c, user: u}}]
            clusters:
            - name: c
              cluster:
                server: https://api.test
                tls-server-name: other.test
                certificate-authority: ca.crt
                proxy-url: http://proxy.test
                extensions:
                - {name: client.authentication.k8s.io/exec, extension: {audience: x}}
            users:
            - name: u
              user:
                exec:
                  apiVersion: \(Self.version)
                  command: ./bin/credentials
                  provideClusterInfo: true
                  interactiveMode: IfAvailable
                  env: [{name: EXTRA, value: more}]
            """, to: "config")
        let endpoint = try findClusterEndpoint(
            kubeconfig: file, context: nil, environment: ["PATH": "/usr/bin:/bin"])
        #expect(try await endpoint.access().header == SecretBytes(bytes("Bearer abc")))
        let info = try parseJSON(try content("info"))
        #expect(
            info["spec"]?["cluster"] == [
                "server": "https://api.test", "tls-server-name": "other.test", "proxy-url": "http://proxy.test",
                "certificate-authority-data": .string(base64(certificate(9))), "config": ["audience": "x"],
            ])
        #expect(try content("environment").contains("EXTRA=more"))
    }
}
