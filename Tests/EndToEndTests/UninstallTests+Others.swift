import EmbeddedCluster
import Foundation
import JSON
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

    // MARK: What it made

    /// Another replica's journal has it, or a journal that is lost.
    @Test func whatTheJournalDoesNotTellOfStaysWithItsMarker() async throws {
        let other = program.folder.path + "/other.sqlite"
        var flags = flags
        flags[try #require(flags.firstIndex(of: "--journal")) + 1] = other
        let sync = try await program.run(["sync"] + flags)
        #expect(sync.status == 0, "\(sync.output)\(sync.errors)")
        let foreign = ["uninstall", "--kubeconfig", flag("--kubeconfig"), "--instance", instance, "--journal", other]
        let listed = try await program.run(foreign + ["-o", "json"])
        #expect(listed.output.contains("10 objects would stay with the marker"), "\(listed.output)")
        let done = try await program.run(foreign + ["--confirm", instance])
        #expect(done.status == 1, "\(done.output)\(done.errors)")
        #expect(
            done.output.contains(
                "left    \(role("reader")): it carries the marker, which anybody can write, and this journal does not say"
            ),
            "\(done.output)")
        for id in made + [team] { #expect(try await label(id) == instance, "\(id)") }
        // The one in which it was made proves it.
        let proven = try await uninstall("--confirm", instance)
        #expect(proven.status == 0, "\(proven.output)\(proven.errors)")
        for id in made { #expect(try await cluster.object(id) == nil, "\(id)") }
    }

    /// It was handed over, and what is found later was there before.
    @Test func whatWasHandedOverAndTakenOverAgainStays() async throws {
        let handed = try await uninstall("--keep-objects", "--confirm", instance)
        #expect(handed.status == 0, "\(handed.output)\(handed.errors)")
        let sync = try await program.run(["sync"] + flags)
        #expect(sync.status == 0, "\(sync.output)\(sync.errors)")
        #expect(try await label(role("reader")) == instance)
        let done = try await uninstall("--confirm", instance, "--namespaces")
        #expect(done.status == 0, "\(done.output)\(done.errors)")
        #expect(done.output.contains("10 unmarked\n"), "\(done.output)")
        for id in made + [team] {
            #expect(try await cluster.object(id) != nil, "\(id)")
            #expect(try await label(id) == nil, "\(id)")
        }
    }

    private func declareMore(_ name: String) async throws -> Program.Outcome {
        try repository.write(
            """
            apiVersion: rbac.authorization.k8s.io/v1
            kind: Role
            metadata: {name: \(name), namespace: \(namespace)}
            rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
            """, to: "more.yaml")
        try await repository.commit("One more")
        return try await program.run(["sync"] + flags)
    }

    /// An admission webhook, or whoever is quick, changes what is made.
    @Test(.enabled(if: !ClusterUnderTest.isReal, "skipped: a real server has no faults on demand"))
    func whatIsCorrectedAtOnceWasMadeAllTheSame() async throws {
        cluster.inject(
            "PATCH", "/roles/more",
            .altered(by: ["rules": [["apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]]]]))
        let sync = try await declareMore("more")
        #expect(sync.status == 0, "\(sync.output)\(sync.errors)")
        #expect(try await cluster.object(role("more"))?["rules"]?.array?.first?["resources"] == ["pods"])
        let told = try await program.entries(["--kind", "Role"]).filter { $0["object"]?["name"] == "more" }
        #expect(told.map { $0["action"] } == ["create"], "\(told)")
        let done = try await uninstall("--confirm", instance)
        #expect(done.status == 0, "\(done.output)\(done.errors)")
        #expect(try await cluster.object(role("more")) == nil)
    }

    /// Between the deletion and the creation of one that is made anew somebody takes the name.
    @Test(.enabled(if: !ClusterUnderTest.isReal, "skipped: a real server has no faults on demand"))
    func whatSomebodyElseMadeInBetweenWasTakenOver() async throws {
        let id = binding("config")
        var stranger = try #require(try await cluster.object(id))
        stranger.set(["metadata", "labels"], to: nil)
        stranger.set(["metadata", "annotations"], to: nil)
        stranger.set(["roleRef", "name"], to: "reader")
        stranger.set(["subjects"], to: [["kind": "User", "name": "eve", "apiGroup": "rbac.authorization.k8s.io"]])
        try repository.write(
            teamManifests(namespace).replacing("kind: Role, name: config}", with: "kind: Role, name: reader}"),
            to: "team.yaml")
        try await repository.commit("Bind another role")
        cluster.inject("PATCH", "/rolebindings/config", .late, after: .seconds(2))
        let run = try RunningProgram(program, ["sync"] + flags, named: "sync")
        try await eventually("it is deleted") { try await cluster.object(id) == nil || !run.isRunning }
        try await cluster.create(stranger, as: id)
        try await eventually("it ends") { !run.isRunning }
        #expect(run.status == 0, "\(run.text)")
        let uid = try #require(try await cluster.object(id)?["metadata"]?["uid"])
        let told = try await program.entries(["--kind", "RoleBinding"])
            .filter { $0["object"]?["name"] == "config" && $0["object"]?["uid"] == uid }
        #expect(told.map { $0["action"] } == ["adopt"], "\(told)")
        #expect(told.first?["message"]?.string?.contains("another one came in its place") == true, "\(told)")
        let done = try await uninstall("--confirm", instance)
        #expect(done.output.contains("unmark  \(id)"), "\(done.output)\(done.errors)")
        #expect(try await cluster.object(id) != nil)
    }

    @Test(.enabled(if: !ClusterUnderTest.isReal, "skipped: who asks is made up"))
    func aNamespaceStaysThatHoldsWhatGivesTheCallerTheirRights() async throws {
        answerWhoAsks("ana", groups: ["team-\(namespace)"])
        let done = try await uninstall("--confirm", instance, "--namespaces")
        #expect(done.status == 1, "\(done.output)\(done.errors)")
        #expect(
            done.output.contains("left    \(team): it gives whoever does this their rights, or holds what does"),
            "\(done.output)")
        #expect(try await cluster.object(binding("reader")) != nil)
    }

    // MARK: What is not known

    /// Before the marker came off it was killed: what is there is the same but for the marker.
    @Test(.enabled(if: !ClusterUnderTest.isReal, "skipped: a real server has no faults on demand"))
    func aRunSettlesAHandoverByTheMarker() async throws {
        cluster.inject("PATCH", "/namespaces/\(namespace)", .late, after: .seconds(20))
        let run = try RunningProgram(program, ["uninstall", "--confirm", instance] + places, named: "uninstall")
        try await eventually("it is sent") { cluster.waitingFaults == 0 || !run.isRunning }
        try await run.crash()
        #expect(try await label(team) == instance)
        let sync = try await program.run(["sync"] + flags)
        #expect(sync.status == 0, "\(sync.output)\(sync.errors)")
        let told = try await program.entries(["--kind", "Namespace"]).filter {
            $0["message"]?.string?.contains("take the marker off") == true
        }
        #expect(told.map { $0["outcome"] } == ["abandoned"], "\(told)")
        #expect(try await label(team) == instance)
    }

    @Test(.enabled(if: !ClusterUnderTest.isReal, "skipped: a real server has no faults on demand"))
    func aListingOfNothingTellsOfOpenChanges() async throws {
        let done = try await uninstall("--confirm", instance)
        #expect(done.status == 0, "\(done.output)\(done.errors)")
        cluster.inject("PATCH", "/namespaces/\(namespace)?", .late, after: .seconds(60))
        let run = try RunningProgram(program, ["sync"] + flags, named: "sync")
        try await eventually("it is sent") { cluster.waitingFaults == 0 || !run.isRunning }
        try await run.crash()
        for id in made { #expect(try await cluster.object(id) == nil, "\(id)") }
        let listed = try await uninstall("-o", "json")
        #expect(listed.status == 1, "\(listed.output)\(listed.errors)")
        let warnings = try parseJSON(Array(listed.output.utf8))["warnings"]?.array?.compactMap(\.string) ?? []
        #expect(warnings.contains { $0.contains("of the instance without an outcome") }, "\(listed.output)")
    }
}
