import KubeClient
import KubeProtocol
import Manifest
import Reconciler
import Testing

/// What the server does with a Lease, and the client that keeps one.
@Suite(.timeLimit(.minutes(2))) struct LeaseTests {
    let server: ServerUnderTest

    init() async throws { server = try await .shared() }

    private static let time = Timestamp(microsecondsSinceEpoch: 1_772_366_400_000_000)

    private func record(_ holder: String, transitions: Int64 = 0) -> LeaseRecord {
        LeaseRecord(
            holder: holder, durationSeconds: 15, acquired: Self.time, renewed: Self.time, transitions: transitions)
    }

    private func store(in namespace: String) -> LeaseObject {
        LeaseObject(
            namespace: namespace, name: "bylaw", endpoint: server.admin.endpoint,
            fieldManager: ServerUnderTest.intruder,
            userAgent: "contract/1", timeout: .seconds(20))
    }

    private func id(in namespace: String) -> ObjectID { ObjectID(.lease, namespace: namespace, name: "bylaw") }

    private func body(in namespace: String, _ spec: Tree) -> Tree {
        [
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": ["name": "bylaw", "namespace": .string(namespace)], "spec": spec,
        ]
    }

    private func create(in namespace: String, _ spec: Tree) async throws -> Answer {
        try await server.send(
            .create(
                body(in: namespace, spec), .lease, namespace: namespace, fieldManager: "contract", isDryRun: false),
            as: .admin)
    }

    // MARK: The server

    /// Rule K2.
    @Test func aLeaseIsReplacedOnlyInAVersionThatWasRead() async throws {
        try await server.withNamespace { namespace in
            let id = id(in: namespace)
            let first = try await create(in: namespace, ["holderIdentity": "a", "leaseDurationSeconds": 15])
            #expect(first.status == 201, "\(first)")
            let blind = try await server.send(
                .update(body(in: namespace, ["holderIdentity": "b"]), .lease, id, fieldManager: "contract"), as: .admin)
            #expect(blind.status == 422, "\(blind)")
            #expect(blind.failure.causes.contains { $0.field == "metadata.resourceVersion" }, "\(blind)")
            var read = first.tree
            read.set(["spec", "holderIdentity"], to: "b")
            let request = APIRequest.update(read, .lease, id, fieldManager: "contract")
            #expect(try await server.send(request, as: .admin).status == 200)
            let late = try await server.send(request, as: .admin)
            #expect(late.status == 409)
            #expect(late.failure.kind.rawValue == ClusterError.Kind.conflict.rawValue, "\(late)")
            let again = try await create(in: namespace, ["holderIdentity": "c"])
            #expect(again.status == 409 && again.reason == "AlreadyExists", "\(again)")
        }
    }

    /// Rule K5.
    @Test(arguments: [
        ("2026-03-01T12:00:00.000000Z", true), ("2026-03-01T12:00:00.000000+01:00", true),
        ("2026-03-01T12:00:00Z", false), ("2026-03-01T12:00:00.000Z", false), ("yesterday", false), ("", false),
    ]) func aTimeHasExactlySixFractionalDigits(_ text: String, _ isTaken: Bool) async throws {
        try await server.withNamespace { namespace in
            let answer = try await create(in: namespace, ["holderIdentity": "a", "renewTime": .string(text)])
            #expect(answer.status == (isTaken ? 201 : 400), "\(answer)")
        }
    }

    /// Rule K7.
    @Test(arguments: [("leaseDurationSeconds", 0), ("leaseDurationSeconds", -1), ("leaseTransitions", -1)])
    func aDurationOrNumberThatMeansNothingIsRefused(_ field: String, _ value: Int64) async throws {
        try await server.withNamespace { namespace in
            let answer = try await create(
                in: namespace, ["holderIdentity": "a", .init(stringLiteral: field): .integer(value)])
            #expect(answer.status == 422, "\(answer)")
            #expect(answer.failure.causes.contains { $0.field == "spec.\(field)" }, "\(answer)")
        }
    }

    // MARK: The client

    @Test func whatTheRecordDoesNotSpeakOfIsKept() async throws {
        try await server.withNamespace { namespace in
            let store = store(in: namespace)
            #expect(try await store.read() == nil)
            let made = try await store.create(record("a"), leaving: LeaderNotes())
            #expect(made.record == record("a"))
            let patch = #"{"metadata":{"labels":{"kept":"yes"},"annotations":{"kept":"also"}}}"#
            let answer = try await server.send(
                APIRequest(
                    method: .patch, path: Resource.lease.path(of: id(in: namespace)),
                    contentType: "application/merge-patch+json", body: Array(patch.utf8)), as: .admin)
            #expect(answer.isSuccess, "\(answer)")
            await expectError(.conflict) { () async throws(ClusterError) in
                _ = try await store.update(made, to: record("b"), leaving: LeaderNotes())
            }
            let read = try #require(try await store.read())
            #expect(read.record == made.record)
            let updated = try await store.update(read, to: record("b", transitions: 1), leaving: LeaderNotes())
            #expect(updated.record == record("b", transitions: 1))
            #expect(updated.object.label("kept") == "yes" && updated.object.annotation("kept") == "also")

            let handover = try #require(
                Handover(revision: String(repeating: "0f", count: 20), place: "north\nproduction"))
            let left = LeaderNotes(
                handover: handover, journal: JournalMark(journal: String(repeating: "0f", count: 16), number: 42))
            let leaving = try await store.update(updated, to: record("b", transitions: 1), leaving: left)
            #expect(try await store.read()?.notes == left)
            let after = try await store.update(leaving, to: record("b", transitions: 1), leaving: LeaderNotes())
            #expect(after.notes == LeaderNotes() && after.object.annotation("kept") == "also")
        }
    }

    @Test func ofTwoWhoMakeOrReplaceItOneIsTold() async throws {
        try await server.withNamespace { namespace in
            let store = store(in: namespace)
            let made = try await store.create(record("a"), leaving: LeaderNotes())
            await expectError(.alreadyExists) { () async throws(ClusterError) in
                _ = try await store.create(record("b"), leaving: LeaderNotes())
            }
            _ = try await store.update(made, to: record("a", transitions: 1), leaving: LeaderNotes())
            await expectError(.conflict) { () async throws(ClusterError) in
                _ = try await store.update(made, to: record("b"), leaving: LeaderNotes())
            }
            let released = LeaseRecord(
                holder: "", durationSeconds: 1, acquired: Self.time, renewed: Self.time, transitions: 1)
            let read = try #require(try await store.read())
            #expect(try await store.update(read, to: released, leaving: LeaderNotes()).record == released)
            await server.remove(lease: id(in: namespace))
            // It may be made by a replacement, but not in a version that was read.
            await expectError(.conflict) { () async throws(ClusterError) in
                _ = try await store.update(read, to: record("b"), leaving: LeaderNotes())
            }
        }
    }

    /// A namespace that is not there is told apart from a Lease that is not.
    @Test func aMissingNamespaceIsNoMissingLease() async throws {
        let store = store(in: uniqueName())
        do throws(ClusterError) {
            _ = try await store.create(record("a"), leaving: LeaderNotes())
            Issue.record("there is no such namespace")
        } catch {
            #expect(error.kind == .namespaceNotFound, "\(error)")
        }
    }

    // MARK: An apply that only makes

    /// Rule D24: what is there is never overwritten, whoever made it, and what is absent is made.
    @Test func anApplyOfSomethingNewOverwritesNothing() async throws {
        try await server.withNamespace { namespace in
            let id = ObjectID(.networkPolicy, namespace: namespace, name: "new")
            let made = try await server.bylaw.applyNew(denyIngress(id), as: id)
            #expect(made.wasCreated)
            let manager = made.object["metadata"]?["managedFields"]?.array?.first
            #expect(manager?["operation"] == "Apply", "it owns its fields as with any apply")
            var other = denyIngress(id)
            other.set(["metadata", "labels"], to: ["old": "commit"])
            await expectError(.conflict) { () async throws(ClusterError) in
                _ = try await server.bylaw.applyNew(other, as: id)
            }
            #expect(try await server.bylaw.read(id)?.resourceVersion == made.live?.resourceVersion)
        }
    }
}

extension ServerUnderTest {
    fileprivate func remove(lease id: ObjectID) async {
        _ = try? await send(APIRequest(method: .delete, path: Resource.lease.path(of: id)), as: .admin)
    }
}
