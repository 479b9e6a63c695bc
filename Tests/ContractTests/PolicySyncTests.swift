import Foundation
import KubeClient
import KubeProtocol
import Manifest
import Reconciler
import Testing
import YAML

/// The kind of `Deploy/components/policy-sync/definition.yaml`, under a group of each test's own, and the client that writes
/// its status.
@Suite(.timeLimit(.minutes(2))) struct PolicySyncTests {
    let server: ServerUnderTest
    let group = uniqueName() + ".bylaw.dev"
    var kind: Resource {
        var resource = Resource.policySync
        resource.group = group
        return resource
    }

    init() async throws { server = try await .shared() }

    private func define() async throws {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Deploy/components/policy-sync/definition.yaml")
        let stream = parseYAML([UInt8](try Data(contentsOf: file)))
        var definition = try #require(stream.documents.first?.tree)
        definition.set(["metadata", "name"], to: .string("policysyncs." + group))
        definition.set(["spec", "group"], to: .string(group))
        // Two kinds of one short name would be in each other's way.
        definition.set(["spec", "names", "shortNames"], to: nil)
        let answer = try await server.send(
            .create(
                definition, .customResourceDefinition, namespace: "", fieldManager: "contract", isDryRun: false),
            as: .admin)
        try #require(answer.status == 201, "\(answer)")
    }

    private func withObject(_ test: (PolicySyncObject, ObjectID) async throws -> Void) async throws {
        try await server.withNamespace { namespace in
            let id = ObjectID(kind, namespace: namespace, name: "bylaw")
            try await define()
            let result: Result<Void, any Error>
            do {
                try await eventually("\(kind.qualifiedPlural) are served") { try await create(id).status == 201 }
                result = .success(
                    try await test(
                        PolicySyncObject(namespace: namespace, name: "bylaw", on: server.admin, resource: kind), id))
            } catch {
                result = .failure(error)
            }
            _ = try await server.send(
                APIRequest(
                    method: .delete, path: Resource.customResourceDefinition.collectionPath() + "/policysyncs." + group),
                as: .admin)
            try result.get()
        }
    }

    private func body(_ id: ObjectID, status: Tree? = nil) -> Tree {
        var body: Tree = [
            "apiVersion": .string(kind.apiVersion), "kind": .string(kind.kind),
            "metadata": ["name": .string(id.name), "namespace": .string(id.namespace)],
        ]
        body.set(["status"], to: status)
        return body
    }

    private func create(_ id: ObjectID, as user: ServerUnderTest.User = .admin) async throws -> Answer {
        let body = body(id, status: ["instance": "made-up"])
        return try await server.send(
            .create(body, kind, namespace: id.namespace, fieldManager: "contract", isDryRun: false), as: user)
    }

    private func condition(_ type: String, _ status: String, reason: String = "Because") -> Tree {
        [
            "type": .string(type), "status": .string(status), "reason": .string(reason), "message": "It is so",
            "lastTransitionTime": "2026-03-01T12:30:00Z", "observedGeneration": 1,
        ]
    }

    @Test func theStatusIsReplacedWholeAndNothingElseOfTheObject() async throws {
        try await withObject { object, id in
            let before = try await object.read()
            #expect(before.status == [:], "who makes the object cannot make its status")
            #expect(before.generation == 1)
            let first: Tree = [
                "instance": "default", "heartbeatTime": "2026-03-01T12:30:00Z",
                "conditions": [condition("Ready", "True"), condition("Held", "Unknown")],
                "lastIncident": ["reason": "FetchFailed", "object": "Role a/b", "time": "2026-03-01T12:30:00Z"],
            ]
            #expect(try await object.write(first).status == first)
            #expect(try await object.read().status == first)
            var second = first
            second.set(["lastIncident", "object"], to: nil)
            second.set(["conditions"], to: [condition("Ready", "False")])
            second.set(["instance"], to: nil)
            let written = try await object.write(second)
            #expect(written.status == second, "what is left out is gone")
            #expect(written.generation == 1, "nobody asked for anything new")
            let patch: Tree = ["status": ["instance": "made-up"], "metadata": ["labels": ["a": "b"]]]
            let answer = try await server.send(
                .patchAnyVersion(patch, kind, id, fieldManager: "contract"), as: .admin)
            #expect(answer.tree["metadata"]?["labels"]?["a"] == "b", "\(answer)")
            #expect(answer.tree["status"] == second, "by way of the object its status is not written")
        }
    }

    @Test func whatTheDefinitionDoesNotKnowIsDroppedAndWhatItForbidsRefused() async throws {
        try await withObject { object, _ in
            let kept = try await object.write(["instance": "a", "secret": "b"])
            #expect(kept.status == ["instance": "a"])
            for wrong: Tree in [
                ["conditions": [condition("Ready", "Perhaps")]], ["heartbeatTime": "yesterday"],
                ["conditions": [condition("Ready", "True", reason: "no word")]],
                ["conditions": [["type": "Ready", "status": "True"]]], ["counts": ["held": -1]],
                ["instance": .string(String(repeating: "x", count: 64))], ["counts": ["held": "many"]],
            ] {
                await expectError(.invalid) { () async throws(ClusterError) in _ = try await object.write(wrong) }
            }
            let after = try await object.read()
            #expect(after.status == ["instance": "a"])
        }
    }

    /// The rights of `Deploy/components/policy-sync/rbac.yaml` are enough, and give nothing else.
    @Test func theShippedRightsReadOneObjectAndWriteItsStatus() async throws {
        try await withObject { _, id in
            let user = try await server.makeUser(
                in: id.namespace,
                allowed: [
                    [
                        "apiGroups": [.string(group)], "resources": ["policysyncs"], "resourceNames": ["bylaw"],
                        "verbs": ["get"],
                    ],
                    [
                        "apiGroups": [.string(group)], "resources": ["policysyncs/status"], "resourceNames": ["bylaw"],
                        "verbs": ["patch"],
                    ],
                ])
            let write = APIRequest.replaceStatus(["instance": "a"], kind, id, fieldManager: "contract")
            try await eventually("the rights are known") { try await server.send(write, as: user).isSuccess }
            #expect(try await server.send(.read(kind, id), as: user).tree["status"]?["instance"] == "a")
            var other = id
            other.name = "other"
            #expect(try await create(other).status == 201)
            for request: APIRequest in [
                .patchAnyVersion(["metadata": ["labels": ["a": "b"]]], kind, id, fieldManager: "contract"),
                .replaceStatus(["instance": "a"], kind, other, fieldManager: "contract"), .read(kind, other),
                .list(kind, namespace: id.namespace), APIRequest(method: .delete, path: kind.path(of: id)),
            ] {
                #expect(try await server.send(request, as: user).status == 403, "\(request)")
            }
            other.name = "third"
            #expect(try await create(other, as: user).status == 403)
        }
    }

    /// A leader that leaves does not write over what the next one tells.
    @Test func aStatusIsWrittenOverOnlyWhereItIsOfWhoeverWasExpected() async throws {
        try await withObject { object, _ in
            await expectError(.invalid) { () async throws(ClusterError) in
                _ = try await object.write(["reporter": "a"], over: "a")
            }
            _ = try await object.write(["reporter": "a", "instance": "first"])
            _ = try await object.write(["reporter": "a", "instance": "last"], over: "a")
            _ = try await object.write(["reporter": "b"])
            await expectError(.invalid) { () async throws(ClusterError) in
                _ = try await object.write(["reporter": "a"], over: "a")
            }
            #expect(try await object.read().status == ["reporter": "b"])
        }
    }

    /// What is missing is told apart: the kind, and the object.
    @Test func withoutTheKindOrTheObjectNothingIsWritten() async throws {
        let namespace = uniqueName()
        let object = PolicySyncObject(namespace: namespace, name: "bylaw", on: server.admin, resource: kind)
        await expectError(.resourceNotServed) { () async throws(ClusterError) in _ = try await object.read() }
        await expectError(.resourceNotServed) { () async throws(ClusterError) in _ = try await object.write([:]) }
        try await withObject { _, id in
            let absent = PolicySyncObject(namespace: id.namespace, name: "absent", on: server.admin, resource: kind)
            await expectError(.notFound) { () async throws(ClusterError) in _ = try await absent.read() }
            await expectError(.notFound) { () async throws(ClusterError) in
                _ = try await absent.write(["instance": "a"])
            }
        }
    }

    @Test func itIsListedAmongWhatIsServed() async throws {
        try await withObject { _, id in
            let served = try await server.send(.get("/apis/\(group)/v1alpha1"), as: .admin)
            let names = served.tree["resources"]?.array?.compactMap { $0["name"]?.string } ?? []
            #expect(Set(names) == ["policysyncs", "policysyncs/status"], "\(served)")
            let list = try await server.send(.list(kind, namespace: id.namespace), as: .admin)
            #expect(list.tree["items"]?.array?.first?["kind"] == "PolicySync", "\(list)")
        }
    }
}
