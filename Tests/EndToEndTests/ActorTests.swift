import ChildProcess
import Foundation
import JSON
import Manifest
import TestSupport
import Testing

/// Who made a drift, by the audit webhook and log of a real API server.
///
/// One after the other: the webhook goes to one address.
@Suite(.serialized, .enabled(if: ClusterUnderTest.isReal, "\(ClusterUnderTest.absence)")) struct ActorTests {
    let program: Program
    let cluster: ClusterUnderTest
    let repository: PolicyRepository
    let folder: String
    let namespace = "e2e-actors-\(UInt32.random(in: 0...UInt32.max))"

    init() async throws {
        program = try Program()
        cluster = try ClusterUnderTest()
        repository = try await PolicyRepository()
        folder = ProcessInfo.processInfo.environment["BYLAW_E2E_FOLDER"] ?? ""
        try repository.write(teamManifests(namespace), to: "team.yaml")
        try await repository.commit("Begin")
    }

    /// The edits of the drift test, each by somebody else, with the commands that people use.
    @Test(.timeLimit(.minutes(4))) func fiveEditsByFivePeopleAreProven() async throws {
        guard FileManager.default.fileExists(atPath: folder + "/audit.port") else {
            print("left out: this cluster sends no audit events")
            return
        }
        let port = try String(contentsOfFile: folder + "/audit.port", encoding: .utf8)
            .trimmingCharacters(in: .whitespacesAndNewlines)
        let flags = program.flags(repository: repository, cluster: cluster, instance: "actors")
        let running = try RunningProgram(
            program,
            [
                "run", "--interval", "1s", "--audit-listen", "127.0.0.1:\(port)", "--audit-token-file",
                folder + "/audit.token", "--audit-cert-file", folder + "/pki/apiserver.crt", "--audit-key-file",
                folder + "/pki/apiserver.key",
            ] + flags)
        try await running.untilItSays("Synced")
        let edits: [(user: String, object: String, command: [String])] = [
            (
                "ana", "default-deny",
                ["patch", "networkpolicy", "default-deny", "--type=merge", "-p", #"{"spec":{"ingress":[{}]}}"#]
            ),
            (
                "bo", "reader",
                [
                    "patch", "role", "reader", "--type=json", "-p",
                    #"[{"op":"add","path":"/rules/-","value":{"apiGroups":[""],"resources":["secrets"],"verbs":["get"]}}]"#,
                ]
            ),
            (
                "cleo", namespace,
                ["label", "namespace", namespace, "pod-security.kubernetes.io/enforce=privileged", "--overwrite"]
            ),
            ("dan", "reader", ["delete", "rolebinding", "reader"]),
            ("eve", "reader", ["delete", "role", "reader"]),
        ]
        for edit in edits {
            let kubeconfig = try await credentials(of: edit.user)
            let before = try await corrections().count
            try await kubectl(["--kubeconfig", kubeconfig, "-n", namespace] + edit.command)
            try await eventually(within: .seconds(60), "\(edit.object) is corrected") {
                try await corrections().count > before
            }
        }
        try await eventually(within: .seconds(90), "all five are identified") {
            try await identified().count >= edits.count
        }
        let found = try await identified()
        for edit in edits {
            let entry = try #require(
                found.last { $0["actor"]?["name"]?.string == edit.user }, "nobody says \(edit.user): \(found)")
            #expect(entry["actor"]?["certainty"] == "proven", "\(entry)")
            #expect(entry["object"]?["name"]?.string == edit.object, "\(entry)")
            let about = try #require(entry["refersTo"]?.integer)
            let drift = try await program.entries().first { $0["sequence"]?.integer == about }
            #expect(drift?["object"]?["name"]?.string == edit.object)
            #expect(drift?["reason"] == "DriftCorrected")
        }
        print(
            "audit webhook: \(found.map { "\($0["actor"]?["name"]?.string ?? "") \($0["actor"]?["certainty"]?.string ?? "")" })"
        )
        #expect(found.count == edits.count, "\(found)")
        try await running.stop()
        let report = try await program.run(["journal", "verify", "--journal", program.journal])
        #expect(report.status == 0, "\(report.output)")
    }

    func corrections() async throws -> [Tree] {
        try await program.entries(["--reason", "DriftCorrected"])
    }

    func identified() async throws -> [Tree] {
        try await program.entries(["--reason", "ActorIdentified"])
    }

    /// A user with a client certificate and every right.
    private func credentials(of user: String) async throws -> String {
        let pki = folder + "/pki"
        let scratch = program.folder.path
        let script = """
            set -e
            openssl req -newkey rsa:2048 -nodes -keyout \(user).key -out \(user).csr -subj /CN=\(user) 2>/dev/null
            openssl x509 -req -in \(user).csr -CA \(pki)/ca.crt -CAkey \(pki)/ca.key -set_serial 0x$(openssl rand -hex 8) \
                -days 1 -out \(user).crt 2>/dev/null
            sed -e "s,\(pki)/alice,\(scratch)/\(user),g" -e "s/alice/\(user)/g" \(folder)/alice.kubeconfig > \(user).kubeconfig
            """
        let result = try await runChildProcess(
            "/bin/bash", ["-c", script], environment: program.environment, directory: scratch, input: [],
            maximumOutputBytes: 1 << 16, deadline: .seconds(60))
        #expect(result.ending == .exited(0), "\(result.errorText)")
        let admin = folder + "/admin.kubeconfig"
        try await kubectl([
            "--kubeconfig", admin, "delete", "clusterrolebinding", "e2e-actors-\(user)", "--ignore-not-found",
        ])
        try await kubectl([
            "--kubeconfig", admin, "create", "clusterrolebinding", "e2e-actors-\(user)",
            "--clusterrole", "cluster-admin", "--user", user,
        ])
        return scratch + "/\(user).kubeconfig"
    }

    private func kubectl(_ words: [String]) async throws {
        let kubectl = try #require(ProcessInfo.processInfo.environment["BYLAW_E2E_KUBECTL"])
        let result = try await runChildProcess(
            kubectl, words, environment: program.environment, directory: program.folder.path, input: [],
            maximumOutputBytes: 1 << 16, deadline: .seconds(60))
        #expect(result.ending == .exited(0), "\(words): \(result.errorText)")
    }
}
