import KubeProtocol
import Manifest
package import Reconciler

/// The ConfigMap that an emergency hold is put into: Kubernetes' own access control says who may, and its audit log who did.
///
/// The controller only reads it; needs the rights of `Deploy/components/emergency-hold/rbac.yaml`.
package struct HoldConfigMap: EmergencyHoldSource {
    package let namespace: String
    package let configMap: String
    private let cluster: KubeCluster

    package init(namespace: String, name: String, on cluster: KubeCluster) {
        self.namespace = namespace
        configMap = name
        self.cluster = cluster
    }

    package var name: String { "ConfigMap \(namespace)/\(configMap)" }

    private var id: ObjectID { ObjectID(.configMap, namespace: namespace, name: configMap) }

    /// The ConfigMap as it was read once.
    package struct Content: Sendable {
        /// Nil where it is not there.
        fileprivate var live: LiveObject?
        package var data: [String: String]
    }

    package func read() async -> EmergencyHoldReading {
        do throws(ClusterError) {
            let content = try await content()
            do throws(EmergencyHoldFlaw) {
                return try EmergencyHoldRecord(data: content.data).map(EmergencyHoldReading.record) ?? .none
            } catch {
                return .flawed(error.message)
            }
        } catch {
            return error.kind == .forbidden ? .forbidden(error) : .failed(error)
        }
    }

    /// What it holds now; nothing where it, or its namespace, is not there.
    package func content() async throws(ClusterError) -> Content {
        let what = "read \(id)"
        let live: LiveObject
        do throws(ClusterError) {
            live = try cluster.liveObject(
                try await cluster.call(.read(.configMap, id), what: what, resource: .configMap), what, of: .configMap)
        } catch {
            guard [.notFound, .namespaceNotFound].contains(error.kind) else { throw error }
            return Content(live: nil, data: [:])
        }
        var data: [String: String] = [:]
        for (key, value) in live.tree["data"]?.members ?? Members() { data[key] = value.string ?? "" }
        return Content(live: live, data: data)
    }

    /// Puts a hold there in place of what was read, and of nothing newer.
    ///
    /// - Throws: ``ClusterError`` of the kind `conflict` or `alreadyExists` where somebody wrote in between.
    package func write(_ record: EmergencyHoldRecord, over content: Content) async throws(ClusterError) {
        let data = Members(record.data.map { ($0.key, Tree.string($0.value)) })
        guard let live = content.live else {
            let body: Tree = [
                "apiVersion": "v1", "kind": "ConfigMap",
                "metadata": ["namespace": .string(namespace), "name": .string(configMap)], "data": .object(data),
            ]
            _ = try await cluster.call(
                .create(body, .configMap, namespace: namespace, fieldManager: cluster.fieldManager, isDryRun: false),
                what: "create \(id)", resource: .configMap)
            return
        }
        var patch = data
        for key in content.data.keys where data[key] == nil { patch[key] = .null }
        _ = try await cluster.call(
            .mergePatch(
                ["data": .object(patch)], .configMap, id, fieldManager: cluster.fieldManager, expecting: live),
            what: "patch \(id)", resource: .configMap)
    }
}
