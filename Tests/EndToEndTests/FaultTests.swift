import EmbeddedCluster
import Foundation
import JSON
import Journal
import Manifest
import Reconciler
import TestSupport
import Testing

/// What the API server may answer in the middle of a sync, and what has to come of it.
@Suite struct FaultTests {
    private let cluster: ClusterUnderTest
    private let program: Program
    private let repository: PolicyRepository
    private let namespace = "e2e-fault"

    init() async throws {
        cluster = try ClusterUnderTest(isEmbedded: true)
        program = try Program()
        repository = try await PolicyRepository()
    }

    private var flags: [String] { program.flags(repository: repository, cluster: cluster, instance: "fault") }

    private func commit(_ text: String, _ message: String = "Change") async throws {
        try repository.write(text, to: "team.yaml")
        try await repository.commit(message)
    }

    private static func failure(_ status: Int, retryAfter: Int? = nil) -> Fault.Effect {
        .answer(status: status, body: nil, text: "injected", retryAfter: retryAfter)
    }

    /// Rules A13 and A14.
    @Test(arguments: [429, 500, 503, 504]) func aPassingFailureIsTriedAgainWithinTheSync(_ status: Int) async throws {
        try await commit(teamManifests(namespace))
        cluster.inject("PATCH", "/roles/reader", Self.failure(status), count: 2)
        let sync = try await program.run(["sync", "-o", "json"] + flags)
        #expect(sync.status == 0, "\(sync.errors)")
        #expect(try await cluster.object(ObjectID(.role, namespace: namespace, name: "reader")) != nil)
        #expect(try await program.run(["plan"] + flags).status == 0)
    }

    /// Rules A13 and A14: a list that failed once does not end the whole pass, and one that goes on failing does.
    @Test func aListIsAskedForAgain() async throws {
        try await commit(teamManifests(namespace))
        cluster.inject("GET", "/networkpolicies?", Self.failure(500), count: 1)
        let sync = try await program.run(["sync"] + flags)
        #expect(sync.status == 0, "\(sync.errors)")
        cluster.inject("GET", "/networkpolicies?", Self.failure(500), count: 100)
        let failing = try await program.run(["sync"] + flags)
        #expect(failing.status == 2)
        #expect(failing.errors.contains("list networkpolicies"), "\(failing.errors)")
    }

    /// Rule A15: whether it happened is found out by looking, and told once.
    @Test func aWriteWhoseAnswerIsLostIsFoundDone() async throws {
        try await commit(teamManifests(namespace))
        cluster.inject("PATCH", "/roles/reader", .lostAnswer(status: 504))
        let sync = try await program.run(["sync", "-o", "json"] + flags)
        #expect(sync.status == 0, "\(sync.errors)")
        let entries = try await program.entries(["--kind", "Role"]).filter { $0["object"]?["name"] == "reader" }
        #expect(entries.map { $0["outcome"] } == ["succeeded"], "\(entries)")
        #expect(entries.first?["message"]?.string?.contains("found done") == true, "\(entries)")
    }

    /// Design, section 5.3: what opens does not go ahead of a protection that failed.
    @Test func anOpeningWaitsForAProtectionThatFails() async throws {
        func policies(types: String, ports: String) -> String {
            """
            apiVersion: v1
            kind: Namespace
            metadata: {name: \(namespace)}
            ---
            apiVersion: networking.k8s.io/v1
            kind: NetworkPolicy
            metadata: {name: default-deny, namespace: \(namespace)}
            spec: {podSelector: {}, policyTypes: [\(types)]}
            ---
            apiVersion: networking.k8s.io/v1
            kind: NetworkPolicy
            metadata: {name: allow-web, namespace: \(namespace)}
            spec: {podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress], ingress: [{ports: [\(ports)]}]}
            """
        }
        let narrow = "{protocol: TCP, port: 8080}"
        try await commit(policies(types: "Ingress", ports: narrow))
        #expect(try await program.run(["sync"] + flags).status == 0)
        try await commit(policies(types: "Ingress, Egress", ports: narrow + ", {protocol: TCP, port: 9090}"))
        cluster.inject("PATCH", "/networkpolicies/default-deny", Self.failure(403), count: 100)
        let sync = try await program.run(["sync", "-o", "json"] + flags)
        #expect(sync.status != 0)
        let opened = try await cluster.object(ObjectID(.networkPolicy, namespace: namespace, name: "allow-web"))
        #expect(opened?["spec"]?["ingress"]?.array?.first?["ports"]?.array?.count == 1)
        let held = try await program.entries(["--outcome", "held"])
        #expect(held.contains { $0["object"]?["name"] == "allow-web" }, "\(held)")
    }

    /// Rule N3: a server that answers well and changes what it was sent is no drift, and not written to for ever.
    @Test func aStubbornAnswerIsAFailureThatSaysWhatDiffers() async throws {
        try await commit(teamManifests(namespace))
        #expect(try await program.run(["sync"] + flags).status == 0)
        let id = ObjectID(.role, namespace: namespace, name: "reader")
        var stubborn = try #require(try await cluster.object(id))
        let wider: Tree = ["apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]]
        stubborn.set(["rules"], to: .array((stubborn["rules"]?.array ?? []) + [wider]))
        try await commit(teamManifests(namespace, round: 1))
        cluster.inject(
            "PATCH", "/roles/reader", .answer(status: 200, body: stubborn, text: "", retryAfter: nil), count: 100)
        let before = try cluster.writeCount(instance: "fault")
        let sync = try await program.run(["sync", "-o", "json"] + flags)
        #expect(sync.status != 0)
        #expect(try cluster.writeCount(instance: "fault") - before < 40)
        let failed = try await program.entries(["--outcome", "failed"])
        #expect(
            failed.contains {
                guard let message = $0["message"]?.string else { return false }
                return message.contains("the server's answer still differs at") && message.contains("rules")
            }, "\(failed)")
        #expect(try await program.run(["plan"] + flags).status == 1)
    }

    /// Rules C2 and C3: a list that cannot be read is no empty cluster.
    @Test(arguments: [500, 403]) func aFailedListDeletesNothing(_ status: Int) async throws {
        try await commit(teamManifests(namespace))
        #expect(try await program.run(["sync"] + flags).status == 0)
        let role = "apiVersion: v1\nkind: Namespace\nmetadata: {name: \(namespace)}\n"
        try await commit(role)
        let before = try cluster.writeCount(instance: "fault")
        cluster.inject("GET", "/networkpolicies", Self.failure(status), count: 100)
        let sync = try await program.run(["sync", "-o", "json"] + flags)
        if status == 500 {
            #expect(sync.status == 2, "\(sync.output)\(sync.errors)")
            #expect(try cluster.writeCount(instance: "fault") == before)
        } else {
            #expect(sync.status == 1, "what cannot be read may still be there: \(sync.output)")
        }
        let policies = try await program.entries(["--kind", "NetworkPolicy"])
        #expect(policies.allSatisfy { $0["action"] != "delete" }, "\(policies)")
    }

    /// Rule C3: pages of a snapshot that is gone are given up for one whole list.
    @Test func aListWhosePagesExpireIsReadWhole() async throws {
        try await commit(teamManifests(namespace))
        let expired: Tree = [
            "kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Expired", "code": 410,
            "message": "The provided continue parameter is too old",
        ]
        cluster.inject(
            "GET", "v1/roles", .answer(status: 410, body: expired, text: "", retryAfter: nil), count: 3)
        let sync = try await program.run(["sync", "-o", "json"] + flags)
        #expect(sync.status == 0, "\(sync.errors)")
        #expect(try await program.run(["plan"] + flags).status == 0)
    }

    private func bind(_ role: String) -> String {
        teamManifests(namespace).replacingOccurrences(
            of: "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: config}",
            with: "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: \(role)}")
    }

    private var binding: ObjectID { ObjectID(.roleBinding, namespace: namespace, name: "config") }

    /// Rules F1 to F4: access that was taken away for a moment is given back at once, whatever the server answers.
    @Test(arguments: [500, 504, 429]) func theSecondHalfOfAReplacementIsNotLeftForLater(_ status: Int) async throws {
        try await commit(bind("config"))
        #expect(try await program.run(["sync"] + flags).status == 0)
        try await commit(bind("reader"))
        cluster.inject("PATCH", "/rolebindings/config", Self.failure(status), count: 2)
        let sync = try await program.run(["sync", "-o", "json"] + flags)
        #expect(sync.status == 0, "\(sync.errors)")
        #expect(try await cluster.object(binding)?["roleRef"]?["name"] == "reader")
        let entries = try await program.entries(["--kind", "RoleBinding"]).filter { $0["action"] == "replace" }
        #expect(entries.map { $0["outcome"] } == ["succeeded"], "\(entries)")
        #expect(entries.first?["before"]?["roleRef"]?["name"] == "config")
    }

    /// Rule F3: what the server would refuse is not begun.
    @Test func aReplacementThatWouldBeRefusedTakesNothingAway() async throws {
        try await commit(bind("config"))
        #expect(try await program.run(["sync"] + flags).status == 0)
        try await commit(bind("reader"))
        cluster.inject("POST", "/rolebindings", Self.failure(403), count: 100)
        let sync = try await program.run(["sync", "-o", "json"] + flags)
        #expect(sync.status != 0)
        #expect(try await cluster.object(binding)?["roleRef"]?["name"] == "config", "access is as it was")
    }

    /// A replacement that fails half-way is the controller's own doing, and nobody's drift.
    @Test func aHalfReplacementIsFinishedByTheNextSync() async throws {
        try await commit(bind("config"))
        #expect(try await program.run(["sync"] + flags).status == 0)
        try await commit(bind("reader"))
        cluster.inject("PATCH", "/rolebindings/config", Self.failure(403), count: 100)
        #expect(try await program.run(["sync"] + flags).status != 0)
        #expect(try await cluster.object(binding) == nil)
        let failed = try await program.entries(["--kind", "RoleBinding", "--outcome", "failed"])
        #expect(failed.last?["before"]?["roleRef"]?["name"] == "config", "what was taken away can be given back")
        cluster.clearFaults()
        let sync = try await program.run(["sync", "-o", "json"] + flags)
        #expect(sync.status == 0, "\(sync.errors)")
        #expect(try await cluster.object(binding)?["roleRef"]?["name"] == "reader")
        #expect(try await program.entries(["--reason", "DriftCorrected"]).isEmpty)
    }

    /// Design, section 5.2: what fails, or takes long, keeps no later revision from taking rights away.
    @Test func aRevocationDoesNotWaitForAnEarlierRevisionToEnd() async throws {
        try await commit(teamManifests(namespace))
        let run = try RunningProgram(program, ["run", "--interval", "200ms"] + flags)
        try await run.untilItSays("Synced")
        cluster.inject("PATCH", "/roles/slow", .late, after: .seconds(600), count: 8)
        let slow = (0..<8).map { number in
            "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: slow-\(number), namespace: \(namespace)}\n"
        }
        try await commit(teamManifests(namespace) + slow.joined())
        try await eventually(within: .seconds(60), "all slow requests are on their way") { cluster.waitingFaults == 0 }
        let kept = teamManifests(namespace).components(separatedBy: "---\n").filter { !$0.contains("name: config") }
        try await commit(kept.joined(separator: "---\n") + slow.joined())
        try await eventually(within: .seconds(60), "the binding is gone") {
            try await cluster.object(binding) == nil
        }
        try await run.crash()
    }

    private func isolating(_ name: String, and others: String = "") -> String {
        """
        apiVersion: v1
        kind: Namespace
        metadata: {name: \(namespace)}
        ---
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {name: \(name), namespace: \(namespace)}
        spec: {podSelector: {}, policyTypes: [Ingress]}
        \(others)
        """
    }

    private func policy(_ name: String) -> ObjectID {
        ObjectID(.networkPolicy, namespace: namespace, name: name)
    }

    /// Rule F6: however often a protection that fails is looked at, and by whatever revision, nothing opens beside it.
    @Test func anOpeningWaitsForAFailedProtectionThroughLaterRevisions() async throws {
        try await commit(isolating("old"))
        let run = try RunningProgram(program, ["run", "--interval", "100ms"] + flags)
        try await run.untilItSays("Synced")
        cluster.inject("PATCH", "/networkpolicies/new", Self.failure(500), after: .milliseconds(400), count: 10_000)
        try await commit(isolating("new"))
        try await run.untilItSays("Change failed")
        for number in 0..<6 {
            let account =
                "---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: sa-\(number), namespace: \(namespace)}"
            try await commit(isolating("new", and: account))
            let id = ObjectID(.serviceAccount, namespace: namespace, name: "sa-\(number)")
            try await eventually(within: .seconds(60), "the next revision is enforced") {
                try await cluster.object(id) != nil
            }
            #expect(try await cluster.object(policy("old")) != nil)
        }
        cluster.clearFaults()
        try await eventually(within: .seconds(90), "the new protection takes the place of the old one") {
            let old = try await cluster.object(policy("old"))
            let new = try await cluster.object(policy("new"))
            return old == nil && new != nil
        }
        try await run.stop()
    }

    /// Two policies that were to protect, failed, and now only open, do not wait for each other.
    @Test func failedProtectionsThatTurnIntoOpeningsGoOn() async throws {
        func policies(_ ports: String) -> String {
            let names = ["one", "two"].map { name in
                """
                ---
                apiVersion: networking.k8s.io/v1
                kind: NetworkPolicy
                metadata: {name: \(name), namespace: \(namespace)}
                spec: {podSelector: {matchLabels: {app: \(name)}}, policyTypes: [Ingress], ingress: [{ports: [\(ports)]}]}

                """
            }
            return "apiVersion: v1\nkind: Namespace\nmetadata: {name: \(namespace)}\n" + names.joined()
        }
        let (first, second, third) = ("{port: 1}", "{port: 2}", "{port: 3}")
        try await commit(policies("\(first), \(second)"))
        let run = try RunningProgram(program, ["run", "--interval", "100ms"] + flags)
        try await run.untilItSays("Synced")
        cluster.inject("PATCH", "/networkpolicies/", Self.failure(403), count: 10_000)
        try await commit(policies(first))
        try await eventually(within: .seconds(60), "both have failed") {
            try await program.entries(["--outcome", "failed", "--kind", "NetworkPolicy"]).count >= 2
        }
        cluster.clearFaults()
        try await commit(policies("\(first), \(second), \(third)"))
        try await eventually(within: .seconds(60), "both are opened") {
            for name in ["one", "two"] {
                let rules = try await cluster.object(policy(name))?["spec"]?["ingress"]?.array
                guard rules?.first?["ports"]?.array?.count == 3 else { return false }
            }
            return true
        }
        try await run.stop()
    }

    /// What waits for a protection goes on as soon as that stands, also within one sync.
    @Test func anOpeningGoesOnOnceItsProtectionStands() async throws {
        try await commit(isolating("old"))
        #expect(try await program.run(["sync"] + flags).status == 0)
        try await commit(isolating("new"))
        cluster.inject("PATCH", "/networkpolicies/new", Self.failure(500), count: 1)
        cluster.inject("PATCH", "/networkpolicies/new", .late, after: .seconds(2), count: 1)
        let sync = try await program.run(["sync"] + flags)
        #expect(sync.status == 0, "\(sync.output)\(sync.errors)")
        #expect(try await cluster.object(policy("old")) == nil)
        #expect(try await cluster.object(policy("new")) != nil)
    }

    private func clusterRoleBinding(_ name: String, role: String, of kind: String, named subject: String) -> String {
        """
        ---
        apiVersion: rbac.authorization.k8s.io/v1
        kind: ClusterRoleBinding
        metadata: {name: \(name)}
        roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: \(role)}
        subjects: [{apiGroup: rbac.authorization.k8s.io, kind: \(kind), name: \(subject)}]

        """
    }

    /// Unknown is not absent: what may give us our rights waits until the server has told who we are.
    @Test(arguments: [500, 200]) func nothingThatMayBeOursIsDeletedBeforeWeKnowWhoWeAre(_ status: Int) async throws {
        let binding = clusterRoleBinding("e2e-others", role: "view", of: "Group", named: "e2e-others")
        let id = ObjectID(.clusterRoleBinding, name: "e2e-others")
        try await commit(teamManifests(namespace) + binding)
        #expect(try await program.run(["sync"] + flags).status == 0)
        try await commit(teamManifests(namespace))
        // With 200 it is an answer that says nothing.
        cluster.inject("POST", "/selfsubjectreviews", Self.failure(status), count: 10_000)
        let run = try RunningProgram(program, ["run", "--interval", "200ms"] + flags)
        try await run.untilItSays("OwnAccessHeld")
        #expect(try await cluster.object(id) != nil)
        cluster.clearFaults()
        try await eventually(within: .seconds(60), "it goes on by itself") { try await cluster.object(id) == nil }
        try await run.stop()
    }

    /// Rule H4: with an intact journal a marker and the repository's history do not make somebody else's object ours.
    @Test func anObjectThatIsPutBackFromACopyIsHeld() async throws {
        let role = clusterRoleManifest("e2e-fault")
        try await commit(teamManifests(namespace) + "---\n" + role)
        #expect(try await program.run(["sync"] + flags).status == 0)
        let id = ObjectID(.clusterRole, name: "e2e-fault")
        let copy = try #require(try await cluster.object(id))
        try await commit(teamManifests(namespace))
        #expect(try await program.run(["sync"] + flags).status == 0)
        #expect(try await cluster.object(id) == nil)
        try await cluster.create(copy, as: id)
        try await commit(teamManifests(namespace, round: 1))
        #expect(try await program.run(["sync"] + flags).status == 1)
        #expect(try await cluster.object(id) != nil)
        #expect(try await program.entries(["--reason", "PruneUnproven"]).count == 1)
    }

    /// Rule H4, after a crash between a deletion and its outcome.
    @Test func anObjectMadeAgainAfterAnInterruptedDeletionIsHeld() async throws {
        let role = clusterRoleManifest("e2e-fault")
        try await commit(teamManifests(namespace) + "---\n" + role)
        #expect(try await program.run(["sync"] + flags).status == 0)
        let id = ObjectID(.clusterRole, name: "e2e-fault")
        let copy = try #require(try await cluster.object(id))
        let journal = try await SQLiteJournal.open(
            JournalConfiguration(path: program.journal, instance: "fault", cluster: "embedded", build: "test"))
        _ = try await journal.begin(
            Intent(
                at: Timestamp(microsecondsSinceEpoch: 0), action: .delete, reason: .revisionChanged, object: id,
                uid: copy["metadata"]?["uid"]?.string, resourceVersion: nil, before: copy, desired: nil, patch: nil,
                revision: nil, actor: nil, message: "interrupted"))
        await journal.close()
        try await cluster.delete(id)
        try await cluster.create(copy, as: id)
        try await commit(teamManifests(namespace))
        #expect(try await program.run(["sync"] + flags).status == 1)
        #expect(try await cluster.object(id) != nil)
        #expect(try await program.entries(["--reason", "PruneUnproven"]).count == 1)
    }

    /// One kind that cannot be listed must not keep the others from being enforced.
    @Test func aKindThatCannotBeListedDoesNotStopTheOthers() async throws {
        try await commit(teamManifests(namespace))
        cluster.inject("GET", "v1/limitranges", Self.failure(500), count: 10_000)
        let run = try RunningProgram(program, ["run", "--interval", "200ms"] + flags)
        try await eventually(within: .seconds(60), "the team's role is made") {
            try await cluster.object(ObjectID(.role, namespace: namespace, name: "reader")) != nil
        }
        try await run.stop()
        #expect(try await !program.entries(["--reason", "ClusterUnreachable"]).isEmpty)
    }

    /// Rule B6: the version is for people, and a hardened cluster does not tell it.
    @Test func aVersionThatMayNotBeReadIsNotNeeded() async throws {
        try await commit(teamManifests(namespace))
        cluster.inject("GET", "/version", Self.failure(403), count: 10)
        #expect(try await program.run(["sync"] + flags).status == 0)
    }

    /// Rule B5: what the server does not serve is said at once, and the rest is enforced.
    @Test func aKindThatIsNotServedIsSaid() async throws {
        try await commit(teamManifests(namespace))
        cluster.inject("GET", "/apis/networking.k8s.io/v1", Self.failure(404), count: 1)
        let sync = try await program.run(["sync"] + flags)
        #expect(sync.status == 0)
        #expect(sync.errors.contains("does not serve networking.k8s.io/v1"), "\(sync.errors)")
    }

    /// A list that works beside a watch that does not is one lasting incident, not one a minute.
    @Test func aWatchThatMayNotBeOpenedIsOneIncident() async throws {
        try await commit(teamManifests(namespace))
        cluster.inject("GET", "v1/limitranges?watch=1", Self.failure(500), count: 10_000)
        let run = try RunningProgram(program, ["run", "--interval", "200ms"] + flags)
        try await run.untilItSays("Incident")
        try await eventually(within: .seconds(60), "the watch was tried several times") {
            cluster.waitingFaults < 9_997
        }
        try await run.stop()
        #expect(try await program.entries(["--reason", "ClusterUnreachable"]).count == 1)
        #expect(try await program.run(["status", "--journal", program.journal]).status == 1)
    }

    /// The server takes the program for somebody whom a binding can name.
    private func actAsService() {
        let answer: Tree = [
            "apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview",
            "status": ["userInfo": ["username": "bylaw-service", "groups": ["system:authenticated"]]],
        ]
        cluster.inject(
            "POST", "/selfsubjectreviews", .answer(status: 201, body: answer, text: "", retryAfter: nil), count: 10_000)
    }

    /// Rule F4: the binding that gives the program its rights could not be made again.
    @Test func ourOwnBindingIsNotDeleted() async throws {
        actAsService()
        let role = """
            ---
            apiVersion: rbac.authorization.k8s.io/v1
            kind: ClusterRole
            metadata: {name: e2e-own}
            rules: [{apiGroups: ["*"], resources: ["*"], verbs: ["*"]}]

            """
        let binding = clusterRoleBinding("e2e-own", role: "e2e-own", of: "User", named: "bylaw-service")
        let id = ObjectID(.clusterRoleBinding, name: "e2e-own")
        try await commit(teamManifests(namespace) + role + binding)
        #expect(try await program.run(["sync"] + flags).status == 0)
        for text in [role, binding.replacingOccurrences(of: "name: bylaw-service", with: "name: other") + role] {
            try await commit(teamManifests(namespace) + text)
            #expect(try await program.run(["plan"] + flags).output.contains("takes away from Bylaw itself"))
            #expect(try await program.run(["sync"] + flags).status == 1)
            #expect(try await cluster.object(id)?["subjects"]?.array?.first?["name"] == "bylaw-service")
        }
        try await cluster.delete(id)
        #expect(try await program.run(["sync"] + flags).status == 0, "a person may do it by hand")
    }

    /// Whoever writes our name onto a binding does not keep it from being revoked by that.
    @Test func ourNameOnABindingKeepsNothingAlive() async throws {
        actAsService()
        let id = ObjectID(.clusterRoleBinding, name: "e2e-others")
        let binding = clusterRoleBinding("e2e-others", role: "view", of: "Group", named: "e2e-others")
        try await commit(teamManifests(namespace) + binding)
        #expect(try await program.run(["sync"] + flags).status == 0)
        try await cluster.jsonPatch(
            id,
            #"[{"op":"add","path":"/subjects/-","value":{"apiGroup":"rbac.authorization.k8s.io","kind":"User","name":"bylaw-service"}}]"#
        )
        try await commit(teamManifests(namespace))
        let sync = try await program.run(["sync"] + flags)
        #expect(sync.status == 0, "\(sync.errors)")
        #expect(try await cluster.object(id) == nil)
    }

    /// Rule N6: an event that changes nothing of what failed is no reason to try again sooner.
    @Test func eventsDoNotVoidTheBackOff() async throws {
        try await commit(teamManifests(namespace))
        let run = try RunningProgram(program, ["run", "--interval", "200ms"] + flags)
        try await run.untilItSays("Synced")
        cluster.inject(
            "PATCH", "/resourcequotas/compute", Self.failure(403), count: 10_000, fieldManager: "bylaw-fault")
        let revision = try await {
            try repository.write(
                teamManifests(namespace).replacingOccurrences(of: "pods: \"50\"", with: "pods: \"60\""), to: "team.yaml"
            )
            return try await repository.commit("More pods")
        }()
        try await run.untilItSynced(revision)
        let id = ObjectID(.resourceQuota, namespace: namespace, name: "compute")
        for number in 0..<20 {
            try await cluster.jsonPatch(
                id, #"[{"op":"add","path":"/metadata/annotations/number","value":"\#(number)"}]"#)
        }
        let role = ObjectID(.role, namespace: namespace, name: "reader")
        try await cluster.delete(role)
        try await eventually(within: .seconds(60), "later events have been dealt with") {
            try await cluster.object(role) != nil
        }
        try await run.stop()
        let failed = try await program.entries(["--kind", "ResourceQuota", "--outcome", "failed"])
        #expect((1...3).contains(failed.count), "\(failed.count)")
    }

    /// Rules N1 and N2: a fight is damped and reported with the opponent, and is never given up.
    @Test func aFightIsReportedAndGoesOn() async throws {
        try await commit(teamManifests(namespace))
        let run = try RunningProgram(program, ["run", "--interval", "200ms"] + flags)
        try await run.untilItSays("Synced")
        let id = ObjectID(.networkPolicy, namespace: namespace, name: "default-deny")
        for _ in 0..<9 {
            try await cluster.mergePatch(id, #"{"spec":{"egress":[{}]}}"#)
            try await eventually(within: .seconds(60), "the opening is undone") {
                try await cluster.object(id)?["spec"]?["egress"] == nil
            }
        }
        try await run.stop()
        #expect(try await program.entries(["--reason", "DriftCorrected"]).count == 9)
        let fights = try await program.entries(["--reason", "DriftFight"])
        #expect(fights.count == 1, "\(fights)")
        #expect(fights.first?["message"]?.string?.contains("kubectl-patch") == true, "\(fights)")
        #expect(try await program.run(["status", "--journal", program.journal]).output.contains("DriftFight"))
    }

    /// What the repository gives up is left to the other writer, and said once.
    @Test func aFightIsGivenUpWhereTheRepositorySaysSo() async throws {
        try repository.write(
            "apiVersion: bylaw.dev/v1\nkind: Configuration\nfights: {yield: [{kinds: [ResourceQuota]}]}\n",
            to: "bylaw.yaml")
        try await commit(teamManifests(namespace))
        let run = try RunningProgram(program, ["run", "--interval", "200ms"] + flags)
        try await run.untilItSays("Synced")
        let quota = ObjectID(.resourceQuota, namespace: namespace, name: "compute")
        let role = ObjectID(.role, namespace: namespace, name: "reader")
        /// Whether the quota stays while others are put back twice, so that it was looked at.
        func stays(at pods: String) async throws -> Bool {
            for _ in 0..<2 {
                try await cluster.delete(role)
                try await eventually(within: .seconds(60), "the role is back") { try await cluster.object(role) != nil }
                guard try await cluster.object(quota)?["spec"]?["hard"]?["pods"]?.string == pods else { return false }
            }
            return true
        }
        // Each is put back until they come fast enough to be a fight, however slow the machine is.
        var isGivenUp = false
        for pods in (60..<90).map(String.init) where !isGivenUp {
            try await cluster.mergePatch(quota, #"{"spec":{"hard":{"pods":"\#(pods)"}}}"#)
            isGivenUp = try await stays(at: pods)
        }
        #expect(isGivenUp)
        try await run.stop()
        let fights = try await program.entries(["--reason", "DriftFight"])
        #expect(fights.count { $0["object"]?["kind"] == "ResourceQuota" } == 1, "\(fights)")
        #expect(try await program.run(["status", "--journal", program.journal]).output.contains("DriftFight"))
    }

    /// Rules C5 and C6: watches that end, and cannot be resumed, begin again with a list; nothing is missed.
    @Test func driftBesideBrokenWatchesIsUndone() async throws {
        try await commit(teamManifests(namespace))
        let run = try RunningProgram(program, ["run", "--interval", "200ms"] + flags)
        try await run.untilItSays("Synced")
        for _ in 0..<3 {
            cluster.inject("GET", "v1/networkpolicies", Self.failure(500), count: 2)
            cluster.breakWatches()
            let id = ObjectID(.networkPolicy, namespace: namespace, name: "default-deny")
            try await cluster.mergePatch(id, #"{"spec":{"egress":[{}]}}"#)
            try await eventually(within: .seconds(60), "the opening is undone") {
                try await cluster.object(id)?["spec"]?["egress"] == nil
            }
        }
        try await run.stop()
        let corrected = try await program.entries(["--reason", "DriftCorrected"])
        #expect(corrected.count == 3, "\(corrected.count)")
    }
}
