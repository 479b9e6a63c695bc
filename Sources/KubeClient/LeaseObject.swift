import HTTPClient
import KubeProtocol
import Manifest
package import Reconciler

/// A Lease of the cluster, through a client of its own: no other request can be in its way (rule K6).
///
/// Needs the rights of `Deploy/components/high-availability/lease.yaml`.
package struct LeaseObject: LeaseStore {
    private let id: ObjectID
    private let cluster: KubeCluster

    /// - Parameter timeout: Of one request.
    package init(
        namespace: String, name: String, endpoint: ClusterEndpoint, fieldManager: String, userAgent: String,
        timeout: Duration
    ) {
        id = ObjectID(.lease, namespace: namespace, name: name)
        cluster = KubeCluster(
            endpoint: endpoint, fieldManager: fieldManager, userAgent: userAgent, concurrentCalls: 2,
            callTimeout: timeout)
    }

    package var name: String { "\(id.namespace)/\(id.name)" }

    package func read() async throws(ClusterError) -> StoredLease? {
        do throws(ClusterError) {
            return try await send(.read(.lease, id), "read \(id)")
        } catch {
            guard error.kind == .notFound else { throw error }
            return nil
        }
    }

    package func create(
        _ record: LeaseRecord, leaving notes: LeaderNotes
    ) async throws(ClusterError) -> StoredLease {
        var body: Tree = [
            "apiVersion": .string(Resource.lease.apiVersion), "kind": .string(Resource.lease.kind),
            "metadata": ["namespace": .string(id.namespace), "name": .string(id.name)],
            "spec": spec(of: record, over: .object(Members())),
        ]
        write(notes, on: &body)
        return try await send(
            .create(
                body, .lease, namespace: id.namespace, fieldManager: cluster.fieldManager, isDryRun: false),
            "create \(id)")
    }

    package func update(
        _ stored: StoredLease, to record: LeaseRecord, leaving notes: LeaderNotes
    ) async throws(ClusterError) -> StoredLease {
        var body = stored.object.content
        write(notes, on: &body)
        body.set(["spec"], to: spec(of: record, over: stored.spec))
        return try await send(
            .update(body, .lease, id, fieldManager: cluster.fieldManager), "update \(id)")
    }

    private func write(_ notes: LeaderNotes, on lease: inout Tree) {
        for (key, text) in [
            (Handover.annotation, notes.handover?.text), (JournalMark.annotation, notes.journal?.text),
        ] {
            // No empty map for nothing.
            guard text != nil || lease["metadata"]?["annotations"]?[key] != nil else { continue }
            lease.set(["metadata", "annotations", key], to: text.map(Tree.string))
        }
    }

    private func send(_ request: APIRequest, _ what: String) async throws(ClusterError) -> StoredLease {
        let answer = try await cluster.call(request, what: what, resource: .lease)
        return StoredLease(try cluster.liveObject(answer, what, of: .lease))
    }

    /// A time stands there as MicroTime, which ``Timestamp`` is written as (rule K5).
    private func spec(of record: LeaseRecord, over known: Tree) -> Tree {
        var spec = known
        spec.set(["holderIdentity"], to: .string(record.holder))
        spec.set(["leaseDurationSeconds"], to: record.durationSeconds.map(Tree.integer))
        spec.set(["acquireTime"], to: record.acquired.map { .string($0.description) })
        spec.set(["renewTime"], to: record.renewed.map { .string($0.description) })
        spec.set(["leaseTransitions"], to: .integer(record.transitions))
        return spec
    }
}
