import EmbeddedCluster
import JSON
import Manifest
import Planning
import SQLite
import Testing

/// What the record says of changes to admission policies whose outcome was not known at once.
extension PreventionTests {
    /// As with every change, the intent is durable before the request, and its outcome is learned by a later look.
    @Test(arguments: [true, false]) func aChangeWhoseOutcomeIsNotKnownIsSettledLater(_ wasDone: Bool) async throws {
        let cluster = try ClusterUnderTest(isEmbedded: true, servesAdmissionPolicies: true)
        let namespace = "e2e-prevent-\(wasDone ? "lost" : "failed")"
        let flags = try await begin(namespace, cluster)
        cluster.inject(
            "PATCH", "/validatingadmissionpolicies/",
            wasDone ? .lostAnswer(status: 500) : .answer(status: 500, body: nil, text: "no", retryAfter: nil))
        #expect(try await program.run(["sync"] + flags).status == 0)
        #expect(try openIntents() == 1)
        #expect(try await program.run(["sync"] + flags).status == 0)
        #expect(try openIntents() == 0)
        let told = try await told()
        #expect(told.first?["reason"] == (wasDone ? "ActionInterrupted" : "RevisionChanged"), "\(told)")
        #expect(told.first?["message"]?.string?.hasSuffix(wasDone ? "found done after a restart" : " made") == true)
        #expect(told.count == 4 && told.allSatisfy { $0["outcome"] == "succeeded" }, "\(told)")
        #expect(try await program.run(["status", "--journal", program.journal]).status == 0)
    }

    /// A refusal that stays fills nothing: it is tried again under one intent.
    @Test func aRefusedChangeHasOneIntent() async throws {
        let cluster = try ClusterUnderTest(isEmbedded: true, servesAdmissionPolicies: true)
        let flags = try await begin("e2e-prevent-refused", cluster)
        let refusal: Tree = [
            "kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Forbidden", "code": 403,
            "message": "validatingadmissionpolicies is forbidden: User \"bylaw\" cannot patch it",
        ]
        cluster.inject(
            "PATCH", "/validatingadmissionpolicies/",
            .answer(status: 403, body: refusal, text: "", retryAfter: nil), count: 3)
        let run = try RunningProgram(program, ["run", "--interval", "200ms"] + flags)
        try await eventually("it is tried again") { cluster.waitingFaults == 0 }
        try await eventually("it is done at last") {
            try await program.entries().count { $0["message"]?.string?.hasPrefix("prevention: ") == true } == 4
        }
        try await run.stop()
        #expect(try openIntents() == 0)
        #expect(try await program.entries(["--reason", "PreventionFailed"]).count == 1)
    }

    /// Also where each look is a run of its own.
    @Test func aRefusalThatStaysIsTriedUnderItsIntentByLaterRuns() async throws {
        let (cluster, flags) = try await kept("e2e-prevent-refusals")
        try await cluster.mergePatch(.admissionPolicy, named: "bylaw-e2e-prevent-refusals", Self.tampering)
        refuse("PATCH", cluster, count: 1000)
        for _ in 0..<3 { #expect(try await program.run(["sync"] + flags).status == 0) }
        #expect(try openIntents() == 1)
        #expect(try await told().count == 4, "what was made at first")
        cluster.clearFaults()
        #expect(try await program.run(["sync"] + flags).status == 0)
        #expect(try openIntents() == 0)
        #expect(try await interruptions().isEmpty)
        #expect(try await tamperings().map { $0["outcome"] } == ["succeeded"])
    }

    /// What never happened is not recorded as done because it is not wanted any more.
    @Test func whatWasNeverMadeAndIsNotWantedAnyMoreIsNoSuccess() async throws {
        let cluster = try ClusterUnderTest(isEmbedded: true, servesAdmissionPolicies: true)
        let namespace = "e2e-prevent-never"
        let flags = try await begin(namespace, cluster)
        refuse("PATCH", cluster, count: 1000)
        #expect(try await program.run(["sync"] + flags).status == 0)
        #expect(try openIntents() == 1)
        _ = try await configure(namespace, "", approvals: ["configuration-loosened by Alice Example"])
        #expect(try await program.run(["sync"] + flags).status == 0)
        #expect(try openIntents() == 0)
        let told = try await told()
        #expect(told.count == 1 && told.first?["outcome"] == "abandoned", "\(told)")
        #expect(told.first?["message"]?.string?.hasSuffix("before something else was wanted") == true, "\(told)")
    }

    /// Whoever takes our label off keeps the policy from being removed, and that is said.
    @Test func aRemovalThatSomebodyPreventedIsNoSuccess() async throws {
        let namespace = "e2e-prevent-kept"
        let (cluster, flags) = try await kept(namespace)
        _ = try await configure(namespace, "", approvals: ["configuration-loosened by Alice Example"])
        refuse("DELETE", cluster, count: 1)
        #expect(try await program.run(["sync"] + flags).status == 0)
        #expect(try openIntents() == 1)
        let names = ["bylaw-\(namespace)", "bylaw-\(namespace).undeclared"]
        for name in names {
            try await cluster.mergePatch(
                .admissionPolicy, named: name, #"{"metadata":{"labels":{"bylaw.dev/instance":null}}}"#)
        }
        #expect(try await program.run(["sync"] + flags).status == 0)
        #expect(try openIntents() == 0)
        #expect(try await cluster.object(.admissionPolicy, named: names[0]) != nil)
        let left = try await interruptions()
        #expect(left.count == 1 && left.first?["outcome"] == "abandoned", "\(left)")
        #expect(left.first?["message"]?.string?.hasSuffix("does not carry our label any more") == true, "\(left)")
    }

    /// That somebody switched a policy off counts, also where the answer to putting it back was lost.
    @Test(arguments: [true, false]) func aPolicyPutBackIsTheDoingOfAnother(_ isRestarted: Bool) async throws {
        let namespace = "e2e-prevent-tampered-\(isRestarted)"
        let (cluster, flags) = try await kept(namespace)
        cluster.inject("PATCH", "fieldManager=bylaw", .lostAnswer(status: 500))
        if isRestarted {
            try await cluster.mergePatch(.admissionPolicy, named: "bylaw-\(namespace)", Self.tampering)
            for _ in 0..<2 { #expect(try await program.run(["sync"] + flags).status == 0) }
        } else {
            let run = try RunningProgram(program, ["run", "--interval", "200ms"] + flags)
            try await run.untilItSays("Synced")
            try await cluster.mergePatch(.admissionPolicy, named: "bylaw-\(namespace)", Self.tampering)
            try await run.untilItSays("PreventionFailed")
            try await run.stop()
        }
        let told = try await tamperings()
        #expect(told.count == 1 && told.first?["outcome"] == "succeeded" && told.first?["type"] == "notice", "\(told)")
        #expect(told.first?["actor"]?["name"] == "kubectl-patch", "\(told)")
        let words = told.first?["message"]?.string ?? ""
        #expect(words.contains("was changed by somebody else") && words.contains("found done after"), "\(told)")
        #expect(try await interruptions().isEmpty)
    }

    /// What the server fills in by itself stays, which is neither a success nor told by each run.
    @Test func aPatchThatChangesNothingIsToldOnce() async throws {
        let namespace = "e2e-prevent-fruitless"
        let (cluster, flags) = try await kept(namespace)
        let name = "bylaw-\(namespace)"
        try await cluster.mergePatch(.admissionPolicy, named: name, Self.tampering)
        let filled = try await cluster.object(.admissionPolicy, named: name)
        cluster.inject("PATCH", "fieldManager=bylaw", .answer(status: 200, body: filled, text: "", retryAfter: nil))
        #expect(try await program.run(["sync"] + flags).status == 0)
        #expect(cluster.waitingFaults == 0)
        for _ in 0..<2 { #expect(try await program.run(["sync"] + flags).status == 0) }
        #expect(try await cluster.object(.admissionPolicy, named: name) == filled, "it is not tried again")
        let told = try await told()
        #expect(told.count == 5 && told.last?["outcome"] == "abandoned", "\(told)")
        #expect(told.last?["message"]?.string?.contains("left all as it was") == true, "\(told)")
        // The same difference in another version is somebody's doing again.
        try await cluster.mergePatch(.admissionPolicy, named: name, #"{"metadata":{"annotations":{"a":"b"}}}"#)
        #expect(try await program.run(["sync"] + flags).status == 0)
        #expect(try await tamperings().count == 1)
    }

    /// What was put in force by half goes as well when it is not wanted any more.
    @Test func halfOfWhatIsNotWantedAnyMoreGoes() async throws {
        let namespace = "e2e-prevent-half"
        let (cluster, flags) = try await kept(namespace)
        let approvals = ["configuration-loosened by Alice Example"]
        _ = try await configure(namespace, "", approvals: approvals)
        #expect(try await program.run(["sync"] + flags).status == 0)
        let name = "bylaw-\(namespace)"
        #expect(try await cluster.object(.admissionPolicy, named: name) == nil)
        _ = try await begin(namespace, cluster)
        refuse("PATCH", cluster, name: "\(name).undeclared", count: 1000)
        #expect(try await program.run(["sync"] + flags).status == 0)
        #expect(try await cluster.object(.admissionPolicyBinding, named: name) != nil)
        #expect(try await cluster.object(.admissionPolicy, named: "\(name).undeclared") == nil)
        _ = try await configure(namespace, "", approvals: approvals)
        #expect(try await program.run(["sync"] + flags).status == 0)
        #expect(try await cluster.object(.admissionPolicyBinding, named: name) == nil)
        #expect(try await cluster.object(.admissionPolicy, named: name) == nil)
        #expect(try await tamperings().isEmpty)
    }

    private static let tampering = #"{"spec":{"matchConstraints":{"objectSelector":{"matchLabels":{"a":"b"}}}}}"#

    /// A cluster on which the policies are in force.
    private func kept(_ namespace: String) async throws -> (ClusterUnderTest, [String]) {
        let cluster = try ClusterUnderTest(isEmbedded: true, servesAdmissionPolicies: true)
        let flags = try await begin(namespace, cluster)
        #expect(try await program.run(["sync"] + flags).status == 0)
        return (cluster, flags)
    }

    private func refuse(_ method: String, _ cluster: ClusterUnderTest, name: String = "", count: Int) {
        let refusal: Tree = [
            "kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Forbidden", "code": 403,
            "message": "validatingadmissionpolicies is forbidden: User \"bylaw\" cannot do it",
        ]
        cluster.inject(
            method, "/validatingadmissionpolicies/\(name)",
            .answer(status: 403, body: refusal, text: "", retryAfter: nil), count: count)
    }

    private func told() async throws -> [Tree] {
        try await program.entries().filter { $0["message"]?.string?.hasPrefix("prevention: ") == true }
    }

    private func interruptions() async throws -> [Tree] {
        try await program.entries(["--reason", "ActionInterrupted"])
    }

    private func tamperings() async throws -> [Tree] {
        try await program.entries(["--reason", "PreventionFailed"])
            .filter { $0["message"]?.string?.contains("by somebody else") == true }
    }

    private func openIntents() throws -> Int64? {
        let connection = try Connection(path: program.journal, mode: .readOnly)
        return try connection.firstRow("SELECT count(*) FROM intents") { (row) throws(DatabaseError) in
            try row.integer(0)
        }
    }
}
