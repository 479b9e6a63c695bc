import EmbeddedCluster
import Foundation
import JSON
import KubeClient
import KubeProtocol
import Manifest
import TestSupport
import Testing
import YAML

/// `bylaw run --policy-sync`: what `kubectl get policysyncs` shows.
@Suite struct PolicySyncTests {
    private let program: Program
    private let repository: PolicyRepository
    /// Of this test alone: they run at the same time on one cluster.
    private let instance = "psync-" + UUID().uuidString.prefix(8).lowercased()
    private var namespace: String { "e2e-" + instance }
    private var place: String { namespace + "-status" }
    private var flags: [String] { ["--policy-sync", place + "/bylaw"] }

    init() async throws {
        program = try Program()
        repository = try await PolicyRepository()
    }

    // MARK: Steps

    /// The shipped component, in the namespace of this test.
    private func install(on cluster: ClusterUnderTest) async throws {
        try await create(
            ["apiVersion": "v1", "kind": "Namespace", "metadata": ["name": .string(place)]], .namespace, on: cluster)
        for file in ["definition", "object", "rbac"] {
            let path = "\(sourceRoot)/Deploy/components/policy-sync/\(file).yaml"
            for document in parseYAML([UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))).documents {
                var body = document.tree
                if body["metadata"]?["namespace"] != nil { body.set(["metadata", "namespace"], to: .string(place)) }
                let kinds: [Resource] = [.customResourceDefinition, .policySync, .role, .roleBinding]
                let resource = try #require(kinds.first { $0.kind == body["kind"]?.string })
                // The definition is one for all tests, and is served a moment after it was made.
                try await eventually("\(resource.kind) is made") {
                    (try? await create(body, resource, on: cluster)) != nil || resource == .customResourceDefinition
                }
            }
        }
    }

    private func create(_ body: Tree, _ resource: Resource, on cluster: ClusterUnderTest) async throws {
        let namespace = body["metadata"]?["namespace"]?.string ?? ""
        _ = try await cluster.intruder.send(
            .create(body, resource, namespace: namespace, fieldManager: "kubectl-create", isDryRun: false),
            what: "create \(resource.kind)")
    }

    private func start(
        on cluster: ClusterUnderTest, _ more: [String] = [], by program: Program? = nil
    ) throws -> RunningProgram {
        let program = program ?? self.program
        return try RunningProgram(
            program,
            ["run", "--interval", "300ms"] + more
                + program.flags(repository: repository, cluster: cluster, instance: instance))
    }

    private func status(on cluster: ClusterUnderTest) async throws -> Tree {
        let id = ObjectID(.policySync, namespace: place, name: "bylaw")
        let answer = try await cluster.intruder.send(.read(.policySync, id), what: "read \(id)")
        return try decode(answer)["status"] ?? [:]
    }

    private func condition(_ type: String, in status: Tree) -> Tree? {
        status["conditions"]?.array?.first { $0["type"]?.string == type }
    }

    /// Waits until the status says so; `Ready/True Drifted/False/Corrected` and the like.
    private func until(_ words: String, on cluster: ClusterUnderTest) async throws -> Tree {
        var found: Tree = [:]
        for word in words.split(separator: " ") {
            let parts = word.split(separator: "/").map(String.init)
            try await eventually("\(word) in \(found.jsonText())") {
                found = try await status(on: cluster)
                let told = condition(parts[0], in: found)
                return told?["status"]?.string == parts[1] && (parts.count < 3 || told?["reason"]?.string == parts[2])
            }
        }
        return found
    }

    // MARK: What it shows

    /// On an embedded cluster, since a drift that is put right is over before anybody could read of it.
    @Test func aDriftIsShownUntilItIsCorrected() async throws {
        let cluster = try ClusterUnderTest(isEmbedded: true)
        try await install(on: cluster)
        try repository.write(teamManifests(namespace), to: "team.yaml")
        let commit = try await repository.commit("A team")
        let run = try start(on: cluster, flags)
        let first = try await until("Ready/True Synced/True Drifted/False/NothingDrifted Held/False", on: cluster)
        #expect(first["revision"]?["commit"]?.string == commit)
        #expect(first["newestRevision"]?["subject"]?.string == "A team")
        #expect(first["repository"]?.string == repository.path)
        #expect(first["observedGeneration"] == 1)
        #expect(first["counts"]?["declared"] == 10 && first["counts"]?["inSync"] == 10, "\(first)")
        #expect(condition("Ready", in: first)?["observedGeneration"] == 1)

        let role = ObjectID(.role, namespace: namespace, name: "reader")
        cluster.inject(
            "PATCH", "/roles/reader", .answer(status: 500, body: nil, text: "down", retryAfter: nil), count: 100_000,
            fieldManager: "bylaw-" + instance)
        try await cluster.mergePatch(role, #"{"rules":[]}"#)
        let drifted = try await until("Drifted/True/Drifted Synced/False", on: cluster)
        #expect(drifted["counts"]?["drifted"] == 1, "\(drifted)")
        #expect(condition("Ready", in: drifted) == condition("Ready", in: first), "nothing has changed about that")

        cluster.clearFaults()
        let corrected = try await until("Drifted/False/Corrected Synced/True", on: cluster)
        let incident = corrected["lastIncident"]
        #expect(incident?["object"]?.string == "Role \(namespace)/reader", "\(corrected)")
        #expect(incident?["runbook"]?.string == "Runbooks/\(incident?["reason"]?.string ?? "").md", "\(corrected)")
        #expect(corrected["counts"]?["drifted"] == 0)
        try await run.stop()
        #expect(run.status == 0, "\(run.text)")
        let ended = try await status(on: cluster)
        #expect(condition("Ready", in: ended)?["status"] == "False")
        #expect(condition("Ready", in: ended)?["reason"] == "Stopped")
        for type in ["Synced", "Drifted", "Held"] { #expect(condition(type, in: ended)?["status"] == "Unknown") }
        #expect(ended["lastIncident"] == incident)
        #expect(try await cluster.object(role)?["rules"]?.array?.isEmpty == false)

        let again = try start(on: cluster, flags)
        let next = try await until("Ready/True Synced/True", on: cluster)
        #expect(next["lastIncident"] == incident, "what an earlier process told is not forgotten")
        #expect(condition("Synced", in: next)?["lastTransitionTime"] != nil)
        try await again.stop()
    }

    @Test func whatIsHeldIsShownAndKubectlShowsIt() async throws {
        let cluster = try ClusterUnderTest()
        try await install(on: cluster)
        try repository.write(teamManifests(namespace), to: "team.yaml")
        try await repository.commit("A team")
        let run = try start(on: cluster, flags)
        _ = try await until("Ready/True Synced/True Held/False", on: cluster)
        try repository.write(teamManifests(namespace) + secretManifests(namespace), to: "team.yaml")
        try await repository.commit("Let the team read secrets", approvals: [])
        let held = try await until("Held/True/ApprovalMissing Synced/False/ApprovalMissing", on: cluster)
        #expect(condition("Ready", in: held)?["status"] == "True", "\(held)")
        #expect(held["counts"]?["held"]?.integer ?? 0 >= 1, "\(held)")
        try repository.write(teamManifests(namespace), to: "team.yaml")
        let commit = try await repository.commit("Or not")
        _ = try await until("Held/False Synced/True", on: cluster)
        if let table = try await cluster.kubectl(["get", "psync", "bylaw", "--namespace", place]) {
            let lines = table.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
            try #require(lines.count == 2, "\(table)")
            #expect(
                lines[0] == ["NAME", "READY", "SYNCED", "DRIFTED", "HELD", "REVISION", "REPORTED", "AGE"], "\(table)")
            #expect(lines[1].prefix(6) == ["bylaw", "True", "True", "False", "False", String(commit.prefix(12))])
        }
        try await run.stop()
        #expect(run.status == 0, "\(run.text)")
    }

    @Test func aRefusedRevisionIsShown() async throws {
        let cluster = try ClusterUnderTest(isEmbedded: true)
        try await install(on: cluster)
        try repository.write(teamManifests(namespace), to: "team.yaml")
        let good = try await repository.commit("A team")
        let run = try start(on: cluster, flags)
        _ = try await until("Synced/True", on: cluster)
        try repository.write("kind: Nothing", to: "broken.yaml")
        let broken = try await repository.commit("Break it")
        let refused = try await until("Synced/False/RevisionInvalid Ready/True", on: cluster)
        #expect(refused["revision"]?["commit"]?.string == good)
        #expect(refused["newestRevision"]?["commit"]?.string == broken)
        #expect(refused["lastIncident"]?["reason"] == "RevisionInvalid")
        try await run.stop()
    }

    /// From the first moment on, since there is no controller that could tell.
    @Test func aJournalThatCannotBeOpenedIsShown() async throws {
        let cluster = try ClusterUnderTest(isEmbedded: true)
        try await install(on: cluster)
        try repository.write(teamManifests(namespace), to: "team.yaml")
        try await repository.commit("A team")
        let folder = program.folder.path + "/volume"
        let late = try Program(journal: folder + "/journal.sqlite")
        let run = try start(on: cluster, flags, by: late)
        let shown = try await until("Ready/False/JournalKeyUnusable Synced/Unknown Held/Unknown", on: cluster)
        #expect(shown["revision"] == nil, "\(shown)")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        _ = try await until("Ready/True Synced/True", on: cluster)
        try await run.stop()
    }

    // MARK: What it does not do

    @Test func withoutTheDefinitionEverythingElseGoesOn() async throws {
        let cluster = try ClusterUnderTest(isEmbedded: true)
        try repository.write(teamManifests(namespace), to: "team.yaml")
        let commit = try await repository.commit("A team")
        let run = try start(on: cluster, flags)
        try await run.untilItSynced(commit)
        try await run.untilItSays("The PolicySync cannot be written")
        let role = ObjectID(.role, namespace: namespace, name: "reader")
        try await cluster.mergePatch(role, #"{"rules":[]}"#)
        try await eventually("the rules are back") {
            try await cluster.object(role)?["rules"]?.array?.isEmpty == false
        }
        try await run.stop()
        #expect(run.status == 0)
        #expect(run.count("The PolicySync cannot be written") == 1, "\(run.text)")
        #expect(run.text.contains("Deploy/components/policy-sync"), "\(run.text)")
        let reasons = try await program.entries(["--incidents"]).compactMap { $0["reason"]?.string }
        #expect(reasons.allSatisfy { $0 == "DriftCorrected" }, "it is no incident: \(reasons)")
    }

    @Test func withoutTheFlagNothingIsWritten() async throws {
        let cluster = try ClusterUnderTest(isEmbedded: true)
        try await install(on: cluster)
        try repository.write(teamManifests(namespace), to: "team.yaml")
        let commit = try await repository.commit("A team")
        for more in [[], ["--policy-sync", "off"]] {
            let run = try start(on: cluster, more)
            try await run.untilItSynced(commit)
            try await run.stop()
            #expect(try await status(on: cluster) == [:])
        }
    }

    @Test func aPlaceThatIsNoneIsRefused() async throws {
        let cluster = try ClusterUnderTest(isEmbedded: true)
        let outcome = try await program.run(
            ["run", "--policy-sync", "bylaw"]
                + program.flags(repository: repository, cluster: cluster, instance: instance))
        #expect(outcome.status == 2)
        #expect(outcome.errors.contains("--policy-sync"), "\(outcome.errors)")
        #expect(outcome.errors.contains("bylaw-system/bylaw"), "\(outcome.errors)")
    }

    /// It is the same process, which begins anew; nobody is to think that it has ended.
    @Test func anotherConfigurationIsNoEnd() async throws {
        let cluster = try ClusterUnderTest(isEmbedded: true)
        try await install(on: cluster)
        try repository.write(teamManifests(namespace), to: "team.yaml")
        try await repository.commit("A team")
        let file = try program.folder.write("concurrent-writes: 3\n", to: "config.yaml")
        let run = try start(on: cluster, flags + ["--config", file])
        _ = try await until("Ready/True Synced/True", on: cluster)
        // What the one before has written last stays to be seen until this one is answered.
        cluster.inject("GET", "/policysyncs/bylaw", .late, after: .seconds(3))
        try program.folder.write("concurrent-writes: 4\n", to: "config.yaml")
        kill(run.processID, SIGHUP)
        try await eventually("the next one reads what is there: \(run.text)") { cluster.waitingFaults == 0 }
        let shown = try await status(on: cluster)
        #expect(condition("Ready", in: shown)?["reason"] != "Stopped", "\(shown)")
        try await eventually("it has begun anew") { run.count("Connected") == 2 }
        _ = try await until("Ready/True Synced/True", on: cluster)
        try await run.stop()
        #expect(condition("Ready", in: try await status(on: cluster))?["reason"] == "Stopped")
    }

    /// Neither the last write here nor a collector of traces that does not answer keeps another replica from leading.
    @Test func theLeaseIsGivenBackWhateverElseHangs() async throws {
        let cluster = try ClusterUnderTest(isEmbedded: true)
        try await install(on: cluster)
        try repository.write(teamManifests(namespace), to: "team.yaml")
        let commit = try await repository.commit("A team")
        let collector = try PythonServer(
            "import socket, time\ns = socket.socket()\ns.bind(('127.0.0.1', 0))\ns.listen(64)\n"
                + "print(s.getsockname()[1], flush=True)\ntime.sleep(900)", [])
        defer { collector.crash() }
        let run = try start(
            on: cluster,
            flags + [
                "--leader-elect", "--lease", place + "/bylaw", "--trace-endpoint", "http://127.0.0.1:\(collector.port)",
            ])
        try await run.untilItSynced(commit)
        _ = try await until("Ready/True Synced/True", on: cluster)
        cluster.inject("PATCH", "/policysyncs/bylaw/status", .late, after: .seconds(60), count: 1000)
        let told = ContinuousClock.now
        kill(run.processID, SIGTERM)
        try await run.untilItSays("The lease is given back")
        let passed = ContinuousClock.now - told
        #expect(passed < .seconds(2), "\(passed): \(run.text)")
        // Another signal would end it at once.
        try await eventually("it ends") { !run.isRunning }
        #expect(run.status == 0, "\(run.text)")
        #expect(run.text.contains("Spans were dropped"), "it was waited for as well: \(run.text)")
    }

    /// The fence of the client keeps a replica from writing that does not lead.
    @Test func aReplicaThatStandsByWritesNothing() async throws {
        let cluster = try ClusterUnderTest(isEmbedded: true)
        try await install(on: cluster)
        try repository.write(teamManifests(namespace), to: "team.yaml")
        try await repository.commit("A team")
        let more =
            flags + [
                "--leader-elect", "--lease", place + "/bylaw", "--lease-duration", "8s", "--lease-renew-deadline", "7s",
                "--lease-retry", "500ms",
            ]
        let first = try start(on: cluster, more)
        try await first.untilItSays("Leading")
        let other = try Program()
        let second = try start(on: cluster, more, by: other)
        try await second.untilItSays("Standing by")
        let shown = try await until("Ready/True Synced/True", on: cluster)
        let leader = try #require(shown["reporter"]?.string)
        try repository.write(teamManifests(namespace, round: 1), to: "team.yaml")
        let commit = try await repository.commit("Another round")
        try await eventually("the next revision") {
            try await status(on: cluster)["revision"]?["commit"]?.string == commit
        }
        #expect(try await status(on: cluster)["reporter"]?.string == leader)
        try await first.stop()
        try await eventually("the other one tells") {
            let now = try await status(on: cluster)
            return now["reporter"]?.string != leader && condition("Ready", in: now)?["status"] == "True"
        }
        try await second.stop()
        #expect(condition("Ready", in: try await status(on: cluster))?["reason"] == "Stopped")
    }
}
