import EmbeddedCluster
import Foundation
import Manifest
import TestSupport
import Testing

/// Who uninstalls, and what others do meanwhile.
extension UninstallTests {
    // MARK: Who does it

    private func answerWhoAsks(_ name: String, groups: [String]) {
        let groups = Tree.array((groups + ["system:authenticated"]).map(Tree.string))
        cluster.inject(
            "POST", "/selfsubjectreviews",
            .answer(
                status: 201, body: ["status": ["userInfo": ["username": .string(name), "groups": groups]]], text: "",
                retryAfter: nil), count: 20)
    }

    @Test(.enabled(if: !ClusterUnderTest.isReal, "skipped: who asks is made up"))
    func whatGivesTheCallerTheirRightsStays() async throws {
        answerWhoAsks("ana", groups: ["team-\(namespace)"])
        let done = try await uninstall("--confirm", instance)
        #expect(done.status == 1, "\(done.output)\(done.errors)")
        for id in [binding("reader"), role("reader"), binding("config"), role("config")] {
            #expect(
                done.output.contains("left    \(id): it gives whoever does this their rights"), "\(done.output)")
            #expect(try await label(id) == instance)
        }
        #expect(try await cluster.object(ObjectID(.serviceAccount, namespace: namespace, name: "app")) == nil)
    }

    @Test(.enabled(if: !ClusterUnderTest.isReal, "skipped: who asks is made up"))
    func whoeverIsNotKnownDeletesNothing() async throws {
        cluster.inject(
            "POST", "/selfsubjectreviews",
            .answer(status: 404, body: nil, text: "404 page not found", retryAfter: nil), count: 20)
        let before = try await cluster.versions(prefix: namespace)
        let done = try await uninstall("--confirm", instance)
        #expect(done.status == 2 && done.errors.contains("does not tell who asks"), "\(done.output)\(done.errors)")
        let listed = try await uninstall()
        #expect(listed.status == 2 && listed.errors.contains("does not tell who asks"), "\(listed.errors)")
        #expect(try await cluster.versions(prefix: namespace) == before)
        let keeping = try await uninstall("--keep-objects", "--confirm", instance)
        #expect(keeping.status == 0, "\(keeping.output)\(keeping.errors)")
    }

    /// Whoever does it from elsewhere does not take away what Bylaw runs in.
    @Test(.enabled(if: !ClusterUnderTest.isReal, "skipped: who asks is made up"))
    func whereBylawRanIsKnownFromElsewhere() async throws {
        let warning = "In which namespace Bylaw itself runs is not known"
        let unknown = try await uninstall()
        #expect(unknown.output.contains(warning), "\(unknown.output)")
        answerWhoAsks("system:serviceaccount:\(namespace):bylaw", groups: ["system:masters"])
        _ = try await program.run(["sync"] + flags)
        cluster.clearFaults()
        let known = try await uninstall("--namespaces")
        #expect(!known.output.contains(warning), "\(known.output)")
        for id in made + [team] {
            #expect(known.output.contains("leave   \(id): it is protected"), "\(known.output)")
        }
    }

    // MARK: What others do meanwhile

    /// Starts it and does something while it waits for the answer to a request.
    private func uninstall(
        waitingFor method: String, _ pathPart: String, _ effect: Fault.Effect, meanwhile: () async throws -> Void
    ) async throws -> RunningProgram {
        cluster.inject(method, pathPart, effect, after: .seconds(2))
        let run = try RunningProgram(program, ["uninstall", "--confirm", instance] + places, named: "uninstall")
        try await eventually("\(method) \(pathPart) is sent") { cluster.waitingFaults == 0 || !run.isRunning }
        try await meanwhile()
        try await eventually("it ends") { !run.isRunning }
        return run
    }

    @Test(.enabled(if: !ClusterUnderTest.isReal, "skipped: a real server has no faults on demand"))
    func whatIsMadeAgainMeanwhileIsTold() async throws {
        let copy = try #require(try await cluster.object(role("reader")))
        let run = try await uninstall(waitingFor: "PATCH", "/namespaces/\(namespace)", .late) {
            try await cluster.create(copy, as: role("reader"))
        }
        #expect(run.status == 1, "\(run.text)")
        #expect(run.text.contains("again   \(role("reader")): somebody has made or marked it anew"), "\(run.text)")
        #expect(run.count("again ") == 1)
    }

    /// The record tells what was deleted, and not what was there before somebody changed it.
    @Test(.enabled(if: !ClusterUnderTest.isReal, "skipped: a real server has no faults on demand"))
    func whatIsChangedMeanwhileIsRecordedAsItWasDeleted() async throws {
        let run = try await uninstall(
            waitingFor: "DELETE", "/rolebindings/config", Self.refusal(409, "Conflict")
        ) { try await cluster.annotateQuickly(binding("config"), with: "7") }
        #expect(run.status == 0, "\(run.text)")
        let told = try await entries().filter {
            $0["object"]?["kind"] == "RoleBinding" && $0["object"]?["name"] == "config"
        }
        #expect(told.count == 1)
        #expect(told.first?["before"]?["metadata"]?["annotations"]?["number"] == "7", "\(told)")
        try await expectProof()
    }
}
