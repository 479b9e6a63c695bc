import EmbeddedCluster
import Manifest
import TestSupport
import Testing

/// Taking admission policies away, which only later servers have.
@Suite struct PolicyUninstallTests {
    private let program: Program
    private let repository: PolicyRepository
    private let cluster: ClusterUnderTest
    private let namespace: String
    private let places: [String]
    private let instance: String
    private var name: String { "bylaw-\(instance)" }

    init() async throws {
        program = try Program()
        repository = try await PolicyRepository()
        cluster = try ClusterUnderTest(isEmbedded: true, servesAdmissionPolicies: true)
        let flags: [String]
        (namespace, flags) = program.ofThisRun("uninstall-prevention", repository: repository, cluster: cluster)
        let instance = String(namespace.dropFirst("e2e-".count))
        self.instance = instance
        places = [
            "--kubeconfig", cluster.kubeconfig, "--instance", instance, "--journal", program.journal, "--confirm",
            instance,
        ]
        try repository.write(teamManifests(namespace), to: "team.yaml")
        try repository.write(
            "apiVersion: bylaw.dev/v1\nkind: Configuration\nprevention: {enabled: true}\n", to: "bylaw.yaml")
        try await repository.commit("Prevent")
        let sync = try await program.run(["sync"] + flags)
        try #require(sync.status == 0, "\(sync.output)\(sync.errors)")
        try #require(try await cluster.object(.admissionPolicy, named: name) != nil)
    }

    private func expectProof() async throws {
        let verify = try await program.run(["journal", "verify", "--journal", program.journal])
        #expect(verify.status == 0, "\(verify.output)\(verify.errors)")
    }

    private func entriesAboutTheBinding() async throws -> [Tree] {
        try await program.entries(["--reason", "Uninstalled"])
            .filter { $0["object"]?["kind"]?.string == Resource.admissionPolicyBinding.kind }
    }

    /// Starts it and does something while the deletion of the binding waits.
    private func uninstall(
        after delay: Duration, _ effect: Fault.Effect, meanwhile: (RunningProgram) async throws -> Void
    ) async throws -> RunningProgram {
        cluster.inject("DELETE", "/validatingadmissionpolicybindings/", effect, after: delay)
        let run = try RunningProgram(program, ["uninstall"] + places, named: "uninstall")
        try await eventually("the deletion is sent") { cluster.waitingFaults == 0 || !run.isRunning }
        try await meanwhile(run)
        try await eventually("it ends") { !run.isRunning }
        return run
    }

    /// Also where objects stay: they would go on refusing what everybody does with them.
    @Test(arguments: [true, false]) func admissionPoliciesGoFirst(_ keepsObjects: Bool) async throws {
        let done = try await program.run(["uninstall"] + places + (keepsObjects ? ["--keep-objects"] : []))
        #expect(done.status == 0, "\(done.output)\(done.errors)")
        #expect(
            done.output.split(separator: "\n").prefix(2).allSatisfy { $0.contains("ValidatingAdmissionPolicy") },
            "\(done.output)")
        for resource in [Resource.admissionPolicy, .admissionPolicyBinding] {
            #expect(try await cluster.object(resource, named: name) == nil)
        }
        let role = ObjectID(.role, namespace: namespace, name: "reader")
        #expect((try await cluster.object(role) != nil) == keepsObjects)
        try await expectProof()
    }

    /// It would go on refusing what others do, so it is told until it is gone.
    @Test func whatFinalizersHoldOrLostItsLabelIsTold() async throws {
        try await cluster.mergePatch(
            .admissionPolicyBinding, named: name, #"{"metadata":{"finalizers":["example.com/hold"]}}"#)
        try await cluster.mergePatch(
            .admissionPolicy, named: name, #"{"metadata":{"labels":{"bylaw.dev/instance":null}}}"#)
        let done = try await program.run(["uninstall"] + places)
        #expect(done.status == 1, "\(done.output)\(done.errors)")
        #expect(
            done.output.contains(
                "waiting ValidatingAdmissionPolicyBinding \(name): marked for deletion; finalizers exam"),
            "\(done.output)")
        #expect(
            done.output.contains("left    ValidatingAdmissionPolicy \(name): it has the name of one of Bylaw's"),
            "\(done.output)")
        let again = try await program.run(["uninstall"] + places)
        #expect(again.status == 1, "\(again.output)\(again.errors)")
        #expect(
            again.output.contains("left    ValidatingAdmissionPolicyBinding \(name): it is being deleted already"),
            "\(again.output)")
        try await cluster.mergePatch(.admissionPolicyBinding, named: name, #"{"metadata":{"finalizers":null}}"#)
        try await cluster.delete(.admissionPolicy, named: name)
        let over = try await program.run(["uninstall"] + places)
        #expect(over.status == 0, "\(over.output)\(over.errors)")
        try await expectProof()
    }

    /// What came of a deletion that was cut short shows a look at the server.
    @Test(arguments: [true, false]) func whatIsCutShortIsSettledByALook(_ wasDone: Bool) async throws {
        _ = try await uninstall(after: .seconds(20), .late) { try await $0.crash() }
        if wasDone { try await cluster.delete(.admissionPolicyBinding, named: name) }
        let again = try await program.run(["uninstall"] + places)
        #expect(again.status == 0, "\(again.output)\(again.errors)")
        let told = try await entriesAboutTheBinding()
        #expect(
            told.compactMap { $0["outcome"]?.string } == (wasDone ? ["succeeded"] : ["abandoned", "succeeded"]),
            "\(told)")
        #expect(told.first?["message"]?.string?.contains("after it was cut short") == true, "\(told)")
        #expect(try await cluster.object(.admissionPolicyBinding, named: name) == nil)
        try await expectProof()
    }

    /// Somebody writes it between the look and the deletion: it goes as it is then, and so it is recorded.
    @Test func whatIsChangedMeanwhileGoesAllTheSame() async throws {
        let run = try await uninstall(after: .seconds(2), .late) { _ in
            try await cluster.mergePatch(
                .admissionPolicyBinding, named: name, #"{"metadata":{"annotations":{"number":"7"}}}"#)
        }
        #expect(run.status == 0, "\(run.text)")
        let told = try await entriesAboutTheBinding()
        #expect(told.count == 1)
        #expect(told.first?["outcome"] == "succeeded")
        #expect(told.first?["before"]?["metadata"]?["annotations"]?["number"] == "7", "\(told)")
        try await expectProof()
    }

    @Test func whatIsMadeAgainMeanwhileIsTold() async throws {
        let policy = try #require(try await cluster.object(.admissionPolicy, named: name))
        cluster.inject("PATCH", "/namespaces/\(namespace)", .late, after: .seconds(2))
        let run = try RunningProgram(program, ["uninstall"] + places, named: "uninstall")
        try await eventually("all else is done") { cluster.waitingFaults == 0 || !run.isRunning }
        try await cluster.create(policy, of: .admissionPolicy)
        try await eventually("it ends") { !run.isRunning }
        #expect(run.status == 1, "\(run.text)")
        #expect(run.text.contains("again   ValidatingAdmissionPolicy \(name)"), "\(run.text)")
    }
}
