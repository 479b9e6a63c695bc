import Foundation
import JSON
import Manifest
import Testing

/// `kill -9` in the middle of a sync, again and again.
@Suite struct CrashTests {
    @Test func afterEachCrashTheNextStartSettlesAndConverges() async throws {
        let cluster = try ClusterUnderTest()
        let program = try Program()
        let repository = try await PolicyRepository()
        let teams = ClusterUnderTest.isReal ? 100 : 15
        let flags = program.flags(repository: repository, cluster: cluster, instance: "crash")
        var random = SystemRandomNumberGenerator()
        var crashes = 0
        var commit = ""
        for round in 0..<10 {
            for team in 0..<teams {
                try repository.write(teamManifests("e2e-crash-\(team)", round: round), to: "teams/\(team).yaml")
            }
            commit = try await repository.commit("Round \(round)")
            let run = try RunningProgram(program, ["run", "--interval", "200ms"] + flags, named: "crash")
            // The sync of a thousand objects takes seconds: somewhere in it, and not before its first write.
            try await run.untilItSays("Changed ")
            try await Task.sleep(for: .milliseconds(Int.random(in: 0..<(teams * 12), using: &random)))
            if run.isRunning { crashes += 1 }
            try await run.crash()
        }
        #expect(crashes == 10)

        let run = try RunningProgram(program, ["run", "--interval", "200ms"] + flags, named: "last")
        // The first pass may still be one of the revision that the journal remembers.
        try await run.untilItSynced(commit)
        try await run.stop()
        let plan = try await program.run(["plan"] + flags)
        #expect(plan.status == 0, "\(plan.output)\(plan.errors)")
        let last = try await cluster.object(ObjectID(.role, namespace: "e2e-crash-\(teams - 1)", name: "reader"))
        #expect(last?["metadata"]?["annotations"]?["example.com/round"]?.string == "9")

        // No intent is left without an outcome, and no object was written without an entry.
        let sync = try await program.run(["sync", "-o", "json"] + flags)
        #expect(sync.status == 0)
        let entries = try await program.entries(["--outcome", "succeeded"])
        let settled =
            entries.count { $0["reason"]?.string == "ActionInterrupted" }
            + (try await program.entries(["--outcome", "abandoned"])).count
        var journaled: [String: Set<String>] = [:]
        for entry in entries {
            guard let object = entry["object"], let name = object["name"]?.string else { continue }
            let key = "\(object["kind"]?.string ?? "") \(object["namespace"]?.string ?? "")/\(name)"
            if let version = entry["after"]?["metadata"]?["resourceVersion"]?.string {
                journaled[key, default: []].insert(version)
            }
        }
        var unknown: [String] = []
        for (id, version) in try await cluster.versions(prefix: "e2e-crash-") {
            let key = "\(id.kind) \(id.namespace)/\(id.name)"
            // Controllers write the status of namespaces and quotas by themselves.
            guard ![.namespace, .resourceQuota].contains(id.resource) else { continue }
            if journaled[key]?.contains(version) != true { unknown.append("\(key) at \(version)") }
        }
        #expect(unknown.isEmpty, "\(unknown.prefix(5))")
        print("\(crashes) crashes: \(settled) interrupted writes settled, \(journaled.count) objects, all journaled")
    }
}
