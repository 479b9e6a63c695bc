import Foundation
import HTTPClient
import HTTPServer
import JSON
import Manifest
import Signatures
import Synchronization
import TestSupport
import Testing

/// The controller tells a Git host what became of each commit, and hears of pushes.
@Suite struct GitHostTests {
    @Test func reportsEachCommitAndFetchesAtOnceWhenToldOfAPush() async throws {
        let cluster = try ClusterUnderTest()
        let program = try Program()
        let repository = try await PolicyRepository()
        try repository.write(teamManifests("e2e-githost"), to: "team.yaml")
        let first = try await repository.commit("Begin")
        let told = Mutex<[(commit: String, state: String, description: String)]>([])
        let host = try HTTPListener { request in
            let body = (try? parseJSON(request.body)) ?? .null
            let commit = request.path.split(separator: "/").last.map(String.init) ?? ""
            let isRight =
                request.method == "POST" && request.path.hasPrefix("/api/v3/repos/acme/policies/statuses/")
                && request.header("authorization") == "Bearer t0ken" && body["context"]?.string == "bylaw/lab"
            guard isRight else { return ServerResponse(status: 422, body: Array("{\"message\":\"no\"}".utf8)) }
            told.withLock {
                $0.append((commit, body["state"]?.string ?? "", body["description"]?.string ?? ""))
            }
            return ServerResponse(status: 201, body: Array("{\"id\":1}".utf8))
        }
        defer { host.stop() }
        let token = try program.folder.write("t0ken\n", to: "token")
        let secret = try program.folder.write("hook secret\n", to: "secret")
        let run = try RunningProgram(
            program,
            ["run", "--interval", "1h", "--cluster", "lab", "--status-token-file", token, "--status-host", "github"]
                + ["--status-api", "http://127.0.0.1:\(host.port)", "--status-repository", "acme/policies"]
                + ["--webhook-listen", "127.0.0.1:0", "--webhook-secret-file", secret]
                + program.flags(repository: repository, cluster: cluster, instance: "githost"))
        try await run.untilItSynced(first)
        let line = try #require(run.text.split(separator: "\n").first { $0.contains("Taking webhooks") })
        let port = try #require(line.split(separator: " ").last { $0.hasPrefix("port=") }?.dropFirst(5))
        func states(_ commit: String) -> [String] { told.withLock { $0.filter { $0.commit == commit }.map(\.state) } }
        try await eventually("the first commit is reported") { states(first) == ["pending", "success"] }
        #expect(told.withLock { $0.last?.description.hasPrefix("applied: ") } == true)

        try repository.write(teamManifests("e2e-githost", round: 1), to: "team.yaml")
        let second = try await repository.commit("Go on")
        let delivery = Array("{\"ref\":\"refs/heads/main\",\"after\":\"\(second)\"}".utf8)
        #expect(try await post(delivery, signature: "sha256=00", port: port) == 401)
        let mac = try #require(hmacSHA256(delivery, key: Array("hook secret".utf8)))
        let hexadecimal = mac.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        #expect(try await post(delivery, signature: "sha256=" + hexadecimal, port: port) == 202)
        try await eventually("the second commit is applied at once") { states(second) == ["pending", "success"] }

        try repository.write("apiVersion: v1\nkind: Namespace\nmetadata: {nam: x}\n", to: "bad.yaml")
        let third = try await repository.commit("Break")
        #expect(try await post(delivery, signature: "sha256=" + hexadecimal, port: port) == 202)
        try await eventually("the broken commit is reported") { states(third) == ["failure"] }
        #expect(told.withLock { $0.last?.description.contains("bad.yaml:3") } == true)
        try await run.stop()
        #expect(!run.text.contains("t0ken") && !run.text.contains("hook secret"))
    }

    private func post(_ body: [UInt8], signature: String, port: Substring) async throws -> Int {
        let request = HTTPRequest(
            method: "POST", url: "http://127.0.0.1:\(port)/webhook",
            headers: [("X-GitHub-Event", "push"), ("X-Hub-Signature-256", signature)], body: body)
        return try await HTTPExchanger(proxy: .none).send(request).status
    }
}
