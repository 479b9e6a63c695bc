import KubeClient
import KubeProtocol
import Manifest
import Reconciler
import Testing

/// Deleting objects and namespaces.
@Suite(.timeLimit(.minutes(3))) struct DeletionTests {
    let server: ServerUnderTest

    init() async throws { server = try await .shared() }

    /// Rule F7.
    @Test func aDeletionWithoutFinalizersAnswersWithAStatus() async throws {
        try await server.withNamespace { namespace in
            let id = ObjectID(.networkPolicy, namespace: namespace, name: "free")
            let live = try await apply(denyIngress(id), to: id)
            let answer = try await server.send(.delete(.networkPolicy, id, expecting: live))
            #expect(answer.status == 200, "\(answer)")
            #expect(answer.tree["kind"] == "Status")
            #expect(answer.tree["status"] == "Success")
            #expect(answer.details["uid"] == .string(live.uid))
            #expect(try await server.bylaw.read(id) == nil)

            let second = try await apply(denyIngress(id), to: id)
            #expect(second.uid != live.uid)
            guard case .gone = try await server.bylaw.delete(id, expecting: second) else {
                Issue.record("the client takes it for pending")
                return
            }
        }
    }

    /// Rule F7.
    @Test func aDeletionThatAFinalizerHoldsAnswersWithTheObject() async throws {
        try await server.withNamespace { namespace in
            let id = ObjectID(.networkPolicy, namespace: namespace, name: "held")
            var body = denyIngress(id)
            body.set(["metadata", "finalizers"], to: ["contract.example/hold"])
            let live = try await apply(body, to: id)
            guard case .pending(let doomed, _) = try await server.bylaw.delete(id, expecting: live) else {
                Issue.record("the client takes it for gone")
                return
            }
            #expect(doomed.uid == live.uid)
            #expect(doomed.isTerminating)
            #expect(try await server.bylaw.read(id)?.isTerminating == true)
            let release = APIRequest.merge(["metadata": ["finalizers": .null]], into: id)
            #expect(try await server.send(release).status == 200)
            #expect(try await server.bylaw.read(id) == nil)
        }
    }

    /// Rule F8: a foreground deletion hangs on a finalizer of its own, for a moment at least.
    @Test func aForegroundDeletionLeavesTheObjectForAMoment() async throws {
        try await server.withNamespace { namespace in
            let id = ObjectID(.networkPolicy, namespace: namespace, name: "foreground")
            _ = try await apply(denyIngress(id), to: id)
            let answer = try await server.send(.delete(id, options: ["propagationPolicy": "Foreground"]))
            #expect(answer.status == 200)
            #expect(answer.tree["kind"] == "NetworkPolicy", "\(answer)")
            #expect(answer.tree["metadata"]?["finalizers"] == ["foregroundDeletion"])
            #expect(answer.tree["metadata"]?["deletionTimestamp"]?.string != nil)
            try await eventually("the garbage collector ends it") { try await server.bylaw.read(id) == nil }
        }
    }

    /// Rule F8.
    @Test func aDeletionWithTwoPoliciesIsRefused() async throws {
        try await server.withNamespace { namespace in
            let id = ObjectID(.networkPolicy, namespace: namespace, name: "torn")
            _ = try await apply(denyIngress(id), to: id)
            let options: Tree = ["propagationPolicy": "Background", "orphanDependents": true]
            let answer = try await server.send(.delete(id, options: options))
            #expect(answer.status == 422, "\(answer)")
            #expect(try await server.bylaw.read(id) != nil)
        }
    }

    /// Rule H3: without a version the uid alone counts, for each kind of write.
    @Test func aWriteInAnyVersionNeedsTheRightObject() async throws {
        try await server.withNamespace { namespace in
            let id = ObjectID(.networkPolicy, namespace: namespace, name: "busy")
            let old = try await apply(denyIngress(id), to: id)
            _ = try await apply(denyIngress(id, labels: ["a": "b"]), to: id)
            let applied = try await server.bylaw.apply(
                denyIngress(id, labels: ["a": "c"]), to: id, expecting: old.inAnyVersion, isDryRun: false)
            #expect(applied.live?.label("a") == "c" && applied.live?.uid == old.uid)
            let patched = try await server.bylaw.mergePatch(
                ["metadata": ["labels": ["a": .null]]], to: id, expecting: old.inAnyVersion)
            #expect(patched.live?.label("a") == nil && patched.live?.uid == old.uid)
            guard case .gone = try await server.bylaw.delete(id, expecting: old.inAnyVersion) else {
                Issue.record("the client takes it for pending")
                return
            }
            let new = try await apply(denyIngress(id), to: id)
            #expect(new.uid != old.uid)
            for write in [
                { _ = try await server.bylaw.delete(id, expecting: old.inAnyVersion) },
                {
                    _ = try await server.bylaw.apply(
                        denyIngress(id, labels: ["a": "d"]), to: id, expecting: old.inAnyVersion, isDryRun: false)
                },
                {
                    _ = try await server.bylaw.mergePatch(
                        ["metadata": ["labels": ["a": "d"]]], to: id, expecting: old.inAnyVersion)
                },
            ] as [() async throws -> Void] {
                let error = await #expect(throws: ClusterError.self) { try await write() }
                #expect(error?.status == 409 || error?.status == 422, "\(String(describing: error))")
            }
            #expect(try await server.bylaw.read(id)?.resourceVersion == new.resourceVersion)
        }
    }

    /// Rule H3.
    @Test(arguments: ["uid", "resourceVersion"])
    func aDeletionOfAnotherObjectThanExpectedIsAConflict(_ precondition: String) async throws {
        try await server.withNamespace { namespace in
            let id = ObjectID(.networkPolicy, namespace: namespace, name: "moved")
            let old = try await apply(denyIngress(id), to: id)
            if precondition == "uid" { await server.remove(id) }
            let new = try await apply(denyIngress(id, labels: ["a": "b"]), to: id)
            let value: Tree = precondition == "uid" ? .string(old.uid) : .string(old.resourceVersion)
            let raw = try await server.send(.delete(id, options: ["preconditions": [(precondition): value]]))
            #expect(raw.status == 409, "\(raw)")
            #expect(raw.failure.kind == .conflict)
            #expect(raw.details["name"] == .string(id.name))
            let error = await #expect(throws: ClusterError.self) {
                try await server.bylaw.delete(id, expecting: old)
            }
            #expect(error?.kind == .conflict)
            #expect(try await server.bylaw.read(id)?.uid == new.uid)
        }
    }

    /// Rule H3: 404 means that the work is done.
    @Test func aDeletionOfWhatIsGoneIsNotFound() async throws {
        try await server.withNamespace { namespace in
            let id = ObjectID(.networkPolicy, namespace: namespace, name: "gone")
            let live = try await apply(denyIngress(id), to: id)
            await server.remove(id)
            let error = await #expect(throws: ClusterError.self) {
                try await server.bylaw.delete(id, expecting: live)
            }
            #expect(error?.kind == .notFound)
        }
    }

    /// Rule F11.
    @Test func theSystemsNamespacesCannotBeDeleted() async throws {
        for name in ["default", "kube-system", "kube-public"] {
            let answer = try await server.send(
                .delete(ObjectID(.namespace, name: name), options: ["dryRun": ["All"]]))
            #expect(answer.status == 403, "\(answer)")
            #expect(answer.failure.kind == .forbidden)
        }
    }

    /// Rules F9 and F10: a namespace on its way out lets nothing in, but tells so only to who creates.
    @Test func aTerminatingNamespaceRefusesWhatIsNew() async throws {
        try await server.withNamespace { namespace in
            let id = ObjectID(.namespace, name: namespace)
            let held = ObjectID(.networkPolicy, namespace: namespace, name: "held")
            var body = denyIngress(held)
            body.set(["metadata", "finalizers"], to: ["contract.example/hold"])
            _ = try await apply(body, to: held)
            #expect(try await server.send(.delete(id)).status == 200)
            try await eventually("\(namespace) is terminating") {
                try await server.bylaw.read(id)?.isTerminating == true
            }

            let new = ObjectID(.networkPolicy, namespace: namespace, name: "new")
            var error: ClusterError?
            // Admission reads a cache, which may be a moment behind.
            try await eventually("\(namespace) lets nothing in") {
                do {
                    _ = try await server.bylaw.apply(denyIngress(new), to: new, expecting: nil, isDryRun: true)
                    return false
                } catch let refusal as ClusterError {
                    error = refusal
                    return true
                }
            }
            #expect(error?.kind == .terminating)
            #expect(error?.status == 403)
            #expect(error?.causes.contains { $0.reason == "NamespaceTerminating" } == true)

            body.set(["metadata", "labels"], to: ["a": "b"])
            let inside = try await server.bylaw.apply(body, to: held, expecting: nil, isDryRun: false)
            #expect(!inside.wasCreated)
            let outside = try await server.bylaw.apply(
                manifest(id, ["metadata": ["labels": ["a": "b"]]]), to: id, expecting: nil, isDryRun: false)
            #expect(outside.live?.isTerminating == true)

            let again = try await server.send(.post(manifest(id), as: id))
            #expect(again.status == 409, "\(again)")
            #expect(again.reason == "AlreadyExists")
            #expect(again.tree["message"]?.string?.contains("object is being deleted") == true, "\(again)")
            #expect(again.failure.kind == .terminating)

            let release = APIRequest.merge(["metadata": ["finalizers": .null]], into: held)
            #expect(try await server.send(release).status == 200)
            try await eventually(within: .seconds(120), "\(namespace) is gone") {
                try await server.bylaw.read(id) == nil
            }
        }
    }

    private func apply(_ body: Tree, to id: ObjectID) async throws -> LiveObject {
        let answer = try await server.bylaw.apply(body, to: id, expecting: nil, isDryRun: false)
        return try #require(answer.live)
    }
}
