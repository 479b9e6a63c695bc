import EmbeddedCluster
import Foundation
import JSON
import Manifest
import TestSupport
import Testing

/// Several instances on one cluster, each for a folder of one repository.
@Suite struct ShardTests {
    private let cluster: ClusterUnderTest
    private let programs: [Program]
    private let repository: PolicyRepository
    /// Of this test alone: they run at the same time on one cluster.
    private let names: [String]

    init() async throws {
        cluster = try ClusterUnderTest()
        programs = try (0..<3).map { _ in try Program() }
        repository = try await PolicyRepository()
        let suffix = UUID().uuidString.prefix(8).lowercased()
        names = ["a", "b", "c"].map { "e2e-shard-\($0)-\(suffix)" }
        for name in names { try repository.write(teamManifests(name), to: "shards/\(name)/team.yaml") }
    }

    private func flags(_ shard: Int) -> [String] {
        programs[shard].flags(repository: repository, cluster: cluster, instance: names[shard])
            + ["--path", "shards/\(names[shard])"]
    }

    private func sync(_ shard: Int) async throws -> Program.Outcome {
        try await programs[shard].run(["sync"] + flags(shard))
    }

    private func configuration(_ namespace: String, others: [String]) -> String {
        """
        apiVersion: bylaw.dev/v1
        kind: Configuration
        scopes:
          rules:
          - {namespaces: [\(namespace)], mode: enforce}
          otherInstances: [\(others.joined(separator: ", "))]

        """
    }

    @Test func disjointInstancesLeaveEachOtherAloneAndGiveOneHistory() async throws {
        try await repository.commit("Begin")
        let runs = try names.indices.map {
            try RunningProgram(programs[$0], ["run", "--interval", "200ms"] + flags($0))
        }
        for run in runs { try await run.untilItSays("Synced") }
        // Each one corrects its own drift.
        for name in names {
            let role = ObjectID(.role, namespace: name, name: "reader")
            try await cluster.mergePatch(role, #"{"rules":[{"apiGroups":["*"],"resources":["*"],"verbs":["*"]}]}"#)
            try await eventually("\(name) is as declared") {
                try await cluster.object(role)?["rules"]?.array?.first?["resources"]?.array == ["pods"]
            }
        }
        for run in runs { try await run.stop() }
        for (shard, program) in programs.enumerated() {
            let changed = try await program.entries(["--reason", "DriftCorrected"])
            #expect(changed.compactMap { $0["object"]?["namespace"]?.string } == [names[shard]])
        }
        let history = programs[0].folder.path + "/history.sqlite"
        let merge = ["journal", "merge", "--into", history] + programs.map(\.journal)
        let refused = try await programs[0].run(merge)
        #expect(refused.status == 2 && refused.errors.contains("--different-instances"), "\(refused.errors)")
        let merged = try await programs[0].run(merge + ["--different-instances", "-o", "json"])
        #expect(merged.status == 0, "\(merged.errors)")
        let answer = try parseJSON(Array(merged.output.utf8))
        #expect(answer["logs"]?.array?.count == 3)
        let verified = try await programs[0].run(["journal", "verify", history, "-o", "json"])
        #expect(verified.status == 0, "\(verified.output)")
        let listed = try await programs[0].run(
            ["journal", "list", "--journal", history, "--reason", "DriftCorrected", "-o", "json"])
        let items = try #require(try parseJSON(Array(listed.output.utf8))["items"]?.array)
        #expect(items.compactMap { $0["instance"]?.string } == names)
        let sequence = try #require(items.last?["sequence"]?.integer)
        let moment = try #require(items.last?["time"]?.string)
        let shown = try await programs[0].run(["journal", "show", "\(sequence)", "--journal", history])
        #expect(
            shown.output.contains("bylaw.dev/journal/") && shown.output.contains("bylaw started"), "\(shown.output)")
        let proof = try await programs[0].run(["journal", "prove", "\(sequence)", "--journal", history])
        try proof.output.write(toFile: programs[0].folder.path + "/proof.json", atomically: true, encoding: .utf8)
        let key = try await programs[2].run(["journal", "key", "--journal", programs[2].journal]).output
        let proven = try await programs[0].run(
            [
                "journal", "verify", programs[0].folder.path + "/proof.json", "--key",
                key.trimmingCharacters(in: .newlines),
            ])
        #expect(proven.status == 0, "\(proven.output)\(proven.errors)")
        let access = try await programs[0].run(
            ["who-can", "list", "pods", "-n", names[1], "--at", moment, "--journal", history, "--instance", names[1]])
        #expect(access.output.contains("team-\(names[1])"), "\(access.output)\(access.errors)")
        let run = try await programs[0].run(["sync"] + flags(0) + ["--journal", history])
        #expect(run.status == 2)
    }

    @Test func anObjectThatTwoInstancesDeclareStaysWithTheFirst() async throws {
        try await repository.commit("Begin")
        for shard in 0..<2 { #expect(try await sync(shard).status == 0) }
        let role = ObjectID(.role, namespace: names[0], name: "reader")
        let before = try #require(try await cluster.object(role))
        try repository.write(roleManifest("reader", in: names[0]), to: "shards/\(names[1])/stolen.yaml")
        try await repository.commit("Declare it twice")
        let runs = try (0..<2).map { try RunningProgram(programs[$0], ["run", "--interval", "200ms"] + flags($0)) }
        try await runs[1].untilItSays("OwnershipConflict")
        for run in runs { try await run.untilItSays("Synced") }
        // Its first owner goes on to correct it, and nobody else writes it.
        try await cluster.mergePatch(role, #"{"rules":[]}"#)
        try await eventually("its owner corrects it") {
            try await cluster.object(role)?["rules"] == before["rules"]
        }
        for run in runs { try await run.stop() }
        let after = try #require(try await cluster.object(role))
        #expect(after["metadata"]?["labels"]?["bylaw.dev/instance"]?.string == names[0])
        #expect(try await programs[1].entries(["--reason", "OwnershipConflict"]).count == 1)
        #expect(try await programs[1].entries(["--name", "reader", "-n", names[0], "--outcome", "succeeded"]).isEmpty)
        #expect(try await programs[0].entries(["--reason", "OwnershipConflict"]).isEmpty)
        #expect(try await programs[0].entries(["--reason", "DriftCorrected"]).count == 1)
    }

    @Test func aScopeWithObjectsOfAnInstanceThatIsNotNamedIsNotEnforced() async throws {
        try await repository.commit("Begin")
        #expect(try await sync(0).status == 0)
        // The third one closes the namespace of the first, and an approval does not help.
        try repository.write(configuration(names[0], others: []), to: "shards/\(names[2])/bylaw.yaml")
        try await repository.commit("Close it", approvals: PolicyRepository.approvingEverything)
        let refused = try await sync(2)
        #expect(refused.status == 1, "\(refused.output)\(refused.errors)")
        let told = try await programs[2].entries(["--reason", "ConfigurationHeld"])
        #expect(told.first?["message"]?.string?.contains("otherInstances") == true, "\(told)")
        let policy = ObjectID(.networkPolicy, namespace: names[0], name: "default-deny")
        let uid = try #require(try await cluster.object(policy)?["metadata"]?["uid"])
        #expect(try await cluster.object(policy)?["metadata"]?["uid"] == uid)
        try repository.write(configuration(names[0], others: [names[0]]), to: "shards/\(names[2])/bylaw.yaml")
        try await repository.commit("Name the other one")
        #expect(try await sync(2).status != 2)
        #expect(try await cluster.object(policy)?["metadata"]?["uid"] == uid, "it was neither removed nor made anew")
        #expect(try await programs[2].entries(["--reason", "UndeclaredRemoved"]).isEmpty)
        // What nobody made goes.
        let rogue = ObjectID(.networkPolicy, namespace: names[0], name: "rogue")
        try await cluster.create(ClosedWorldTests.allowAll(rogue), as: rogue)
        _ = try await sync(2)
        #expect(try await cluster.object(rogue) == nil)
        #expect(try await sync(0).status == 0)
    }

    /// They see the name free at the same moment, and each makes it.
    @Test func instancesThatMakeOneObjectAtOnceDoNotFight() async throws {
        try await repository.commit("Begin")
        let runs = try names.indices.map {
            try RunningProgram(programs[$0], ["run", "--interval", "200ms"] + flags($0))
        }
        for run in runs { try await run.untilItSays("Synced") }
        for round in 0..<5 {
            for name in names {
                try repository.write(
                    clusterRoleManifest("\(names[0])-\(round)"), to: "shards/\(name)/shared-\(round).yaml")
            }
        }
        let commit = try await repository.commit("Declare it three times")
        for run in runs { try await run.untilItSynced(commit) }
        func versions() async throws -> [String?] {
            var found: [String?] = []
            for round in 0..<5 {
                let object = try await cluster.object(ObjectID(.clusterRole, name: "\(names[0])-\(round)"))
                found.append(object?["metadata"]?["resourceVersion"]?.string)
            }
            return found
        }
        var last = try await versions()
        try await eventually("nobody writes them any more") {
            try await Task.sleep(for: .seconds(2))
            let now = try await versions()
            defer { last = now }
            return now == last && !now.contains(nil)
        }
        for run in runs { try await run.stop() }
        var made = 0
        var left: Set<String> = []
        for (program, name) in zip(programs, names) {
            for entry in try await program.entries(["--kind", "ClusterRole"]) {
                made += entry["reason"] == "RevisionChanged" && entry["outcome"] == "succeeded" ? 1 : 0
                guard entry["reason"] == "OwnershipConflict" else { continue }
                left.insert(name + (entry["object"]?["name"]?.string ?? ""))
            }
        }
        #expect(made == 5)
        #expect(left.count == 10, "\(left.sorted())")
    }

    /// The second one has seen the name free, and its request arrives when the first one has made the object.
    @Test func aRequestThatCrossesThatOfAnotherInstanceEndsInNoFight() async throws {
        let cluster = try ClusterUnderTest(isEmbedded: true)
        try repository.write(clusterRoleManifest("shared"), to: "shards/\(names[0])/shared.yaml")
        try repository.write(clusterRoleManifest("shared"), to: "shards/\(names[1])/shared.yaml")
        try await repository.commit("Declare it twice")
        cluster.inject(
            "PATCH", "/clusterroles/shared", .late, after: .seconds(3), fieldManager: "bylaw-\(names[1])")
        let runs = try [1, 0].map { shard in
            try RunningProgram(
                programs[shard],
                ["run", "--interval", "200ms", "--path", "shards/\(names[shard])"]
                    + programs[shard].flags(repository: repository, cluster: cluster, instance: names[shard]))
        }
        for run in runs { try await run.untilItSays("Synced") }
        let id = ObjectID(.clusterRole, name: "shared")
        try await runs[0].untilItSays("OwnershipConflict")
        #expect(try await cluster.object(id)?["metadata"]?["labels"]?["bylaw.dev/instance"]?.string == names[0])
        // Both go on to look at it, and nobody writes it again.
        let version = try await cluster.object(id)?["metadata"]?["resourceVersion"]
        let commit = try await repository.commit("Nothing else")
        for run in runs { try await run.untilItSynced(commit) }
        #expect(try await cluster.object(id)?["metadata"]?["resourceVersion"] == version)
        for run in runs { try await run.stop() }
        let first = try await programs[0].entries(["--name", "shared"]).compactMap { $0["reason"]?.string }
        #expect(first == ["RevisionChanged"])
        let second = try await programs[1].entries(["--name", "shared"])
        #expect(second.count { $0["reason"] == "OwnershipConflict" } == 1, "\(second)")
        #expect(!second.contains { $0["outcome"] == "succeeded" }, "\(second)")
    }
}
