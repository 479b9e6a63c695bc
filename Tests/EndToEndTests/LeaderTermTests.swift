import Foundation
import Manifest
import Testing

/// Replicas with a journal each, as the program runs them.
@Suite struct LeaderTermTests {
    @Test(.enabled(if: ClusterUnderTest.isReal, "\(ClusterUnderTest.absence)"))
    func aReplicaThatLeadsAgainGivesBackNothingThatWasRevokedMeanwhile() async throws {
        let scene = try await LeadershipScene("term")
        let extra = ObjectID(.role, namespace: scene.name, name: "extra")
        try scene.repository.write(roleManifest("extra", in: scene.name), to: "extra.yaml")
        let granted = try await scene.repository.commit("Grant")
        let first = try await scene.start("a")
        try await first.run.untilItSynced(granted)
        try await first.run.stop()
        #expect(try await scene.cluster.object(extra) != nil)

        try scene.repository.remove("extra.yaml")
        let revoked = try await scene.repository.commit("Revoke")
        let second = try await scene.start("b")
        try await second.run.untilItSynced(revoked)
        try await second.run.stop()
        #expect(try await scene.cluster.object(extra) == nil)

        try scene.repository.write("kind: Nonsense\n", to: "broken.yaml")
        try await scene.repository.commit("Break it")
        let third = try await scene.start("a", journal: first.program.journal)
        try await third.run.untilItSays("RevisionInvalid")
        #expect(try await scene.cluster.object(extra) == nil)
        try scene.repository.remove("broken.yaml")
        let mended = try await scene.repository.commit("Mend it")
        try await third.run.untilItSynced(mended)
        try await third.run.stop()
        #expect(try await scene.cluster.object(extra) == nil)
        let entries = try await third.program.entries(["--name", "extra", "-n", scene.name])
        #expect(entries.compactMap { $0["action"]?.string } == ["create"], "\(entries)")
        let starts = try await third.program.entries(["--reason", "Started"])
        #expect(starts.count { $0["message"]?.string?.contains("another replica may have led") == true } == 1)
    }

    /// The journal of who takes over does not have them, and no later commit says them again.
    @Test(.enabled(if: ClusterUnderTest.isReal, "\(ClusterUnderTest.absence)"))
    func whatOneReplicaLetThroughByAnApprovalTheOtherDoesNotHoldAgain() async throws {
        let scene = try await LeadershipScene("approved")
        let configuration = """
            apiVersion: bylaw.dev/v1
            kind: Configuration
            scopes:
              rules:
              - {namespaces: [\(scene.name)], kinds: [NetworkPolicy], mode: enforce}

            """
        try scene.repository.write(configuration, to: "bylaw.yaml")
        let stranger = ObjectID(.networkPolicy, namespace: scene.name, name: "stranger")
        let first = try await scene.start("a")
        try await first.run.untilItSynced(try await scene.repository.commit("Begin"))
        let egress = """
            apiVersion: networking.k8s.io/v1
            kind: NetworkPolicy
            metadata: {name: outside, namespace: \(scene.name)}
            spec: {podSelector: {}, policyTypes: [Egress], egress: [{}]}
            """
        try scene.repository.write(egress, to: "outside.yaml")
        let approved = try await scene.repository.commit(
            "Let it reach others\n\nBylaw-Approved: external-access NetworkPolicy \(scene.name)/outside by Ann")
        try await first.run.untilItSynced(approved)
        try scene.repository.write(roleManifest("more", in: scene.name), to: "more.yaml")
        let last = try await scene.repository.commit("Something else")
        try await first.run.untilItSynced(last)
        let held = try await first.program.entries(["--reason", "ApprovalMissing"])
        #expect(held.isEmpty, "\(held)")
        try await first.run.stop()

        let second = try await scene.start("b")
        try await second.run.untilItSynced(last)
        try await scene.cluster.create(ClosedWorldTests.allowAll(stranger), as: stranger)
        try await eventually(within: .seconds(30), "the stranger is gone") {
            try await scene.cluster.object(stranger) == nil
        }
        try await second.run.stop()
        for reason in ["ApprovalMissing", "ConfigurationHeld"] {
            let held = try await second.program.entries(["--reason", reason])
            #expect(held.isEmpty, "\(held)")
        }
    }
}
