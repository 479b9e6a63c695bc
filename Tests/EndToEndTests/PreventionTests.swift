import EmbeddedCluster
import Foundation
import JSON
import Manifest
import Planning
import Testing

/// The admission policies that `bylaw.yaml` asks for, and those who break the glass.
///
/// On an embedded cluster, which keeps the policies and does not evaluate them.
@Suite struct PreventionTests {
    let program: Program
    let repository: PolicyRepository

    init() async throws {
        program = try Program()
        repository = try await PolicyRepository()
    }

    private static let prevention = "prevention: {enabled: true, breakGlass: {group: sre-oncall, longest: 1h}}"

    func configure(_ namespace: String, _ more: String, approvals: [String]) async throws -> String {
        try repository.write(
            """
            apiVersion: bylaw.dev/v1
            kind: Configuration
            scopes: {rules: [{namespaces: [\(namespace)], mode: enforce}]}
            \(more)

            """, to: "bylaw.yaml")
        return try await repository.commit("Configure", approvals: approvals)
    }

    func begin(_ namespace: String, _ cluster: ClusterUnderTest) async throws -> [String] {
        try repository.write(teamManifests(namespace), to: "team.yaml")
        _ = try await configure(namespace, Self.prevention, approvals: PolicyRepository.approvingEverything)
        return program.flags(repository: repository, cluster: cluster, instance: namespace)
    }

    private func policies(_ cluster: ClusterUnderTest, _ names: [String]) async throws -> [Tree?] {
        var found: [Tree?] = []
        for resource in [Resource.admissionPolicy, .admissionPolicyBinding] {
            for name in names { found.append(try await cluster.object(resource, named: name)) }
        }
        return found
    }

    @Test func policiesAreKeptAndGoWhenNobodyAsksForThem() async throws {
        let cluster = try ClusterUnderTest(isEmbedded: true, servesAdmissionPolicies: true)
        let namespace = "e2e-prevented"
        let flags = try await begin(namespace, cluster)
        let names = ["bylaw-\(namespace)", "bylaw-\(namespace).undeclared"]
        #expect(try await program.run(["sync"] + flags).status == 0)
        let installed = try await policies(cluster, names)
        #expect(installed.allSatisfy { $0?["metadata"]?["labels"]?["bylaw.dev/instance"]?.string == namespace })
        #expect(installed.allSatisfy { $0?["metadata"]?["annotations"]?["bylaw.dev/id"] != nil })
        let done = try await program.entries(["--reason", "RevisionChanged"])
            .compactMap { $0["message"]?.string }.filter { $0.hasPrefix("prevention: ") }
        #expect(done.count == 4 && done.allSatisfy { $0.hasSuffix(" made") }, "\(done)")
        #expect(done.contains("prevention: ValidatingAdmissionPolicyBinding \(names[0]) made"), "\(done)")

        let run = try RunningProgram(program, ["run", "--interval", "200ms"] + flags)
        try await run.untilItSays("Synced")
        #expect(try await policies(cluster, names) == installed, "nothing is written without a reason")
        // What somebody removes, or adds to switch a policy off, is put back.
        try await cluster.delete(.admissionPolicyBinding, named: names[0])
        try await eventually("the binding is back") {
            try await cluster.object(.admissionPolicyBinding, named: names[0]) != nil
        }
        try await cluster.mergePatch(
            .admissionPolicyBinding, named: names[1],
            #"{"spec":{"matchResources":{"namespaceSelector":{"matchLabels":{"a":"b"}}},"validationActions":["Audit"]}}"#
        )
        try await cluster.mergePatch(
            .admissionPolicy, named: names[0],
            #"{"spec":{"matchConstraints":{"objectSelector":{"matchLabels":{"a":"b"}}},"paramKind":{"kind":"X"}}}"#)
        try await eventually("they are as before") {
            try await policies(cluster, names).map { $0?["spec"] } == installed.map { $0?["spec"] }
        }
        try await eventually("each is told") {
            try await program.entries(["--reason", "PreventionFailed"]).count == 3
        }
        let told = try await program.entries(["--reason", "PreventionFailed"])
        #expect(told[0]["message"]?.string?.contains("was removed by somebody else") == true, "\(told[0])")
        #expect(told[1]["actor"]?["name"]?.string == "kubectl-patch", "\(told[1])")
        #expect(try await program.run(["status", "--journal", program.journal]).status == 0, "it is over")

        // Less is refused: that takes an approval.
        _ = try await configure(namespace, "", approvals: [])
        let approved = try await configure(namespace, "", approvals: ["configuration-loosened by Alice Example"])
        try await run.untilItSynced(approved)
        #expect(try await policies(cluster, names) == [nil, nil, nil, nil])
        try await run.stop()
        #expect(try await program.entries(["--reason", "PreventionFailed"]).count == 3, "that was our own doing")
    }

    @Test func whileNobodyApprovedThePoliciesStay() async throws {
        let cluster = try ClusterUnderTest(isEmbedded: true, servesAdmissionPolicies: true)
        let namespace = "e2e-still-prevented"
        let flags = try await begin(namespace, cluster)
        #expect(try await program.run(["sync"] + flags).status == 0)
        _ = try await configure(namespace, "", approvals: [])
        #expect(try await program.run(["sync"] + flags).status == 1)
        #expect(try await cluster.object(.admissionPolicy, named: "bylaw-\(namespace)") != nil)
        _ = try await configure(namespace, "", approvals: ["configuration-loosened by Alice Example"])
        #expect(try await program.run(["sync"] + flags).status == 0)
        #expect(try await cluster.object(.admissionPolicy, named: "bylaw-\(namespace)") == nil)
    }

    @Test func whereTheServerHasNoPoliciesItIsSaidOnceAndAllElseGoesOn() async throws {
        let cluster = try ClusterUnderTest(isEmbedded: true)
        let namespace = "e2e-unprevented"
        let flags = try await begin(namespace, cluster)
        for _ in 0..<2 { #expect(try await program.run(["sync"] + flags).status == 0) }
        #expect(try await cluster.object(ObjectID(.role, namespace: namespace, name: "reader")) != nil)
        let told = try await program.entries(["--reason", "PreventionFailed"])
        #expect(told.count == 1)
        #expect(told.first?["message"]?.string?.contains("does not serve ValidatingAdmissionPolicy") == true)
        let status = try await program.run(["status", "--journal", program.journal])
        #expect(status.status == 1 && status.output.contains("PreventionFailed"))
        // Without prevention anybody could set the annotation, so it means nothing.
        let id = ObjectID(.roleBinding, namespace: namespace, name: "reader")
        try await cluster.mergePatch(id, breakGlass(id, for: .seconds(600)))
        #expect(try await program.run(["sync"] + flags).status == 0)
        #expect(try await isAsDeclared(id, cluster))
        _ = try await configure(namespace, "", approvals: ["configuration-loosened by Alice Example"])
        #expect(try await program.run(["sync"] + flags).status == 0)
        #expect(try await program.run(["status", "--journal", program.journal]).status == 0, "nobody asks any more")
    }

    @Test func whereWeMayNotItIsSaidUntilWeMay() async throws {
        let cluster = try ClusterUnderTest(isEmbedded: true, servesAdmissionPolicies: true)
        let namespace = "e2e-forbidden"
        let flags = try await begin(namespace, cluster)
        let refusal: Tree = [
            "kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Forbidden", "code": 403,
            "message": "validatingadmissionpolicies is forbidden: User \"bylaw\" cannot get it",
        ]
        cluster.inject(
            "GET", "validatingadmissionpolicies", .answer(status: 403, body: refusal, text: "", retryAfter: nil),
            count: 1)
        #expect(try await program.run(["sync"] + flags).status == 0)
        #expect(try await cluster.object(ObjectID(.role, namespace: namespace, name: "reader")) != nil)
        let told = try await program.entries(["--reason", "PreventionFailed"])
        #expect(told.first?["message"]?.string?.contains("Deploy/components/prevention/rbac.yaml") == true, "\(told)")
        #expect(try await program.run(["status", "--journal", program.journal]).status == 1)
        #expect(try await program.run(["sync"] + flags).status == 0)
        #expect(try await program.run(["status", "--journal", program.journal]).status == 0)
    }

    @Test func whoBreaksTheGlassHasUntilThen() async throws {
        let cluster = try ClusterUnderTest(isEmbedded: true, servesAdmissionPolicies: true)
        let namespace = "e2e-glass"
        let flags = try await begin(namespace, cluster)
        let id = ObjectID(.roleBinding, namespace: namespace, name: "reader")
        let run = try RunningProgram(program, ["run", "--interval", "200ms"] + flags)
        try await run.untilItSays("Synced")
        let patch = breakGlass(id, for: .seconds(8))
        try await cluster.mergePatch(id, patch)
        try await run.untilItSays("BreakGlassUsed")
        #expect(try await !isAsDeclared(id, cluster), "it is left")
        let status = try await program.run(["status", "--journal", program.journal])
        #expect(status.status == 1 && status.output.contains("kubectl-patch wrote it last"), "\(status.output)")
        try await eventually(within: .seconds(60), "it is put right when its time is over") {
            try await isAsDeclared(id, cluster)
        }
        try await eventually(within: .seconds(30), "the incident is over") {
            try await program.run(["status", "--journal", program.journal]).status == 0
        }
        // Further ahead than is allowed is no time at all.
        try await cluster.mergePatch(id, breakGlass(id, for: .seconds(7200)))
        try await eventually(within: .seconds(30), "it is put right at once") { try await isAsDeclared(id, cluster) }
        try await run.stop()
        #expect(try await program.entries(["--reason", "BreakGlassUsed"]).count == 1)
    }

    /// Each run looks for itself whether the annotation counts, and a single pass does not wait for its end.
    @Test func brokenGlassOutlastsARestart() async throws {
        let cluster = try ClusterUnderTest(isEmbedded: true, servesAdmissionPolicies: true)
        let namespace = "e2e-glass-kept"
        let flags = try await begin(namespace, cluster)
        #expect(try await program.run(["sync"] + flags).status == 0)
        let id = ObjectID(.roleBinding, namespace: namespace, name: "reader")
        try await cluster.mergePatch(id, breakGlass(id, for: .seconds(1800)))
        // What nobody declares stays as well.
        let stranger = ObjectID(.networkPolicy, namespace: namespace, name: "allow-everything")
        var policy = ClosedWorldTests.allowAll(stranger)
        policy.set(
            ["metadata", "annotations", Ownership.breakGlassAnnotation],
            to: .string(moment(in: .seconds(1800)).description))
        try await cluster.create(policy, as: stranger)
        for _ in 0..<2 {
            let outcome = try await program.run(["sync"] + flags)
            #expect(outcome.status == 1 && outcome.output.contains("2 held"), "\(outcome.output)")
            #expect(try await !isAsDeclared(id, cluster))
            #expect(try await cluster.object(stranger) != nil)
        }
        #expect(try await program.entries(["--reason", "BreakGlassUsed"]).count == 2, "one for each object")
        // Whoever ends it early takes the annotation away.
        let ended = #"{"metadata":{"annotations":{"\#(Ownership.breakGlassAnnotation)":null}}}"#
        try await cluster.mergePatch(id, ended)
        try await cluster.mergePatch(stranger, ended)
        #expect(try await program.run(["sync"] + flags).status == 0)
        #expect(try await isAsDeclared(id, cluster))
        #expect(try await cluster.object(stranger) == nil)
        #expect(try await program.run(["status", "--journal", program.journal]).status == 0)
    }

    private func moment(in time: Duration) -> Timestamp {
        Timestamp(microsecondsSinceEpoch: Int64(Date().timeIntervalSince1970 * 1_000_000)).advanced(by: time)
    }

    /// A patch that gives a binding another subject for a while.
    private func breakGlass(_ id: ObjectID, for time: Duration) -> String {
        let subject = #"{"apiGroup":"rbac.authorization.k8s.io","kind":"User","name":"oncall"}"#
        let annotation = #""\#(Ownership.breakGlassAnnotation)":"\#(moment(in: time))""#
        return #"{"metadata":{"annotations":{\#(annotation)}},"subjects":[\#(subject)]}"#
    }

    private func isAsDeclared(_ id: ObjectID, _ cluster: ClusterUnderTest) async throws -> Bool {
        try await cluster.object(id)?["subjects"]?.array?.first?["kind"]?.string == "Group"
    }
}
