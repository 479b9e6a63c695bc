import Foundation
import KubeClient
import KubeProtocol
import Manifest
import Testing

/// Incidents as Kubernetes Events about the objects concerned, for `kubectl describe`.
@Suite struct IncidentEventTests {
    private func events(about id: ObjectID, on cluster: ClusterUnderTest) async throws -> [Tree] {
        let body = try await cluster.intruder.send(
            .list(.event, namespace: id.namespace), what: "list events")
        return (try decode(body)["items"]?.array ?? []).filter {
            $0["regarding"]?["name"]?.string == id.name && $0["regarding"]?["kind"]?.string == id.kind
        }
    }

    @Test func driftIsToldOnItsObjectOnceAndCounted() async throws {
        let namespace = "e2e-events-" + UUID().uuidString.prefix(8).lowercased()
        let cluster = try ClusterUnderTest()
        let program = try Program()
        let repository = try await PolicyRepository()
        try repository.write(teamManifests(namespace), to: "team.yaml")
        try await repository.commit("A team")
        let run = try RunningProgram(
            program,
            ["run", "--interval", "500ms"]
                + program.flags(repository: repository, cluster: cluster, instance: namespace))
        try await run.untilItSays("Synced")
        let deny = ObjectID(.networkPolicy, namespace: namespace, name: "default-deny")
        let dns = ObjectID(.networkPolicy, namespace: namespace, name: "allow-dns")
        for id in [deny, dns] {
            for round in 1...3 {
                try await cluster.mergePatch(id, #"{"spec":{"egress":[{}]}}"#)
                try await eventually("\(id) is put back for the \(round)th time") {
                    try await program.entries(["--name", id.name, "--reason", "DriftCorrected"]).count == round
                }
            }
        }
        for id in [deny, dns] {
            try await eventually("an event about \(id)") {
                try await events(about: id, on: cluster).contains { $0["series"]?["count"]?.integer == 2 }
            }
            let found = try await events(about: id, on: cluster)
            #expect(found.count == 1, "\(found)")
            let event = try #require(found.first)
            #expect(event["reason"]?.string == "DriftCorrected")
            #expect(event["type"]?.string == "Normal")
            #expect(event["reportingController"]?.string == "bylaw.dev/controller")
            #expect(event["regarding"]?["uid"]?.string == (try await cluster.object(id))?["metadata"]?["uid"]?.string)
            let note = try #require(event["note"]?.string)
            #expect(note.contains("bylaw runbook show DriftCorrected"))
            #expect(!note.contains("egress"), "an event tells no rule: \(note)")
        }
        try await run.stop()
        #expect(run.status == 0)
    }
}
