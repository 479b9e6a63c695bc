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
}
