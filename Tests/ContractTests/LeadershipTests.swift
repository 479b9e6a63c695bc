import KubeClient
import KubeProtocol
import Manifest
import Reconciler
import Synchronization
import Testing

/// Replicas that share a Lease of a server.
@Suite(.timeLimit(.minutes(2))) struct LeadershipTests {
    let server: ServerUnderTest

    init() async throws { server = try await .shared() }

    /// One replica, with all that it told.
    private final class Replica: Sendable {
        let leadership: Leadership
        let fence = WriteFence()
        private let told: Notices

        private final class Notices: Sendable {
            let all = Mutex<[LeadershipNotice]>([])
        }

        /// A store of the real Lease that tells when it was written, before whoever wrote it learns of that.
        private struct WatchedStore: LeaseStore {
            let lease: LeaseObject
            let whenWritten: @Sendable () -> Void

            var name: String { lease.name }
            func read() async throws(ClusterError) -> StoredLease? { try await lease.read() }
            func create(_ record: LeaseRecord, leaving notes: LeaderNotes) async throws(ClusterError) -> StoredLease {
                let stored = try await lease.create(record, leaving: notes)
                whenWritten()
                return stored
            }
            func update(
                _ stored: StoredLease, to record: LeaseRecord, leaving notes: LeaderNotes
            ) async throws(ClusterError) -> StoredLease {
                let stored = try await lease.update(stored, to: record, leaving: notes)
                whenWritten()
                return stored
            }
        }

        init(
            _ name: String, in namespace: String, on server: ServerUnderTest,
            whenWritten: @escaping @Sendable () -> Void = {}
        ) throws {
            // Long enough that no lease runs out in a test, however busy the machine is.
            let lease = 60
            let timing = try LeaderElectionTiming(
                lease: .seconds(lease), deadline: .seconds(lease - 1), retry: .milliseconds(300))
            let told = Notices()
            self.told = told
            leadership = Leadership(
                identity: name, timing: timing,
                store: WatchedStore(
                    lease: LeaseObject(
                        namespace: namespace, name: "bylaw", endpoint: server.admin.endpoint,
                        fieldManager: ServerUnderTest.intruder, userAgent: "contract/1",
                        timeout: timing.requestTimeout),
                    whenWritten: whenWritten),
                fence: fence,
                surroundings: Surroundings(
                    now: { Timestamp(microsecondsSinceEpoch: 1_772_366_400_000_000) },
                    uptime: { .zero }, sleep: { try await Task.sleep(for: $0) },
                    randomness: { Double.random(in: 0..<1) })
            ) { notice in told.all.withLock { $0.append(notice) } }
        }

        var notices: [LeadershipNotice] { told.all.withLock { $0 } }
        var status: LeadershipStatus { leadership.board.status }

        /// Leads until it loses the lease or is told to give it back.
        func start() -> Task<Void, any Error> {
            Task {
                _ = try await leadership.untilLeading { _ in }
                await leadership.untilLost { _ in }
            }
        }
    }

    private func id(in namespace: String) -> ObjectID { ObjectID(.lease, namespace: namespace, name: "bylaw") }

    private func patch(_ patch: String, in namespace: String) async throws {
        let answer = try await server.send(
            APIRequest(
                method: .patch, path: Resource.lease.path(of: id(in: namespace)),
                contentType: "application/merge-patch+json", body: Array(patch.utf8)), as: .admin)
        #expect(answer.isSuccess, "\(answer)")
    }

    /// Does something while one replica leads, or with one that is about to lose its lease.
    private func withLeader(
        _ body: (_ replica: Replica, _ leading: Task<Void, any Error>, _ namespace: String) async throws -> Void
    ) async throws {
        try await server.withNamespace { namespace in
            let replica = try Replica("first", in: namespace, on: server)
            try await makeReleasedLease(in: namespace)
            let leading = replica.start()
            try await eventually("it leads") { replica.status.isLeader }
            try await body(replica, leading, namespace)
            leading.cancel()
            _ = await leading.result
        }
    }

    @Test func theOneThatStandsByFollowsARelease() async throws {
        try await server.withNamespace { namespace in
            let first = try Replica("first", in: namespace, on: server)
            let second = try Replica("second", in: namespace, on: server)
            // The Lease is there, given back, so that nobody waits for its absence.
            try await makeReleasedLease(in: namespace)
            let leading = first.start()
            try await eventually("the first leads") { first.status.isLeader }
            let standing = second.start()
            try await eventually("the second stands by") {
                second.notices.contains(.standingBy(holder: "first"))
            }
            #expect(!second.status.isLeader && second.fence.deadline == nil)
            leading.cancel()
            _ = await leading.result
            #expect(first.fence.deadline != nil, "it leads until it gives the lease back")
            try await first.leadership.release()
            #expect(first.fence.deadline == nil && !first.status.isLeader)
            try await eventually("the second leads") {
                second.notices.last == .acquired(.released, transitions: 2)
            }
            #expect(second.status.isLeader)
            #expect(second.status.holder == "second" && second.status.transitions == 2)
            standing.cancel()
            _ = await standing.result
        }
    }

    @Test func aLeaseThatIsTakenByForceIsLostAtTheNextRenewal() async throws {
        try await withLeader { replica, leading, namespace in
            try await patch(#"{"spec":{"holderIdentity":"thief"}}"#, in: namespace)
            _ = await leading.result
            #expect(replica.notices.last == .lost(.taken(by: "thief")))
            #expect(replica.fence.deadline == nil && !replica.status.isLeader)
            try await replica.leadership.release()
            let answer = try await server.send(.read(.lease, id(in: namespace)), as: .admin)
            #expect(answer.tree["spec"]?["holderIdentity"] == "thief", "what is another's is not given back")
        }
    }

    /// Nobody else has to wait for the end of what nobody holds.
    @Test func whoIsStoppedWhileTakingTheLeaseGivesItBack() async throws {
        try await server.withNamespace { namespace in
            try await makeReleasedLease(in: namespace)
            let standing = Mutex<Task<Void, any Error>?>(nil)
            let replica = try Replica("first", in: namespace, on: server) {
                standing.withLock { $0?.cancel() }
            }
            standing.withLock { $0 = replica.start() }
            let result = await standing.withLock(\.self)?.result
            #expect(throws: CancellationError.self) { try result?.get() }
            #expect(replica.fence.deadline == nil && !replica.status.isLeader)
            #expect(replica.notices.last == .released, "\(replica.notices)")
            let answer = try await server.send(.read(.lease, id(in: namespace)), as: .admin)
            #expect(answer.tree["spec"]?["holderIdentity"] == "", "\(answer.tree)")
        }
    }

    private func handover(in namespace: String) async throws -> Handover? {
        let answer = try await server.send(.read(.lease, id(in: namespace)), as: .admin)
        return answer.tree["metadata"]?["annotations"]?[Handover.annotation]?.string.flatMap { Handover($0) }
    }

    private func someHandover(_ digit: String) throws -> Handover {
        try #require(Handover(revision: String(repeating: digit, count: 40), place: "\n"))
    }

    /// Whoever leads next must find it whatever happens to this one from then on.
    @Test func whatALeaderLeavesStandsThereWhenItMayGoOn() async throws {
        try await withLeader { replica, _, namespace in
            for digit in ["1", "2"] {
                // Another version than the leader knows.
                try await patch(#"{"metadata":{"labels":{"seen":"\#(digit)"}}}"#, in: namespace)
                try await replica.leadership.leave(LeaderNotes(handover: try someHandover(digit)))
                #expect(try await handover(in: namespace) == someHandover(digit))
            }
            try await replica.leadership.leave(LeaderNotes())
            #expect(try await handover(in: namespace) == nil)
        }
    }

    @Test func whoHasLostTheLeaseLeavesNothing() async throws {
        try await withLeader { replica, leading, namespace in
            try await patch(#"{"spec":{"holderIdentity":"thief"}}"#, in: namespace)
            let left = try someHandover("1")
            await expectError(.notLeading) { () async throws(ClusterError) in
                try await replica.leadership.leave(LeaderNotes(handover: left))
            }
            _ = await leading.result
            #expect(replica.fence.deadline == nil)
            #expect(try await handover(in: namespace) == nil)
        }
    }

    @Test func whatIsLeftIsFoundAlsoWhereTheLeaderDidNotLeaveInOrder() async throws {
        try await server.withNamespace { namespace in
            let store = LeaseObject(
                namespace: namespace, name: "bylaw", endpoint: server.admin.endpoint,
                fieldManager: ServerUnderTest.intruder, userAgent: "contract/1", timeout: .seconds(5))
            let left = try someHandover("1")
            let record = LeaseRecord(
                holder: "killed", durationSeconds: 1,
                acquired: Timestamp(microsecondsSinceEpoch: 1_772_366_400_000_000),
                renewed: Timestamp(microsecondsSinceEpoch: 1_772_366_400_000_000), transitions: 3)
            _ = try await store.create(record, leaving: LeaderNotes(handover: left))
            let replica = try Replica("second", in: namespace, on: server)
            let leading = replica.start()
            try await eventually("it leads") {
                replica.notices.last == .acquired(.expired(holder: "killed"), transitions: 4)
            }
            #expect(await replica.leadership.notes == LeaderNotes(handover: left))
            #expect(try await handover(in: namespace) == left, "it stands there until something else is in force")
            leading.cancel()
            _ = await leading.result
        }
    }

    /// The one that stands by must not take the absence for a vacancy.
    @Test func aLeaseThatIsDeletedUnderItsHolderIsMadeAgainByIt() async throws {
        try await server.withNamespace { namespace in
            let first = try Replica("first", in: namespace, on: server)
            let second = try Replica("second", in: namespace, on: server)
            try await makeReleasedLease(in: namespace)
            let tasks = [first.start()]
            try await eventually("the first leads") { first.status.isLeader }
            let standing = second.start()
            try await eventually("the second stands by") { second.notices.contains(.standingBy(holder: "first")) }
            for _ in 0..<3 {
                let removal = APIRequest(method: .delete, path: Resource.lease.path(of: id(in: namespace)))
                #expect(try await server.send(removal, as: .admin).isSuccess)
                try await eventually("it is there again") {
                    try await server.send(.read(.lease, id(in: namespace)), as: .admin).tree["spec"]?["holderIdentity"]
                        == "first"
                }
            }
            #expect(first.status.isLeader && !second.status.isLeader)
            for task in tasks + [standing] {
                task.cancel()
                _ = await task.result
            }
        }
    }

    /// Somebody else's word in the Lease, such as a label, is no loss.
    @Test func aLeaseThatSomebodyLabelsIsRenewedAsBefore() async throws {
        try await withLeader { replica, _, namespace in
            try await patch(#"{"metadata":{"labels":{"seen":"yes"}}}"#, in: namespace)
            let end = try #require(replica.fence.deadline)
            try await eventually("it renews") { (replica.fence.deadline ?? end) > end + .milliseconds(500) }
            let answer = try await server.send(.read(.lease, id(in: namespace)), as: .admin)
            #expect(answer.tree["metadata"]?["labels"]?["seen"] == "yes")
        }
    }

    /// The ways in which a client writes.
    enum Write: CaseIterable {
        case apply, applyNew, mergePatch, jsonPatch, delete, checkpoint

        func send(by cluster: KubeCluster, to live: LiveObject) async throws {
            let id = live.id
            switch self {
            case .apply: _ = try await cluster.apply(denyIngress(id), to: id, expecting: live, isDryRun: false)
            case .applyNew: _ = try await cluster.applyNew(denyIngress(id), as: id)
            case .mergePatch:
                _ = try await cluster.mergePatch(["metadata": ["labels": ["a": "b"]]], to: id, expecting: live)
            case .jsonPatch: _ = try await cluster.jsonPatch([], to: id)
            case .delete: _ = try await cluster.delete(id, expecting: live)
            case .checkpoint:
                try await cluster.publishCheckpoint("note", namespace: id.namespace, name: "checkpoint")
            }
        }
    }

    /// Rule K8: a client that may not write sends nothing, whichever way it is asked to.
    @Test(arguments: Write.allCases) func noWritePassesAClosedFence(_ write: Write) async throws {
        try await server.withNamespace { namespace in
            let fence = WriteFence()
            let fenced = KubeCluster(
                endpoint: server.admin.endpoint, fieldManager: ServerUnderTest.intruder, userAgent: "contract/1",
                fence: fence)
            let id = ObjectID(.networkPolicy, namespace: namespace, name: "fenced")
            let live = try #require(
                try await server.admin.apply(denyIngress(id), to: id, expecting: nil, isDryRun: false).live)
            await expectRefusal(of: write, by: fenced, to: live)
            // Reads and reviews pass.
            #expect(try await fenced.read(id)?.resourceVersion == live.resourceVersion)
            _ = try await fenced.whoWeAre()
            fence.open(until: .now + .seconds(30))
            fence.close()
            await expectRefusal(of: write, by: fenced, to: live)
            #expect(try await fenced.read(id)?.resourceVersion == live.resourceVersion)
            #expect(try await fenced.publishedCheckpoint(namespace: namespace, name: "checkpoint") == nil)
        }
    }

    private func expectRefusal(of write: Write, by cluster: KubeCluster, to live: LiveObject) async {
        do {
            try await write.send(by: cluster, to: live)
            Issue.record("\(write) passed")
        } catch {
            #expect((error as? ClusterError)?.kind == .notLeading, "\(error)")
        }
    }

    private func makeReleasedLease(in namespace: String) async throws {
        let body: Tree = [
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": ["name": "bylaw", "namespace": .string(namespace)],
        ]
        let answer = try await server.send(
            .create(body, .lease, namespace: namespace, fieldManager: "contract", isDryRun: false), as: .admin)
        #expect(answer.status == 201, "\(answer)")
    }
}
