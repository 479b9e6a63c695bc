import Foundation
import JSON
import KubeClient
import KubeProtocol
import Manifest
import Reconciler
import TestSupport
import Testing

/// Bylaw's token is a projected one: it is replaced while the program runs (rule A3).
@Suite(.enabled(if: ClusterUnderTest.isReal, Comment(rawValue: ClusterUnderTest.absence)))
final class TokenRotationTests {
    private let cluster: ClusterUnderTest
    private let program: Program
    private let repository: PolicyRepository
    private let account = ObjectID(.serviceAccount, namespace: "bylaw-system", name: "bylaw")

    init() async throws {
        cluster = try ClusterUnderTest()
        program = try Program()
        repository = try await PolicyRepository()
    }

    @Test func aRunOutlivesTheTokenThatItBeganWith() async throws {
        let name = "rotation-\(UUID().uuidString.prefix(8).lowercased())"
        let namespace = "e2e-\(name)"
        try repository.write(teamManifests(namespace), to: "team.yaml")
        let commit = try await repository.commit("Begin")

        let first = try await makeSecret("\(name)-1")
        try project(try await cluster.token(of: account, boundTo: first), number: 1)
        let kubeconfig = try program.folder.write(
            try cluster.kubeconfig(file: program.folder.path + "/token/token"), to: "rotating.kubeconfig")
        let run = try RunningProgram(
            program,
            ["run", "--repo", repository.path, "--instance", name, "--journal", program.journal]
                + ["--cache", program.folder.path + "/cache", "--kubeconfig", kubeconfig])
        try await run.untilItSynced(commit)

        // The first token dies with what it is bound to.
        let stolen = try cluster.client(kubeconfig: try firstTokenAlone())
        try project(try await cluster.token(of: account, boundTo: try await makeSecret("\(name)-2")), number: 2)
        try await cluster.delete(secret("\(name)-1"))
        try await eventually("the first token is refused") {
            do {
                _ = try await stolen.list(.limitRange)
                return false
            } catch let error as ClusterError {
                return error.kind == .unauthenticated
            }
        }
        let deny = ObjectID(.networkPolicy, namespace: namespace, name: "default-deny")
        try await cluster.mergePatch(deny, #"{"spec":{"policyTypes":["Ingress"]}}"#)
        try await eventually("the drift is undone with the second token") {
            try await cluster.object(deny)?["spec"]?["policyTypes"]?.array?.count == 2
        }
        #expect(run.isRunning)
        // What is new in Git as well.
        try repository.write(teamManifests(namespace, round: 1), to: "team.yaml")
        try await run.untilItSynced(try await repository.commit("Again"))
        try await run.stop()
    }

    /// As a kubelet does: a new folder, to which a link is switched in one step.
    private func project(_ token: String, number: Int) throws {
        let folder = program.folder.path + "/token"
        try program.folder.write(token, to: "token/..\(number)/token")
        let files = FileManager.default
        try files.createSymbolicLink(atPath: folder + "/..next", withDestinationPath: "..\(number)")
        try #require(rename(folder + "/..next", folder + "/..data") == 0)
        guard number == 1 else { return }
        try files.createSymbolicLink(atPath: folder + "/token", withDestinationPath: "..data/token")
    }

    private func firstTokenAlone() throws -> String {
        let token = try String(contentsOfFile: program.folder.path + "/token/..1/token", encoding: .utf8)
        return try program.folder.write(try cluster.kubeconfig(withToken: token), to: "first.kubeconfig")
    }

    private func secret(_ name: String) -> APIRequest {
        APIRequest(method: .delete, path: "/api/v1/namespaces/bylaw-system/secrets/\(name)")
    }

    private func makeSecret(_ name: String) async throws -> (name: String, uid: String) {
        let body: Tree = ["apiVersion": "v1", "kind": "Secret", "metadata": ["name": .string(name)]]
        let answer = try await cluster.intruder.send(
            APIRequest(
                method: .post, path: "/api/v1/namespaces/bylaw-system/secrets", contentType: "application/json",
                body: body.jsonBytes()), what: "make a Secret to bind a token to")
        return (name, try #require(try parseJSON(answer)["metadata"]?["uid"]?.string))
    }
}

extension ClusterUnderTest {
    fileprivate func delete(_ request: APIRequest) async throws {
        _ = try await intruder.send(request, what: "delete \(request.path)")
    }
}
