import ChildProcess
import Foundation
import JSON
import Manifest
import TestSupport
import Testing

/// What an auditor does with a journal that a run has written.
@Suite struct EvidenceTests {
    private let program: Program
    private let cluster: ClusterUnderTest
    private let repository: PolicyRepository
    /// Of this test alone: they run at the same time on one cluster.
    private let namespace = "e2e-evidence-" + UUID().uuidString.prefix(8).lowercased()
    private var flags: [String] { program.flags(repository: repository, cluster: cluster, instance: namespace) }

    init() async throws {
        program = try Program()
        cluster = try ClusterUnderTest()
        repository = try await PolicyRepository()
        try repository.write(teamManifests(namespace), to: "team.yaml")
        try repository.write(role("pods"), to: "extra.yaml")
        try await repository.commit("Begin")
    }

    private func role(_ resource: String) -> String {
        """
        apiVersion: rbac.authorization.k8s.io/v1
        kind: Role
        metadata: {name: extra, namespace: \(namespace)}
        rules: [{apiGroups: [""], resources: [\(resource)], verbs: [get]}]
        ---
        apiVersion: rbac.authorization.k8s.io/v1
        kind: RoleBinding
        metadata: {name: extra, namespace: \(namespace)}
        roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: extra}
        subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: march}]
        """
    }

    private func journal(_ words: String...) async throws -> Program.Outcome {
        try await program.run(["journal"] + words + ["--journal", program.journal])
    }

    private func write(_ text: String, to name: String) throws -> String {
        let path = program.folder.path + "/" + name
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    @Test func wordsAreFoundAndYoungEntriesStay() async throws {
        let sync = try await program.run(["sync"] + flags)
        #expect(sync.status == 0, "\(sync.errors)")
        // A subject of a binding, which stands in no column of its own.
        let found = try await journal("list", "--search", "march", "-o", "json")
        let entries = try #require(try parseJSON(Array(found.output.utf8))["items"]?.array)
        #expect(entries.compactMap { $0["object"]?["kind"]?.string } == ["RoleBinding"])
        #expect(try await journal("list", "--search", "\"--\"").status == 2)
        let cut = try await journal("cut", "--journal-keep", "1d")
        #expect(cut.status == 1, "\(cut.output)\(cut.errors)")
        #expect(try await journal("cut").status == 2)
        #expect(try await journal("verify").status == 0)
    }

    @Test func aJournalIsProvenOffline() async throws {
        let sync = try await program.run(["sync", "-o", "json"] + flags)
        #expect(sync.status == 0, "\(sync.errors)")
        let note = try #require(try parseJSON(Array(sync.output.utf8))["checkpoint"]?.string)
        let checkpoint = try write(note, to: "kept.txt")
        let key = try write(try await journal("key").output, to: "bylaw.pub")

        let whole = try await journal("verify", "--key", key, "--checkpoint", checkpoint)
        #expect(whole.status == 0, "\(whole.output)\(whole.errors)")
        #expect(whole.output.contains("are as they were written"))

        let proof = try write(try await journal("prove", "3").output, to: "proof.json")
        let proven = try await program.run(["journal", "verify", proof, "--key", key])
        #expect(proven.status == 0, "\(proven.output)\(proven.errors)")
        let forged = try write(
            try String(contentsOfFile: proof, encoding: .utf8).replacing(namespace, with: "e2e-innocent"),
            to: "forged.json")
        let refused = try await program.run(["journal", "verify", forged, "--key", key])
        #expect(refused.status == 1, "\(refused.output)")
        #expect(try await program.run(["journal", "verify", proof]).status == 2)

        let export = try write(try await journal("export").output, to: "export.jsonl")
        let exported = try await program.run(
            ["journal", "verify", export, "--key", key, "--checkpoint", checkpoint, "-o", "json"])
        #expect(exported.status == 0, "\(exported.output)\(exported.errors)")
        let signed = try await journal("checkpoint")
        #expect(signed.status == 0, "\(signed.errors)")
        let csv = try await journal("export", "--format", "csv", "--reason", "RevisionChanged")
        #expect(csv.output.hasPrefix("sequence,time,instance"))
        #expect(csv.output.split(separator: "\r\n").count > 3)
    }

    /// The signature of another program over our key's file, and ours checked by it.
    @Test func opensslAgreesWithTheSignature() async throws {
        #expect(try await program.run(["sync"] + flags).status == 0)
        let note = try await journal("checkpoint").output
        let parts = note.components(separatedBy: "\n\n")
        let signature = try #require(parts.last?.split(separator: " ").last.map { String($0.dropLast()) })
        let bytes = try #require(Data(base64Encoded: signature))
        let folder = program.folder.path
        try Data(bytes.dropFirst(4)).write(to: URL(fileURLWithPath: folder + "/signature"))
        try (parts[0] + "\n").write(toFile: folder + "/text", atomically: true, encoding: .utf8)
        let result = try await runChildProcess(
            "/usr/bin/openssl",
            [
                "pkeyutl", "-verify", "-rawin", "-inkey", program.journal + ".key", "-sigfile", folder + "/signature",
                "-in", folder + "/text",
            ], environment: [:], directory: folder, input: [], maximumOutputBytes: 1 << 16, deadline: .seconds(30))
        #expect(result.outputText.contains("Signature Verified Successfully"), "\(result.errorText)")
    }

    @Test func whatWasInForceIsAnsweredFromTheJournal() async throws {
        #expect(try await program.run(["sync"] + flags).status == 0)
        let march = try await repository.git("rev-parse", "HEAD")
            .trimmingCharacters(in: .whitespacesAndNewlines)
        try repository.write(role("configmaps"), to: "extra.yaml")
        try await repository.commit("Other rights")
        #expect(try await program.run(["sync"] + flags).status == 0)

        func whoCan(_ resource: String, _ moment: [String]) async throws -> [String] {
            let answer = try await program.run(
                ["who-can", "get", resource, "-n", namespace, "-o", "json", "--journal", program.journal] + moment)
            #expect(answer.status == 0, "\(answer.errors)")
            return try parseJSON(Array(answer.output.utf8))["subjects"]?.array?.compactMap { $0["name"]?.string } ?? []
        }
        #expect(try await whoCan("pods", ["--at", march]).contains("march"))
        #expect(try await !whoCan("configmaps", ["--at", march]).contains("march"))
        #expect(try await whoCan("configmaps", ["--at", "0s"]).contains("march"))
        #expect(try await !whoCan("pods", ["--at", "0s"]).contains("march"))
        let state = try await journal("state", "--at", String(march.prefix(12)), "-o", "json")
        #expect(state.status == 0, "\(state.errors)")
        let list = try parseJSON(Array(state.output.utf8))
        #expect(list["kind"] == "List")
        #expect((list["items"]?.array?.count ?? 0) > 3)
        let unknown = try await journal("state", "--at", "1234567")
        #expect(unknown.status == 2)
        #expect(unknown.errors.contains("knows no revision"), "\(unknown.errors)")
    }

    @Test func aRunSignsAndSaysSo() async throws {
        let running = try RunningProgram(program, ["run", "--log-format", "json"] + flags)
        try await running.untilItSays("\"Checkpoint\"")
        try await running.stop()
        let report = try await journal("verify", "-o", "json")
        #expect(report.status == 0, "\(report.output)")
        let answer = try parseJSON(Array(report.output.utf8))
        #expect(answer["provenThrough"] == answer["lastSequence"])
        #expect(answer["areKeysItsOwn"] == true)
    }
}
