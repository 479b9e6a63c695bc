import HTTPClient
import KubeProtocol
package import Manifest
package import Reconciler

/// A PolicySync: the object in which `kubectl` shows how an instance stands.
///
/// An administrator makes it, and its kind; here only its status is written. Needs the rights of
/// `Deploy/components/policy-sync/rbac.yaml`.
package struct PolicySyncObject: Sendable {
    private let id: ObjectID
    private let resource: Resource
    private let cluster: KubeCluster

    /// What is there.
    package struct Content: Sendable {
        package var status: Tree
        /// Nil where the server does not count.
        package var generation: Int64?

        package init(status: Tree, generation: Int64?) {
            self.status = status
            self.generation = generation
        }
    }

    package init(namespace: String, name: String, on cluster: KubeCluster, resource: Resource = .policySync) {
        id = ObjectID(resource, namespace: namespace, name: name)
        self.resource = resource
        self.cluster = cluster
    }

    /// For messages.
    package var name: String { id.description }

    /// Reads what was written last.
    ///
    /// - Throws: ``ClusterError`` of the kind `resourceNotServed` where there is no such kind, `notFound` without the object.
    package func read() async throws(ClusterError) -> Content {
        let what = "read \(id)"
        return try content(try await cluster.call(.read(resource, id), what: what, resource: resource), what)
    }

    /// Puts a status in place of the one that is there.
    ///
    /// - Parameter reporter: Whose that has to be; nil for anybody's.
    package func write(_ status: Tree, over reporter: String? = nil) async throws(ClusterError) -> Content {
        let what = "write the status of \(id)"
        return try content(
            try await cluster.call(
                .replaceStatus(status, over: reporter, resource, id, fieldManager: cluster.fieldManager), what: what,
                resource: resource), what)
    }

    private func content(_ answer: HTTPResponse, _ what: String) throws(ClusterError) -> Content {
        let tree = try cluster.liveObject(answer, what, of: resource).tree
        return Content(
            status: tree["status"] ?? .object(Members()), generation: tree["metadata"]?["generation"]?.integer)
    }
}
