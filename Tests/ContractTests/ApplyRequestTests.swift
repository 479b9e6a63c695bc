import KubeClient
import KubeProtocol
import Manifest
import Reconciler
import Testing

/// What an apply has to look like, and how it is answered.
@Suite(.timeLimit(.minutes(2))) struct ApplyRequestTests {
    let server: ServerUnderTest

    init() async throws { server = try await .shared() }

    /// Rule D1.
    @Test func anApplyWithoutFieldManagerIsRefused() async throws {
        try await server.withNamespace { namespace in
            let id = ObjectID(.networkPolicy, namespace: namespace, name: "anonymous")
            let answer = try await server.send(.apply(denyIngress(id), to: id, manager: nil))
            #expect(answer.status == 422, "\(answer)")
            #expect(answer.failure.causes.contains { $0.field == "fieldManager" })
            let long = try await server.send(
                .apply(denyIngress(id), to: id, manager: String(repeating: "m", count: 129)))
            #expect(long.status == 422, "\(long)")
            #expect(try await server.bylaw.read(id) == nil)
        }
    }

    /// Rule D1: an apply is about the object that its address names, and brings no bookkeeping.
    @Test(arguments: ["managedFields", "name", "namespace", "kind", "apiVersion"])
    func anApplyThatContradictsItsAddressIsRefused(_ field: String) async throws {
        try await server.withNamespace { namespace in
            let id = ObjectID(.networkPolicy, namespace: namespace, name: "contradiction")
            var body = denyIngress(id)
            switch field {
            case "managedFields":
                body.set(
                    ["metadata", "managedFields"],
                    to: [["manager": "x", "operation": "Apply", "apiVersion": "networking.k8s.io/v1"]])
            case "kind": body.set(["kind"], to: "Ingress")
            case "apiVersion": body.set(["apiVersion"], to: "networking.k8s.io/v2")
            default: body.set(["metadata", field], to: "another")
            }
            let answer = try await server.send(.apply(body, to: id))
            if field == "kind", answer.status == 500 {
                // 1.20 looks at the kind only when it merges, and then speaks of types (rule D20).
                #expect(answer.reason.isEmpty, "\(answer)")
            } else {
                #expect(answer.status == 400, "\(answer)")
                #expect(answer.failure.kind == .invalid)
            }
            #expect(try await server.bylaw.read(id) == nil)
        }
    }

    /// Rule D1: an object that is there need not be named in the body.
    @Test func anApplyWithoutNameTakesItFromItsAddress() async throws {
        try await server.withNamespace { namespace in
            let id = ObjectID(.networkPolicy, namespace: namespace, name: "addressed")
            var body = denyIngress(id, labels: ["a": "b"])
            body.set(["metadata", "name"], to: nil)
            let create = try await server.send(.apply(body, to: id, isDryRun: true))
            // 1.20 wants a name where it creates.
            #expect(create.status == 201 || create.status == 400, "\(create)")

            _ = try await server.bylaw.apply(denyIngress(id), to: id, expecting: nil, isDryRun: false)
            let update = try await server.send(.apply(body, to: id))
            #expect(update.status == 200, "\(update)")
            #expect(update.tree["metadata"]?["name"] == "addressed")
            #expect(update.tree["metadata"]?["labels"] == ["a": "b"])
        }
    }

    /// Rule D2.
    @Test func anApplyCreatesOrUpdates() async throws {
        try await server.withNamespace { namespace in
            let id = ObjectID(.networkPolicy, namespace: namespace, name: "twice")
            let first = try await server.send(.apply(denyIngress(id), to: id))
            #expect(first.status == 201)
            let second = try await server.send(.apply(denyIngress(id, labels: ["a": "b"]), to: id))
            #expect(second.status == 200)
            #expect(second.tree["metadata"]?["uid"] == first.tree["metadata"]?["uid"])
        }
    }

    /// Rule D2: who may patch but not create cannot create by applying, and a right with a name holds for that name.
    @Test func creatingByApplyNeedsTheRightToCreateThatName() async throws {
        try await server.withNamespace { namespace in
            let writer = try await server.makeUser(
                in: namespace,
                allowed: [
                    ["apiGroups": ["networking.k8s.io"], "resources": ["networkpolicies"], "verbs": ["patch"]],
                    [
                        "apiGroups": ["networking.k8s.io"], "resources": ["networkpolicies"], "verbs": ["create"],
                        "resourceNames": ["mine"],
                    ],
                ])
            let other = ObjectID(.networkPolicy, namespace: namespace, name: "other")
            let refused = try await server.send(.apply(denyIngress(other), to: other), as: writer)
            #expect(refused.failure.kind == .forbidden, "\(refused)")
            #expect(refused.status == 403)
            let mine = ObjectID(.networkPolicy, namespace: namespace, name: "mine")
            let accepted = try await server.send(.apply(denyIngress(mine), to: mine), as: writer)
            #expect(accepted.status == 201, "\(accepted)")
        }
    }

    /// Rule D20: a mistake of the author looks like one of the server; only the text tells.
    @Test(arguments: ["unknown field", "wrong type", "bad quantity"])
    func aMistypedApplyIsA500WithoutReason(_ mistake: String) async throws {
        try await server.withNamespace { namespace in
            var id = ObjectID(.networkPolicy, namespace: namespace, name: "mistyped")
            var body = denyIngress(id)
            switch mistake {
            case "unknown field": body.set(["spec", "contract"], to: "x")
            case "wrong type": body.set(["spec", "policyTypes"], to: "Ingress")
            default:
                id = ObjectID(.resourceQuota, namespace: namespace, name: "mistyped")
                body = manifest(id, ["spec": ["hard": ["pods": "many"]]])
            }
            let answer = try await server.send(.apply(body, to: id))
            #expect(answer.status == 500, "\(answer)")
            #expect(answer.reason.isEmpty)
            #expect(answer.failure.kind == .invalid, "\(answer)")
            let error = await #expect(throws: ClusterError.self) {
                try await server.bylaw.apply(body, to: id, expecting: nil, isDryRun: false)
            }
            #expect(error?.kind == .invalid)
        }
    }

    /// Rule D23.
    @Test func aDryRunLeavesNothing() async throws {
        try await server.withNamespace { namespace in
            let id = ObjectID(.networkPolicy, namespace: namespace, name: "imagined")
            let create = try await server.bylaw.apply(denyIngress(id), to: id, expecting: nil, isDryRun: true)
            #expect(create.wasCreated)
            #expect(create.live == nil)
            #expect(create.object["metadata"]?["resourceVersion"] == nil)
            #expect(try await server.bylaw.read(id) == nil)
            try await server.bylaw.dryRunCreate(denyIngress(id), as: id)
            #expect(try await server.bylaw.read(id) == nil)

            let real = try await server.bylaw.apply(denyIngress(id), to: id, expecting: nil, isDryRun: false)
            let update = try await server.bylaw.apply(
                denyIngress(id, labels: ["a": "b"]), to: id, expecting: nil, isDryRun: true)
            #expect(update.object["metadata"]?["labels"] == ["a": "b"])
            let after = try await server.bylaw.read(id)
            #expect(after?.resourceVersion == real.live?.resourceVersion)
            #expect(after?.tree["metadata"]?["labels"] == nil)
        }
    }

    /// Rule D23: nothing but `All` asks for a dry run.
    @Test func anotherWordForDryRunIsRefused() async throws {
        try await server.withNamespace { namespace in
            let id = ObjectID(.networkPolicy, namespace: namespace, name: "imagined")
            let answer = try await server.send(.apply(denyIngress(id), to: id).asking("dryRun", "true"))
            #expect(answer.status == 422, "\(answer)")
            #expect(try await server.bylaw.read(id) == nil)
        }
    }

    /// Rule D23: a plan cannot be tried out in a namespace that is part of it.
    @Test func aDryRunNeedsItsNamespaceToBeThere() async throws {
        let id = ObjectID(.networkPolicy, namespace: uniqueName(), name: "imagined")
        let error = await #expect(throws: ClusterError.self) {
            try await server.bylaw.apply(denyIngress(id), to: id, expecting: nil, isDryRun: true)
        }
        #expect(error?.kind == .namespaceNotFound)
    }

    /// Rule D24: an expected version alone does not keep a deleted object from coming back, a uid does.
    @Test func onlyAUidKeepsADeletedObjectAway() async throws {
        try await server.withNamespace { namespace in
            let id = ObjectID(.networkPolicy, namespace: namespace, name: "gone")
            let made = try await server.bylaw.apply(denyIngress(id), to: id, expecting: nil, isDryRun: false)
            let live = try #require(made.live)
            await server.remove(id)
            let withBoth = await #expect(throws: ClusterError.self) {
                try await server.bylaw.apply(denyIngress(id), to: id, expecting: live, isDryRun: false)
            }
            #expect(withBoth?.kind == .conflict)
            #expect(withBoth?.status == 409)
            #expect(try await server.bylaw.read(id) == nil)

            var body = denyIngress(id)
            body.set(["metadata", "resourceVersion"], to: .string(live.resourceVersion))
            let withVersion = try await server.send(.apply(body, to: id, isForced: true))
            #expect(withVersion.status == 201, "\(withVersion)")

            let otherObject = await #expect(throws: ClusterError.self) {
                try await server.bylaw.apply(denyIngress(id), to: id, expecting: live, isDryRun: false)
            }
            #expect(otherObject?.kind == .conflict)
            #expect(otherObject?.status == 422 || otherObject?.status == 409)
        }
    }

    /// Rule D28: what is doomed can still be applied, and the apply that drops its last finalizer ends it.
    @Test func anApplyToADoomedObjectSucceeds() async throws {
        try await server.withNamespace { namespace in
            let id = ObjectID(.networkPolicy, namespace: namespace, name: "doomed")
            var held = denyIngress(id)
            held.set(["metadata", "finalizers"], to: ["contract.example/hold"])
            let made = try await server.bylaw.apply(held, to: id, expecting: nil, isDryRun: false)
            guard case .pending(let doomed, _) = try await server.bylaw.delete(id, expecting: try #require(made.live))
            else {
                Issue.record("the finalizer did not hold it")
                return
            }
            let again = try await server.bylaw.apply(held, to: id, expecting: nil, isDryRun: false)
            #expect(again.live?.isTerminating == true)
            let last = try await server.bylaw.apply(denyIngress(id), to: id, expecting: nil, isDryRun: false)
            #expect(!last.wasCreated)
            #expect(last.live?.isTerminating == true)
            #expect(last.live?.resourceVersion == again.live?.resourceVersion)
            #expect(last.live?.uid == doomed.uid)
            #expect(try await server.bylaw.read(id) == nil)
        }
    }

    /// Rule G7.
    @Test func aNamespaceOnAnObjectOfTheWholeClusterIsDropped() async throws {
        let id = ObjectID(.clusterRole, name: uniqueName())
        var body = role(id, verbs: ["get"])
        body.set(["metadata", "namespace"], to: "default")
        let answer = try await server.send(.apply(body, to: id))
        #expect(answer.status == 201, "\(answer)")
        #expect(answer.tree["metadata"]?["namespace"] == nil)
        await server.remove(id)
    }
}
