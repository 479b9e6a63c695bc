import KubeProtocol
import Manifest
package import Reconciler

extension KubeCluster {
    /// The checkpoint that such a ConfigMap holds; nil where there is no such ConfigMap, or none in it.
    package func publishedCheckpoint(namespace: String, name: String) async throws(ClusterError) -> String? {
        let id = ObjectID(.configMap, namespace: namespace, name: name)
        let what = "read \(id)"
        do throws(ClusterError) {
            let answer = try await call(.read(.configMap, id), what: what, resource: .configMap)
            return try liveObject(answer, what, of: .configMap).tree["data"]?["checkpoint"]?.string
        } catch {
            guard error.kind == .notFound else { throw error }
            return nil
        }
    }

    /// Puts a signed checkpoint of the journal into a ConfigMap, which is made where it is not there.
    ///
    /// Needs the rights of `Deploy/components/checkpoint/rbac.yaml`.
    package func publishCheckpoint(
        _ note: String, namespace: String, name: String
    ) async throws(ClusterError) {
        let id = ObjectID(.configMap, namespace: namespace, name: name)
        let body: Tree = [
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": ["namespace": .string(namespace), "name": .string(name)],
            "data": ["checkpoint": .string(note)],
        ]
        _ = try await call(
            .apply(body, .configMap, id, fieldManager: fieldManager, expecting: nil, isDryRun: false),
            what: "apply \(id)", resource: .configMap)
    }
}
